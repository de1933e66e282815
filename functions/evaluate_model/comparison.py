"""Compares the best tuned model with the best prompt, on the same test rows."""

from dataclasses import dataclass

from functions.evaluate_model.statistics.paired import (
    corrected,
    difference_of,
    exchange_test,
    sign_test,
)
from functions.evaluate_model.statistics.power import further_by_interval, further_by_rows
from shared.records import Comparison, EvaluationRecord
from shared.task import Task


@dataclass(frozen=True)
class Outcome:
    """What a comparison came to.

    Attributes:
        comparison: The figures.
        by_test: Whether chance does not explain the difference in the metric.
        by_interval: Whether the difference's interval leaves zero out. For exact_match the test
            says all there is to say.
        by_rows: Whether one is better on more rows than chance explains.
        further: How many more test rows would tell, if the tuned model is ahead; else None.
    """

    comparison: Comparison
    by_test: bool
    by_interval: bool
    by_rows: bool
    further: int | None


def compare(
    prompting: EvaluationRecord, tuned: EvaluationRecord, policy: Task, parts: int, compared: int
) -> Outcome:
    """Compare two candidates: a test, and an interval of the difference in the metric.

    For exact_match the test is the exact one over rows. A model can be right about more rows and
    not be better in another metric, so there answers are exchanged at random instead.

    Args:
        prompting: The prompt, on test.
        tuned: The tuned model, on the same rows.
        policy: The task as it is now: its metric and its significance.
        parts: How many labels or fields the dataset's task has.
        compared: How many tuned models have met these test rows; p-values are corrected for it.
    """
    metric, significance = policy.primary_metric, policy.evaluation.significance
    scores = [tuned.row_scores, prompting.row_scores]
    if metric == "exact_match":
        scores = [tuple(float(score == 1.0) for score in each) for each in scores]
    wins, losses, by_rows = sign_test(*scores)
    exchanged = None if metric == "exact_match" else exchange_test(tuned, prompting, metric, parts)
    p_value = by_rows if exchanged is None else exchanged
    strictly = significance / max(1, compared)
    resampled = difference_of(tuned, prompting, metric, parts, 1 - strictly)
    difference = tuned.metrics[metric] - prompting.metrics[metric]
    by_test, by_interval = corrected(p_value, compared) <= significance, True
    if exchanged is not None and resampled is not None:
        by_interval = resampled.strict.low > 0 or resampled.strict.high < 0
    further = None
    if difference > 0 and not (by_test and by_interval):
        further = (
            further_by_rows(wins, losses, tuned.n, strictly)
            if exchanged is None or resampled is None
            else further_by_interval(difference, resampled.interval, tuned.n, strictly)
        )
    return Outcome(
        Comparison(
            tuned=tuned.candidate.name,
            prompting=prompting.candidate.name,
            n=tuned.n,
            difference=difference,
            tuned_better=wins,
            prompting_better=losses,
            test="exact" if exchanged is None else "exchange",
            p_value=p_value,
            p_corrected=corrected(p_value, compared),
            compared=compared,
            interval=resampled.interval if resampled else None,
        ),
        by_test=by_test,
        by_interval=by_interval,
        by_rows=corrected(by_rows, compared) <= significance,
        further=further,
    )
