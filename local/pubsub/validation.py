"""What Cloud Pub/Sub refuses in names, messages and subscriptions, and the defaults it fills in."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from local.pubsub.errors import InvalidRequestError, UnsupportedError
from local.pubsub.filters import FilterError, parse_filter

_NAME = re.compile(
    r"projects/[^/\s]+/(topics|subscriptions)/(?!goog)[A-Za-z][\w.~+%-]{2,254}", re.ASCII
)
_PROJECT = re.compile(r"projects/[^/\s]+")

DEFAULT_ACK_DEADLINE_SECONDS = 10
MIN_ACK_DEADLINE_SECONDS = 10
MAX_ACK_DEADLINE_SECONDS = 600
DEFAULT_MINIMUM_BACKOFF_SECONDS = 10
MAX_BACKOFF_SECONDS = 600
MIN_DELIVERY_ATTEMPTS = 5
MAX_DELIVERY_ATTEMPTS = 100
_SEVEN_DAYS_SECONDS = 604_800

_MAX_MESSAGES = 1_000
_MAX_PUBLISH_BYTES = 10_000_000
_MAX_ATTRIBUTES = 100
_MAX_KEY_BYTES = 256
_MAX_VALUE_BYTES = 1_024

# Accepting these and then not honouring them would let a test pass that fails in the cloud.
_UNSUPPORTED_FIELDS = (
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "enable_message_ordering",
    "enable_exactly_once_delivery",
    "message_transforms",
)


def check_name(name: str, kind: str) -> None:
    """Refuse a malformed full name; kind is "topics" or "subscriptions"."""
    match = _NAME.fullmatch(name)
    if match is None or match.group(1) != kind:
        raise InvalidRequestError(f"Invalid [{kind}] name: (name={name})")


def check_project(name: str) -> None:
    """Refuse anything but projects/<project>."""
    if _PROJECT.fullmatch(name) is None:
        raise InvalidRequestError(f"Invalid project name: (name={name})")


def check_messages(messages: Iterable[Any]) -> None:
    """Refuse a batch that is empty or too large, or that has a message with nothing in it."""
    count = total = 0
    for message in messages:
        count += 1
        total += message.ByteSize()
        if not message.data and not message.attributes:
            raise InvalidRequestError("Some messages are empty: neither data nor attributes")
        if len(message.attributes) > _MAX_ATTRIBUTES:
            raise InvalidRequestError(f"A message has more than {_MAX_ATTRIBUTES} attributes")
        for key, value in message.attributes.items():
            if not key or len(key.encode()) > _MAX_KEY_BYTES:
                raise InvalidRequestError(f"An attribute key must have 1..{_MAX_KEY_BYTES} bytes")
            if len(value.encode()) > _MAX_VALUE_BYTES:
                raise InvalidRequestError(f"An attribute has more than {_MAX_VALUE_BYTES} bytes")
    if not count:
        raise InvalidRequestError("No messages to publish")
    if count > _MAX_MESSAGES or total > _MAX_PUBLISH_BYTES:
        raise InvalidRequestError(
            f"A publish request has at most {_MAX_MESSAGES} messages, {_MAX_PUBLISH_BYTES} bytes"
        )


def check_ack_deadline(seconds: int, minimum: int = MIN_ACK_DEADLINE_SECONDS) -> None:
    """Refuse an acknowledgement deadline outside minimum..600 seconds."""
    if not minimum <= seconds <= MAX_ACK_DEADLINE_SECONDS:
        raise InvalidRequestError(
            f"The ack deadline must be {minimum}..{MAX_ACK_DEADLINE_SECONDS} seconds, not {seconds}"
        )


def check_push_config(config: Any) -> None:
    """Refuse an endpoint that is no http(s) address; an empty one means pull."""
    if config.HasField("no_wrapper"):
        raise UnsupportedError("This server sends wrapped push bodies only (no_wrapper is set)")
    if not config.push_endpoint:
        return
    try:
        address = urlsplit(config.push_endpoint)
        usable = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidRequestError(f"Unsupported push_endpoint: {config.push_endpoint}")


def completed_subscription(wire: Any) -> Any:
    """Check a subscription to be created and return a copy with Cloud Pub/Sub's defaults.

    Raises:
        InvalidRequestError: A field is outside its limits or the filter is malformed.
        UnsupportedError: It asks for something this server does not do.
    """
    check_name(wire.name, "subscriptions")
    check_name(wire.topic, "topics")
    for descriptor, _value in wire.ListFields():
        if descriptor.name in _UNSUPPORTED_FIELDS:
            raise UnsupportedError(f"This server does not offer {descriptor.name}")
    check_push_config(wire.push_config)
    try:
        parse_filter(wire.filter)
    except FilterError as error:
        raise InvalidRequestError(f"Invalid filter: {error}") from error
    complete = type(wire)()
    complete.CopyFrom(wire)
    complete.push_config.SetInParent()
    complete.ack_deadline_seconds = wire.ack_deadline_seconds or DEFAULT_ACK_DEADLINE_SECONDS
    check_ack_deadline(complete.ack_deadline_seconds)
    if not wire.HasField("message_retention_duration"):
        complete.message_retention_duration.seconds = _SEVEN_DAYS_SECONDS
    if wire.HasField("retry_policy"):
        _complete_retry(complete.retry_policy)
    if wire.HasField("dead_letter_policy"):
        _complete_dead_letter(complete.dead_letter_policy)
    return complete


def _complete_retry(policy: Any) -> None:
    if not policy.HasField("minimum_backoff"):
        policy.minimum_backoff.seconds = DEFAULT_MINIMUM_BACKOFF_SECONDS
    if not policy.HasField("maximum_backoff"):
        policy.maximum_backoff.seconds = MAX_BACKOFF_SECONDS
    minimum, maximum = seconds_of(policy.minimum_backoff), seconds_of(policy.maximum_backoff)
    if not 0 <= minimum <= maximum <= MAX_BACKOFF_SECONDS:
        raise InvalidRequestError(
            f"Backoff must be 0 <= minimum <= maximum <= {MAX_BACKOFF_SECONDS} seconds,"
            f" not {minimum}..{maximum}"
        )


def _complete_dead_letter(policy: Any) -> None:
    check_name(policy.dead_letter_topic, "topics")
    policy.max_delivery_attempts = policy.max_delivery_attempts or MIN_DELIVERY_ATTEMPTS
    if not MIN_DELIVERY_ATTEMPTS <= policy.max_delivery_attempts <= MAX_DELIVERY_ATTEMPTS:
        raise InvalidRequestError(
            f"max_delivery_attempts must be {MIN_DELIVERY_ATTEMPTS}..{MAX_DELIVERY_ATTEMPTS},"
            f" not {policy.max_delivery_attempts}"
        )


def seconds_of(duration: Any) -> float:
    """Turn a protobuf Duration into seconds."""
    return float(duration.seconds + duration.nanos / 1e9)
