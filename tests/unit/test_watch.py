"""The scheduler's tick."""

import pytest

from functions.watch_jobs.watch import watch
from shared import open_work, paths
from shared.errors import Retry
from shared.examples import Example
from shared.jobs import record_jobs
from shared.record_store import create, read
from shared.records import Candidate, ChampionRecord, JobRecord, RemovedEndpoints, RunRecord
from shared.task import Configuration, Task
from tests.fakes import FakeWorld, fake_world, store_dataset

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
EVENT = {"bucket": "documents", "name": "birds/letter.txt", "generation": "5"}
PATIENCE = 900.0
SPLITS = {"train": [Example("hoot", "owl")], "validation": [], "test": []}


def open_run(fakes: FakeWorld, state: str = "open") -> RunRecord:
    store_dataset(fakes, TASK, SPLITS)
    run = RunRecord(
        id="run",
        task_name="birds",
        dataset="dataset1",
        base_model="gemini-3.5-flash-lite",
        plan=(Configuration(),),
        jobs=("run-e4-m1-a1",),
        state=state,
        created=fakes.clock(),
    )
    open_work.begin(fakes.world, "run", "birds", "run")
    create(fakes.artifacts, paths.run_record("birds", "run"), run)
    if state == "open":
        record_jobs(fakes.world, run)
    return run


def crown(fakes: FakeWorld) -> None:
    candidate = Candidate(name="zero-shot", kind="prompting", model="m", base_model="m")
    champion = ChampionRecord(
        task_name="birds",
        candidate=candidate,
        task=TASK,
        dataset="dataset1",
        run="",
        at=fakes.clock(),
    )
    create(fakes.artifacts, paths.champion("birds"), champion)


def tick(fakes: FakeWorld, seconds: float = 60) -> None:
    fakes.clock.advance(seconds)
    watch(fakes.world, fakes.tuning)


def test_a_dataset_that_nobody_measured_is_published_again_and_again() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    open_work.begin(fakes.world, "dataset", "birds", "dataset1")
    tick(fakes, PATIENCE)
    assert fakes.publisher.messages == []
    tick(fakes, 1)
    wanted = {"task": "birds", "dataset": "dataset1"}
    assert fakes.publisher.on("dataset-converted") == [wanted]
    tick(fakes, 2 * PATIENCE)
    assert fakes.publisher.on("dataset-converted") == [wanted]
    tick(fakes, 1)
    assert fakes.publisher.on("dataset-converted") == [wanted, wanted]


def test_what_is_revived_in_vain_waits_twice_as_long_each_time_but_at_most_a_day() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    open_work.begin(fakes.world, "dataset", "birds", "dataset1")
    waits: list[float] = []
    for _ in range(10):
        before, waited = len(fakes.publisher.messages), 0.0
        while len(fakes.publisher.messages) == before:
            tick(fakes, PATIENCE)
            waited += PATIENCE
        waits.append((waited - PATIENCE) / PATIENCE)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 96, 96, 96]


def test_work_whose_message_cannot_be_published_stays_overdue() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    open_work.begin(fakes.world, "dataset", "birds", "dataset1")
    fakes.faults.fail("publish", Retry("down"))
    with pytest.raises(Retry):
        tick(fakes, PATIENCE + 1)
    tick(fakes, 0)
    assert len(fakes.publisher.on("dataset-converted")) == 1


def test_a_document_waits_until_there_is_a_champion_and_is_woken_once() -> None:
    fakes = fake_world()
    open_work.begin(fakes.world, "document", "birds", "d1", EVENT)
    tick(fakes)
    assert fakes.publisher.messages == []
    crown(fakes)
    tick(fakes)
    tick(fakes)
    assert fakes.publisher.on("document-arrived") == [EVENT]
    assert fakes.artifacts.names("open/") == []


def test_a_document_of_another_task_goes_on_waiting() -> None:
    fakes = fake_world()
    open_work.begin(fakes.world, "document", "trees", "d1", EVENT)
    crown(fakes)
    tick(fakes)
    assert fakes.publisher.messages == []
    assert len(fakes.artifacts.names("open/document/trees/")) == 1


def test_jobs_are_moved_on() -> None:
    fakes = fake_world()
    run = open_run(fakes)
    tick(fakes)
    fakes.tuning.end_all()
    tick(fakes)
    job = read(fakes.artifacts, paths.job_record("birds", "run", run.jobs[0]), JobRecord)
    assert job is not None
    assert job.state == "succeeded"
    assert len(fakes.publisher.on("tuning-completed")) == 1


