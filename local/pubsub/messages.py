"""A published message, and its forms on the wire and in a push request."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.pubsub_v1 import types

# The plain protobuf class: several times faster than its proto-plus wrapper.
PubsubMessage: Any = types.PubsubMessage.pb()

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """What was published, with the id and time (nanoseconds since 1970) it was given."""

    message_id: int
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str
    published_ns: int

    @classmethod
    def from_wire(cls, wire: Any) -> "Message":
        """Read a stored PubsubMessage."""
        return cls(
            message_id=int(wire.message_id),
            data=wire.data,
            attributes=dict(wire.attributes),
            ordering_key=wire.ordering_key,
            published_ns=wire.publish_time.seconds * _NANOSECONDS + wire.publish_time.nanos,
        )

    def to_wire(self) -> Any:
        """Make the PubsubMessage that subscribers get."""
        wire = PubsubMessage(
            data=self.data,
            attributes=self.attributes,
            message_id=str(self.message_id),
            ordering_key=self.ordering_key,
        )
        wire.publish_time.seconds, wire.publish_time.nanos = divmod(self.published_ns, _NANOSECONDS)
        return wire

    @property
    def publish_time(self) -> str:
        """The time of publishing, RFC 3339 in UTC with milliseconds."""
        moment = datetime.fromtimestamp(self.published_ns // 1_000_000 / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def dead_letter_attributes(self, subscription: str, attempts: int) -> dict[str, str]:
        """The attributes with which a subscription (full name) forwards it as undeliverable."""
        _, project, _, short_name = subscription.split("/")
        return {
            **self.attributes,
            "CloudPubSubDeadLetterSourceDeliveryCount": str(attempts),
            "CloudPubSubDeadLetterSourceSubscription": short_name,
            "CloudPubSubDeadLetterSourceSubscriptionProject": project,
            "CloudPubSubDeadLetterSourceTopicPublishTime": self.publish_time,
        }

    def push_body(self, subscription: str, delivery_attempt: int | None) -> dict[str, Any]:
        """Make the JSON body of a wrapped push; the attempt is left out when it is None."""
        message: dict[str, Any] = {
            "data": base64.b64encode(self.data).decode("ascii"),
            "attributes": dict(self.attributes),
            "messageId": str(self.message_id),
            "message_id": str(self.message_id),
            "publishTime": self.publish_time,
            "publish_time": self.publish_time,
        }
        if self.ordering_key:
            message["orderingKey"] = self.ordering_key
        body: dict[str, Any] = {"message": message, "subscription": subscription}
        if delivery_attempt is not None:
            body["deliveryAttempt"] = delivery_attempt
        return body
