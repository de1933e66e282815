"""Two-sample tests, without a library: the watcher's bundle would grow tenfold for them."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LEAST_EXPECTED = 5.0
"""Categories that are expected less often are put together, as the chi-squared test needs."""

_TERMS = 500
_ENOUGH = 1e-15


class Shift(NamedTuple):
    """How far two samples are apart.

    Attributes:
        distance: Of categories, the largest difference of a share; of numbers, the largest
            difference of the two distribution functions.
        p: The probability of at least such a distance, if both come from the same source.
        what: The category with the largest difference; empty for numbers.
    """

    distance: float
    p: float
    what: str = ""


def compare_shares(before: Mapping[str, int], now: Mapping[str, int]) -> Shift:
    """Compare how often categories come, by Pearson's chi-squared test of homogeneity.

    Args:
        before: Category -> how often it came; something came at all.
        now: The same of the other sample.
    """
    totals = sum(before.values()), sum(now.values())
    names = sorted({*before, *now}, key=lambda name: (-before.get(name, 0), name))
    shares = {
        name: (before.get(name, 0) / totals[0], now.get(name, 0) / totals[1]) for name in names
    }
    what = max(names, key=lambda name: abs(shares[name][1] - shares[name][0]))
    distance = abs(shares[what][1] - shares[what][0])
    smaller, both = min(totals), sum(totals)
    rows: list[tuple[int, int]] = []
    rest = (0, 0)
    for name in names:
        row = (before.get(name, 0), now.get(name, 0))
        if sum(row) * smaller / both >= LEAST_EXPECTED:
            rows.append(row)
        else:
            rest = (rest[0] + row[0], rest[1] + row[1])
    if sum(rest):
        rows.append(rest)
    if len(rows) == 1:
        return Shift(distance, 1.0, what)
    statistic = 0.0
    for row in rows:
        for count, total in zip(row, totals, strict=True):
            expected = sum(row) * total / both
            statistic += (count - expected) ** 2 / expected
    return Shift(distance, chi_squared_tail(statistic, len(rows) - 1), what)


def compare_parts(
    before: Mapping[str, int], rows: int, now: Mapping[str, int], answers: int
) -> Shift | None:
    """Compare how often each of several things comes, of which any number can come together.

    Each is tested by itself and the p-values are corrected for their number (Bonferroni).

    Args:
        before: Thing -> in how many of `rows` it came.
        rows: How many there were.
        now: The same of the other sample.
        answers: How many there were in that one.

    Returns:
        The thing that moved most surely; None where all are too rare, or too common, to tell.
    """
    smaller, both = min(rows, answers), rows + answers
    shifts: list[Shift] = []
    for name in sorted({*before, *now}):
        came = (before.get(name, 0), now.get(name, 0))
        fewer = min(sum(came), both - sum(came))
        if fewer * smaller / both >= LEAST_EXPECTED:
            one = {name: came[0], "": rows - came[0]}
            shifts.append(compare_shares(one, {name: came[1], "": answers - came[1]}))
            shifts[-1] = shifts[-1]._replace(what=name)
    if not shifts:
        return None
    first = min(shifts, key=lambda shift: shift.p)
    return first._replace(p=min(1.0, first.p * len(shifts)))


def compare_numbers(before: Sequence[float], now: Sequence[float]) -> Shift:
    """Compare two samples of numbers, by the Kolmogorov-Smirnov test.

    The p-value is asymptotic (Stephens' correction). Where many numbers are equal it is too large,
    never too small, so that a test with it misses rather than cries wolf.
    """
    ordered, other = sorted(before), sorted(now)
    place = [0, 0]
    distance = 0.0
    for value in sorted({*ordered, *other}):
        for side, sample in enumerate((ordered, other)):
            while place[side] < len(sample) and sample[place[side]] <= value:
                place[side] += 1
        distance = max(distance, abs(place[0] / len(ordered) - place[1] / len(other)))
    effective = math.sqrt(len(ordered) * len(other) / (len(ordered) + len(other)))
    x = (effective + 0.12 + 0.11 / effective) * distance
    return Shift(distance, _kolmogorov_tail(x))


def chi_squared_tail(statistic: float, degrees: int) -> float:
    """Return the probability of a larger chi-squared: the regularised upper gamma function.

    Source: Numerical Recipes, 3rd edition, section 6.2 (series and continued fraction).
    """
    a, x = degrees / 2, statistic / 2
    if x <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for n in range(1, _TERMS):
            term *= x / (a + n)
            total += term
            if term < total * _ENOUGH:
                break
        return max(0.0, 1 - scale * total)
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    fraction = d
    for n in range(1, _TERMS):
        step = -n * (n - a)
        b += 2
        d = 1 / (step * d + b or tiny)
        c = b + step / c or tiny
        fraction *= d * c
        if abs(d * c - 1) < _ENOUGH:
            break
    return scale * fraction


def _kolmogorov_tail(x: float) -> float:
    """Return the probability of a larger Kolmogorov statistic."""
    if x < 0.2:  # noqa: PLR2004 - below this it is 1 to twelve digits, and the sum is slow
        return 1.0
    total = 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 101))
    return min(1.0, max(0.0, total))
