"""How far a confidence can be trusted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from functions.evaluate_model.figures.confidence import MAX_POINTS, confidence_figures
from shared.records import ConfidenceFigures

rows = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.8, 1.0]) | st.floats(0, 1), st.booleans()),
    min_size=1,
    max_size=60,
)


def figures(pairs: list[tuple[float, bool]]) -> ConfidenceFigures:
    found = confidence_figures([share for share, _ in pairs], [right for _, right in pairs])
    assert found is not None
    return found


@settings(deadline=None, max_examples=60)
@given(rows)
def test_brier_and_auroc_are_those_of_scikit_learn(pairs: list[tuple[float, bool]]) -> None:
    found = figures(pairs)
    shares, right = zip(*pairs, strict=True)
    assert found.brier == pytest.approx(brier_score_loss(right, shares, pos_label=True))
    assert found.brier == pytest.approx(np.mean((np.array(shares) - np.array(right)) ** 2))
    if len(set(right)) == 1:
        assert found.auroc is None
    else:
        assert found.auroc == pytest.approx(roc_auc_score(right, shares))


@settings(deadline=None, max_examples=60)
@given(rows)
def test_the_calibration_error_is_that_of_ten_bins(pairs: list[tuple[float, bool]]) -> None:
    found = figures(pairs)
    shares, right = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    edges = np.arange(1, 10) / 10
    bins = np.digitize(shares, edges, right=True)
    error = sum(
        abs(shares[bins == place].mean() - right[bins == place].mean()) * (bins == place).mean()
        for place in set(bins.tolist())
    )
    assert found.ece == pytest.approx(error)
    assert sum(item.n for item in found.bins) == found.n == len(pairs)
    assert all(item.low <= item.confidence <= item.high + 1e-12 for item in found.bins)


@settings(deadline=None, max_examples=60)
@given(rows)
def test_risk_and_coverage_are_what_a_threshold_leaves(pairs: list[tuple[float, bool]]) -> None:
    points = figures(pairs).risk_coverage
    for point in points:
        taken = [right for share, right in pairs if share >= point.threshold]
        assert point.coverage == pytest.approx(len(taken) / len(pairs))
        assert point.precision == pytest.approx(sum(taken) / len(taken))
        assert point.risk == pytest.approx(1 - point.precision)
        assert point.recall == pytest.approx(sum(taken) / len(pairs))
    assert points[-1].coverage == 1
    assert [point.threshold for point in points] == sorted(
        {point.threshold for point in points}, reverse=True
    )


def test_many_thresholds_are_thinned_out_to_the_first_the_last_and_some_between() -> None:
    shares = [number / 1000 for number in range(1000)]
    points = figures([(share, share > 0.5) for share in shares]).risk_coverage
    assert len(points) == MAX_POINTS
    assert (points[0].threshold, points[-1].threshold) == (0.999, 0.0)


def test_a_model_that_is_sure_and_wrong_is_shown_as_that() -> None:
    found = figures([(1.0, False)] * 4 + [(0.2, True)] * 4)
    assert found.auroc == 0
    assert found.ece == pytest.approx(0.9)
    assert found.brier == pytest.approx((1 + 0.64) / 2)


def test_no_rows_have_no_figures() -> None:
    assert confidence_figures([], []) is None
