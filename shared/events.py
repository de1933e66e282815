"""What arrives at a function's front door, made into plain data or refused.

Three shapes are understood: a Pub/Sub push (also a bucket's notification inside one), a Pub/Sub
CloudEvent, and a storage CloudEvent sent directly. A function answers 2xx to acknowledge, so a
malformed or forged event is a rejection, not an error: redelivering it would never help.

Sources: https://cloud.google.com/pubsub/docs/push#receive_push,
https://cloud.google.com/storage/docs/pubsub-notifications,
https://googleapis.github.io/google-cloudevents/.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.errors import Rejected

MAX_BODY_BYTES = 15_000_000
"""Pub/Sub's largest message is 10 MB, a third more in base64."""

OBJECT_FINALIZED = "google.cloud.storage.object.v1.finalized"
MESSAGE_PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"


@dataclass(frozen=True)
class ObjectArrived:
    """An object was written to a bucket."""

    bucket: str
    name: str
    generation: int


@dataclass(frozen=True)
class Message:
    """A JSON message was published to a topic, at a time that a redelivery does not change."""

    topic: str
    data: Mapping[str, Any]
    id: str = ""
    published: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


Event = ObjectArrived | Message


@dataclass(frozen=True)
class Sender:
    """Whom a function takes events from.

    Attributes:
        project: The project that its subscriptions live in.
        subscriber: The function's part of a subscription's name: "<subscriber>.<topic>".
        topics: The topics that it is subscribed to, without the prefix.
        topic_prefix: The deployment's prefix of topics and subscriptions.
    """

    project: str
    subscriber: str
    topics: tuple[str, ...]
    topic_prefix: str = ""


def parse_event(body: bytes, headers: Mapping[str, str], sender: Sender) -> Event:
    """Read an HTTP request as an event.

    Args:
        body: The request's body.
        headers: The request's headers; letter case does not matter.
        sender: Whom events are taken from.

    Raises:
        Rejected: It is not an event, or not one that this function is meant to get.
    """
    if len(body) > MAX_BODY_BYTES:
        raise Rejected(f"The event has {len(body)} bytes; Pub/Sub never sends that many.")
    lower = {key.lower(): value for key, value in headers.items()}
    content = _json_object(body)
    if "ce-type" in lower:
        return _from_cloud_event(lower["ce-type"], lower.get("ce-source", ""), content, sender)
    if lower.get("content-type", "").startswith("application/cloudevents+json"):
        data = content.get("data")
        return _from_cloud_event(
            str(content.get("type", "")),
            str(content.get("source", "")),
            data if isinstance(data, dict) else {},
            sender,
        )
    return _from_push(content, sender)


def _json_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise Rejected(
            "The event is not JSON.", "Publish through Pub/Sub or upload to the bucket."
        ) from None
    if not isinstance(content, dict):
        raise Rejected("The event is JSON, but not an object.")
    if b"\\u" in body and not _is_unicode(content):
        raise Rejected("The event holds half of a surrogate pair, which is not text.")
    return content


def _is_unicode(content: dict[str, Any]) -> bool:
    """Whether everything in a JSON object can be written as UTF-8."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_push(content: dict[str, Any], sender: Sender) -> Event:
    """Read a Pub/Sub push."""
    subscription = str(content.get("subscription", ""))
    start = f"projects/{sender.project}/subscriptions/{sender.topic_prefix}{sender.subscriber}."
    if not subscription.startswith(start):
        raise Rejected(
            f"The event comes from the subscription {subscription!r}, which is not this function's."
        )
    return _from_message(content.get("message"), subscription.removeprefix(start), sender)


def _from_cloud_event(kind: str, source: str, data: dict[str, Any], sender: Sender) -> Event:
    """Read a CloudEvent."""
    if kind == OBJECT_FINALIZED:
        arrived = _arrived(data.get("bucket"), data.get("name"), data.get("generation"))
        if source != f"//storage.googleapis.com/projects/_/buckets/{arrived.bucket}":
            raise Rejected(f"The event's source {source!r} is not the bucket that it speaks of.")
        return arrived
    if kind == MESSAGE_PUBLISHED:
        start = f"//pubsub.googleapis.com/projects/{sender.project}/topics/{sender.topic_prefix}"
        if not source.startswith(start):
            raise Rejected(f"The event's source {source!r} is not one of this project's topics.")
        return _from_message(data.get("message"), source.removeprefix(start), sender)
    raise Rejected(f"The event's type {kind!r} is not one that this function answers to.")


def _from_message(message: object, topic: str, sender: Sender) -> Event:
    """Read a Pub/Sub message: a bucket's notification, or somebody's JSON."""
    if topic not in sender.topics:
        raise Rejected(f"The topic {topic!r} is not one that this function is subscribed to.")
    if not isinstance(message, dict):
        raise Rejected("The event holds no message.")
    attributes = message.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise Rejected("The message's attributes are not an object.")
    if "bucketId" in attributes:
        kind = attributes.get("eventType")
        if kind != "OBJECT_FINALIZE":
            raise Rejected(f"The notification is about {kind!r}, not about a new object.")
        return _arrived(
            attributes["bucketId"], attributes.get("objectId"), attributes.get("objectGeneration")
        )
    identifier = str(message.get("messageId") or message.get("message_id") or "")
    try:
        data = base64.b64decode(str(message.get("data") or ""), validate=True)
    except ValueError:
        raise Rejected("The message's data is not base64.") from None
    published = _time(message.get("publishTime") or message.get("publish_time"))
    return Message(topic, _json_object(data or b"{}"), identifier, published, attributes)


def _time(text: object) -> datetime | None:
    """Read a time of day with its date; None when there is none that can be read."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else None


def _arrived(bucket: object, name: object, generation: object) -> ObjectArrived:
    """Check the three things that name an object."""
    if not isinstance(bucket, str) or not bucket or not isinstance(name, str) or not name:
        raise Rejected("The notification does not name a bucket and an object.")
    try:
        number = int(str(generation))
    except ValueError:
        raise Rejected(f"The notification about {name!r} has no generation.") from None
    return ObjectArrived(bucket, name, number)


def describe(event: Event | None) -> str:
    """Name an event for people: the object, or the topic."""
    match event:
        case ObjectArrived():
            return f"gs://{event.bucket}/{event.name}"
        case Message():
            return f"message on {event.topic}"
        case None:
            return "an event that could not be read"
