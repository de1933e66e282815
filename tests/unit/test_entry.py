"""What every front door answers."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.entry import answer
from shared.errors import Conflict, Rejected, Retry
from shared.events import Event, Message
from shared.ports import World
from tests.fakes import FakeWorld, fake_world

SUBSCRIPTION = "projects/p/subscriptions/watch-jobs.scheduler-tick"


class FakeRequest:
    """A request with a body and without headers."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json"}

    def get_data(self) -> bytes:
        return self._body


def push(data: object = None, **message: object) -> bytes:
    encoded = base64.b64encode(json.dumps(data or {}).encode()).decode()
    content = {"message": {"data": encoded, **message}, "subscription": SUBSCRIPTION}
    return json.dumps(content).encode()


def ask(
    fakes: FakeWorld,
    work: Callable[[Event], None],
    body: bytes | None = None,
    world: Callable[[], World] | None = None,
) -> tuple[str, int]:
    return answer(
        FakeRequest(push() if body is None else body),
        function="watch_jobs",
        topics=("scheduler-tick",),
        world=world or (lambda: fakes.world),
        work=work,
    )


def raising(error: BaseException) -> Callable[[Event], None]:
    def work(_event: Event) -> None:
        raise error

    return work


def records(fakes: FakeWorld) -> list[Any]:
    return [fakes.artifacts.json(name) for name in fakes.artifacts.names("rejected/")]


def test_work_that_is_done_is_acknowledged_without_words() -> None:
    fakes = fake_world()
    events: list[Event] = []
    assert ask(fakes, events.append, push({"n": 1})) == ("", 204)
    assert events == [Message("scheduler-tick", {"n": 1})]
    assert records(fakes) == []


def test_a_rejection_is_recorded_published_and_acknowledged() -> None:
    fakes = fake_world()
    body, status = ask(fakes, raising(Rejected("Row 3 is wrong.", "Mend it.")))
    assert (body, status) == ("rejected", 200)
    (record,) = records(fakes)
    assert record["function"] == "watch_jobs"
    assert record["subject"] == "message on scheduler-tick"
    assert (record["reason"], record["remedy"]) == ("Row 3 is wrong.", "Mend it.")
    (fact,) = fakes.publisher.facts("input-rejected")
    assert fact["details"]["record"] == fakes.artifacts.names("rejected/")[0]
    assert "Row 3" not in json.dumps(fact)


def test_a_rejected_object_is_recorded_once_however_often_its_event_comes() -> None:
    fakes = fake_world()
    notification = {
        "bucketId": "datasets",
        "objectId": "a/b.csv",
        "objectGeneration": "4",
        "eventType": "OBJECT_FINALIZE",
    }
    for message_id in ("1", "2"):
        body = push(attributes=notification, messageId=message_id)
        assert ask(fakes, raising(Rejected("no")), body)[1] == 200
    (record,) = records(fakes)
    assert (record["subject"], record["generation"]) == ("gs://datasets/a/b.csv", 4)


@pytest.mark.parametrize("body", [b"", b"not json", b"{}", b'{"subscription": "forged"}', b"\xff"])
def test_a_body_that_is_no_event_is_recorded_and_acknowledged(body: bytes) -> None:
    fakes = fake_world()
    worked: list[Event] = []
    assert ask(fakes, worked.append, body) == ("rejected", 200)
    assert worked == []
    (record,) = records(fakes)
    assert record["subject"] == "an event that could not be read"


@pytest.mark.parametrize("error", [Retry("busy"), Conflict("x")])
def test_trouble_of_the_world_asks_for_another_delivery(error: Exception) -> None:
    fakes = fake_world()
    assert ask(fakes, raising(error)) == ("try again", 503)
    assert records(fakes) == []


def test_a_bug_answers_500_and_its_words_are_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    fakes = fake_world()
    body, status = ask(fakes, raising(ValueError("the secret document says hello")))
    assert (body, status) == ("internal error", 500)
    logged = capsys.readouterr()
    assert "secret" not in logged.out + logged.err
    entry = json.loads(logged.out)
    assert entry["severity"] == "ERROR"
    assert entry["error"] == "ValueError"
    assert any("test_entry.py" in place for place in entry["where"])
    assert records(fakes) == []


def test_a_rejection_that_cannot_be_recorded_is_not_acknowledged() -> None:
    fakes = fake_world()
    fakes.faults.fail("write artifacts", Retry("storage is down"))
    assert ask(fakes, raising(Rejected("no")))[1] == 503
    assert ask(fakes, raising(Rejected("no")))[1] == 200
    assert len(records(fakes)) == 1


def test_a_rejection_that_cannot_be_published_is_not_acknowledged() -> None:
    fakes = fake_world()
    fakes.faults.fail("publish", Retry("Pub/Sub is down"))
    assert ask(fakes, raising(Rejected("no")))[1] == 503
    assert ask(fakes, raising(Rejected("no")))[1] == 200
    assert len(fakes.publisher.facts("input-rejected")) == 1


def test_ports_that_cannot_be_built_answer_500() -> None:
    def broken() -> World:
        raise RuntimeError("no settings")

    assert ask(fake_world(), raising(Rejected("no")), world=broken) == ("internal error", 500)


@pytest.mark.parametrize(
    "name",
    [
        "a/" + "x" * 5000,
        "a/\x00\n.csv",
        pytest.param(
            "a\ud800/x.csv",
        ),
    ],
)
def test_an_object_with_a_strange_name_is_rejected_like_any_other(name: str) -> None:
    fakes = fake_world()
    notification = {
        "bucketId": "datasets",
        "objectId": name,
        "objectGeneration": "4",
        "eventType": "OBJECT_FINALIZE",
    }
    body = push(attributes=notification)
    assert ask(fakes, raising(Rejected(f"{name!r} is wrong.")), body) == ("rejected", 200)
    assert len(records(fakes)) == 1
