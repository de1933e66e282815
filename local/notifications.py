"""Bucket notifications: hands new objects on to the topic that the table names for their bucket.

fake-gcs-server publishes the new objects of all buckets to one topic. Real buckets have a
notification each, with a topic of its own; this makes up the difference.
"""

from collections.abc import Mapping

from google.pubsub_v1 import types

from local.clients import Clients

STORAGE_TOPIC = "storage-events"
WAIT_SECONDS = 1.0


class NotificationBridge:
    """Forwards the storage emulator's events.

    Args:
        clients: The local cloud's clients.
        topics: Bucket -> topic; the objects of other buckets are nobody's business.
    """

    def __init__(self, clients: Clients, topics: Mapping[str, str]) -> None:
        self._clients = clients
        self._topics = topics
        clients.subscribe(STORAGE_TOPIC, STORAGE_TOPIC)

    def forward(self) -> None:
        """Forward what there is; wait a moment when there is nothing."""
        self._clients.receive(STORAGE_TOPIC, WAIT_SECONDS, self._hand_on)

    def _hand_on(self, message: types.PubsubMessage) -> None:
        topic = self._topics.get(message.attributes.get("bucketId", ""))
        if topic is not None:
            self._clients.publish_bytes(topic, message.data, dict(message.attributes))
