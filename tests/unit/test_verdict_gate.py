"""The gate of a verdict: correction, further examples, the smallest gain and the target."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from functions.evaluate_model.comparison import compare
from functions.evaluate_model.figures import compute_figures
from functions.evaluate_model.rule import Standing, rule
from functions.evaluate_model.statistics.paired import sign_test
from functions.evaluate_model.verdict import Finalists, decide
from shared.records import EvaluationRecord, Mistake
from shared.task import Task
from tests.fakes import START
from tests.unit.test_verdict import DATASET, TASK, evaluation, verdict


def policy(metric: str = "exact_match", target: float = 0.9, **gate: object) -> Task:
    parts = {"target": {"metric": metric, "value": target}, "evaluation": gate}
    return Task.model_validate({**TASK.model_dump(), **parts})


def test_the_p_value_is_corrected_for_every_tuned_model_that_has_met_the_test_rows() -> None:
    tuned = evaluation("tuned", "tuned", [1.0] * 12 + [0.0] * 2 + [1.0] * 20)
    prompt = evaluation("few-shot", "prompting", [0.0] * 12 + [1.0] * 2 + [1.0] * 20)
    loser = evaluation("tuned-loser", "tuned", [0.0] * 34).model_copy(
        update={"split": "validation"}
    )
    both, everything = Finalists(prompt, tuned), [loser, prompt, tuned]
    alone = decide(TASK, DATASET, None, both, everything, [], START)
    assert alone.comparison is not None
    assert alone.comparison.compared == 1
    assert alone.comparison.p_corrected == pytest.approx(alone.comparison.p_value)
    assert alone.decision == "promote_tuned"
    found = decide(TASK, DATASET, None, both, everything, [], START, earlier=5)
    assert found.comparison is not None
    assert found.comparison.compared == 6
    assert found.decision == "not_enough_data"
    assert "corrected for 6 tuned models" in found.reason
    assert found.basis != alone.basis


def test_not_enough_data_says_how_many_further_examples_would_tell() -> None:
    found = verdict(wins=7, losses=3, same=90)
    assert found.decision == "not_enough_data"
    assert found.further_examples is not None
    assert found.further_examples > 100
    # The task keeps a fifth of its rows for test.
    told = f"about {found.further_examples:,} further test examples would tell"
    assert f"{told} ({found.further_examples * 5:,} more rows, as" in found.reason
    assert verdict(wins=12, losses=1).further_examples is None
    assert verdict(wins=4, losses=4).further_examples is None


def test_rows_that_were_not_asked_about_yet_are_pointed_out() -> None:
    tuned = evaluation("tuned", "tuned", [1.0] * 7 + [0.0] * 3 + [1.0] * 90)
    prompt = evaluation("few-shot", "prompting", [0.0] * 7 + [1.0] * 3 + [1.0] * 90)
    larger = DATASET.model_copy(update={"counts": {"train": 900, "validation": 100, "test": 500}})
    found = decide(TASK, larger, None, Finalists(prompt, tuned), [], [], START)
    assert "400 are there for a larger evaluation.max_rows" in found.reason


def test_a_gain_that_is_real_but_smaller_than_the_task_asks_for_keeps_the_prompt() -> None:
    wanted = policy(min_gain=0.1)
    found = verdict(wins=12, losses=1, same=187, policy=wanted)
    assert (found.decision, found.winner) == ("keep_prompting", "few-shot")
    assert "less than the 10 points that evaluation.min_gain asks for" in found.reason
    assert verdict(wins=12, losses=1, same=87, policy=wanted).decision == "promote_tuned"


def test_a_lead_that_can_at_best_be_smaller_than_the_task_asks_for_keeps_the_prompt() -> None:
    wanted = policy(min_gain=0.1)
    found = verdict(wins=6, losses=4, same=190, policy=wanted)
    assert found.decision == "keep_prompting"
    assert "and at most" in found.reason
    assert verdict(wins=6, losses=4, same=10, policy=wanted).decision == "not_enough_data"


def test_below_the_target_by_more_than_chance_is_said_as_that_and_the_prompt_serves() -> None:
    scores = [1.0] * 60 + [0.0] * 40
    prompt = evaluation("few-shot", "prompting", scores)
    for tuned in (None, evaluation("tuned", "tuned", scores)):
        found = decide(TASK, DATASET, None, Finalists(prompt, tuned), [], [], START, "Too dear.")
        assert (found.decision, found.winner) == ("below_target", "few-shot")
        assert found.reason.startswith("Nothing that was measured is good enough: few-shot reaches")
        assert "below the target of 0.9" in found.reason
        assert found.target_met is False
    assert "no better than few-shot" in found.reason


def test_a_shortfall_that_chance_can_explain_keeps_the_prompt() -> None:
    scores = [1.0] * 86 + [0.0] * 14
    prompt, tuned = (evaluation(kind, kind, scores) for kind in ("prompting", "tuned"))
    for finalists in (Finalists(prompt, tuned), Finalists(prompt, None)):
        found = decide(TASK, DATASET, None, finalists, [], [], START)
        assert (found.decision, found.target_met) == ("keep_prompting", False)


def test_a_tuned_model_that_is_better_is_promoted_also_below_the_target() -> None:
    tuned = evaluation("tuned", "tuned", [1.0] * 70 + [0.0] * 30)
    prompt = evaluation("few-shot", "prompting", [1.0] * 40 + [0.0] * 60)
    found = decide(TASK, DATASET, None, Finalists(prompt, tuned), [], [], START)
    assert (found.decision, found.target_met) == ("promote_tuned", False)


def test_a_tuned_model_that_may_be_better_asks_for_more_data_also_below_the_target() -> None:
    found = verdict(wins=5, losses=1, same=0, policy=policy(target=1.0))
    assert found.decision == "not_enough_data"


def answered(name: str, kind: str, wrong: Sequence[int], n: int = 200) -> EvaluationRecord:
    """Return an evaluation of labels that are right but in some rows; one in ten is a crow."""
    names = ["owl", "crow"]
    pairs = [(int(row % 10 == 0), int(row % 10 == 0) ^ (row in wrong)) for row in range(n)]
    figures = compute_figures(TASK, [names[t] for t, _ in pairs], [names[a] for _, a in pairs])
    return evaluation(name, kind, figures.row_scores, **figures.metrics).model_copy(
        update={"row_answers": figures.row_answers, "per_label": figures.per_label}
    )


def test_in_macro_f1_being_right_about_more_rows_is_not_enough() -> None:
    wanted = policy("macro_f1")
    prompt = answered("few-shot", "prompting", range(0, 90, 9))
    tuned = answered("tuned", "tuned", [])
    found = decide(wanted, DATASET, None, Finalists(prompt, tuned), [], [], START)
    assert found.decision == "promote_tuned"
    assert found.comparison is not None
    assert found.comparison.interval is not None
    assert 0 < found.comparison.interval.low < found.comparison.difference
    # Right about more of the many owls, and wrong about more of the few crows.
    tuned = answered("tuned", "tuned", range(0, 60, 10))
    prompt = answered("few-shot", "prompting", [row for row in range(1, 20) if row % 10])
    found = decide(wanted, DATASET, None, Finalists(prompt, tuned), [], [], START)
    assert found.decision == "not_enough_data"
    assert found.comparison is not None
    assert found.comparison.difference > 0
    assert found.comparison.p_value > 0.05
    assert sign_test(tuned.row_scores, prompt.row_scores)[2] < 0.05
    assert found.comparison.interval is not None
    assert found.comparison.interval.low < 0
    assert found.further_examples is not None


def test_a_difference_in_exact_match_of_fields_is_that_of_the_rows_it_is_tested_on() -> None:
    party = Task.model_validate(
        {"type": "extraction", "fields": ["guests"], "target": {"metric": "exact_match"}}
    )
    told = {
        "tuned": [["Bob", "Ann"] if row < 50 else ["Ann"] for row in range(60)],
        "few-shot": [["Ann", "Bob"] if row < 30 else ["Bob"] for row in range(60)],
    }
    tuned, prompt = (
        evaluation(name, kind, figures.row_scores, **figures.metrics).model_copy(
            update={"row_parts": figures.row_parts}
        )
        for name, kind in (("tuned", "tuned"), ("few-shot", "prompting"))
        for figures in (
            compute_figures(
                party, [{"guests": ["Ann", "Bob"]}] * 60, [{"guests": each} for each in told[name]]
            ),
        )
    )
    found = compare(prompt, tuned, party, 1, 1).comparison
    assert (found.tuned_better, found.prompting_better) == (20, 0)
    assert found.difference == pytest.approx(20 / 60)
    assert found.interval is not None
    assert found.interval.low < found.difference < found.interval.high


def test_a_difference_that_the_test_finds_and_the_interval_does_not_asks_for_more_data() -> None:
    prompt, tuned = (answered("few-shot", "prompting", range(0, 90, 9)), answered("t", "tuned", []))
    gate = policy("macro_f1")
    sure = compare(prompt, tuned, gate, 2, 1)
    first, second = Standing("few-shot", 0.95, None), Standing("t", 1.0, None)
    assert rule(gate, first, second, sure, 0, "").decision == "promote_tuned"
    found = rule(gate, first, second, replace(sure, by_interval=False), 0, "")
    assert found.decision == "not_enough_data"
    assert "the interval of the difference in macro_f1 holds zero" in found.reason


def test_a_finalist_is_shown_with_its_labels_matrix_mistakes_and_calibrated_confidence() -> None:
    wrong = range(0, 200, 7)
    on_test = answered("few-shot", "prompting", wrong).model_copy(
        update={
            "row_agreements": tuple(0.6 if row in wrong else 1.0 for row in range(200)),
            "samples": 5,
            "temperature": 0.7,
            "mistakes": (
                Mistake(row=7, text="hoo", truth="owl", answer="crow", confidence=0.6),
                Mistake(row=14, text="caw", truth="owl", answer="crow", confidence=0.9),
            ),
        }
    )
    validation = on_test.model_copy(update={"split": "validation"})
    everything = [validation, on_test]
    found = decide(TASK, DATASET, None, Finalists(on_test, None), everything, [], START)
    first, last = found.figures
    assert (first.calibration, first.confusion_matrix) == (None, ())
    assert first.confidence is not None
    assert last.calibration is not None
    assert last.calibration.method != "none"
    assert (last.calibration.samples, last.calibration.temperature) == (5, 0.7)
    assert last.calibrated is not None
    assert last.confidence is not None
    assert last.calibrated.brier < last.confidence.brier
    assert sum(map(sum, last.confusion_matrix)) == 200
    assert [len(row) for row in last.confusion_matrix] == [3, 3]
    assert [mistake.row for mistake in last.mistakes] == [14, 7]
    assert last.interval is not None
    assert last.interval.low < last.metrics["exact_match"] < last.interval.high
    assert set(last.per_label) == {"owl", "crow"}