def test_a_run_whose_jobs_have_ended_without_a_verdict_is_published_again() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    open_run(fakes)
    tick(fakes)
    fakes.tuning.end_all()
    tick(fakes)
    fakes.publisher.messages.clear()
    tick(fakes, PATIENCE + 1)
    assert fakes.publisher.on("tuning-completed") == [{"task": "birds", "run": "run"}]


def test_a_run_whose_jobs_still_run_is_not_published() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    open_run(fakes)
    tick(fakes)
    tick(fakes, 3 * PATIENCE)
    assert fakes.publisher.messages == []
    assert len(fakes.artifacts.names("open/run/")) == 1


def test_a_refused_run_that_was_never_concluded_is_published_again() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    open_run(fakes, "refused")
    tick(fakes, PATIENCE + 1)
    assert fakes.publisher.on("tuning-completed") == [{"task": "birds", "run": "run"}]


def test_the_marker_of_a_closed_run_is_taken_away() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    open_run(fakes, "closed")
    tick(fakes, PATIENCE + 1)
    assert fakes.artifacts.names("open/") == []
    assert fakes.publisher.messages == []


def test_a_marker_without_a_run_is_given_time_and_then_taken_away() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    open_work.begin(fakes.world, "run", "birds", "never-recorded")
    tick(fakes)
    assert len(fakes.artifacts.names("open/")) == 1
    tick(fakes, PATIENCE)
    assert fakes.artifacts.names("open/") == []


def test_a_tick_with_nothing_open_does_nothing() -> None:
    fakes = fake_world()
    tick(fakes)
    fakes.faults.calls.clear()
    tick(fakes)
    assert fakes.publisher.messages == []
    assert not any(call.startswith(("write", "create")) for call in fakes.faults.calls)
    assert fakes.faults.calls.count("list artifacts") == 6
    assert fakes.faults.calls.count("read artifacts") == 4


def test_one_tasks_broken_records_keep_nothing_of_another_task_from_being_done() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    for path in (
        *("open/dataset/ants/a.json", paths.champion("ants"), paths.run_record("ants", "run")),
        *(paths.removed_endpoints("ants", "run"), paths.task_record("ants")),
    ):
        fakes.artifacts.put(path, "{}")
    crown(fakes)
    open_run(fakes, "refused")
    given_up = RemovedEndpoints(given_up={"endpoints/1": fakes.clock()})
    create(fakes.artifacts, paths.removed_endpoints("birds", "run"), given_up)
    open_work.begin(fakes.world, "dataset", "birds", "dataset1")
    for task in ("ants", "birds"):
        open_work.begin(fakes.world, "document", task, "d1", EVENT)
        open_work.begin(fakes.world, "run", task, "run")
        open_work.begin(fakes.world, "endpoints", task, "run")
    tick(fakes, PATIENCE + 1)
    assert fakes.publisher.messages == [
        ("document-arrived", EVENT),
        ("dataset-converted", {"task": "birds", "dataset": "dataset1"}),
        ("tuning-completed", {"task": "birds", "run": "run"}),
    ]
    assert fakes.tuning.removed == ["endpoints/1"]


def test_a_bug_in_one_part_of_the_tick_keeps_no_other_from_being_done() -> None:
    fakes = fake_world()
    record = RemovedEndpoints(given_up={"endpoints/1": fakes.clock()})
    create(fakes.artifacts, paths.removed_endpoints("birds", "run"), record)
    open_work.begin(fakes.world, "endpoints", "birds", "run")
    fakes.faults.fail("list", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        tick(fakes)
    assert fakes.tuning.removed == ["endpoints/1"]


def test_endpoints_that_were_given_up_are_removed() -> None:
    fakes = fake_world()
    record = RemovedEndpoints(given_up={"endpoints/1": fakes.clock()})
    create(fakes.artifacts, paths.removed_endpoints("birds", "run"), record)
    open_work.begin(fakes.world, "endpoints", "birds", "run")
    tick(fakes)
    assert fakes.tuning.removed == ["endpoints/1"]
    assert fakes.artifacts.names("open/") == []


def test_a_run_that_waits_for_a_person_is_left_to_wait() -> None:
    fakes = fake_world(revive_after_seconds=PATIENCE)
    open_run(fakes, "waiting")
    for _ in range(3):
        tick(fakes, PATIENCE + 1)
    assert fakes.publisher.messages == []
    assert len(fakes.artifacts.names("open/run/")) == 1
