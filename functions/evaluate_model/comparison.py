"""Compares the best tuned model with the best prompt, on the same test rows."""

from dataclasses import dataclass

from functions.evaluate_model.statistics.paired import corrected, difference_of, sign_test
from functions.evaluate_model.statistics.power import further_by_interval, further_by_rows
from shared.records import Comparison, EvaluationRecord
from shared.task import Task


@dataclass(frozen=True)
class Outcome:
    """What a comparison came to.

    Attributes:
        comparison: The figures.
        by_rows: Whether one is better on more rows than chance explains.
        by_metric: Whether the metric's difference is surely not zero. For exact_match the rows say
            all there is to say.
        further: How many more test rows would tell, if the tuned model is ahead; else None.
    """

    comparison: Comparison
    by_rows: bool
    by_metric: bool
    further: int | None


def compare(
    prompting: EvaluationRecord, tuned: EvaluationRecord, policy: Task, parts: int, compared: int
) -> Outcome:
    """Compare two candidates: an exact test over rows, and an interval of the difference.

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
    wins, losses, p_value = sign_test(*scores)
    p_corrected = corrected(p_value, compared)
    strictly = significance / max(1, compared)
    resampled = difference_of(tuned, prompting, metric, parts, 1 - strictly)
    difference = tuned.metrics[metric] - prompting.metrics[metric]
    by_rows, by_metric = p_corrected <= significance, True
    if metric != "exact_match" and resampled is not None:
        by_metric = resampled.strict.low > 0 or resampled.strict.high < 0
    further: list[int | None] = []
    if difference > 0 and not by_rows:
        further.append(further_by_rows(wins, losses, tuned.n, strictly))
    if difference > 0 and not by_metric and resampled is not None:
        further.append(further_by_interval(difference, resampled.interval, tuned.n, strictly))
    known = [number for number in further if number is not None]
    return Outcome(
        Comparison(
            tuned=tuned.candidate.name,
            prompting=prompting.candidate.name,
            n=tuned.n,
            difference=difference,
            tuned_better=wins,
            prompting_better=losses,
            p_value=p_value,
            p_corrected=p_corrected,
            compared=compared,
            interval=resampled.interval if resampled else None,
        ),
        by_rows=by_rows,
        by_metric=by_metric,
        further=max(known) if known and len(known) == len(further) else None,
    )
