"""What an agreement is worth: fitted with libraries, applied without one."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from functions.evaluate_model.calibration import ENOUGH, ENOUGH_OF_EACH, fit_calibration
from functions.evaluate_model.figures.confidence import confidence_figures
from shared.calibration import apply
from shared.records import Calibration
from tests.house.checkout import ROOT

FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)


def sample(
    n: int, steep: float, middle: float, seed: int = 1, steps: int = 5
) -> tuple[list[float], list[bool]]:
    """Draw agreements, and answers that are right as often as a logistic curve says."""
    chance = np.random.default_rng(seed)
    agreements = chance.integers(1, steps + 1, n) / steps
    shares = 1 / (1 + np.exp(-steep * (agreements - middle)))
    return agreements.tolist(), (chance.random(n) < shares).tolist()


def test_a_calibration_brings_confidence_close_to_the_truth() -> None:
    known, right = sample(600, steep=6, middle=0.9)
    fitted = fit_calibration(known, right)
    assert fitted.method in ("isotonic", "platt")
    assert fitted.n == 600
    asked, truth = sample(4000, steep=6, middle=0.9, seed=2)
    before = confidence_figures(asked, truth)
    after = confidence_figures([apply(fitted, share) for share in asked], truth)
    assert before is not None
    assert after is not None
    assert before.ece > 0.25
    assert after.ece < 0.05
    assert after.brier < before.brier
    for share in FIFTHS:
        real = 1 / (1 + math.exp(-6 * (share - 0.9)))
        assert apply(fitted, share) == pytest.approx(real, abs=0.09)


def test_a_logistic_truth_chooses_platt_and_a_step_chooses_isotonic() -> None:
    smooth = fit_calibration(*sample(200, steep=5, middle=0.7, steps=100))
    assert smooth.method == "platt"
    agreements = np.random.default_rng(3).random(2000)
    chance = np.random.default_rng(4).random(2000)
    right = chance < np.where(agreements < 0.2, 0.1, np.where(agreements < 0.9, 0.5, 0.95))
    assert fit_calibration(agreements.tolist(), right.tolist()).method == "isotonic"


@pytest.mark.parametrize(
    ("agreements", "right", "why"),
    [
        ([0.8, 1.0] * 20, [True, False] * 20, f"only 40 validation rows .* takes {ENOUGH}"),
        ([0.8, 1.0] * 50, [True] * 100, "100 of 100 validation answers are right"),
        ([0.8, 1.0] * 50, [False] * 100, "0 of 100 validation answers are right"),
        ([0.8, 1.0] * 50, [False] * (ENOUGH_OF_EACH - 1) + [True] * 96, "96 of 100"),
        ([1.0] * 100, [True, False] * 50, "1.00 on every validation row"),
        ([], [], "only 0 validation rows"),
    ],
)
def test_too_little_to_go_by_stays_uncalibrated_and_says_why(
    agreements: list[float], right: list[bool], why: str
) -> None:
    found = fit_calibration(agreements, right)
    assert found.method == "none"
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(found.reason)
    assert apply(found, 0.8) == 0.8


@pytest.mark.parametrize("ratings", [(), ("likely",) * 60])
def test_agreement_that_tells_nothing_is_not_calibrated_so_that_doubt_still_shows(
    ratings: tuple[str, ...],
) -> None:
    # The surer ones are right less often: a curve that may not fall is flat.
    agreements, right = [0.6] * 20 + [1.0] * 40, [True] * 19 + [False] + [True] * 30 + [False] * 10
    fitted = fit_calibration(agreements, right, ratings)
    assert fitted.method == "none"
    assert "more agreement does not go with more right answers on 60" in fitted.reason
    assert apply(fitted, 0.6) == 0.6


def test_the_same_rows_are_calibrated_alike_every_time() -> None:
    rows = sample(120, steep=5, middle=0.6)
    assert fit_calibration(*rows) == fit_calibration(*rows)


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_confidence_never_falls_with_agreement_and_stays_between_zero_and_one(
    seed: int, other: float
) -> None:
    fitted = fit_calibration(*sample(80, steep=2, middle=0.5, seed=seed))
    found = [apply(fitted, share) for share in sorted({0.0, *FIFTHS, other})]
    assert found == sorted(found)
    assert all(0 <= share <= 1 for share in found)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40),
    st.floats(0, 1),
)
def test_isotonic_knots_are_applied_as_scikit_learn_does(
    rows: list[tuple[float, bool]], asked: float
) -> None:
    shares, right = zip(*rows, strict=True)
    model = IsotonicRegression(out_of_bounds="clip").fit(shares, [float(good) for good in right])
    knots = tuple(zip(model.X_thresholds_.tolist(), model.y_thresholds_.tolist(), strict=True))
    fitted = Calibration(method="isotonic", knots=knots)
    for share in (asked, *shares):
        assert apply(fitted, share) == pytest.approx(float(model.predict([share])[0]), abs=1e-6)


def test_a_steep_curve_does_not_overflow() -> None:
    steep = Calibration(method="platt", slope=5000, intercept=-2500)
    assert [apply(steep, share) for share in (0.0, 0.5, 1.0)] == [0.0, 0.5, 1.0]


def test_applying_a_calibration_loads_no_library() -> None:
    code = "import sys, shared.calibration; print({'numpy', 'scipy', 'sklearn'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert ran.stdout.strip() == b"set()"
