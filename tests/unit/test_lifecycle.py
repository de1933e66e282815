"""A tuning job's life."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

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
    Held,
    Refused,
    Seen,
    Tick,
    advance,
    in_doubt,
)
from shared.ports import Checkpoint, TuningJob
from shared.records import JobRecord, JobState
from shared.task import Configuration
from tests.fakes import START

LEASE = 120.0
PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
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
            yield Held("not now")
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
        for seen, later, cancel in product(outcomes(effect), (0.0, LEASE + 1), (False, True)):
            now = START + timedelta(seconds=later)
            new, wanted = advance(record, seen, now, LEASE, cancel=cancel)
            yield record, seen, new, wanted
            plain = {"epoch": 0, "progress_at": None, "error": "", "unknown_state": ""}
            frontier.append((new.model_copy(update=plain), wanted))


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
            assert effect is None or new.state == "cancelled"
            assert not isinstance(effect, Announce | Create)
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
        known = job(state, resource="tuningJobs/1", progress_at=START)
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
    assert new.error == "Vertex AI has no room for another job now."


def test_a_job_that_may_not_be_created_now_waits_with_the_reason() -> None:
    new, effect = advance(job("submitting", lease_until=START), Held("stopped"), START, LEASE)
    assert (new.state, new.lease_until, new.error, effect) == ("queued", None, "stopped", None)


@pytest.mark.parametrize("state", ["planned", "queued"])
def test_a_waiting_job_is_cancelled_without_asking_the_service(state: JobState) -> None:
    new, effect = advance(job(state), Tick(), START, LEASE, cancel=True)
    assert (new.state, effect) == ("cancelled", Announce())
    assert advance(new, Announced(), START, LEASE)[0].announced
    announced = new.model_copy(update={"announced": True})
    assert advance(announced, Tick(), START, LEASE, cancel=True) == (announced, None)


def test_a_start_that_is_held_is_not_cancelled_before_its_lease_is_over() -> None:
    held = job("submitting", epoch=1, lease_until=START + timedelta(seconds=LEASE))
    early, late = START + timedelta(seconds=LEASE - 1), START + timedelta(seconds=LEASE)
    assert advance(held, Tick(), early, LEASE, cancel=True) == (held, None)
    taken, effect = advance(held, Tick(), late, LEASE, cancel=True)
    assert (taken.state, taken.epoch, effect) == ("submitting", 2, Find())


def test_a_start_whose_job_is_found_is_cancelled_and_ends_when_the_service_says_so() -> None:
    held = job("submitting", epoch=2, lease_until=START + timedelta(seconds=LEASE))
    new, effect = advance(held, Found([listed("pending")]), START, LEASE, cancel=True)
    assert (new.state, effect) == ("submitted", Cancel(("tuningJobs/1",)))
    asked, effect = advance(new, Found([listed("cancelling")]), START, LEASE, cancel=True)
    assert (asked.state, effect) == ("running", None)
    ended, effect = advance(asked, Found([listed("cancelled")]), START, LEASE, cancel=True)
    assert (ended.state, effect) == ("cancelled", Announce())
    assert not in_doubt(ended, START)


def test_a_start_without_a_job_is_cancelled_and_looked_for_until_its_lease_is_over() -> None:
    lease = START + timedelta(seconds=LEASE)
    held = job("submitting", epoch=2, lease_until=lease)
    new, effect = advance(held, Found([]), START, LEASE, cancel=True)
    assert (new.state, effect) == ("cancelled", Announce())
    done, _ = advance(new, Announced(), START, LEASE)
    assert in_doubt(done, START)
    assert advance(done, Tick(), START, LEASE) == (done, Find())
    assert advance(done, Found([]), START, LEASE) == (done, None)
    assert not in_doubt(done, lease)
    assert advance(done, Tick(), lease, LEASE) == (done, None)


def test_a_lost_creation_that_appears_after_the_cancellation_is_cancelled_until_it_ends() -> None:
    now = START + timedelta(seconds=LEASE - 1)
    done = job("cancelled", announced=True, lease_until=START + timedelta(seconds=LEASE))
    new, effect = advance(done, Found([listed("running")]), now, LEASE)
    assert (new.state, effect) == ("cancelled", Cancel(("tuningJobs/1",)))
    later = START + timedelta(seconds=LEASE + 1)
    assert advance(new, Tick(), later, LEASE) == (new, Find())
    again, effect = advance(new, Found([listed("running")]), later, LEASE)
    assert effect == Cancel(("tuningJobs/1",))
    assert advance(again, Found([listed("cancelled")]), later, LEASE) == (again, None)


def test_a_live_job_is_cancelled_with_its_doubles_and_may_still_succeed() -> None:
    running = job("running", resource="tuningJobs/1", progress_at=START)
    seen = Found([listed("running"), listed("pending", 2)])
    new, effect = advance(running, seen, START, LEASE, cancel=True)
    assert effect == Cancel(("tuningJobs/1", "tuningJobs/2"))
    assert advance(new, Found([]), START, LEASE, cancel=True)[1] == Cancel(("tuningJobs/1",))
    ended, effect = advance(new, Found([listed("succeeded")]), START, LEASE, cancel=True)
    assert (ended.state, effect) == ("succeeded", Announce())


def shown(epoch: int, state: str = "running") -> TuningJob:
    points = tuple(Checkpoint(str(n), n, n * 10, f"endpoints/{n}") for n in range(1, epoch + 1))
    return replace(listed(state), checkpoints=points)


def test_progress_is_noted_and_never_goes_back() -> None:
    later = START + timedelta(hours=1)
    new, _ = advance(job("submitted"), Found([shown(2)]), START, LEASE)
    assert (new.epochs_done, new.steps_done, new.progress_at) == (2, 20, START)
    new, _ = advance(new, Found([shown(3)]), later, LEASE)
    assert (new.epochs_done, new.steps_done, new.progress_at) == (3, 30, later)
    new, _ = advance(new, Found([shown(1)]), later + timedelta(hours=1), LEASE)
    assert (new.epochs_done, new.progress_at) == (3, later)
    assert new.checkpoints == ()
    done, _ = advance(new, Found([shown(3, "succeeded")]), later, LEASE)
    assert [point.endpoint for point in done.checkpoints] == [f"endpoints/{n}" for n in (1, 2, 3)]


def test_a_job_without_progress_is_stuck_until_it_moves() -> None:
    patience = 600.0
    record = job("running", progress_at=START)

    def look(record: JobRecord, seconds: float, seen: TuningJob | None) -> JobRecord:
        now = START + timedelta(seconds=seconds)
        found = Found([seen] if seen else [])
        return advance(record, found, now, LEASE, stuck_after_seconds=patience)[0]

    assert not look(record, patience - 1, listed("running")).stuck
    stuck = look(record, patience, listed("running"))
    assert stuck.stuck
    assert look(record, patience, None).stuck
    assert look(stuck, 2 * patience, listed("running")) == stuck
    assert not look(stuck, 2 * patience, shown(1)).stuck
    assert not look(stuck, 2 * patience, listed("failed")).stuck


def test_a_state_that_is_not_known_is_kept_by_its_name_until_another_is_said() -> None:
    new, _ = advance(job("running"), Found([listed("state_of_the_future")]), START, LEASE)
    assert new.unknown_state == "state_of_the_future"
    assert advance(new, Found([listed("running")]), START, LEASE)[0].unknown_state == ""


def test_the_page_on_the_lifecycle_has_the_same_moves() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| \w+ \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    drawn = {state: frozenset(re.findall(r"`(\w+)`", targets)) for state, targets in rows}
    assert drawn == TRANSITIONS


def test_a_refused_job_keeps_the_reason() -> None:
    new, effect = advance(job("submitting"), Refused("too long"), START, LEASE)
    assert (new.state, new.error, effect) == ("refused", "too long", Announce())


def test_a_move_that_the_table_does_not_have_is_a_bug() -> None:
    with pytest.raises(ForbiddenTransition):
        advance(job("running"), Busy(), START, LEASE)
    with pytest.raises(ForbiddenTransition):
        advance(job("succeeded"), Refused("late"), START, LEASE)
