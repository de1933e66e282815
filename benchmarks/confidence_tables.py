"""What the answers to held-out rows say of confidences and of numbers of samples."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.evaluate_model.calibration import fit_calibration
from functions.evaluate_model.figures.confidence import confidence_figures
from shared.calibration import apply
from shared.examples import Answer
from shared.records import ConfidenceFigures
from shared.stopping import counted
from shared.voting import vote

ALL = 1.0
STOP = 0.95


@dataclass(frozen=True)
class Answered:
    """What was said to one row.

    Attributes:
        truth: The right label.
        samples: Eight samples at the temperature of serving.
        single: The answer at temperature 0.
        rating: What the answer was rated as; empty when it was not.
    """

    truth: str
    samples: Sequence[Answer | None]
    single: Answer | None
    rating: str


@dataclass(frozen=True)
class Way:
    """A kind of confidence: the share of right answers, and how far it can be trusted."""

    name: str
    accuracy: float
    figures: ConfidenceFigures
    rating_weight: float | None = None


@dataclass(frozen=True)
class Sampled:
    """A number of samples: how many were used, and how often the winner is that of all of them.

    Attributes:
        name: The rule.
        used: Samples a row, on average.
        same_as_five: Share of rows with the winner of a fixed five.
        same_as_eight: Share of rows with the winner of a fixed eight.
        accuracy: The share of right answers.
    """

    name: str
    used: float
    same_as_five: float
    same_as_eight: float
    accuracy: float


@dataclass(frozen=True)
class DataFigures:
    """Everything about one data set."""

    name: str
    validation: int
    test: int
    ways: tuple[Way, ...]
    sampled: tuple[Sampled, ...]


def figures_of(name: str, validation: Sequence[Answered], test: Sequence[Answered]) -> DataFigures:
    """Compute everything: calibrations are fitted on validation, figures are of test."""
    truths = [row.truth for row in test]
    single = [row.single == row.truth for row in test]
    ways = [
        _way("a single answer", [1.0] * len(test), single),
        _way("agreement of a fixed five", *_agreements(test, 5, ALL)),
        _calibrated("the same, calibrated", validation, test, ALL),
        _way("agreement as served", *_agreements(test, 5, STOP)),
        _calibrated("calibrated, as served", validation, test, STOP),
    ]
    if any(row.rating for row in test):
        ways.append(_calibrated("calibrated and rated", validation, test, STOP, rated=True))
    rules = [("fixed", most, ALL) for most in (1, 5, 8)]
    rules += [("until", most, stop) for most in (5, 8) for stop in (0.9, STOP, 0.99)]
    five, eight = (_winners(test, most, ALL) for most in (5, 8))
    sampled = []
    for kind, most, stop in rules:
        winners = _winners(test, most, stop)
        used = sum(len(counted(row.samples, stop, most)) for row in test) / len(test)
        shown = f"a fixed {most}" if kind == "fixed" else f"at most {most}, stop_at {stop:g}"
        same = [_share(winners, others) for others in (five, eight, truths)]
        sampled.append(Sampled(shown, used, *same))
    return DataFigures(name, len(validation), len(test), tuple(ways), tuple(sampled))


def _agreements(rows: Sequence[Answered], most: int, stop: float) -> tuple[list[float], list[bool]]:
    votes = [vote(counted(row.samples, stop, most)) for row in rows]
    right = [item.answer == row.truth for item, row in zip(votes, rows, strict=True)]
    return [item.confidence for item in votes], right


def _winners(rows: Sequence[Answered], most: int, stop: float) -> list[Answer | None]:
    return [vote(counted(row.samples, stop, most)).answer for row in rows]


def _share(left: Sequence[object], right: Sequence[object]) -> float:
    return sum(a == b for a, b in zip(left, right, strict=True)) / len(left)


def _way(name: str, confidences: Sequence[float], right: Sequence[bool]) -> Way:
    figures = confidence_figures(confidences, right)
    if figures is None:
        raise ValueError("there are no rows")
    return Way(name, sum(right) / len(right), figures)


def _calibrated(
    name: str,
    validation: Sequence[Answered],
    test: Sequence[Answered],
    stop: float,
    *,
    rated: bool = False,
) -> Way:
    """Fit on validation as evaluate_model does, and apply to test."""
    agreements, right = _agreements(validation, 5, stop)
    ratings = [row.rating for row in validation] if rated else []
    fitted = fit_calibration(agreements, right, ratings)
    shares, good = _agreements(test, 5, stop)
    rows = zip(shares, test, strict=True)
    confidences = [apply(fitted, share, row.rating if rated else "") for share, row in rows]
    way = _way(name, confidences, good)
    weight = fitted.rating_weight if rated else None
    return Way(name, way.accuracy, way.figures, weight)
