"""What the rule decides over many simulated test splits with a known truth."""

import pytest

from benchmarks.verdicts import DECISIONS, decisions
from tests.simulated import Truth

SPLITS = 1000


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.4])
@pytest.mark.parametrize("n", [100, 1000])
def test_of_two_that_are_equal_the_tuned_one_is_hardly_ever_promoted(
    correlation: float, n: int
) -> None:
    found = decisions(n, Truth(0.9, 0.9, correlation), 1, "exact_match", SPLITS)
    print({name: found[name] / SPLITS for name in DECISIONS})
    assert found["keep_prompting"] + found["not_enough_data"] >= 0.95 * SPLITS


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.4])
def test_one_that_is_five_points_better_is_found_with_1000_rows(correlation: float) -> None:
    found = decisions(1000, Truth(0.9, 0.95, correlation), 5, "exact_match", SPLITS)
    print({name: found[name] / SPLITS for name in DECISIONS})
    assert found["promote_tuned"] >= 0.9 * SPLITS
