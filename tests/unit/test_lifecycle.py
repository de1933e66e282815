"""A tuning job's life."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest

from shared.lifecycle import (
    TERMINAL,
    TRANSITIONS,
    Announce,
    Announced,
    Busy,
    Cancel,
    Create,
    Created,
    Effect,
    Find,
    ForbiddenTransition,
    Found,
    Refused,
    Seen,
    Tick,
    advance,
)
from shared.ports import TuningJob
from shared.records import JobRecord, JobState
from shared.task import Configuration
from tests.fakes import START

LEASE = 120.0
SERVICE_STATES = (
    "queued",
    "pending",
    "running",
    "cancelling",
    "paused",
    "updating",
    "succeeded",
    "failed",
    "cancelled",
    "expired",
    "partially_succeeded",
    "state_of_the_future",
)


def job(state: JobState = "planned", **changes: object) -> JobRecord:
    record = JobRecord(
        id="run-e4-m1-a1",
        run="run",
        task_name="birds",
        dataset="dataset1",
        base_model="gemini-3.5-flash-lite",
        configuration=Configuration(),
        state=state,
        created=START,
    )
    return record.model_copy(update=changes)


def listed(state: str, number: int = 1, **changes: str) -> TuningJob:
    return TuningJob(
        f"tuningJobs/{number}",
        state,
        "run-e4-m1-a1",
        START + timedelta(seconds=number),
        **changes,  # type: ignore[arg-type]
    )


def outcomes(effect: Effect | None) -> Iterator[Seen]:
    """Everything that can be seen after an effect; the process may also die and look again."""
    yield Tick()
    match effect:
        case Find():
            yield Found([])
            for state in SERVICE_STATES:
                yield Found([listed(state)])
            for pair in product(SERVICE_STATES, repeat=2):
                yield Found([listed(pair[0]), listed(pair[1], 2)])
        case Create():
            yield from (Created(listed(state)) for state in SERVICE_STATES)
            yield Busy()
            yield Refused("too many tokens")
        case Announce():
            yield Announced()


def explore() -> Iterator[tuple[JobRecord, Seen, JobRecord, Effect | None]]:
    """Go through every step that can be reached from a planned job."""
    known: set[tuple[object, ...]] = set()
    frontier: list[tuple[JobRecord, Effect | None]] = [(job(), None)]
    while frontier:
        record, effect = frontier.pop()
        key = (record.state, record.lease_until, record.announced, effect)
        if key in known:
            continue
        known.add(key)
        for seen, later in product(outcomes(effect), (0.0, LEASE + 1)):
            now = START + timedelta(seconds=later)
            new, wanted = advance(record, seen, now, LEASE)
            yield record, seen, new, wanted
            frontier.append((new.model_copy(update={"epoch": 0}), wanted))


def test_no_reachable_step_leaves_the_table_and_every_row_of_it_is_used() -> None:
    used: set[tuple[JobState, JobState]] = set()
    for old, _seen, new, _effect in explore():
        if old.state != new.state:
            assert new.state in TRANSITIONS[old.state]
            used.add((old.state, new.state))
    table = {(old, new) for old, news in TRANSITIONS.items() for new in news if old != new}
    assert used == table


def test_an_end_is_an_end() -> None:
    ended = [(old, new) for old, _, new, _ in explore() if old.state in TERMINAL]
    assert {old.state for old, _ in ended} == TERMINAL
    assert all(new.state == old.state for old, new in ended)


def test_a_job_that_ended_asks_to_be_announced_until_it_was() -> None:
    for _old, _seen, new, effect in explore():
        if new.state in TERMINAL and new.announced:
            assert effect is None
        elif new.state in TERMINAL:
            assert isinstance(effect, Announce | Cancel)
        else:
            assert not isinstance(effect, Announce)
            assert not new.announced


def test_nothing_is_created_without_looking_for_it_first() -> None:
    for old, seen, _new, effect in explore():
        if isinstance(effect, Create):
            assert seen == Found([])
            assert old.state == "submitting"


@pytest.mark.parametrize("state", ["planned", "queued"])
def test_a_waiting_job_is_taken_with_a_lease_and_looked_for(state: JobState) -> None:
    new, effect = advance(job(state, epoch=3), Tick(), START, LEASE)
    assert effect == Find()
    assert (new.state, new.epoch) == ("submitting", 4)
    assert new.lease_until == START + timedelta(seconds=LEASE)


def test_a_held_job_is_left_alone_until_its_lease_is_over() -> None:
    held = job("submitting", epoch=1, lease_until=START + timedelta(seconds=LEASE))
    assert advance(held, Tick(), START + timedelta(seconds=LEASE - 1), LEASE) == (held, None)
    taken, effect = advance(held, Tick(), START + timedelta(seconds=LEASE), LEASE)
    assert effect == Find()
    assert taken.epoch == 2
    assert taken.lease_until == START + timedelta(seconds=2 * LEASE)


def test_the_oldest_job_is_adopted_and_the_others_are_cancelled() -> None:
    held = job("submitting", epoch=1)
    seen = Found([listed("running", 1), listed("pending", 2), listed("queued", 3)])
    new, effect = advance(held, seen, START, LEASE)
    assert (new.state, new.resource, new.lease_until) == ("running", "tuningJobs/1", None)
    assert effect == Cancel(("tuningJobs/2", "tuningJobs/3"))


def test_a_second_job_that_ended_already_is_not_cancelled() -> None:
    seen = Found([listed("succeeded", 1), listed("cancelled", 2), listed("failed", 3)])
    new, effect = advance(job("running"), seen, START, LEASE)
    assert (new.state, effect) == ("succeeded", Announce())


def test_a_job_that_is_not_listed_yet_is_held_on_to() -> None:
    for state in ("submitted", "running"):
        known = job(state, resource="tuningJobs/1")
        assert advance(known, Found([]), START, LEASE) == (known, None)


@pytest.mark.parametrize(("state", "kept"), [("submitted", "submitted"), ("running", "running")])
def test_a_state_of_a_later_version_is_no_end(state: JobState, kept: str) -> None:
    new, effect = advance(job(state), Found([listed("state_of_the_future")]), START, LEASE)
    assert (new.state, effect) == (kept, None)


def test_a_created_job_in_a_state_of_a_later_version_counts_as_submitted() -> None:
    seen = Created(listed("state_of_the_future"))
    new, effect = advance(job("submitting"), seen, START, LEASE)
    assert (new.state, new.resource, effect) == ("submitted", "tuningJobs/1", None)


def test_a_listing_that_lags_does_not_take_a_job_back() -> None:
    new, _ = advance(job("running"), Found([listed("pending")]), START, LEASE)
    assert new.state == "running"


def test_what_the_service_says_is_kept() -> None:
    seen = listed("succeeded", endpoint="endpoints/1", model="models/1")
    new, effect = advance(job("running"), Found([seen]), START, LEASE)
    assert (new.endpoint, new.model, effect) == ("endpoints/1", "models/1", Announce())
    failed, _ = advance(job("running"), Found([listed("failed", error="bad")]), START, LEASE)
    assert failed.error == "bad"


def test_a_service_without_room_puts_the_job_back_into_the_queue() -> None:
    new, effect = advance(job("submitting", lease_until=START), Busy(), START, LEASE)
    assert (new.state, new.lease_until, effect) == ("queued", None, None)


def test_a_refused_job_keeps_the_reason() -> None:
    new, effect = advance(job("submitting"), Refused("too long"), START, LEASE)
    assert (new.state, new.error, effect) == ("refused", "too long", Announce())


def test_a_move_that_the_table_does_not_have_is_a_bug() -> None:
    with pytest.raises(ForbiddenTransition):
        advance(job("running"), Busy(), START, LEASE)
    with pytest.raises(ForbiddenTransition):
        advance(job("succeeded"), Refused("late"), START, LEASE)
