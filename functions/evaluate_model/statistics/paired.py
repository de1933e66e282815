"""Two candidates on the same rows: is one of them better, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.evaluate_model.statistics.intervals import LEVEL, percentiles, wilson
from functions.evaluate_model.statistics.resample import (
    RESAMPLES,
    exchanged_sums,
    resampled_sums,
)
from functions.evaluate_model.statistics.sums import metric_of, row_sums
from shared.records import EvaluationRecord, Interval
from shared.task import Metric

_ROUNDING = 1e-9
"""Differences closer than this are the same one, computed in another order."""


@dataclass(frozen=True)
class Difference:
    """What resampling says of the difference of two candidates in a metric.

    Attributes:
        interval: Its 95 % interval.
        strict: Its interval at the level that was asked for.
    """

    interval: Interval
    strict: Interval


def sign_test(first: Sequence[float], second: Sequence[float]) -> tuple[int, int, float]:
    """Count the rows where either is better, and test whether that is chance.

    The test is exact and two-sided. For rows that are right or wrong it is McNemar's exact test.
    Rows where both do equally well say nothing.

    Args:
        first: The score of each row.
        second: The other's score of the same rows.

    Returns:
        Rows where the first is better, rows where the second is, and the p-value.
    """
    from scipy.stats import binomtest

    pairs = list(zip(first, second, strict=True))
    wins = sum(mine > other for mine, other in pairs)
    losses = sum(mine < other for mine, other in pairs)
    p_value = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return wins, losses, p_value


def exchange_test(
    first: EvaluationRecord, second: EvaluationRecord, metric: Metric, parts: int
) -> float | None:
    """Test whether two candidates' difference in a metric is chance.

    If both were equally good, the answers to any row could as well be each other's. So they are
    exchanged at random, row by row, and it is counted how often the difference comes out at least
    as large. Source: Noreen 1989, "Computer-Intensive Methods for Testing Hypotheses"; Yeh 2000,
    "More accurate tests for the statistical significance of result differences".

    Args:
        first: A candidate's evaluation.
        second: The other's, on the same rows.
        metric: The metric.
        parts: How many labels or fields the task has.

    Returns:
        The two-sided p-value, never below 1 / (RESAMPLES + 1); None when an evaluation of an
        earlier version does not hold what it takes.
    """
    import numpy as np

    ours, theirs = row_sums(first, metric, parts), row_sums(second, metric, parts)
    if ours is None or theirs is None:
        return None
    n, differs = first.n, (ours != theirs).any(axis=1)
    mine, other = (sums.sum(axis=0).astype(np.float64) for sums in (ours, theirs))
    seen = abs(metric_of(metric, mine, n) - metric_of(metric, other, n))
    as_large = 0
    for moved in exchanged_sums(ours[differs] - theirs[differs]):
        difference = metric_of(metric, mine - moved, n) - metric_of(metric, other + moved, n)
        as_large += int((np.abs(difference) >= seen - _ROUNDING).sum())
    return (as_large + 1) / (RESAMPLES + 1)


def corrected(p_value: float, compared: int) -> float:
    """Correct a p-value for choosing the best of several candidates (Bonferroni)."""
    return min(1.0, p_value * max(1, compared))


def difference_of(
    first: EvaluationRecord,
    second: EvaluationRecord,
    metric: Metric,
    parts: int,
    strict_level: float = LEVEL,
) -> Difference | None:
    """Resample the difference of two candidates in a metric, row by row the same for both.

    Where no row tells them apart, a bootstrap knows no doubt; the interval then reaches as far as
    the share of differing rows can, by Wilson's interval for none out of n.

    Args:
        first: A candidate's evaluation.
        second: The other's, on the same rows; the difference is the first less the second.
        metric: The metric.
        parts: How many labels or fields the task has.
        strict_level: The level of the second interval.

    Returns:
        The intervals; None when an evaluation of an earlier version does not hold what it takes.
    """
    import numpy as np

    ours, theirs = row_sums(first, metric, parts), row_sums(second, metric, parts)
    if ours is None or theirs is None:
        return None
    n, width = first.n, ours.shape[1]
    if (ours == theirs).all():
        return Difference(_unseen(n, LEVEL), _unseen(n, strict_level))
    values = np.concatenate(
        [
            metric_of(metric, sums[:, :width], n) - metric_of(metric, sums[:, width:], n)
            for sums in resampled_sums(np.hstack([ours, theirs]))
        ]
    )
    low, high = percentiles(values)
    strict_low, strict_high = percentiles(values, strict_level)
    return Difference(Interval(low=low, high=high), Interval(low=strict_low, high=strict_high))


def _unseen(n: int, level: float) -> Interval:
    reach = wilson(0, n, level).high
    return Interval(low=-reach, high=reach)
