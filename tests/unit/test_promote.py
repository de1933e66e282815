"""Who may take a champion's place."""

from datetime import timedelta

import pytest

from functions.evaluate_model.promote import promote, promote_by_hand
from shared import paths
from shared.errors import Rejected
from shared.record_store import create, read
from shared.records import Candidate, ChampionRecord, EvaluationRecord
from shared.task import Task
from tests.fakes import START, FakeWorld, fake_world, store_dataset

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
OTHER = Task.model_validate({"type": "classification", "labels": ["owl", "crow", "heron"]})
PROMPT = Candidate(name="few-shot", kind="prompting", model="locations/us/m", base_model="m")


def tuned(run: str) -> Candidate:
    return Candidate(
        name="tuned-e4-m1-a1", kind="tuned", model=f"endpoint-{run}", base_model="m", run=run
    )


def champion(fakes: FakeWorld) -> Candidate:
    record = read(fakes.artifacts, paths.champion("birds"), ChampionRecord)
    assert record is not None
    return record.candidate


def measured(fakes: FakeWorld, candidate: Candidate, dataset: str) -> None:
    record = EvaluationRecord(
        candidate=candidate,
        dataset=dataset,
        split="validation",
        n=1,
        metrics={"exact_match": 1.0},
        per_label={},
        confusions=(),
        invalid=0,
        service_exact_match=1.0,
        row_scores=(1.0,),
        prompt_tokens=1,
        answer_tokens=1,
    )
    folder = f"tasks/birds/runs/{candidate.run or 'none'}/evaluations/{candidate.name}"
    create(fakes.artifacts, f"{folder}/evaluation.json", record)


@pytest.mark.parametrize("dataset", ["dataset1", "dataset2"])
def test_a_prompt_that_was_not_compared_with_it_never_displaces_a_tuned_model(dataset: str) -> None:
    fakes = fake_world()
    promote(fakes.world, store_dataset(fakes, TASK, {}, identifier="dataset1"), tuned("a"), START)
    later = START + timedelta(hours=1)
    now = store_dataset(fakes, TASK, {}, identifier=dataset)
    promote(fakes.world, now, PROMPT, later, displaces_tuned=False)
    assert champion(fakes) == tuned("a")


def test_a_prompt_that_answers_a_new_question_displaces_a_model_that_cannot() -> None:
    fakes = fake_world()
    promote(fakes.world, store_dataset(fakes, TASK, {}, identifier="dataset1"), tuned("a"), START)
    later = START + timedelta(hours=1)
    now = store_dataset(fakes, OTHER, {}, identifier="dataset2")
    promote(fakes.world, now, PROMPT, later, displaces_tuned=False)
    assert champion(fakes) == PROMPT


def test_of_two_runs_models_with_one_name_a_person_says_which() -> None:
    fakes = fake_world()
    store_dataset(fakes, TASK, {}, identifier="dataset1")
    for run in ("run1", "run2"):
        measured(fakes, tuned(run), "dataset1")
    with pytest.raises(Rejected, match="run1, run2"):
        promote_by_hand(fakes.world, "birds", "dataset1", "tuned-e4-m1-a1", "", START)
    promote_by_hand(fakes.world, "birds", "dataset1", "tuned-e4-m1-a1", "run2", START)
    assert champion(fakes) == tuned("run2")
