"""How many further test examples would tell two candidates apart."""

import math
from statistics import NormalDist

from shared.records import Interval

POWER = 0.8
"""How often the number given is enough, if the difference is as large as it looks."""

_EXACT_UP_TO = 2_000
"""With more rows that differ than this, the normal approximation is exact enough."""

_MOST = 10_000_000
"""A number beyond this is no advice."""


def further_by_rows(wins: int, losses: int, n: int, significance: float) -> int | None:
    """Say how many more rows the exact sign test needs, given the discordance that was seen.

    It finds how many differing rows are needed, and takes it that they stay as frequent. Half a row
    is added to either side, so that a few wins are not taken for winning always. Source:
    Miettinen 1968, "The Matched Pairs Design in the Case of All-or-None Responses".

    Args:
        wins: Rows where the first is better.
        losses: Rows where the second is better.
        n: All rows.
        significance: The p-value that is needed, already corrected.

    Returns:
        The number of further rows; None when the first is not ahead.
    """
    if wins <= losses:
        return None
    differing = _differing_rows((wins + 0.5) / (wins + losses + 1), significance)
    needed = math.ceil(differing * n / (wins + losses))
    return max(1, needed - n) if needed < _MOST else None


def further_by_interval(
    difference: float, interval: Interval, n: int, significance: float
) -> int | None:
    """Say how many more rows a bootstrap interval needs to exclude zero.

    An interval narrows with the root of the rows.

    Args:
        difference: The difference that was seen.
        interval: Its 95 % interval.
        n: The rows it was seen on.
        significance: 1 less the level that is needed.
    """
    if difference <= 0:
        return None
    normal = NormalDist()
    error = (interval.high - interval.low) / (2 * normal.inv_cdf(0.975))
    reach = normal.inv_cdf(1 - significance / 2) + normal.inv_cdf(POWER)
    needed = math.ceil(n * (reach * error / difference) ** 2)
    return max(1, needed - n) if needed < _MOST else None


def _differing_rows(share: float, significance: float) -> int:
    """Return how many differing rows make the sign test significant in POWER of all cases."""
    import numpy as np
    from scipy.stats import binom

    normal = NormalDist()
    low, high = normal.inv_cdf(1 - significance / 2), normal.inv_cdf(POWER)
    rough = ((low / 2 + high * math.sqrt(share * (1 - share))) / (share - 0.5)) ** 2
    if rough > _EXACT_UP_TO:
        return math.ceil(rough)
    rows = np.arange(1, 2 * _EXACT_UP_TO)
    # The fewest wins that are significant: twice the upper tail is at most the significance.
    fewest = binom.isf(significance / 2, rows, 0.5) + 1
    found = binom.sf(fewest - 1, rows, share)
    return int(rows[np.argmax(found >= POWER)])
