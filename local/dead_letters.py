"""Messages that a function failed for good: what they are about, and publishing them again."""

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from google.cloud.pubsub_v1 import SubscriberClient
from google.pubsub_v1 import types
from rich.console import Console

from local.addresses import Addresses
from local.clients import Clients
from local.table import Table, dead_letter_topic, read_table, subscriber
from local.typed import nothing_is_up

DONE, BROKEN = 0, 1
MOST = 100
_OURS = "CloudPubSubDeadLetter"
_SOURCE = f"{_OURS}SourceSubscription"
_ATTEMPTS = f"{_OURS}SourceDeliveryCount"


@dataclass(frozen=True)
class Letter:
    """A message that a function failed for good.

    Attributes:
        function: The function.
        topic: The topic that it came through, without a prefix.
        about: What it is about: an object's name, or the message.
        attempts: How often it was delivered.
        published: When it was dead-lettered.
        data: The message itself.
        attributes: Its own attributes, without those of Pub/Sub's dead-lettering.
        receipt: What acknowledges it.
    """

    function: str
    topic: str
    about: str
    attempts: int
    published: str
    data: bytes
    attributes: Mapping[str, str]
    receipt: str

    def summary(self) -> dict[str, object]:
        """Sum it up as plain data."""
        return {
            "function": self.function,
            "topic": self.topic,
            "about": self.about,
            "attempts": self.attempts,
            "given_up_at": self.published,
        }


def look(clients: Clients, table: Table) -> list[Letter]:
    """List the messages that were given up, and leave them where they are.

    Ticks are left out: the next one looks at everything again, so that none is a loss.
    """
    found: list[Letter] = []
    for function in table.functions:
        letters = list(_pull(clients, function))
        _give_back(clients, function, letters)
        found += [letter for letter in letters if letter.topic != table.schedule.topic]
    return found


def replay(options: argparse.Namespace) -> int:
    """Publish again what was given up, to the topics that it came through."""
    console = Console()
    addresses = Addresses.read(options.folder / ".state")
    if addresses is None or not addresses.is_up():
        said = nothing_is_up(options.folder)
        Console(stderr=True).print(said, markup=False, highlight=False, soft_wrap=True)
        return BROKEN
    with Clients(addresses.environment(), addresses.project) as clients:
        letters = replay_all(clients, read_table(), options.only or "")
    for letter in letters:
        console.print(
            f"Published again to {letter.topic}: {letter.about}", markup=False, soft_wrap=True
        )
    if not letters:
        console.print("No message was given up.")
    return DONE


def replay_all(clients: Clients, table: Table, only: str = "") -> list[Letter]:
    """Publish again what was given up, then acknowledge it; after a crash it may come twice.

    Args:
        clients: The clients.
        table: The functions; ticks are acknowledged and not published.
        only: Only what is about this object; empty for all.
    """
    done: list[Letter] = []
    for function in table.functions:
        full = clients.subscription(dead_letter_topic(function))
        while letters := list(_pull(clients, function)):
            meant = [letter for letter in letters if only in {"", letter.about}]
            for letter in meant:
                if letter.topic != table.schedule.topic:
                    clients.publish_bytes(letter.topic, letter.data, letter.attributes)
                    done.append(letter)
                clients.subscriber.acknowledge(subscription=full, ack_ids=[letter.receipt])
            if only:
                _give_back(clients, function, [item for item in letters if item not in meant])
                break
    return done


def _pull(clients: Clients, function: str) -> Iterator[Letter]:
    """Take what is in a function's dead-letter subscription, without waiting for more."""
    full = clients.subscription(dead_letter_topic(function))
    request = types.PullRequest(subscription=full, max_messages=MOST, return_immediately=True)
    response = _call(clients.subscriber, request)
    for received in response.received_messages:
        message = received.message
        attributes = dict(message.attributes)
        source = attributes.get(_SOURCE, "")
        yield Letter(
            function=function,
            topic=source.partition(f"{subscriber(function)}.")[2],
            about=_about(message.data, attributes),
            attempts=int(attributes.get(_ATTEMPTS, "0")),
            published=message.publish_time.isoformat(timespec="seconds"),
            data=message.data,
            attributes={key: text for key, text in attributes.items() if not key.startswith(_OURS)},
            receipt=received.ack_id,
        )


def _call(client: SubscriberClient, request: types.PullRequest) -> types.PullResponse:
    """Pull; the client warns of return_immediately, which is right for a single look."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        response: types.PullResponse = client.pull(request=request)
    return response


def _give_back(clients: Clients, function: str, letters: list[Letter]) -> None:
    """Let others have the messages at once."""
    if letters:
        clients.subscriber.modify_ack_deadline(
            subscription=clients.subscription(dead_letter_topic(function)),
            ack_ids=[letter.receipt for letter in letters],
            ack_deadline_seconds=0,
        )


def _about(data: bytes, attributes: Mapping[str, str]) -> str:
    """Name the object that a message is about, or show the message."""
    if "objectId" in attributes:
        return attributes["objectId"]
    text = data.decode(errors="replace")
    try:
        content = json.loads(text)
    except ValueError:
        return text[:200]
    name = content.get("name") if isinstance(content, dict) else None
    return name if isinstance(name, str) else text[:200]
