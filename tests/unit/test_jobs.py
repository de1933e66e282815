"""Moving tuning jobs on."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from shared import open_work, paths
from shared.budget import key_of, period_of, reserve
from shared.errors import Rejected, Retry
from shared.examples import Example
from shared.jobs import advance_jobs, record_jobs
from shared.ports import TuningJob, TuningRequest
from shared.record_store import change, create, read
from shared.records import BudgetRecord, JobRecord, Reservation, RunRecord
from shared.task import Configuration, Task
from tests.fakes import Crash, FakeTuning, FakeWorld, fake_world, store_dataset

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
HOOT, CAW = Example("hoot", "owl"), Example("caw", "crow")
PLAN = tuple(Configuration(epoch_count=epochs) for epochs in (1, 2, 3))


def open_run(
    fakes: FakeWorld,
    identifier: str = "run",
    name: str = "birds",
    plan: Sequence[Configuration] = PLAN,
    at_once: int = 20,
    splits: dict[str, list[Example]] | None = None,
    usd: float | None = None,
) -> RunRecord:
    splits = splits or {"train": [HOOT], "validation": [CAW], "test": [CAW]}
    store_dataset(fakes, TASK, splits, name)
    run = RunRecord(
        id=identifier,
        task_name=name,
        dataset="dataset1",
        base_model="gemini-3.5-flash-lite",
        plan=tuple(plan),
        jobs=tuple(f"{identifier}-{paths.configuration_name(item)}" for item in plan),
        max_concurrent_jobs=at_once,
        budget_period="" if usd is None else period_of(fakes.clock()),
        created=fakes.clock(),
    )
    if usd is not None:
        assert reserve(fakes.world, run, dict.fromkeys(run.jobs, usd), None) == ""
    open_work.begin(fakes.world, "run", name, identifier)
    create(fakes.artifacts, paths.run_record(name, identifier), run)
    record_jobs(fakes.world, run)
    fakes.clock.advance(1)
    return run


def jobs_of(fakes: FakeWorld, run: RunRecord) -> list[JobRecord]:
    found = [
        read(fakes.artifacts, paths.job_record(run.task_name, run.id, name), JobRecord)
        for name in run.jobs
    ]
    return [job for job in found if job is not None]


def states(fakes: FakeWorld, run: RunRecord) -> list[str]:
    return [job.state for job in jobs_of(fakes, run)]


def tick(fakes: FakeWorld) -> None:
    fakes.clock.advance(60)
    advance_jobs(fakes.world, fakes.tuning)


def test_the_quota_lets_jobs_run_one_after_another() -> None:
    fakes = fake_world(max_concurrent_jobs=1)
    run = open_run(fakes)
    for done in range(3):
        tick(fakes)
        assert len(fakes.tuning.live()) == 1
        assert len(fakes.tuning.jobs) == done + 1
        fakes.tuning.end_all()
    tick(fakes)
    assert states(fakes, run) == ["succeeded"] * 3
    assert [request.configuration for request in fakes.tuning.requests] == list(PLAN)


def test_a_service_with_less_room_than_expected_is_asked_again_later() -> None:
    fakes = fake_world(max_concurrent_jobs=5)
    fakes.tuning.quota = 1
    run = open_run(fakes)
    tick(fakes)
    assert states(fakes, run) == ["submitted", "queued", "planned"]
    fakes.tuning.end_all()
    tick(fakes)
    assert states(fakes, run) == ["succeeded", "submitted", "queued"]


def test_one_task_does_not_take_all_of_the_room() -> None:
    fakes = fake_world(max_concurrent_jobs=3)
    first = open_run(fakes, at_once=2)
    second = open_run(fakes, "run2", "trees")
    tick(fakes)
    assert states(fakes, first) == ["submitted", "submitted", "planned"]
    assert states(fakes, second) == ["submitted", "planned", "planned"]


def test_the_oldest_run_goes_first() -> None:
    fakes = fake_world(max_concurrent_jobs=1)
    open_run(fakes, "z-older", "trees")
    open_run(fakes, "a-newer", "birds")
    tick(fakes)
    (request,) = fakes.tuning.requests
    assert request.key.startswith("z-older-")


def test_a_job_is_asked_for_with_its_files_and_labels() -> None:
    fakes = fake_world()
    run = open_run(fakes, plan=PLAN[:1])
    tick(fakes)
    (request,) = fakes.tuning.requests
    folder = "gs://artifacts/tasks/birds/datasets/dataset1"
    assert request.training_uri == f"{folder}/train.jsonl"
    assert request.validation_uri == f"{folder}/validation.jsonl"
    assert request.key == run.jobs[0]
    assert request.labels == {"tunedrop_task": "birds", "tunedrop_run": "run"}


def test_a_dataset_without_validation_rows_is_tuned_without_them() -> None:
    fakes = fake_world()
    open_run(fakes, plan=PLAN[:1], splits={"train": [HOOT], "test": [CAW]})
    tick(fakes)
    assert fakes.tuning.requests[0].validation_uri == ""


def test_a_creation_whose_response_was_lost_is_adopted_and_never_repeated() -> None:
    fakes = fake_world()
    fakes.tuning.lose_responses = 1
    run = open_run(fakes, plan=PLAN[:1])
    with pytest.raises(Retry):
        tick(fakes)
    assert states(fakes, run) == ["submitting"]
    tick(fakes)
    assert states(fakes, run) == ["submitting"]
    fakes.clock.advance(fakes.settings.lease_seconds)
    tick(fakes)
    assert states(fakes, run) == ["submitted"]
    assert len(fakes.tuning.jobs) == 1
    assert jobs_of(fakes, run)[0].resource == fakes.tuning.jobs[0].name


def test_a_job_that_exists_twice_is_kept_once() -> None:
    fakes = fake_world()
    run = open_run(fakes, plan=PLAN[:1])
    tick(fakes)
    fakes.clock.advance(1)
    double = fakes.tuning.add(run.jobs[0])
    tick(fakes)
    assert fakes.tuning.cancelled == [double.name]
    assert jobs_of(fakes, run)[0].resource == fakes.tuning.jobs[0].name
    fakes.tuning.end_all()
    tick(fakes)
    assert states(fakes, run) == ["succeeded"]


def test_a_double_whose_cancelling_failed_is_cancelled_at_the_next_tick() -> None:
    fakes = fake_world()
    run = open_run(fakes, plan=PLAN[:1])
    tick(fakes)
    fakes.tuning.end_all()
    fakes.clock.advance(1)
    double = fakes.tuning.add(run.jobs[0])
    fakes.faults.fail("cancel", Retry("busy"))
    with pytest.raises(Retry):
        tick(fakes)
    for _ in range(3):
        tick(fakes)
    assert fakes.tuning.cancelled == [double.name]


def test_a_job_that_vanished_from_the_list_is_not_created_again() -> None:
    fakes = fake_world()
    run = open_run(fakes, plan=PLAN[:1])
    tick(fakes)
    fakes.tuning.hidden.add(run.jobs[0])
    tick(fakes)
    assert len(fakes.tuning.jobs) == 1
    assert states(fakes, run) == ["submitted"]


def test_a_job_that_ended_is_announced_once() -> None:
    fakes = fake_world()
    run = open_run(fakes)
    tick(fakes)
    for _ in range(6):
        fakes.tuning.end_all()
        tick(fakes)
    completed = fakes.publisher.on("tuning-completed")
    assert completed == [{"task": "birds", "run": "run", "job": name} for name in run.jobs]
    facts = [fact["details"]["job"] for fact in fakes.publisher.facts("job-ended")]
    assert facts == list(run.jobs)


def test_an_end_that_could_not_be_published_is_announced_at_the_next_tick() -> None:
    fakes = fake_world()
    run = open_run(fakes, plan=PLAN[:1])
    tick(fakes)
    fakes.tuning.end_all("failed")
    fakes.faults.fail("publish tuning-completed", Retry("down"))
    with pytest.raises(Retry):
        tick(fakes)
    assert states(fakes, run) == ["failed"]
    assert fakes.publisher.on("tuning-completed") == []
    tick(fakes)
    assert len(fakes.publisher.on("tuning-completed")) == 1


def test_a_refused_job_is_announced_with_its_reason() -> None:
    fakes = fake_world()
    fakes.tuning.refusal = "The line is too long."
    run = open_run(fakes, plan=PLAN[:1])
    tick(fakes)
    (job,) = jobs_of(fakes, run)
    assert (job.state, job.error, job.announced) == ("refused", "The line is too long.", True)


def test_a_dataset_that_is_gone_refuses_its_jobs() -> None:
    fakes = fake_world()
    run = open_run(fakes, plan=PLAN[:1])
    fakes.artifacts.delete(paths.dataset_record("birds", "dataset1"))
    tick(fakes)
    assert states(fakes, run) == ["refused"]
    assert fakes.tuning.jobs == []


def test_trouble_with_one_job_does_not_keep_the_others_waiting() -> None:
    fakes = fake_world(max_concurrent_jobs=3)
    run = open_run(fakes)
    fakes.faults.fail("find_jobs", Retry("busy"))
    with pytest.raises(Retry, match="1 jobs"):
        tick(fakes)
    assert states(fakes, run) == ["submitting", "submitted", "submitted"]


def test_an_intent_that_a_crash_left_unwritten_is_written() -> None:
    fakes = fake_world(max_concurrent_jobs=3)
    run = open_run(fakes)
    fakes.artifacts.delete(paths.job_record("birds", "run", run.jobs[1]))
    tick(fakes)
    assert states(fakes, run) == ["submitted"] * 3


@pytest.mark.parametrize("state", ["refused", "closed"])
def test_a_run_that_is_not_open_is_left_alone(state: str) -> None:
    fakes = fake_world()
    run = open_run(fakes)
    closed = run.model_copy(update={"state": state})
    fakes.artifacts.put(paths.run_record("birds", "run"), closed.model_dump_json())
    tick(fakes)
    assert fakes.tuning.jobs == []


def run_to_the_end(fakes: FakeWorld) -> None:
    for _ in range(8):
        fakes.clock.advance(fakes.settings.lease_seconds + 1)
        advance_jobs(fakes.world, fakes.tuning)
        fakes.tuning.end_all()


def crashing_run(point: int, lost: int) -> tuple[FakeWorld, RunRecord, bool]:
    """Go through a whole run with one crash, and say whether its point was reached."""
    fakes = fake_world(max_concurrent_jobs=1, budget_usd_per_month=3.0)
    fakes.tuning.quota = 1
    fakes.tuning.lose_responses = lost
    run = open_run(fakes, usd=1.0)
    fakes.faults.crash_at = fakes.faults.points + point
    crashed = False
    for _ in range(4):
        try:
            run_to_the_end(fakes)
        except Crash:
            crashed = True
        except Retry:
            continue
    fakes.faults.crash_at = None
    return fakes, run, crashed


@pytest.mark.parametrize("lost", [0, 1])
def test_a_crash_at_any_call_leaves_each_configuration_tuned_exactly_once(lost: int) -> None:
    point = 0
    crashed = True
    while crashed:
        point += 1
        fakes, run, crashed = crashing_run(point, lost)
        assert Counter(job.key for job in fakes.tuning.jobs) == dict.fromkeys(run.jobs, 1)
        assert states(fakes, run) == ["succeeded"] * 3
        announced = {item["job"] for item in fakes.publisher.on("tuning-completed")}
        assert announced == set(run.jobs)
        assert all(job.announced for job in jobs_of(fakes, run))
        assert set(money(fakes, run).actual) == set(run.jobs)
    assert point > 100


def money(fakes: FakeWorld, run: RunRecord) -> Reservation:
    ledger = read(fakes.artifacts, paths.budget(run.budget_period), BudgetRecord)
    assert ledger is not None
    return ledger.reservations[key_of(run)]


def request_cancel(fakes: FakeWorld, run: RunRecord) -> None:
    def ask(old: RunRecord | None) -> RunRecord | None:
        return old.model_copy(update={"cancel_requested": True}) if old else None

    change(fakes.artifacts, paths.run_record(run.task_name, run.id), RunRecord, ask)


def stop(fakes: FakeWorld, content: str = '{"reason": "the bill"}') -> None:
    fakes.artifacts.put(paths.KILL_SWITCH, content)


class MeddledTuning(FakeTuning):
    """Somebody does something while a job is created."""

    def __init__(self, fakes: FakeWorld, meddle: Callable[[], object]) -> None:
        super().__init__(fakes.clock, fakes.faults)
        self._meddle = meddle

    def create(self, request: TuningRequest) -> TuningJob:
        self._meddle()
        return super().create(request)


def test_room_is_given_to_the_task_with_the_fewest_jobs() -> None:
    fakes = fake_world(max_concurrent_jobs=4)
    first, second = open_run(fakes), open_run(fakes, "run2", "trees", PLAN[:2])
    third = open_run(fakes, "run3", "bees", PLAN[:2])
    tick(fakes)
    asked = [request.key.partition("-")[0] for request in fakes.tuning.requests]
    assert asked == ["run", "run2", "run3", "run"]
    for run, done in ((first, 2), (second, 1), (third, 1)):
        assert states(fakes, run).count("submitted") == done


def test_a_service_without_room_ends_the_round() -> None:
    fakes = fake_world(max_concurrent_jobs=5)
    fakes.tuning.quota = 1
    open_run(fakes)
    other = open_run(fakes, "run2", "trees")
    tick(fakes)
    assert fakes.faults.calls.count("create") == 2
    assert states(fakes, other) == ["queued", "planned", "planned"]


def test_a_cancelled_run_stops_what_runs_and_starts_nothing_more() -> None:
    fakes = fake_world(max_concurrent_jobs=1)
    run = open_run(fakes, usd=1.0)
    tick(fakes)
    request_cancel(fakes, run)
    tick(fakes)
    assert fakes.tuning.cancelled == [fakes.tuning.jobs[0].name]
    tick(fakes)
    assert states(fakes, run) == ["cancelled"] * 3
    assert len(fakes.tuning.requests) == 1
    assert len(fakes.publisher.on("tuning-completed")) == 3
    assert money(fakes, run).actual == dict.fromkeys(run.jobs, 0.0)
    recorded = read(fakes.artifacts, paths.run_record("birds", "run"), RunRecord)
    assert recorded is not None
    assert recorded.actual_usd == 0.0


def test_a_lost_creation_of_a_cancelled_run_is_cancelled_when_it_appears() -> None:
    fakes = fake_world()
    fakes.tuning.lose_responses = 1
    run = open_run(fakes, plan=PLAN[:1], usd=1.0)
    with pytest.raises(Retry):
        tick(fakes)
    fakes.tuning.hidden.add(run.jobs[0])
    request_cancel(fakes, run)
    tick(fakes)
    assert states(fakes, run) == ["submitting"]
    fakes.clock.advance(fakes.settings.lease_seconds)
    tick(fakes)
    assert states(fakes, run) == ["cancelled"]
    assert money(fakes, run).actual == {}
    fakes.tuning.hidden.clear()
    tick(fakes)
    assert fakes.tuning.live() == []
    assert states(fakes, run) == ["cancelled"]


def test_a_run_that_is_cancelled_between_two_of_its_creations_creates_no_more() -> None:
    fakes = fake_world(max_concurrent_jobs=3)
    run = open_run(fakes)
    tuning = MeddledTuning(fakes, lambda: request_cancel(fakes, run))
    advance_jobs(fakes.world, tuning)
    for _ in range(2):
        advance_jobs(fakes.world, tuning)
    assert len(tuning.requests) == 1
    assert states(fakes, run) == ["cancelled"] * 3


def cancelled_with_a_crash(point: int) -> tuple[FakeWorld, RunRecord, bool]:
    fakes = fake_world(max_concurrent_jobs=1)
    fakes.tuning.lose_responses = 1
    run = open_run(fakes, usd=1.0)
    fakes.faults.crash_at = fakes.faults.points + point
    crashed = False
    for number in range(8):
        if number == 1:
            before, fakes.faults.crash_at = fakes.faults.points - fakes.faults.crash_at, None
            request_cancel(fakes, run)
            fakes.faults.crash_at = fakes.faults.points - before
        fakes.clock.advance(fakes.settings.lease_seconds + 1)
        try:
            advance_jobs(fakes.world, fakes.tuning)
        except Crash:
            crashed = True
        except Retry:
            continue
    fakes.faults.crash_at = None
    return fakes, run, crashed


def test_a_crash_at_any_call_of_a_cancellation_leaves_nothing_running() -> None:
    point, crashed = 0, True
    while crashed:
        point += 1
        fakes, run, crashed = cancelled_with_a_crash(point)
        assert states(fakes, run) == ["cancelled"] * 3
        assert fakes.tuning.live() == []
        assert len(fakes.tuning.jobs) <= 1
        assert {item["job"] for item in fakes.publisher.on("tuning-completed")} == set(run.jobs)
    assert point > 60


def test_the_kill_switch_keeps_what_waits_and_lets_what_runs_go_on() -> None:
    fakes = fake_world(max_concurrent_jobs=1)
    run = open_run(fakes)
    tick(fakes)
    stop(fakes)
    fakes.tuning.end_all()
    tick(fakes)
    assert states(fakes, run) == ["succeeded", "planned", "planned"]
    fakes.artifacts.delete(paths.KILL_SWITCH)
    tick(fakes)
    assert states(fakes, run) == ["succeeded", "submitted", "planned"]


def test_the_kill_switch_is_looked_at_right_before_each_creation() -> None:
    fakes = fake_world(max_concurrent_jobs=3)
    run = open_run(fakes)
    tuning = MeddledTuning(fakes, lambda: stop(fakes))
    advance_jobs(fakes.world, tuning)
    assert len(tuning.jobs) == 1
    assert states(fakes, run) == ["submitted", "queued", "queued"]
    assert "the bill" in jobs_of(fakes, run)[1].error


def test_the_kill_switch_cancels_what_runs_if_it_is_told_to() -> None:
    fakes = fake_world(max_concurrent_jobs=2)
    run = open_run(fakes)
    tick(fakes)
    stop(fakes, '{"cancel_running": true}')
    tick(fakes)
    tick(fakes)
    assert states(fakes, run) == ["cancelled", "cancelled", "planned"]
    assert fakes.tuning.live() == []


def test_a_job_whose_money_is_gone_waits() -> None:
    fakes = fake_world(budget_usd_per_month=4.0)
    run = open_run(fakes, usd=1.0).model_copy(update={"estimated_usd": 3.0})
    fakes.artifacts.put(paths.run_record("birds", "run"), run.model_dump_json())
    fakes.artifacts.delete(paths.budget(run.budget_period))
    other = run.model_copy(update={"id": "other"})
    assert reserve(fakes.world, other, {"a": 2.0}, None) == ""
    tick(fakes)
    assert fakes.tuning.jobs == []
    assert "$4.00" in jobs_of(fakes, run)[0].error


def test_a_jobs_price_is_settled_before_its_end_is_published() -> None:
    fakes = fake_world()
    run = open_run(fakes, plan=PLAN[:1], usd=1.0)
    tick(fakes)
    job = fakes.tuning.jobs[0]
    fakes.tuning.jobs[0] = replace(job, billable_tokens=400_000, truncated_examples=2)
    fakes.tuning.end_all()
    fakes.faults.fail("publish", Retry("down"))
    with pytest.raises(Retry):
        tick(fakes)
    assert money(fakes, run).actual == {run.jobs[0]: 0.6}
    recorded = read(fakes.artifacts, paths.run_record("birds", "run"), RunRecord)
    assert recorded is not None
    assert recorded.actual_usd == 0.6
    assert jobs_of(fakes, run)[0].truncated_examples == 2


def test_a_job_that_is_stuck_is_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    fakes = fake_world(stuck_after_seconds=100.0)
    run = open_run(fakes, plan=PLAN[:1])
    for _ in range(5):
        tick(fakes)
    (fact,) = fakes.publisher.facts("job-stuck")
    assert fact["details"]["job"] == run.jobs[0]
    assert capsys.readouterr().out.count("a job shows no progress") == 1
    fakes.tuning.reach(fakes.tuning.jobs[0].name, 1)
    tick(fakes)
    (job,) = jobs_of(fakes, run)
    assert (job.stuck, job.epochs_done) == (False, 1)


def test_a_state_that_is_not_known_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    fakes = fake_world()
    run = open_run(fakes, plan=PLAN[:1])
    tick(fakes)
    fakes.tuning.become(fakes.tuning.jobs[0].name, "dreaming")
    for _ in range(3):
        tick(fakes)
    assert capsys.readouterr().out.count("a state that is not known") == 1
    assert jobs_of(fakes, run)[0].unknown_state == "dreaming"


def test_all_checkpoints_are_asked_for_when_the_run_keeps_them() -> None:
    fakes = fake_world()
    run = open_run(fakes, plan=PLAN[:1]).model_copy(update={"checkpoints": "all"})
    fakes.artifacts.put(paths.run_record("birds", "run"), run.model_dump_json())
    tick(fakes)
    assert fakes.tuning.requests[0].all_checkpoints


def test_a_job_that_may_not_be_looked_at_does_not_keep_the_others_waiting() -> None:
    fakes = fake_world(max_concurrent_jobs=3)
    run = open_run(fakes)
    fakes.faults.fail("find_jobs", Rejected("Vertex AI refused: 403"))
    with pytest.raises(Exception, match="1 jobs"):
        tick(fakes)
    assert states(fakes, run)[1:] == ["submitted", "submitted"]
