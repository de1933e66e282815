"""Applies a calibration that was fitted on validation: from agreement to confidence."""

import math
from itertools import pairwise

from shared.rating import blend
from shared.records import Calibration


def apply(calibration: Calibration, agreement: float, rating: str = "") -> float:
    """Return the confidence that an agreement of the samples and a rating stand for, 0 to 1.

    Args:
        calibration: The candidate's calibration; with the method none the agreement stands.
        agreement: The share of samples that agree with the winner, 0 to 1.
        rating: What the answer was rated as; empty when it was not.
    """
    blended = blend(agreement, rating, calibration.rating_weight)
    if calibration.method == "isotonic":
        return _between(calibration.knots, blended)
    if calibration.method == "platt":
        z = calibration.slope * blended + calibration.intercept
        # Of the two forms, the one whose exponential cannot overflow.
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
    return agreement


def _between(knots: tuple[tuple[float, float], ...], agreement: float) -> float:
    """Go along the line from knot to knot; outside of them it is flat."""
    if agreement <= knots[0][0]:
        return knots[0][1]
    for (left, low), (right, high) in pairwise(knots):
        if agreement <= right:
            return low + (high - low) * (agreement - left) / (right - left)
    return knots[-1][1]
