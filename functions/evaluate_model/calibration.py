"""Fits what a candidate's agreement is worth: the share of right answers at each agreement.

Isotonic regression (Zadrozny and Elkan 2002) and Platt's scaling (Platt 1999) are both fitted on
validation; which one is used is decided by cross-validation. `shared/calibration.py` applies it.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.calibration import apply
from shared.rating import blend_all
from shared.records import Calibration, EvaluationRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENOUGH = 50
"""With fewer rows, a fitted curve says more about chance than about the model."""

ENOUGH_OF_EACH = 5
"""So many rows have to be right, and so many wrong: one of each in every fold."""

WEIGHTS = (0.25, 0.5, 0.75)
"""The shares of a rating in the blend that are tried."""

GAIN = 0.01
"""A rating is another request for each document: it has to lower the Brier score by this share."""

LEAST_RISE = 0.01
"""A curve that rises by less than this from no agreement to full agreement is flat."""

_FOLDS = 5
_REPEATS = 4


def calibration_of(evaluation: EvaluationRecord) -> Calibration:
    """Fit the calibration of a candidate that was measured on validation.

    An answer counts as right when all of it is: for an extraction, every field. Where answers were
    rated, documents will be too if that makes the confidence better by GAIN.
    """
    right = [score == 1.0 for score in evaluation.row_scores]
    fitted = fit_calibration(evaluation.row_agreements, right, evaluation.row_ratings)
    asked = {
        "samples": evaluation.samples,
        "temperature": evaluation.temperature,
        "stop_at": evaluation.stop_at,
    }
    return fitted.model_copy(update=asked)


def fit_calibration(
    agreements: Sequence[float], right: Sequence[bool], ratings: Sequence[str] = ()
) -> Calibration:
    """Fit a calibration, or say why there is none.

    Args:
        agreements: Each row's agreement, 0 to 1.
        right: Whether each row's answer is right.
        ratings: What each row's answer was rated as; left out, when rows were not rated.
    """
    n, good = len(agreements), sum(right)
    if n < ENOUGH:
        return _none(n, f"only {n} validation rows have an agreement; it takes {ENOUGH}")
    if min(good, n - good) < ENOUGH_OF_EACH:
        return _none(
            n,
            f"{good} of {n} validation answers are right; it takes {ENOUGH_OF_EACH} right and "
            f"{ENOUGH_OF_EACH} wrong ones",
        )
    fitted, score = _best(agreements, right)
    if any(ratings):
        for weight in WEIGHTS:
            rated, better = _best(blend_all(agreements, ratings, weight), right)
            if better < score * (1 - GAIN) and not is_flat(rated):
                update = {"rating_weight": weight, "reason": f"{rated.reason}, rated"}
                fitted, score = rated.model_copy(update=update), better
    if is_flat(fitted):
        return _none(
            n,
            f"more agreement does not go with more right answers on {n} validation rows "
            f"({good} are right)",
        )
    return fitted.model_copy(update={"n": n})


def is_flat(fitted: Calibration) -> bool:
    """Whether a curve says the same of every answer, so that no answer could be told from others.

    A confidence that nothing lowers would send nothing to review, however little is right.
    """
    if fitted.method == "platt":
        low, high = apply(fitted, 0.0), apply(fitted, 1.0)
    elif fitted.method == "isotonic":
        low, high = fitted.knots[0][1], fitted.knots[-1][1]
    else:
        return False
    return high - low < LEAST_RISE


def _best(blends: Sequence[float], right: Sequence[bool]) -> tuple[Calibration, float]:
    """Fit the better of both curves, and return it with its cross-validated Brier score.

    Platt's curve, the simpler one, is taken where they are equal.
    """
    if len(set(blends)) == 1:
        reason = f"the agreement is {blends[0]:.2f} on every validation row"
        share = sum(right) / len(right)
        return _none(len(right), reason), share * (1 - share)
    scores = {fit: _cross_validated(fit, blends, right) for fit in (_platt, _isotonic)}
    best = min(scores, key=scores.__getitem__)
    others = ", ".join(f"{fit.__name__[1:]} {score:.4f}" for fit, score in scores.items())
    reason = f"cross-validated Brier score: {others}"
    return best(blends, right).model_copy(update={"reason": reason}), scores[best]


def _none(n: int, reason: str) -> Calibration:
    return Calibration(method="none", n=n, reason=reason)


def _cross_validated(fit: Any, agreements: Sequence[float], right: Sequence[bool]) -> float:
    """Return the Brier score of a fit on rows that it was not fitted on."""
    from sklearn.model_selection import RepeatedStratifiedKFold

    folds = RepeatedStratifiedKFold(n_splits=_FOLDS, n_repeats=_REPEATS, random_state=0)
    total, count = 0.0, 0
    for known, asked in folds.split(agreements, right):
        fitted = fit([agreements[row] for row in known], [right[row] for row in known])
        total += sum((apply(fitted, agreements[row]) - right[row]) ** 2 for row in asked)
        count += len(asked)
    return total / count


def _isotonic(agreements: Sequence[float], right: Sequence[bool]) -> Calibration:
    """Fit a curve that only rises."""
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0).fit(agreements, list(map(float, right)))
    knots = zip(model.X_thresholds_.tolist(), model.y_thresholds_.tolist(), strict=True)
    return Calibration(method="isotonic", knots=tuple(knots))


def _platt(agreements: Sequence[float], right: Sequence[bool]) -> Calibration:
    """Fit a logistic curve to targets that are drawn a little towards the middle, as Platt does.

    That keeps the slope finite where agreement tells right from wrong without an error. It is not
    let fall: more agreement never means less confidence.
    """
    import numpy as np
    from scipy.optimize import minimize

    good = sum(right)
    high, low = (good + 1) / (good + 2), 1 / (len(right) - good + 2)
    target = np.where(right, high, low)
    x = np.asarray(agreements, dtype=np.float64)

    def loss(parameters: "NDArray[np.float64]") -> tuple[float, "NDArray[np.float64]"]:
        z = parameters[0] * x + parameters[1]
        error = 1 / (1 + np.exp(-z)) - target
        value = np.logaddexp(0, z) - target * z
        return float(value.sum()), np.array([(error * x).sum(), error.sum()])

    start = np.array([0.0, math.log(good / (len(right) - good))])
    bounds = [(0, None), (None, None)]
    slope, intercept = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(method="platt", slope=float(slope), intercept=float(intercept))
