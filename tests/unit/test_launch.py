"""Launching a run."""

import re
from typing import Any

import pytest

from functions.launch_tuning.launch import launch
from shared import paths
from shared.errors import Rejected, Retry
from shared.events import ObjectArrived
from shared.examples import Example
from shared.jobs import advance_jobs
from shared.models import base_models, find_base_model
from shared.record_store import create
from shared.records import TaskRecord
from shared.sweep import RECOMMENDED, SINGLE, estimate_price, plan_sweep
from shared.task import Configuration, Task
from tests.fakes import Crash, FakeWorld, fake_world, message, store_dataset

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
SPLITS = {
    "train": [Example("hoot", "owl")],
    "validation": [Example("caw", "crow")],
    "test": [Example("caw caw", "crow")],
}


def ready(task: Task = TASK, tokens: int = 10_000, **settings: Any) -> FakeWorld:
    fakes = fake_world(**settings)
    store_dataset(fakes, task, SPLITS, training_tokens=tokens)
    return fakes


def request(fakes: FakeWorld, **data: Any) -> None:
    fakes.clock.advance(1)
    launch(message("tuning-requested", **{"task": "birds", **data}), fakes.world, fakes.tuning)


def runs(fakes: FakeWorld) -> list[Any]:
    names = fakes.artifacts.names("tasks/birds/runs/")
    return [fakes.artifacts.json(name) for name in names if name.endswith("/run.json")]


def test_a_request_becomes_a_recorded_run_whose_first_job_starts() -> None:
    fakes = ready()
    request(fakes)
    (run,) = runs(fakes)
    assert run["state"] == "open"
    assert len(run["jobs"]) == len(RECOMMENDED)
    assert len(fakes.tuning.jobs) == 1
    assert len(fakes.artifacts.names(f"tasks/birds/runs/{run['id']}/jobs/")) == len(RECOMMENDED)
    (fact,) = fakes.publisher.facts("run-planned")
    assert fact["details"]["jobs"] == len(RECOMMENDED)
    assert fakes.artifacts.names("open/run/") == [paths.open_marker("run", "birds", run["id"])]


def test_the_same_request_delivered_again_is_one_run() -> None:
    fakes = ready()
    for _ in range(3):
        request(fakes)
    assert len(runs(fakes)) == 1
    assert len(fakes.tuning.jobs) == 1
    assert len(fakes.publisher.facts("run-planned")) == 1


def test_another_plan_is_another_run() -> None:
    fakes = ready(max_concurrent_jobs=20)
    request(fakes, sweep="single")
    request(fakes, sweep=[{"epoch_count": 9}])
    assert {len(run["jobs"]) for run in runs(fakes)} == {1}
    assert len(runs(fakes)) == 2


def test_a_run_over_the_budget_is_refused_and_evaluation_is_told() -> None:
    fakes = ready(tokens=100_000_000)
    request(fakes)
    (run,) = runs(fakes)
    assert run["state"] == "refused"
    assert re.search(r"about \$5400\.00; the budget is \$50\.00", run["reason"])
    assert fakes.tuning.jobs == []
    assert fakes.publisher.on("tuning-completed") == [{"task": "birds", "run": run["id"]}]
    assert len(fakes.publisher.facts("run-refused")) == 1


def test_a_refused_run_may_be_asked_for_again_with_a_larger_budget() -> None:
    fakes = ready(tokens=100_000_000)
    request(fakes)
    request(fakes, budget_usd=6000)
    (run,) = runs(fakes)
    assert (run["state"], run["reason"]) == ("open", "")
    assert len(fakes.tuning.jobs) == 1


def test_a_smaller_budget_in_the_request_overrides_the_task() -> None:
    fakes = ready(tokens=1_000_000)
    request(fakes, sweep="single", budget_usd=1)
    assert runs(fakes)[0]["state"] == "refused"


def closed(fakes: FakeWorld, state: str) -> None:
    """Let the one run's jobs end in a state, and close it."""
    for _ in range(4):
        fakes.tuning.end_all(state)
        advance_jobs(fakes.world, fakes.tuning)
    (run,) = runs(fakes)
    path = paths.run_record("birds", run["id"])
    fakes.artifacts.put(path, fakes.artifacts.content(path).replace(b'"open"', b'"closed"'))


def test_a_closed_run_with_a_model_is_not_opened_again() -> None:
    fakes = ready()
    request(fakes)
    closed(fakes, "succeeded")
    before = list(fakes.tuning.jobs)
    request(fakes)
    assert runs(fakes)[0]["state"] == "closed"
    assert fakes.tuning.jobs == before
    assert fakes.artifacts.names("open/run/") == []


