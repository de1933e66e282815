"""Launching a run."""

import re
from typing import Any

import pytest

from functions.launch_tuning.launch import launch
from shared import paths
from shared.budget import totals
from shared.errors import Rejected, Retry
from shared.events import ObjectArrived
from shared.examples import Example
from shared.jobs import advance_jobs
from shared.record_store import create
from shared.records import BudgetRecord, TaskRecord
from shared.sweep import FEW
from shared.task import Task
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
    assert len(run["jobs"]) == len(FEW)
    assert len(fakes.tuning.jobs) == 1
    assert len(fakes.artifacts.names(f"tasks/birds/runs/{run['id']}/jobs/")) == len(FEW)
    (fact,) = fakes.publisher.facts("run-planned")
    assert fact["details"]["jobs"] == len(FEW)
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
    assert re.search(
        r"about \$5400\.00 \(\$4050\.00 to \$6750\.00\); the budget is \$50\.00", run["reason"]
    )
    assert fakes.tuning.jobs == []
    assert fakes.publisher.on("tuning-completed") == [{"task": "birds", "run": run["id"]}]
    assert len(fakes.publisher.facts("run-refused")) == 1


def test_a_refused_run_may_be_asked_for_again_with_a_larger_budget() -> None:
    fakes = ready(tokens=100_000_000)
    request(fakes)
    request(fakes, budget_usd=7000)
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
    before, completed = list(fakes.tuning.jobs), len(fakes.publisher.on("tuning-completed"))
    request(fakes)
    (run,) = runs(fakes)
    assert run["state"] == "closed"
    assert fakes.tuning.jobs == before
    # Its verdict is looked at again: the task may have another target, or order, by now.
    again = fakes.publisher.on("tuning-completed")[completed:]
    assert again == [{"task": "birds", "run": run["id"]}]
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
        ({"base_model": "gemini-2.5-flash"}, "retired on 2026-10-20"),
        ({"sweep": {"epoch_count": list(range(1, 30))}}, "29 configurations"),
        ({"approve": "nothing"}, "no run 'nothing'"),
        ({"cancel": "../../../task"}, "no run '../../../task'"),
        ({"approve": "nothing", "budget_usd": 5}, "budget_usd"),
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


ASK = Task.model_validate({**TASK.model_dump(), "tuning": {"over_budget": "ask"}})


def reserved(fakes: FakeWorld) -> float:
    """Return what is reserved and spent this month."""
    path = paths.budget(f"{fakes.clock():%Y-%m}")
    if path not in fakes.artifacts.names("budget/"):
        return 0.0
    return totals(BudgetRecord.model_validate(fakes.artifacts.json(path))).usd


def waiting(tokens: int = 1_000_000, **settings: Any) -> tuple[FakeWorld, str]:
    """Let a run wait for a person: ($30 to $75 of a budget of $50)."""
    fakes = ready(ASK, tokens=tokens, **settings)
    request(fakes, sweep="single", base_model="gemini-3.5-flash", budget_usd=20)
    (run,) = runs(fakes)
    assert run["state"] == "waiting"
    return fakes, run["id"]


def test_a_dry_run_tells_plan_and_price_and_writes_nothing() -> None:
    fakes = ready(tokens=1_000_000)
    before = fakes.artifacts.names()
    request(fakes, dry_run=True)
    (fact,) = fakes.publisher.facts("run-estimated")
    details = fact["details"]
    assert (details["jobs"], details["estimated_usd"]) == (3, 54.0)
    assert (details["estimated_low_usd"], details["estimated_high_usd"]) == (40.5, 67.5)
    assert "three configurations" in details["plan_note"]
    assert fakes.artifacts.names() == before
    assert len(fakes.publisher.messages) == 1
    request(fakes, budget_usd=100)
    assert runs(fakes)[0]["id"] == details["run"]


def test_the_money_of_a_run_is_reserved_at_the_upper_end_of_its_estimate() -> None:
    fakes = ready(tokens=100_000)
    request(fakes)
    (run,) = runs(fakes)
    assert run["estimated_usd"] == pytest.approx(5.4)
    assert reserved(fakes) == pytest.approx(run["estimated_high_usd"])
    assert run["estimated_high_usd"] == pytest.approx(6.75)
    assert run["budget_period"] == "2026-11"
    assert "three configurations" in run["plan_note"]


def test_a_run_that_may_cost_more_than_its_budget_is_refused() -> None:
    fakes = ready(tokens=100_000)
    request(fakes, budget_usd=6)
    assert runs(fakes)[0]["state"] == "refused"
    assert reserved(fakes) == 0


