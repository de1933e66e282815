"""The verdict between the prompt and the tuned model."""

from collections.abc import Sequence

import pytest

from functions.evaluate_model.comparison import compare
from functions.evaluate_model.verdict import Finalists, best, decide
from shared.records import Candidate, DatasetRecord, EvaluationRecord, VerdictRecord
from shared.task import Task
from tests.fakes import START

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
DATASET = DatasetRecord(
    id="dataset1",
    task_name="birds",
    task=TASK,
    explanation=(),
    source_bucket="datasets",
    source_object="birds/data.csv",
    source_generation=1,
    rows=100,
    counts={"train": 60, "validation": 20, "test": 20},
    quarantined=0,
    quarantined_by_reason={},
    labels={},
    training_tokens=1,
    created=START,
)


def evaluation(name: str, kind: str, scores: Sequence[float], **metrics: float) -> EvaluationRecord:
    figures = {"exact_match": sum(scores) / len(scores), **metrics}
    return EvaluationRecord(
        candidate=Candidate.model_validate(
            {"name": name, "kind": kind, "model": "m", "base_model": "m"}
        ),
        dataset="dataset1",
        split="test",
        n=len(scores),
        metrics=figures,
        per_label={},
        confusions=(),
        invalid=0,
        service_exact_match=figures["exact_match"],
        row_scores=tuple(scores),
        prompt_tokens=1,
        answer_tokens=1,
    )


def verdict(wins: int, losses: int, same: int = 20, policy: Task = TASK) -> VerdictRecord:
    """Decide where the tuned model is better on some rows and worse on others."""
    tuned = evaluation("tuned", "tuned", [1.0] * wins + [0.0] * losses + [1.0] * same)
    prompt = evaluation("few-shot", "prompting", [0.0] * wins + [1.0] * losses + [1.0] * same)
    both = [prompt, tuned]
    return decide(policy, DATASET, None, Finalists(prompt, tuned), both, [], START)


def test_a_tuned_model_that_is_clearly_better_is_promoted() -> None:
    found = verdict(wins=12, losses=1)
    assert (found.decision, found.winner) == ("promote_tuned", "tuned")
    assert found.comparison is not None
    assert found.comparison.p_value == pytest.approx(2 * (1 + 13) / 2**13)
    assert "12 of 33 test rows" in found.reason


def test_a_tuned_model_that_is_clearly_worse_is_not() -> None:
    found = verdict(wins=1, losses=12)
    assert (found.decision, found.winner) == ("keep_prompting", "few-shot")
    assert "behind few-shot" in found.reason


@pytest.mark.parametrize(("wins", "losses"), [(5, 0), (7, 3)])
def test_a_lead_that_chance_can_explain_asks_for_more_data(wins: int, losses: int) -> None:
    found = verdict(wins, losses)
    assert (found.decision, found.winner) == ("not_enough_data", "few-shot")
    assert "ahead of" in found.reason


@pytest.mark.parametrize(("wins", "losses"), [(3, 7), (0, 5), (4, 4), (0, 0)])
def test_a_tuned_model_that_is_no_better_keeps_the_prompt(wins: int, losses: int) -> None:
    found = verdict(wins, losses)
    assert (found.decision, found.winner) == ("keep_prompting", "few-shot")
    assert "no better than" in found.reason


def test_six_clean_wins_are_the_fewest_that_tell() -> None:
    assert verdict(wins=5, losses=0).decision == "not_enough_data"
    assert "too few rows differ" in verdict(wins=5, losses=0).reason
    assert verdict(wins=6, losses=0).decision == "promote_tuned"


def test_two_that_answer_alike_are_decided_by_the_cost() -> None:
    found = verdict(wins=0, losses=0)
    assert found.decision == "keep_prompting"
    assert found.comparison is not None
    assert found.comparison.p_value == 1.0


def test_the_task_says_how_much_proof_is_wanted() -> None:
    strict = Task.model_validate({**TASK.model_dump(), "evaluation": {"significance": 0.001}})
    assert verdict(9, 0, policy=strict).decision == "not_enough_data"
    assert verdict(12, 0, policy=strict).decision == "promote_tuned"


def test_rows_decide_but_a_metric_that_points_the_other_way_promotes_nothing() -> None:
    policy = Task.model_validate({**TASK.model_dump(), "target": {"metric": "macro_f1"}})
    tuned = evaluation("tuned", "tuned", [1.0] * 20, macro_f1=0.7)
    prompt = evaluation("few-shot", "prompting", [0.0] * 10 + [1.0] * 10, macro_f1=0.8)
    found = decide(policy, DATASET, None, Finalists(prompt, tuned), [], [], START)
    assert (found.decision, found.winner) == ("not_enough_data", "few-shot")
    assert "The figures disagree" in found.reason
    assert found.further_examples is None


def test_without_a_tuned_model_the_reason_is_passed_on() -> None:
    prompt = evaluation("few-shot", "prompting", [1.0] * 10)
    found = decide(TASK, DATASET, None, Finalists(prompt, None), [prompt], [], START, "Too dear.")
    assert (found.decision, found.reason, found.comparison) == ("keep_prompting", "Too dear.", None)


@pytest.mark.parametrize(("scores", "met"), [([1.0] * 9 + [0.0], True), ([1.0, 0.0], False)])
def test_the_target_is_held_against_the_winner(scores: list[float], met: bool) -> None:
    prompt = evaluation("few-shot", "prompting", scores)
    found = decide(TASK, DATASET, None, Finalists(prompt, None), [prompt], [], START)
    assert found.target_met is met


def test_of_equals_the_first_is_best() -> None:
    first, second = (evaluation(name, "prompting", [1.0, 0.0]) for name in ("a", "b"))
    assert best([first, second], "exact_match") is first


def test_rows_are_compared_by_score_not_only_right_or_wrong() -> None:
    tuned = evaluation("tuned", "tuned", [0.75, 0.5, 1.0])
    prompt = evaluation("few-shot", "prompting", [0.5, 0.75, 1.0])
    fields = Task.model_validate({"type": "extraction", "fields": ["a", "b", "c", "d"]})
    tuned, prompt = (
        item.model_copy(update={"metrics": {"field_f1": 0.75}}) for item in (tuned, prompt)
    )
    found = compare(prompt, tuned, fields, 4, 1).comparison
    assert (found.tuned_better, found.prompting_better, found.n) == (1, 1, 3)
