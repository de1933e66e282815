"""Messages that were given up are listed where they are, and published again by one command."""

import json
import time
from collections.abc import Iterator

import pytest

from local.clients import Clients
from local.dead_letters import Letter, look, replay_all
from local.pubsub import PubSubServer
from local.table import dead_letter_topic, read_table, subscription

TABLE = read_table()
ARRIVED = {"bucketId": "documents", "objectId": "birds/letter.txt", "objectGeneration": "7"}


@pytest.fixture
def clients() -> Iterator[Clients]:
    with PubSubServer() as server:
        addresses = {
            "PUBSUB_EMULATOR_HOST": server.address,
            "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9",
        }
        with Clients(addresses, "local") as made:
            made.create_topics(TABLE)
            for topic in ("document-arrived", "scheduler-tick"):
                made.subscribe(f"seen.{topic}", topic)
            yield made


def give_up(clients: Clients, function: str, topic: str, data: bytes, **attributes: str) -> None:
    """Publish what Pub/Sub does once a function has failed a message often enough."""
    more = {
        "CloudPubSubDeadLetterSourceSubscription": subscription(function, topic),
        "CloudPubSubDeadLetterSourceDeliveryCount": "20",
    }
    clients.publish_bytes(dead_letter_topic(function), data, {**attributes, **more})


def seen(clients: Clients, topic: str) -> list[tuple[bytes, dict[str, str]]]:
    found: list[tuple[bytes, dict[str, str]]] = []
    clients.receive(
        f"seen.{topic}", 0.3, lambda item: found.append((item.data, dict(item.attributes)))
    )
    return found


def about(letters: list[Letter]) -> list[tuple[str, str, int]]:
    return [(letter.topic, letter.about, letter.attempts) for letter in letters]


def looked(clients: Clients, count: int) -> list[Letter]:
    """Look until so many are there: what was only looked at is back a moment later."""
    deadline = time.monotonic() + 10
    while len(letters := look(clients, TABLE)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return letters


def test_what_was_given_up_is_listed_again_and_again_but_no_tick(clients: Clients) -> None:
    give_up(clients, "process_document", "document-arrived", b"{}", **ARRIVED)
    give_up(clients, "watch_jobs", "scheduler-tick", b"{}")
    give_up(clients, "evaluate_model", "tuning-completed", b'{"task": "birds", "run": "r"}')
    for _ in range(2):
        assert about(looked(clients, 2)) == [
            ("tuning-completed", '{"task": "birds", "run": "r"}', 20),
            ("document-arrived", "birds/letter.txt", 20),
        ]


def test_a_replay_publishes_each_message_as_it_was_and_then_it_is_given_up_no_more(
    clients: Clients,
) -> None:
    give_up(clients, "process_document", "document-arrived", b"{}", **ARRIVED)
    waited = json.dumps({"bucket": "documents", "name": "birds/other.txt", "generation": "8"})
    give_up(clients, "process_document", "document-arrived", waited.encode())
    give_up(clients, "watch_jobs", "scheduler-tick", b"{}")
    done = replay_all(clients, TABLE)
    assert sorted(letter.about for letter in done) == ["birds/letter.txt", "birds/other.txt"]
    published = seen(clients, "document-arrived")
    assert sorted(published, key=lambda item: len(item[0])) == [
        (b"{}", ARRIVED),
        (waited.encode(), {}),
    ]
    assert look(clients, TABLE) == []
    assert seen(clients, "scheduler-tick") == []


def test_one_document_is_replayed_and_the_others_stay(clients: Clients) -> None:
    give_up(clients, "process_document", "document-arrived", b"{}", **ARRIVED)
    give_up(
        clients, "process_document", "document-arrived", b"{}", **{**ARRIVED, "objectId": "birds/b"}
    )
    assert about(replay_all(clients, TABLE, "birds/b")) == [("document-arrived", "birds/b", 20)]
    assert [letter.about for letter in looked(clients, 1)] == ["birds/letter.txt"]