def test_the_deployment_s_budget_refuses_what_does_not_fit_beside_other_runs() -> None:
    fakes = ready(tokens=100_000, budget_usd_per_month=10.0)
    request(fakes)
    request(fakes, base_model="gemini-3.1-flash-lite")
    first, second = sorted(runs(fakes), key=lambda run: str(run["state"]))
    assert (first["state"], second["state"]) == ("open", "refused")
    assert "the whole deployment" in second["reason"]
    assert reserved(fakes) == pytest.approx(6.75)
    assert len(fakes.publisher.on("tuning-completed")) == 1


def test_the_task_s_monthly_budget_refuses_too() -> None:
    task = Task.model_validate({**TASK.model_dump(), "tuning": {"budget_usd_per_month": 6}})
    fakes = ready(task, tokens=100_000)
    request(fakes)
    (run,) = runs(fakes)
    assert run["state"] == "refused"
    assert "the task 'birds'" in run["reason"]


def test_all_checkpoints_make_another_run_of_the_same_price() -> None:
    fakes = ready()
    request(fakes)
    request(fakes, checkpoints="all")
    last, every = sorted(runs(fakes), key=lambda run: str(run["checkpoints"]), reverse=True)
    assert (last["checkpoints"], every["checkpoints"]) == ("last", "all")
    assert last["id"] != every["id"]
    assert last["estimated_usd"] == every["estimated_usd"]


def test_lineage_is_kept_with_the_run() -> None:
    fakes = ready()
    request(fakes, lineage="replaces few-shot of run 1f0c")
    assert runs(fakes)[0]["lineage"] == "replaces few-shot of run 1f0c"


def test_data_beyond_the_model_s_limits_is_rejected() -> None:
    fakes = ready()
    path = paths.dataset_record("birds", "dataset1")
    content = fakes.artifacts.content(path).replace(b'"validation": 1', b'"validation": 5001')
    fakes.artifacts.put(path, content)
    with pytest.raises(Rejected, match=r"5,001 validation examples; gemini.* takes 5,000"):
        request(fakes)


def test_a_run_over_budget_waits_when_the_task_asks_for_a_person() -> None:
    fakes, run = waiting()
    assert fakes.tuning.jobs == []
    assert fakes.artifacts.names(f"tasks/birds/runs/{run}/jobs/") == []
    assert reserved(fakes) == 0
    assert fakes.publisher.on("tuning-completed") == []
    (fact,) = fakes.publisher.facts("run-waiting")
    assert fact["details"]["run"] == run
    assert "the budget is $20.00" in fact["details"]["reason"]


def test_an_approval_starts_a_waiting_run_once() -> None:
    fakes, run = waiting()
    for _ in range(3):
        request(fakes, approve=run)
    (record,) = runs(fakes)
    assert (record["state"], record["approved"], record["reason"]) == ("open", True, "")
    assert len(fakes.tuning.jobs) == 1
    assert len(fakes.publisher.facts("run-planned")) == 1
    assert reserved(fakes) == pytest.approx(25.0)


def test_an_approval_lifts_the_task_s_monthly_budget_too() -> None:
    tuning = {"over_budget": "ask", "budget_usd_per_month": 6}
    fakes = ready(Task.model_validate({**TASK.model_dump(), "tuning": tuning}), tokens=100_000)
    request(fakes)
    (run,) = runs(fakes)
    assert run["state"] == "waiting"
    request(fakes, approve=run["id"])
    assert runs(fakes)[0]["state"] == "open"


def test_an_approval_does_not_lift_the_deployment_s_budget() -> None:
    fakes, run = waiting(budget_usd_per_month=24.0)
    with pytest.raises(Rejected, match="the whole deployment"):
        request(fakes, approve=run)
    assert runs(fakes)[0]["state"] == "waiting"
    assert reserved(fakes) == 0
    assert fakes.tuning.jobs == []


def test_a_run_that_does_not_wait_cannot_be_approved() -> None:
    fakes = ready()
    request(fakes)
    (run,) = runs(fakes)
    with pytest.raises(Rejected, match="is open; only one that waits"):
        request(fakes, approve=run["id"])


def test_an_approval_that_arrives_after_the_end_changes_nothing() -> None:
    fakes, run = waiting()
    request(fakes, approve=run)
    closed(fakes, "succeeded")
    before = fakes.artifacts.content(paths.run_record("birds", run))
    request(fakes, approve=run)
    assert fakes.artifacts.content(paths.run_record("birds", run)) == before


