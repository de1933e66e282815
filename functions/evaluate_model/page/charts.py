"""What stands where on the charts. The templates draw it as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from functions.evaluate_model.page.axes import SHARES, Axis, balanced_axis, fit_axis
from shared.records import Comparison, ConfidenceFigures, CoveragePoint, Figure, Interval

LEFT, RIGHT, TOP, BOTTOM = 40.0, 330.0, 10.0, 210.0
"""The plotting area of a square chart, in a view of 340 by 252."""

LEAST_RISK = 0.05
SMALLEST_DOT, LARGEST_DOT = 2.5, 7.0


@dataclass(frozen=True)
class Whisker:
    """A value and its interval, in percent of an axis; `low` and `high` are None without one."""

    dot: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Dot:
    """A point of a square chart, in its view's units."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Curve:
    """Points of a square chart, and the line through them as an SVG path."""

    dots: tuple[Dot, ...]
    path: str


@dataclass(frozen=True)
class Square:
    """A chart with two axes: where their values stand in its view."""

    across: Axis
    up: Axis

    def x(self, value: float) -> float:
        """Say how far right a value stands."""
        return round(LEFT + (RIGHT - LEFT) * self.across.at(value) / 100, 2)

    def y(self, value: float) -> float:
        """Say how far down a value stands."""
        return round(BOTTOM - (BOTTOM - TOP) * self.up.at(value) / 100, 2)

    def curve(self, points: Sequence[tuple[float, float]], sizes: Sequence[int] = ()) -> Curve:
        """Join points; the sizes are numbers of answers, shown as areas."""
        most = max(sizes, default=1) or 1
        radii = [max(SMALLEST_DOT, LARGEST_DOT * math.sqrt(size / most)) for size in sizes] or [
            SMALLEST_DOT
        ] * len(points)
        dots = tuple(
            Dot(self.x(across), self.y(up), round(radius, 2))
            for (across, up), radius in zip(points, radii, strict=True)
        )
        path = " ".join(
            f"{'L' if number else 'M'}{dot.x:g} {dot.y:g}" for number, dot in enumerate(dots)
        )
        return Curve(dots, path)


def metric_axis(figures: Sequence[Figure], metric: str, target: float) -> Axis:
    """Make the axis that all candidates are drawn on, with the target on it."""
    values = [figure.metrics[metric] for figure in figures]
    ends = [end for figure in figures if figure.interval for end in _ends(figure.interval)]
    return fit_axis([target, *values, *ends], 0.0, 1.0)


def difference_axis(comparison: Comparison) -> Axis:
    """Make the axis of the difference: zero, which is no difference, is its middle."""
    ends = _ends(comparison.interval) if comparison.interval else ()
    return balanced_axis([comparison.difference, *ends])


def whisker(axis: Axis, value: float, interval: Interval | None) -> Whisker:
    """Place a value and its interval on an axis."""
    if interval is None:
        return Whisker(axis.at(value), None, None)
    return Whisker(axis.at(value), axis.at(interval.low), axis.at(interval.high))


def reliability(confidence: ConfidenceFigures) -> Curve:
    """Place each bin: its mean confidence across, the share that is right up."""
    bins = [item for item in confidence.bins if item.n]
    points = [(item.confidence, item.correct) for item in bins]
    return RELIABILITY.curve(points, [item.n for item in bins])


def risk_square(curves: Sequence[ConfidenceFigures]) -> Square:
    """Make the risk-coverage chart that holds all the curves."""
    risks = [point.risk for curve in curves for point in curve.risk_coverage]
    return Square(SHARES, fit_axis([0.0, LEAST_RISK, *risks], 0.0, 1.0))


def risk_curve(square: Square, confidence: ConfidenceFigures) -> Curve:
    """Place the risk at each coverage, the smallest coverage first."""
    points = sorted((point.coverage, point.risk) for point in confidence.risk_coverage)
    return square.curve(points)


def accepted_at(confidence: ConfidenceFigures, threshold: float) -> CoveragePoint | None:
    """Find what comes of taking only answers of at least so much confidence."""
    above = [point for point in confidence.risk_coverage if point.threshold >= threshold - 1e-9]
    return min(above, key=lambda point: point.threshold, default=None)


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


RELIABILITY = Square(SHARES, SHARES)
"""The reliability diagram's axes."""
