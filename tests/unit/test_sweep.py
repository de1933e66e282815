"""Planning a sweep, and its price."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Rejected
from shared.models import base_models
from shared.sweep import FEW, MANY, RECOMMENDED, SINGLE, estimate_price, plan_sweep
from shared.task import Configuration, Grid

MODEL = base_models()["gemini-3.5-flash"]


@pytest.mark.parametrize(
    ("examples", "configurations", "why"),
    [
        (1, FEW, "fewer than 500"),
        (499, FEW, "fewer than 500"),
        (500, RECOMMENDED, "Google's five"),
        (1000, RECOMMENDED, "Google's five"),
        (1001, MANY, "more than 1,000"),
        (2_000_000, MANY, "more than 1,000"),
    ],
)
def test_the_recommended_sweep_follows_the_number_of_examples_and_says_why(
    examples: int, configurations: tuple[Configuration, ...], why: str
) -> None:
    plan = plan_sweep("recommended", MODEL, examples)
    assert plan.configurations == configurations
    assert why in plan.note
    assert f"{examples:,}" in plan.note


def test_few_examples_are_seen_more_often_and_many_less() -> None:
    most = [max(each.epoch_count for each in plan) for plan in (FEW, RECOMMENDED, MANY)]
    assert most == sorted(most, reverse=True)
    assert len(FEW) < len(RECOMMENDED) < len(MANY)
    assert all(len(set(plan)) == len(plan) and SINGLE in plan for plan in (FEW, RECOMMENDED, MANY))


@pytest.mark.parametrize("model", base_models())
@pytest.mark.parametrize("examples", [10, 700, 5000])
def test_every_model_takes_the_recommended_sweeps(model: str, examples: int) -> None:
    assert plan_sweep("recommended", base_models()[model], examples).configurations


def test_a_sweep_holds_each_configuration_once() -> None:
    twice = (SINGLE, Configuration(epoch_count=9), SINGLE)
    plan = plan_sweep(twice, MODEL, 700)
    assert plan.configurations == (SINGLE, Configuration(epoch_count=9))
    assert plan_sweep("single", MODEL, 700).configurations == (SINGLE,)


def test_a_grid_is_every_combination_once() -> None:
    grid = Grid(epoch_count=(2, 4, 2), adapter_size=(1, 8), learning_rate_multiplier=(0.5, 1, 1.0))
    plan = plan_sweep(grid, MODEL, 700)
    found = {
        (each.epoch_count, each.learning_rate_multiplier, each.adapter_size)
        for each in plan.configurations
    }
    assert found == {(e, m, a) for e in (2, 4) for m in (0.5, 1.0) for a in (1, 8)}
    assert len(plan.configurations) == len(found)
    assert "8 configurations" in plan.note


def test_a_grid_of_twenty_is_run_and_a_larger_one_is_rejected_with_its_size() -> None:
    assert len(plan_sweep(Grid(epoch_count=tuple(range(1, 21))), MODEL, 1).configurations) == 20
    with pytest.raises(Rejected, match="21 configurations; at most 20"):
        plan_sweep(Grid(epoch_count=tuple(range(1, 22))), MODEL, 700)
    huge = tuple(range(1, 101))
    with pytest.raises(Rejected, match="10000 configurations"):
        plan_sweep(Grid(epoch_count=huge, learning_rate_multiplier=huge), MODEL, 700)


def test_a_list_that_is_too_long_is_rejected_with_its_size() -> None:
    sweep = tuple(Configuration(epoch_count=count) for count in range(1, 31))
    with pytest.raises(Rejected, match="30 configurations; at most 20"):
        plan_sweep(sweep, MODEL, 700)


@pytest.mark.parametrize(
    ("sweep", "named", "allowed"),
    [
        ((SINGLE, Configuration(adapter_size=8)), "adapter size 8", "1, 2"),
        (Grid(adapter_size=(1, 16)), "adapter size 16", "1, 2"),
        ((Configuration(epoch_count=51),), "51 epochs", "at most 50"),
        (Grid(epoch_count=(4, 60)), "60 epochs", "at most 50"),
    ],
)
def test_what_the_model_does_not_take_is_rejected_with_what_it_does(
    sweep: Any, named: str, allowed: str
) -> None:
    model = MODEL.model_copy(update={"adapter_sizes": (1, 2), "max_epochs": 50})
    with pytest.raises(Rejected) as caught:
        plan_sweep(sweep, model, 700)
    assert named in caught.value.reason
    assert allowed in caught.value.remedy


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"epoch_count": (0,)}, "epoch_count 0"),
        ({"epoch_count": (101,)}, "epoch_count 101"),
        ({"learning_rate_multiplier": (-1,)}, "learning_rate_multiplier -1"),
    ],
)
def test_a_value_that_no_model_takes_is_rejected_by_name(values: Any, named: str) -> None:
    with pytest.raises(Rejected, match=named):
        plan_sweep(Grid(**values), MODEL, 700)


def test_a_price_is_tokens_times_epochs() -> None:
    model = base_models()["gemini-3.5-flash-lite"]
    estimate = estimate_price(1_000_000, [SINGLE, Configuration(epoch_count=6)], model)
    assert estimate.usd == pytest.approx(10 * model.training_price)
    assert (estimate.low, estimate.high) == (11.25, 18.75)
    assert "(±25 %) x 10 epochs" in estimate.note
    assert model.price_note in estimate.note


@given(tokens=st.integers(0, 10**12), epochs=st.lists(st.integers(1, 100), min_size=1, max_size=20))
def test_the_jobs_prices_add_up_to_the_run_s(tokens: int, epochs: list[int]) -> None:
    plan = [Configuration(epoch_count=count) for count in epochs]
    whole = estimate_price(tokens, plan, MODEL)
    parts = sum(estimate_price(tokens, [each], MODEL).high for each in plan)
    assert parts == pytest.approx(whole.high, abs=0.002)
    assert whole.low <= whole.usd <= whole.high
