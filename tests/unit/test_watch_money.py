"""The tick keeps the ledger true."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from functions.watch_jobs.watch import watch
from shared import open_work, paths
from shared.budget import hold, key_of, period_of, reserve, totals
from shared.examples import Example
from shared.jobs import record_jobs
from shared.record_store import create, read
from shared.records import BudgetRecord, JobRecord, Reservation, RunRecord
from shared.task import Configuration, Task
from tests.fakes import Crash, FakeWorld, fake_world, store_dataset

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
SPLITS = {"train": [Example("hoot", "owl")], "validation": [], "test": []}
PATIENCE = 900.0
NOVEMBER, DECEMBER = "2026-11", "2026-12"


def a_run(fakes: FakeWorld, state: str = "open", attempt: int = 1) -> RunRecord:
    return RunRecord(
        id="run",
        task_name="birds",
        dataset="dataset1",
        base_model="gemini-3.5-flash-lite",
        plan=(Configuration(),),
        jobs=("run-e4-m1-a1",),
        state=state,
        attempt=attempt,
        budget_period=period_of(fakes.clock()),
        created=fakes.clock(),
    )


def record_run(fakes: FakeWorld, run: RunRecord) -> None:
    store_dataset(fakes, TASK, SPLITS)
    open_work.begin(fakes.world, "run", "birds", "run")
    create(fakes.artifacts, paths.run_record("birds", "run"), run)
    if run.state == "open":
        record_jobs(fakes.world, run)


def change_job(fakes: FakeWorld, run: RunRecord, **changes: object) -> None:
    path = paths.job_record("birds", "run", run.jobs[0])
    job = JobRecord.model_validate_json(fakes.artifacts.content(path)).model_copy(update=changes)
    fakes.artifacts.put(path, job.model_dump_json())


def reservations(fakes: FakeWorld, period: str = NOVEMBER) -> Mapping[str, Reservation]:
    ledger = read(fakes.artifacts, paths.budget(period), BudgetRecord)
    return ledger.reservations if ledger else {}


def tick(fakes: FakeWorld, seconds: float = 60) -> None:
    fakes.clock.advance(seconds)
    watch(fakes.world, fakes.tuning)


def test_money_whose_run_was_never_recorded_is_given_back_after_a_while() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    run = a_run(fakes)
    reserve(fakes.world, run, {run.jobs[0]: 2.0}, None)
    tick(fakes, PATIENCE)
    assert list(reservations(fakes)) == [key_of(run)]
    tick(fakes, 1)
    assert reservations(fakes) == {}


@pytest.mark.parametrize("state", ["refused", "waiting"])
def test_money_of_a_run_that_did_not_open_is_given_back(state: str) -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    run = a_run(fakes, state)
    reserve(fakes.world, run, {run.jobs[0]: 2.0}, None)
    record_run(fakes, run)
    tick(fakes, PATIENCE + 1)
    assert reservations(fakes) == {}


def test_money_of_an_attempt_that_was_never_recorded_is_given_back() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    record_run(fakes, a_run(fakes, "closed"))
    reserve(fakes.world, a_run(fakes, attempt=2), {"run-e4-m1-a1-try2": 2.0}, None)
    tick(fakes, PATIENCE + 1)
    assert reservations(fakes) == {}


def test_money_of_an_open_run_stays_however_long_it_waits() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    fakes.artifacts.put(paths.KILL_SWITCH, "{}")
    run = a_run(fakes)
    reserve(fakes.world, run, {run.jobs[0]: 2.0}, None)
    record_run(fakes, run)
    for _ in range(5):
        tick(fakes, PATIENCE + 1)
    assert list(reservations(fakes)) == [key_of(run)]


def test_money_that_two_deliveries_reserved_around_midnight_is_kept_once() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    fakes.artifacts.put(paths.KILL_SWITCH, "{}")
    fakes.clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    run = a_run(fakes)
    reserve(fakes.world, run, {run.jobs[0]: 2.0}, None)
    late = BudgetRecord(period=NOVEMBER, reservations=reservations(fakes, DECEMBER))
    create(fakes.artifacts, paths.budget(NOVEMBER), late)
    record_run(fakes, run)
    tick(fakes, PATIENCE + 1)
    assert reservations(fakes) == {}
    assert list(reservations(fakes, DECEMBER)) == [key_of(run)]


def test_a_job_of_a_closed_run_that_was_never_settled_is_settled() -> None:
    fakes = fake_world()
    run = a_run(fakes)
    reserve(fakes.world, run, {run.jobs[0]: 2.0}, None)
    record_run(fakes, run)
    assert hold(fakes.world, run) == ""
    change_job(fakes, run, state="succeeded", billable_tokens=100_000)
    closed = run.model_copy(update={"state": "closed"})
    fakes.artifacts.put(paths.run_record("birds", "run"), closed.model_dump_json())
    tick(fakes)
    assert reservations(fakes)[key_of(run)].actual == {run.jobs[0]: 0.6}
    recorded = read(fakes.artifacts, paths.run_record("birds", "run"), RunRecord)
    assert recorded is not None
    assert recorded.actual_usd == 0.6


def test_an_earlier_attempt_is_settled_too() -> None:
    fakes = fake_world()
    first = a_run(fakes)
    reserve(fakes.world, first, {first.jobs[0]: 2.0}, None)
    record_run(fakes, first)
    hold(fakes.world, first)
    change_job(fakes, first, state="failed", announced=True)
    second = a_run(fakes, "closed", attempt=2).model_copy(update={"jobs": ("try2",)})
    fakes.artifacts.put(paths.run_record("birds", "run"), second.model_dump_json())
    tick(fakes)
    assert reservations(fakes)[key_of(first)].actual == {first.jobs[0]: 0.0}


def test_a_lost_creation_that_appears_after_its_run_was_closed_is_cancelled() -> None:
    fakes = fake_world()
    run = a_run(fakes).model_copy(update={"cancel_requested": True})
    reserve(fakes.world, run, {run.jobs[0]: 2.0}, None)
    record_run(fakes, run)
    hold(fakes.world, run)
    change_job(fakes, run, state="submitting", epoch=1, lease_until=fakes.clock())
    tick(fakes)
    closed = run.model_copy(update={"state": "closed"})
    fakes.artifacts.put(paths.run_record("birds", "run"), closed.model_dump_json())
    fakes.tuning.add(run.jobs[0], "running")
    tick(fakes)
    assert fakes.tuning.live() == []
    assert reservations(fakes)[key_of(run)].actual == {}
    tick(fakes, fakes.settings.lease_seconds + 1)
    assert reservations(fakes)[key_of(run)].actual == {run.jobs[0]: 0.0}


def test_a_record_that_cannot_be_read_does_not_keep_other_money_from_being_given_back() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    run = a_run(fakes)
    for name in ("a-broken", "run"):
        copy = run.model_copy(update={"id": name})
        reserve(fakes.world, copy, {run.jobs[0]: 2.0}, None)
    fakes.artifacts.put(paths.run_record("birds", "a-broken"), "{")
    tick(fakes, PATIENCE + 1)
    assert list(reservations(fakes)) == ["birds/a-broken/1"]


def whole_run(fakes: FakeWorld, run: RunRecord) -> None:
    """Launch and follow a run; every step may be done again."""
    assert reserve(fakes.world, run, {run.jobs[0]: 2.0}, None) == ""
    if read(fakes.artifacts, paths.run_record("birds", "run"), RunRecord) is None:
        open_work.begin(fakes.world, "run", "birds", "run")
        create(fakes.artifacts, paths.run_record("birds", "run"), run)
    record_jobs(fakes.world, run)
    for _ in range(3):
        tick(fakes, fakes.settings.lease_seconds + 1)
        fakes.tuning.end_all()


def test_a_crash_at_any_call_of_a_run_leaves_it_settled_once() -> None:
    point, crashed = 0, True
    while crashed:
        point += 1
        fakes = fake_world(budget_usd_per_month=2.0)
        store_dataset(fakes, TASK, SPLITS)
        run, crashed = a_run(fakes), False
        fakes.faults.crash_at = fakes.faults.points + point
        for _ in range(3):
            try:
                whole_run(fakes, run)
            except Crash:
                crashed = True
        fakes.faults.crash_at = None
        assert len(fakes.tuning.jobs) == 1
        assert reservations(fakes)[key_of(run)].actual == {run.jobs[0]: 2.0}
        ledger = read(fakes.artifacts, paths.budget(NOVEMBER), BudgetRecord)
        assert totals(ledger).usd == 2.0
    assert point > 100
