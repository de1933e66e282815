"""What a verdict leads to: the gate, the count of candidates, the calibration, a rollback."""

from typing import Any

import pytest

from functions.watch_jobs.watch import watch
from local.summary import Records
from shared.errors import Rejected
from shared.records import TaskRecord, VerdictRecord
from tests.unit.test_evaluate import CHAMPION, Stage, declare, store, task
from tests.unit.test_verdict import verdict


def test_a_task_that_wants_its_target_met_gets_no_champion_below_it() -> None:
    gate = {"evaluation": {"promote": "when_target_met"}, "tuning": {"when": "never"}}
    stage = Stage(task(**gate), zero=5, few=7)
    stage.measure()
    assert stage.verdict("datasets/dataset1")["decision"] == "below_target"
    assert CHAMPION not in stage.fakes.artifacts.names()
    stage = Stage(task(**gate), few=10)
    stage.measure()
    assert stage.verdict("datasets/dataset1")["target_met"] is True
    assert CHAMPION in stage.fakes.artifacts.names()


@pytest.mark.parametrize(
    ("promote", "target", "ended"),
    [
        ("automatically", 0.1, False),
        ("by_hand", 0.1, True),
        ("when_target_met", 0.1, False),
        ("when_target_met", 1.0, True),
    ],
)
def test_a_task_without_a_champion_has_ended_if_its_gate_lets_nothing_through(
    promote: str, target: float, ended: bool
) -> None:
    declared = task(evaluation={"promote": promote}, target={"value": target})
    found = verdict(wins=1, losses=3, policy=declared)
    record = TaskRecord(name="birds", task=declared, source="task.yaml", source_generation=1)
    assert records(record, {"verdict.json": found}).has_ended("dataset1") is ended
    assert records(record, {}).has_ended("dataset1") is False


def records(record: TaskRecord, verdicts: dict[str, VerdictRecord]) -> Records:
    return Records("birds", record, [], [], [], [], verdicts, None)


def test_a_verdict_allows_for_the_tuned_models_of_earlier_runs_and_not_of_later_ones() -> None:
    stage = Stage(task(tuning={"sweep": "single"}), zero=5, few=6, tuned=10)
    stage.measure()
    first = stage.tune()
    stage.conclude(first)
    second = stage.tune(sweep=[{"epoch_count": 2}])
    stage.conclude(second)
    compared = [stage.verdict(f"runs/{run}")["comparison"]["compared"] for run in (first, second)]
    assert compared == [1, 2]
    before: Any = stage.verdict(f"runs/{first}")
    stage.conclude(first)
    assert stage.verdict(f"runs/{first}") == before


def test_a_run_on_a_dataset_that_was_replaced_meanwhile_is_concluded_and_promotes_nothing() -> None:
    stage = Stage(task(), zero=5, few=7, tuned=10)
    stage.measure()
    run = stage.tune()
    store(stage.fakes, stage.declared, 60, "dataset2")
    stage.measure("dataset2")
    before = stage.champion
    assert before["dataset"] == "dataset2"
    for _ in range(2):
        stage.conclude(run)
    verdict = stage.verdict(f"runs/{run}")
    assert (verdict["decision"], stage.champion) == ("promote_tuned", before)
    assert verdict["reason"].endswith("so this winner serves only if a person promotes it.")
    told = stage.fakes.publisher.facts("verdict-reached")
    assert [fact["details"]["superseded"] for fact in told] == [False, True, True]
    assert stage.fakes.artifacts.names("open/run/") == []
    watch(stage.fakes.world, stage.fakes.tuning)
    assert stage.fakes.tuning.removed == []
    stage.evaluate("promotion-requested", dataset="dataset1", candidate=verdict["winner"])
    assert stage.champion["run"] == run


def test_of_two_runs_that_overlap_the_one_that_is_concluded_later_allows_for_the_other() -> None:
    stage = Stage(task(tuning={"sweep": "single"}), zero=5, few=6, tuned=10)
    stage.measure()
    first, second = stage.tune(), stage.tune(sweep=[{"epoch_count": 2}])
    for run in (second, first, second):
        stage.conclude(run)
    compared = [stage.verdict(f"runs/{run}")["comparison"]["compared"] for run in (first, second)]
    assert compared == [2, 1]


