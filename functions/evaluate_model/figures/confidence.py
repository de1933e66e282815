"""How far a confidence can be trusted: calibration error, Brier score, ranking, risk and coverage.

ECE: Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning". Risk and
coverage: Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks".
"""

from collections.abc import Sequence

from shared.records import ConfidenceFigures, CoveragePoint, ReliabilityBin

BINS = 10
MAX_POINTS = 50


def confidence_figures(
    confidences: Sequence[float], right: Sequence[bool]
) -> ConfidenceFigures | None:
    """Hold confidences against what was right.

    Args:
        confidences: Each row's confidence, 0 to 1.
        right: Whether each row's answer is right.

    Returns:
        The figures; None when there is no row.
    """
    from sklearn.metrics import brier_score_loss, roc_auc_score

    n = len(confidences)
    if n == 0:
        return None
    bins = _bins(confidences, right)
    both = len(set(right)) > 1
    return ConfidenceFigures(
        n=n,
        ece=sum(item.n * abs(item.confidence - item.correct) for item in bins) / n,
        brier=float(brier_score_loss(right, confidences, pos_label=True)),
        auroc=float(roc_auc_score(right, confidences)) if both else None,
        bins=bins,
        risk_coverage=_risk_coverage(confidences, right),
    )


def _bins(confidences: Sequence[float], right: Sequence[bool]) -> tuple[ReliabilityBin, ...]:
    """Sort rows into bins of equal width, upper edges included; leave out those without a row."""
    members: dict[int, list[tuple[float, bool]]] = {}
    edges = [number / BINS for number in range(BINS + 1)]
    for confidence, good in zip(confidences, right, strict=True):
        place = next(place for place in range(BINS) if confidence <= edges[place + 1])
        members.setdefault(place, []).append((confidence, good))
    return tuple(
        ReliabilityBin(
            low=edges[place],
            high=edges[place + 1],
            n=len(rows),
            confidence=sum(confidence for confidence, _ in rows) / len(rows),
            correct=sum(good for _, good in rows) / len(rows),
        )
        for place, rows in sorted(members.items())
    )


def _risk_coverage(
    confidences: Sequence[float], right: Sequence[bool]
) -> tuple[CoveragePoint, ...]:
    """Say what comes of each threshold that makes a difference, the highest first."""
    rows = sorted(zip(confidences, right, strict=True), reverse=True)
    points, wrong = [], 0
    for taken, (confidence, good) in enumerate(rows, start=1):
        wrong += not good
        if taken == len(rows) or rows[taken][0] < confidence:
            point = CoveragePoint(
                threshold=confidence, coverage=taken / len(rows), risk=wrong / taken
            )
            points.append(point)
    if len(points) <= MAX_POINTS:
        return tuple(points)
    step = (len(points) - 1) / (MAX_POINTS - 1)
    return tuple(points[round(number * step)] for number in range(MAX_POINTS))
