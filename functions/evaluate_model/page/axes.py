"""Axes: where a value stands on a chart, and which values are written beside it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
_ROOM = 0.03


@dataclass(frozen=True)
class Axis:
    """A stretch of values, and the round ones that are marked on it."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Say where a value stands, in percent of the axis; outside values stand at its ends."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)


def fit_axis(values: Iterable[float], low: float, high: float, most: int = 5) -> Axis:
    """Make an axis that holds all values, from a round value to a round one, with a little room.

    Args:
        values: What it has to show; at least one value.
        low: The least that is possible.
        high: The most that is possible.
        most: At most this many stretches between marks.
    """
    seen = [min(max(value, low), high) for value in values]
    for step in _STEPS:
        first, last = math.floor(min(seen) / step + 1e-9), math.ceil(max(seen) / step - 1e-9)
        if last == first:
            first, last = first - 1, last + 1
        if last - first <= most:
            break
    bottom, top = max(first * step, low), min(last * step, high)
    room = (top - bottom) * _ROOM
    marks = (round(number * step, 6) for number in range(first, last + 1))
    inside = tuple(mark for mark in marks if low <= mark <= high)
    return Axis(bottom - room, top + room, inside)


def balanced_axis(values: Iterable[float]) -> Axis:
    """Make an axis that holds all differences and has zero in its middle."""
    most = max(abs(value) for value in values)
    return fit_axis((-most, most), -1.0, 1.0, most=6)


SHARES = Axis(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))
"""From none to all."""