@pytest.mark.parametrize(
    "now", [{"tuning": {"base_model": "gemini-3.5-flash"}}, {"serving": {"samples": 3}}]
)
def test_another_model_or_way_of_asking_leads_to_a_new_champion_also_with_the_same_scores(
    now: dict[str, Any],
) -> None:
    stage = Stage(task())
    stage.measure()
    before = stage.verdict("datasets/dataset1")
    declare(stage.fakes, task(**now))
    stage.measure()
    after = stage.verdict("datasets/dataset1")
    assert (after["winner"], after["basis"] != before["basis"]) == (before["winner"], True)
    wanted = task(**now)
    assert stage.champion["candidate"]["base_model"] == wanted.tuning.base_model
    assert stage.champion["calibration"]["samples"] == wanted.serving.samples
    stage.measure()
    assert stage.verdict("datasets/dataset1") == after


def test_an_order_that_is_declared_later_is_shown_and_asks_and_decides_nothing_again() -> None:
    stage = Stage(task())
    stage.measure()
    before, champion, asked = stage.verdict("datasets/dataset1"), stage.champion, len(stage.asked)
    assert not any("ordinal_error" in item["metrics"] for item in before["figures"])
    declare(stage.fakes, task(ordered=True))
    stage.measure()
    after = stage.verdict("datasets/dataset1")
    assert all("ordinal_error" in item["metrics"] for item in after["figures"])
    assert (after["created"], after["basis"]) == (before["created"], before["basis"])
    assert (stage.champion, len(stage.asked)) == (champion, asked)
    page = stage.fakes.artifacts.content("tasks/birds/datasets/dataset1/evaluation.html")
    assert b"ordinal_error" in page
    declare(stage.fakes, task())
    stage.measure()
    assert stage.verdict("datasets/dataset1") == before


def test_a_new_task_yaml_reaches_the_verdict_of_a_run_that_has_ended() -> None:
    stage = Stage(task(), zero=5, few=6, tuned=9)
    stage.measure()
    run = stage.tune()
    stage.conclude(run)
    before, champion, asked = stage.verdict(f"runs/{run}"), stage.champion, len(stage.asked)
    declare(stage.fakes, task(ordered=True, serving={"review_below": 0.9}))
    stage.measure()
    completed = stage.fakes.publisher.on("tuning-completed")
    stage.tune()
    (again,) = stage.fakes.publisher.on("tuning-completed")[len(completed) :]
    assert again == {"task": "birds", "run": run}
    stage.conclude(run)
    after = stage.verdict(f"runs/{run}")
    assert all("ordinal_error" in item["metrics"] for item in after["figures"])
    assert (after["created"], after["decision"]) == (before["created"], "promote_tuned")
    assert (stage.champion, len(stage.asked)) == (champion, asked)
    page = stage.fakes.artifacts.content(f"tasks/birds/runs/{run}/report.html")
    assert b"<code>review_below: 0.9</code>" in page


def test_the_page_shows_what_goes_to_review_by_the_task_as_it_is_now() -> None:
    stage = Stage(task())
    for threshold in (0.6, 0.9):
        declare(stage.fakes, task(serving={"review_below": threshold}))
        stage.measure()
        page = stage.fakes.artifacts.content("tasks/birds/datasets/dataset1/evaluation.html")
        assert f"<code>review_below: {threshold}</code>".encode() in page


def test_a_champion_carries_the_calibration_of_its_verdict() -> None:
    stage = Stage(task())
    stage.measure()
    assert stage.champion["calibration"]["method"] == "none"
    assert "it takes" in stage.champion["calibration"]["reason"]
    (shown,) = (
        figure
        for figure in stage.verdict("datasets/dataset1")["figures"]
        if figure["split"] == "test"
    )
    assert shown["calibration"] == stage.champion["calibration"]


def test_a_person_may_roll_back_by_message_but_not_name_what_to_promote_with_it() -> None:
    stage = Stage(task())
    stage.measure()
    stage.evaluate("promotion-requested", dataset="dataset1", candidate="few-shot")
    stage.evaluate("promotion-requested", rollback=True)
    assert stage.champion["candidate"]["name"] == "zero-shot"
    assert [line["by"] for line in stage.champion["history"]] == ["verdict", "hand", "rollback"]
    with pytest.raises(Rejected, match="asks for a rollback and names"):
        stage.evaluate("promotion-requested", rollback=True, candidate="few-shot")
