"""The ledger: nothing is spent that was not reserved, and no cap is passed."""

import random
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from shared import paths
from shared.budget import (
    give_back,
    hold,
    key_of,
    period_of,
    previous_period,
    reserve,
    settle,
    totals,
)
from shared.errors import Conflict
from shared.job_price import price_of
from shared.record_store import create, read
from shared.records import BudgetRecord, JobRecord, JobState, RunRecord
from shared.task import Configuration
from tests.fakes import START, Crash, FakeBucket, FakeWorld, fake_world

NOVEMBER, DECEMBER = "2026-11", "2026-12"
CENT = 0.01


def a_run(
    identifier: str = "run", task: str = "birds", jobs: int = 2, attempt: int = 1
) -> RunRecord:
    plan = tuple(Configuration(epoch_count=epochs) for epochs in range(1, jobs + 1))
    return RunRecord(
        id=identifier,
        task_name=task,
        dataset="dataset1",
        base_model="gemini-3.5-flash-lite",
        plan=plan,
        jobs=tuple(f"{identifier}-{number}" for number in range(jobs)),
        estimated_high_usd=3.0,
        budget_period=NOVEMBER,
        attempt=attempt,
        created=START,
    )


def each(run: RunRecord, usd: float) -> dict[str, float]:
    return dict.fromkeys(run.jobs, usd)


def ledger(fakes: FakeWorld, period: str = NOVEMBER) -> BudgetRecord:
    return read(fakes.artifacts, paths.budget(period), BudgetRecord) or BudgetRecord(period=period)


def price(run: RunRecord, fakes: FakeWorld) -> float | None:
    recorded = read(fakes.artifacts, paths.run_record(run.task_name, run.id), RunRecord)
    assert recorded is not None
    return recorded.actual_usd