def test_a_run_that_came_to_nothing_is_tried_again_when_asked_for() -> None:
    fakes = ready()
    request(fakes)
    closed(fakes, "failed")
    for _ in range(2):
        request(fakes)
    (run,) = runs(fakes)
    assert (run["state"], run["attempt"]) == ("open", 2)
    assert sum(job.key.endswith("-try2") for job in fakes.tuning.jobs) == 1


def test_the_policy_is_that_of_the_task_as_it_is_now() -> None:
    fakes = ready()
    now = Task.model_validate(
        {**TASK.model_dump(), "tuning": {"sweep": "single", "base_model": "gemini-3.5-flash"}}
    )
    record = TaskRecord(name="birds", task=now, source="task.yaml", source_generation=9)
    create(fakes.artifacts, paths.task_record("birds"), record)
    request(fakes)
    (run,) = runs(fakes)
    assert (run["base_model"], len(run["jobs"])) == ("gemini-3.5-flash", 1)


def test_the_latest_dataset_is_taken_when_none_is_named() -> None:
    fakes = ready()
    fakes.clock.advance(1)
    store_dataset(fakes, TASK, SPLITS, identifier="a-later-one")
    request(fakes)
    assert runs(fakes)[0]["dataset"] == "a-later-one"


def test_a_named_dataset_is_taken() -> None:
    fakes = ready()
    fakes.clock.advance(1)
    store_dataset(fakes, TASK, SPLITS, identifier="a-later-one")
    request(fakes, dataset="dataset1")
    assert runs(fakes)[0]["dataset"] == "dataset1"


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"epochs": 3}, "epochs"),
        ({"budget_usd": -1}, "budget_usd"),
        ({"sweep": "everything"}, "sweep"),
        ({"sweep": [{"epoch_count": 0}]}, "epoch_count"),
        ({"task": None}, "task: "),
        ({"task": "../x"}, "'../x'"),
        ({"dataset": "nothing"}, "'nothing'"),
        ({"task": "trees"}, "'trees' has no dataset"),
        ({"base_model": "gemini-1.0-pro"}, "'gemini-1.0-pro'"),
    ],
)
def test_a_wrong_request_is_rejected_by_name_and_nothing_is_begun(
    data: dict[str, Any], named: str
) -> None:
    fakes = ready()
    with pytest.raises(Rejected) as caught:
        request(fakes, **data)
    assert named in str(caught.value)
    assert caught.value.remedy
    assert fakes.tuning.jobs == []
    assert runs(fakes) == []
    assert fakes.artifacts.names("open/") == []


def test_a_model_that_is_not_tuned_in_the_region_is_rejected_with_the_regions() -> None:
    fakes = ready(location="asia-east1")
    with pytest.raises(Rejected) as caught:
        request(fakes)
    assert "us-central1" in caught.value.remedy


def test_an_object_is_no_request() -> None:
    fakes = ready()
    with pytest.raises(Rejected):
        launch(ObjectArrived("datasets", "birds/a.csv", 1), fakes.world, fakes.tuning)


def test_a_crash_at_any_call_leads_to_the_same_run_when_delivered_again() -> None:
    point = 0
    crashed = True
    while crashed:
        point += 1
        fakes = ready()
        fakes.faults.crash_at = fakes.faults.points + point
        crashed = False
        for _ in range(2):
            try:
                request(fakes, sweep="single")
            except Crash:
                crashed = True
                assert fakes.artifacts.names("open/run/") or runs(fakes) == []
            except Retry:
                crashed = True
            fakes.clock.advance(fakes.settings.lease_seconds)
        if crashed:
            request(fakes, sweep="single")
        assert len(runs(fakes)) == 1
        assert len(fakes.tuning.jobs) == 1
    assert point > 20


def test_a_sweep_holds_each_configuration_once() -> None:
    model = base_models()["gemini-3.5-flash"]
    twice = (SINGLE, Configuration(epoch_count=9), SINGLE)
    assert plan_sweep(twice, model) == [SINGLE, Configuration(epoch_count=9)]
    assert plan_sweep("single", model) == [SINGLE]
    assert len(set(plan_sweep("recommended", model))) == 5


def test_a_sweep_that_does_not_suit_the_model_is_rejected() -> None:
    model = base_models()["gemini-3.5-flash"].model_copy(update={"adapter_sizes": (1, 2)})
    with pytest.raises(Rejected, match="adapter size 8"):
        plan_sweep((SINGLE, Configuration(adapter_size=8)), model)


def test_a_price_is_tokens_times_epochs() -> None:
    model = find_base_model("gemini-3.5-flash-lite", "us-central1")
    estimate = estimate_price(1_000_000, [SINGLE, Configuration(epoch_count=6)], model)
    assert estimate.usd == pytest.approx(10 * model.training_price)
    assert "x 10 epochs" in estimate.note
    assert model.price_note in estimate.note
