"""Intervals of one candidate's figure."""

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

from functions.evaluate_model.statistics.resample import resampled_sums
from functions.evaluate_model.statistics.sums import metric_of, row_sums
from shared.records import EvaluationRecord, Interval
from shared.task import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Return Wilson's score interval of a share.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".

    Args:
        successes: How many rows are right.
        n: How many rows there are, at least one.
        level: How often such an interval holds the true share.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Exact at the ends, where the two terms cancel up to rounding.
    low = 0.0 if successes == 0 else middle - reach
    high = 1.0 if successes == n else middle + reach
    return Interval(low=low, high=high)


def percentiles(values: "NDArray[np.float64]", level: float = LEVEL) -> tuple[float, float]:
    """Return the middle part of resampled values: (low, high)."""
    import numpy as np

    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def metric_interval(evaluation: EvaluationRecord, metric: Metric, parts: int) -> Interval | None:
    """Return the interval of a candidate's metric: Wilson's for a share of rows, else a bootstrap.

    Where every row is right or every row is wrong a bootstrap knows no doubt; Wilson's interval of
    the rows stands for it.

    Args:
        evaluation: The candidate's evaluation.
        metric: The metric.
        parts: How many labels or fields the task has.

    Returns:
        The interval; None when the evaluation of an earlier version does not hold what it takes.
    """
    import numpy as np

    n = evaluation.n
    if metric == "exact_match":
        return wilson(round(evaluation.metrics[metric] * n), n)
    rows = row_sums(evaluation, metric, parts)
    if rows is None:
        return None
    found = float(metric_of(metric, rows.sum(axis=0), n))
    if found in (0.0, 1.0):
        return wilson(round(found * n), n)
    values = np.concatenate([metric_of(metric, sums, n) for sums in resampled_sums(rows)])
    low, high = percentiles(values)
    return Interval(low=low, high=high)