def test_a_larger_budget_opens_a_waiting_run_without_an_approval() -> None:
    fakes, run = waiting()
    request(fakes, sweep="single", base_model="gemini-3.5-flash", budget_usd=100)
    (record,) = runs(fakes)
    assert (record["id"], record["state"], record["approved"]) == (run, "open", False)


def test_the_request_of_a_waiting_run_delivered_again_is_told_again_and_changes_nothing() -> None:
    fakes, run = waiting()
    before = fakes.artifacts.generation(paths.run_record("birds", run))
    request(fakes, sweep="single", base_model="gemini-3.5-flash", budget_usd=20)
    assert fakes.artifacts.generation(paths.run_record("birds", run)) == before
    assert len(fakes.publisher.facts("run-waiting")) == 2


def test_a_cancelled_waiting_run_is_refused_and_evaluation_is_told() -> None:
    fakes, run = waiting()
    request(fakes, cancel=run)
    (record,) = runs(fakes)
    assert (record["state"], record["cancel_requested"]) == ("refused", True)
    assert "cancelled by a person" in record["reason"]
    assert fakes.publisher.on("tuning-completed") == [{"task": "birds", "run": run}]
    assert len(fakes.publisher.facts("run-cancelled")) == 1
    with pytest.raises(Rejected, match="is refused; only one that waits"):
        request(fakes, approve=run)


def test_a_cancelled_open_run_is_marked_so() -> None:
    fakes = ready()
    request(fakes)
    (run,) = runs(fakes)
    request(fakes, cancel=run["id"])
    request(fakes, cancel=run["id"])
    assert runs(fakes)[0]["cancel_requested"]
    assert len(fakes.publisher.facts("run-cancelled")) >= 1


@pytest.mark.parametrize("state", ["refused", "closed"])
def test_a_run_that_is_over_cannot_be_cancelled(state: str) -> None:
    fakes = ready()
    request(fakes)
    (run,) = runs(fakes)
    path = paths.run_record("birds", run["id"])
    content = fakes.artifacts.content(path).replace(b'"open"', f'"{state}"'.encode())
    fakes.artifacts.put(path, content)
    with pytest.raises(Rejected, match=f"is {state}; there is nothing to cancel"):
        request(fakes, cancel=run["id"])


@pytest.mark.parametrize("decision", ["approve", "cancel"])
def test_a_crash_at_any_call_of_a_decision_leads_to_the_same_end(decision: str) -> None:
    point = 0
    crashed = True
    while crashed:
        point += 1
        fakes, run = waiting(budget_usd_per_month=30.0)
        fakes.faults.crash_at = fakes.faults.points + point
        crashed = False
        for _ in range(2):
            try:
                request(fakes, **{decision: run})
            except Crash:
                crashed = True
                (record,) = runs(fakes)
                if record["state"] == "open":
                    assert reserved(fakes) == pytest.approx(25.0)
            except Retry:
                crashed = True
            fakes.clock.advance(fakes.settings.lease_seconds)
        if crashed:
            request(fakes, **{decision: run})
        (record,) = runs(fakes)
        is_approved = decision == "approve"
        assert record["state"] == ("open" if is_approved else "refused")
        assert len(fakes.tuning.jobs) == is_approved
        assert reserved(fakes) == pytest.approx(25.0 * is_approved)
        if not is_approved:
            assert fakes.publisher.facts("run-cancelled")
            assert {"task": "birds", "run": run} in fakes.publisher.on("tuning-completed")
    assert point > 10


def test_no_crash_lets_runs_reserve_more_than_the_budget_or_open_without_money() -> None:
    point = 0
    crashed = True
    while crashed:
        point += 1
        fakes = ready(tokens=100_000, budget_usd_per_month=10.0)
        fakes.faults.crash_at = fakes.faults.points + point
        crashed = False
        for model in ("gemini-3.5-flash-lite", "gemini-3.1-flash-lite") * 2:
            try:
                request(fakes, base_model=model)
            except Crash:
                crashed = True
            except Retry:
                pass
            fakes.clock.advance(fakes.settings.lease_seconds)
            opened = [run for run in runs(fakes) if run["state"] == "open"]
            assert len(opened) <= 1
            assert reserved(fakes) <= 10.0
            assert reserved(fakes) >= 6.75 * len(opened) - 0.001
        assert sorted(run["state"] for run in runs(fakes)) == ["open", "refused"]
    assert point > 20