def test_a_period_is_a_month_in_utc() -> None:
    assert period_of(datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == NOVEMBER
    assert previous_period("2027-01") == DECEMBER
    assert previous_period(DECEMBER) == NOVEMBER


def test_what_is_reserved_is_recorded_without_any_cap() -> None:
    fakes, run = fake_world(), a_run()
    assert reserve(fakes.world, run, each(run, 1.5), None) == ""
    assert totals(ledger(fakes)).reserved == 3.0
    assert totals(ledger(fakes), "birds").reserved == 3.0
    assert totals(ledger(fakes), "trees").reserved == 0.0
    assert fakes.faults.calls.count("write artifacts") == 1


def test_the_same_run_is_reserved_once() -> None:
    fakes, run = fake_world(budget_usd_per_month=4.0), a_run()
    assert reserve(fakes.world, run, each(run, 1.5), None) == ""
    fakes.clock.advance(5)
    assert reserve(fakes.world, run, each(run, 1.5), None) == ""
    assert totals(ledger(fakes)).usd == 3.0


def test_each_attempt_of_a_run_has_its_own_reservation() -> None:
    fakes = fake_world()
    for attempt in (1, 2):
        run = a_run(attempt=attempt)
        assert reserve(fakes.world, run, each(run, 1.0), None) == ""
    assert totals(ledger(fakes)).usd == 4.0


def test_a_run_over_the_deployments_cap_is_told_the_numbers() -> None:
    fakes, first, second = fake_world(budget_usd_per_month=5.0), a_run(), a_run("run2", "trees")
    reserve(fakes.world, first, each(first, 1.5), None)
    settle(fakes.world, first, first.jobs[0], 1.25)
    reason = reserve(fakes.world, second, each(second, 1.2), None)
    assert reason == (
        "It would cost about $2.40; in 2026-11, $1.50 are reserved and $1.25 spent of the $5.00 "
        "that the whole deployment may spend in a month."
    )
    assert list(ledger(fakes).reservations) == [key_of(first)]


def test_a_tasks_cap_counts_only_its_own_runs() -> None:
    fakes, other, own, more = fake_world(), a_run("r1", "trees"), a_run("r2"), a_run("r3")
    assert reserve(fakes.world, other, each(other, 50.0), None) == ""
    assert reserve(fakes.world, own, each(own, 2.0), 5.0) == ""
    assert "the task 'birds'" in reserve(fakes.world, more, each(more, 0.51), 5.0)
    assert reserve(fakes.world, more, each(more, 0.5), 5.0) == ""


def test_a_month_begins_with_a_new_ledger() -> None:
    fakes, run, later = fake_world(budget_usd_per_month=4.0), a_run(), a_run("run2")
    assert reserve(fakes.world, run, each(run, 2.0), None) == ""
    assert reserve(fakes.world, later, each(later, 2.0), None) != ""
    fakes.clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    assert reserve(fakes.world, later, each(later, 2.0), None) == ""
    assert totals(ledger(fakes, DECEMBER)).usd == 4.0


def test_what_was_reserved_last_month_is_not_reserved_again() -> None:
    fakes, run = fake_world(), a_run()
    reserve(fakes.world, run, each(run, 2.0), None)
    fakes.clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    assert reserve(fakes.world, run, each(run, 2.0), None) == ""
    assert ledger(fakes, DECEMBER).reservations == {}
    recorded_late = run.model_copy(update={"budget_period": DECEMBER})
    assert hold(fakes.world, recorded_late) == ""
    settle(fakes.world, recorded_late, run.jobs[0], 0.5)
    assert totals(ledger(fakes)).spent == 0.5
    assert ledger(fakes, DECEMBER).reservations == {}


def test_a_job_that_ended_costs_its_price_instead_of_its_estimate() -> None:
    fakes, run = fake_world(), a_run()
    create(fakes.artifacts, paths.run_record("birds", "run"), run)
    reserve(fakes.world, run, each(run, 2.0), None)
    for _ in range(2):
        settle(fakes.world, run, run.jobs[0], 0.75)
        assert (totals(ledger(fakes)).spent, totals(ledger(fakes)).reserved) == (0.75, 2.0)
    assert price(run, fakes) is None
    settle(fakes.world, run, run.jobs[1], 0.0)
    assert (totals(ledger(fakes)).spent, totals(ledger(fakes)).reserved) == (0.75, 0.0)
    assert price(run, fakes) == 0.75


def test_without_a_count_from_the_service_the_estimate_stands() -> None:
    fakes, run = fake_world(), a_run()
    reserve(fakes.world, run, each(run, 2.0), None)
    settle(fakes.world, run, run.jobs[0], None)
    assert totals(ledger(fakes)).spent == 2.0


def test_a_job_that_cost_more_is_warned_of_and_blocks_later_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fakes, run, later = fake_world(budget_usd_per_month=4.0), a_run(), a_run("run2")
    reserve(fakes.world, run, each(run, 1.0), None)
    settle(fakes.world, run, run.jobs[0], 3.5)
    assert "a job cost more than was reserved" in capsys.readouterr().out
    assert "$3.50 spent" in reserve(fakes.world, later, each(later, 0.01), None)


def test_money_is_given_back_until_it_is_in_use() -> None:
    fakes, run = fake_world(), a_run()
    reserve(fakes.world, run, each(run, 2.0), None)
    give_back(fakes.world, NOVEMBER, key_of(run))
    give_back(fakes.world, NOVEMBER, key_of(run))
    assert totals(ledger(fakes)).usd == 0.0
    reserve(fakes.world, run, each(run, 2.0), None)
    assert hold(fakes.world, run) == ""
    give_back(fakes.world, NOVEMBER, key_of(run))
    assert totals(ledger(fakes)).usd == 4.0


def test_a_reservation_that_was_asked_for_again_meanwhile_is_no_orphan() -> None:
    fakes, run = fake_world(), a_run()
    reserve(fakes.world, run, each(run, 2.0), None)
    seen = ledger(fakes).reservations[key_of(run)]
    fakes.clock.advance(1)
    reserve(fakes.world, run, each(run, 2.0), None)
    give_back(fakes.world, NOVEMBER, key_of(run), seen)
    assert totals(ledger(fakes)).usd == 4.0


def test_money_that_was_taken_for_an_orphans_is_reserved_again_before_it_is_used() -> None:
    fakes, run = fake_world(budget_usd_per_month=5.0), a_run()
    assert hold(fakes.world, run) == ""
    assert ledger(fakes).reservations[key_of(run)].estimated == {"run-0": 1.0, "run-1": 2.0}
    assert "$5.00" in hold(fakes.world, a_run("run2"))


def test_a_run_from_before_there_was_a_ledger_needs_none() -> None:
    fakes, run = fake_world(budget_usd_per_month=0.01), a_run()
    old = run.model_copy(update={"budget_period": ""})
    assert hold(fakes.world, old) == ""
    settle(fakes.world, old, run.jobs[0], 1.0)
    assert fakes.artifacts.names() == []


def test_what_was_spent_without_a_reservation_is_recorded_all_the_same() -> None:
    fakes, run = fake_world(), a_run()
    settle(fakes.world, run, run.jobs[0], 1.0)
    assert (totals(ledger(fakes)).spent, totals(ledger(fakes)).reserved) == (1.0, 2.0)


def test_a_job_that_cost_nothing_needs_no_reservation() -> None:
    fakes, run = fake_world(), a_run()
    settle(fakes.world, run, run.jobs[0], 0.0)
    assert fakes.artifacts.names() == []


@pytest.mark.parametrize(
    ("state", "tokens", "usd"),
    [
        ("succeeded", 1_000_000, 6.0),
        ("succeeded", 0, None),
        ("failed", 1_000_000, 6.0),
        ("failed", 0, 0.0),
        ("cancelled", 0, 0.0),
        ("refused", 0, 0.0),
    ],
)
def test_a_jobs_price_is_its_tokens_times_its_epochs(
    state: JobState, tokens: int, usd: float | None
) -> None:
    job = JobRecord(
        id="run-0",
        run="run",
        task_name="birds",
        dataset="dataset1",
        base_model="gemini-3.5-flash-lite",
        configuration=Configuration(epoch_count=4),
        state=state,
        billable_tokens=tokens,
        created=START,
    )
    assert price_of(job) == usd
    if tokens:
        assert price_of(job.model_copy(update={"base_model": "gemini-0"})) is None


def step_through(fakes: FakeWorld, run: RunRecord) -> None:
    """What launching and watching do with the money of a run, one after the other."""
    assert reserve(fakes.world, run, each(run, 2.0), None) == ""
    create(fakes.artifacts, paths.run_record("birds", "run"), run)
    assert hold(fakes.world, run) == ""
    for job in run.jobs:
        settle(fakes.world, run, job, 1.0)


def test_a_crash_at_any_call_leaves_the_money_to_be_counted_once() -> None:
    point, crashed = 0, True
    while crashed:
        point += 1
        fakes, run = fake_world(budget_usd_per_month=4.0), a_run()
        fakes.faults.crash_at = point
        try:
            step_through(fakes, run)
            crashed = False
            fakes.faults.crash_at = None
        except Crash:
            fakes.faults.crash_at = None
            assert totals(ledger(fakes)).usd <= 4.0
            step_through(fakes, run)
        assert totals(ledger(fakes)).usd == totals(ledger(fakes)).spent == 2.0
        assert price(run, fakes) == 2.0
    assert point > 20


def threads_at_once(works: list[Callable[[], object]]) -> None:
    begin = threading.Barrier(len(works))

    def go(work: Callable[[], object]) -> None:
        begin.wait()
        try:
            work()
        except Conflict:
            return

    threads = [threading.Thread(target=go, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def spend_some(
    fakes: FakeWorld, run: RunRecord, costs: Mapping[str, float], what: float
) -> Callable[[], object]:
    def work() -> None:
        if reserve(fakes.world, run, costs, 6.0):
            return
        if what < 0.3:
            give_back(fakes.world, NOVEMBER, key_of(run))
        elif what < 0.6:
            settle(fakes.world, run, run.jobs[0], costs[run.jobs[0]] / 2)

    return work


def test_threads_that_reserve_and_give_back_at_once_never_pass_the_cap() -> None:
    dice = random.Random(7)
    for _ in range(40):
        fakes = fake_world(budget_usd_per_month=10.0)
        runs = [a_run(f"run{number}", dice.choice(["birds", "trees"])) for number in range(8)]
        costs = {run.id: {job: dice.choice([0.5, 1.0, 2.5]) for job in run.jobs} for run in runs}
        works = [spend_some(fakes, run, costs[run.id], dice.random()) for run in runs]
        threads_at_once(works)
        assert totals(ledger(fakes)).usd <= 10.0
        assert all(totals(ledger(fakes), task).usd <= 6.0 for task in ("birds", "trees"))


class InterruptedBucket(FakeBucket):
    """Lets others go first between somebody's reading and writing."""

    def __init__(self, fakes: FakeWorld) -> None:
        super().__init__("artifacts", fakes.clock, fakes.faults)
        self.others: list[Callable[[], object]] = []

    def write(self, name: str, content: bytes, *args: Any, **named: Any) -> int:
        while self.others:
            self.others.pop()()
        return super().write(name, content, *args, **named)


def some_step(fakes: FakeWorld, dice: random.Random) -> Callable[[], object]:
    """Anything that anybody may do with the ledger at any time."""
    number, world = dice.randrange(6), fakes.world
    now = period_of(fakes.clock())
    run = a_run(f"run{number}", "birds" if number % 2 else "trees")
    run = run.model_copy(update={"budget_period": now})
    usd, cap = dice.choice([0.0, 0.3, 1.7, 2.5, 6.1]), 7.0 if number % 2 else None

    def settle_some() -> None:
        for period in (now, previous_period(now)):
            found = ledger(fakes, period).reservations.get(key_of(run))
            if found is not None and found.in_use:
                job = dice.choice(run.jobs)
                settle(world, run, job, found.estimated[job] * dice.choice([0.0, 0.5, 1.0]))
                return

    steps: list[Callable[[], object]] = [
        lambda: reserve(world, run, each(run, usd), cap),
        lambda: reserve(world, run, each(run, usd), cap),
        lambda: hold(world, run),
        settle_some,
        lambda: give_back(world, now, key_of(run)),
        lambda: fakes.clock.advance(4 * 86_400),
    ]
    return dice.choice(steps)


def in_use(fakes: FakeWorld) -> set[str]:
    kept: set[str] = set()
    for period in ("2026-10", NOVEMBER, DECEMBER, "2027-01", "2027-02"):
        items = ledger(fakes, period).reservations
        kept |= {f"{period} {key}" for key, item in items.items() if item.in_use}
    return kept


@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_interleavings_never_pass_a_cap_nor_lose_money_in_use(seed: int) -> None:
    for schedule in range(100):
        dice = random.Random(f"{seed} {schedule}")
        fakes = fake_world(budget_usd_per_month=10.0)
        bucket = InterruptedBucket(fakes)
        object.__setattr__(fakes, "artifacts", bucket)
        used: set[str] = set()
        for _ in range(8):
            bucket.others = [some_step(fakes, dice) for _ in range(dice.choice([0, 0, 1, 2]))]
            some_step(fakes, dice)()
            for name in fakes.artifacts.names("budget/"):
                content = BudgetRecord.model_validate_json(fakes.artifacts.content(name))
                assert totals(content).usd <= 10.0 + CENT / 100
            assert used <= in_use(fakes)
            used = in_use(fakes)
