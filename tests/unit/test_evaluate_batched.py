"""Candidates with many rows are measured through batches, with the same figures."""

from collections.abc import Sequence
from typing import Any

import pytest

from functions.watch_jobs.watch import tick
from shared import open_work
from shared.errors import Retry
from shared.ports import Sampling
from shared.prompts import Prompt
from tests.fakes import Crash
from tests.unit.test_evaluate import Stage, skilled, task

ONLINE_ONLY = {"batched", "seconds_p50", "seconds_p95"}
SKILL = {"zero": 5, "few": 6, "tuned": 10}


def unanimous(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
    """Say the same so many times, tuned or not, through an endpoint or in a batch."""
    known = skilled(**SKILL)
    return [*known(model.replace("/models/", "/endpoints/"), prompt, sampling)] * sampling.samples


def untuned(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
    return unanimous(model.replace("publishers/google/models/", ""), prompt, sampling)


def staged(above: int | None = 30, **policy: Any) -> Stage:
    stage = Stage(task(evaluation={"batch_above": above}, **policy))
    stage.generator = stage.fakes.generator(untuned)
    stage.fakes.batches.speak = untuned
    return stage


def goes_on(stage: Stage) -> None:
    """Let the batches run, and deliver what is published, until nothing more is."""
    seen, quiet = len(stage.fakes.publisher.messages), 0
    while quiet < 2:
        # Longer than a lease.
        stage.fakes.clock.advance(150)
        tick(stage.fakes.world, stage.fakes.tuning, stage.fakes.batches)
        stage.fakes.batches.end_all()
        stage.fakes.tuning.end_all()
        new = stage.fakes.publisher.messages[seen:]
        seen, quiet = seen + len(new), 0 if new else quiet + 1
        for topic, message in new:
            if topic in ("dataset-converted", "tuning-completed"):
                stage.evaluate(topic, **message)


def evaluations(stage: Stage) -> dict[str, Any]:
    artifacts = stage.fakes.artifacts
    names = [name for name in artifacts.names("tasks/") if name.endswith("/evaluation.json")]
    return {name: artifacts.json(name) for name in names}


def figures(stage: Stage) -> dict[str, Any]:
    return {
        name: {key: value for key, value in record.items() if key not in ONLINE_ONLY}
        for name, record in evaluations(stage).items()
    }


def test_prompts_and_tuned_models_reach_the_same_verdict_through_batches() -> None:
    online, batched = staged(above=None), staged()
    for stage in (online, batched):
        stage.measure()
        goes_on(stage)
        run = stage.tune()
        goes_on(stage)
        stage.conclude(run)
        goes_on(stage)
        assert stage.verdict(f"runs/{run}")["decision"] == "promote_tuned"
    assert figures(batched) == figures(online)
    assert batched.champion["candidate"] == online.champion["candidate"]
    assert batched.generator.asked == []
    assert {item["batched"] for item in evaluations(batched).values()} == {40, 60}
    assert {item["seconds_p50"] for item in evaluations(batched).values()} == {None}
    assert batched.fakes.artifacts.names("open/") == []
    models = [request.model for request in batched.fakes.batches.requests]
    assert "projects/p/locations/us/models/1@1" in models


def test_the_batches_of_all_prompts_run_side_by_side() -> None:
    stage = staged()
    stage.measure()
    tick(stage.fakes.world, stage.fakes.tuning, stage.fakes.batches)
    assert len(stage.fakes.batches.jobs) == 2
    assert stage.generator.asked == []


def test_few_rows_are_asked_online() -> None:
    stage = staged(above=40)
    stage.measure()
    tick(stage.fakes.world, stage.fakes.tuning, stage.fakes.batches)
    assert stage.fakes.batches.jobs == []
    assert len(stage.asked) == 2 * 40


def test_rows_that_a_batch_did_not_answer_are_asked_online() -> None:
    stage = staged(prompting={"strategies": ["zero-shot"]})
    stage.fakes.batches.blocked = "owl 1010"
    stage.measure()
    goes_on(stage)
    assert stage.generator.texts() == ["owl 1010"]
    (record,) = [item for item in evaluations(stage).values() if item["split"] == "validation"]
    assert (record["n"], record["batched"]) == (40, 39)
    assert "left 1 of 40 requests unanswered (it succeeded)" in record["batch_note"]


def test_a_batch_that_fails_is_told_of_and_everything_is_asked_online() -> None:
    stage = staged(prompting={"strategies": ["zero-shot"]})
    stage.fakes.batches.refusal = "batches are not to be had"
    stage.measure()
    goes_on(stage)
    notes = [item["batch_note"] for item in evaluations(stage).values()]
    assert all("batches are not to be had" in note for note in notes)
    assert len(stage.asked) == 40


def test_the_dataset_is_not_revived_while_its_batches_run() -> None:
    stage = staged()
    open_work.begin(stage.fakes.world, "dataset", "birds", "dataset1")
    stage.measure()
    stage.fakes.clock.advance(800)
    stage.measure()
    stage.fakes.clock.advance(800)
    tick(stage.fakes.world, stage.fakes.tuning, stage.fakes.batches)
    assert stage.fakes.publisher.on("dataset-converted") == []


def through(stage: Stage) -> bool:
    """Go as far as asking for tuning, delivering again after a crash; tell whether it crashed."""
    crashed = False
    for _ in range(3):
        try:
            stage.measure()
            goes_on(stage)
        except (Crash, Retry):
            crashed = True
            stage.fakes.clock.advance(200)
        else:
            break
    return crashed


@pytest.mark.slow
def test_a_crash_anywhere_leads_to_the_same_figures_and_no_further_job() -> None:
    policy: dict[str, Any] = {
        "prompting": {"strategies": ["zero-shot"]},
        "tuning": {"when": "always"},
    }
    wanted = staged(**policy)
    through(wanted)
    point = 1
    while True:
        stage = staged(**policy)
        stage.fakes.faults.crash_at = stage.fakes.faults.points + point
        if not through(stage):
            break
        assert figures(stage) == figures(wanted), f"after a crash at point {point}"
        assert len(stage.fakes.batches.jobs) == 1, f"after a crash at point {point}"
        point += 5
    assert point > 100


@pytest.mark.parametrize("above", [0, -1])
def test_a_threshold_is_one_or_more_or_null(above: int) -> None:
    with pytest.raises(ValueError, match="batch_above"):
        task(evaluation={"batch_above": above})
