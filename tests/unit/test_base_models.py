"""The table of base models, and estimates of tokens."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Rejected
from shared.models import base_models, find_base_model, retired_models, serving_location
from shared.task import Tuning
from shared.tokens import estimate_tokens


def test_the_model_that_is_tuned_by_default_is_in_the_table() -> None:
    assert Tuning().base_model in base_models()


def test_every_model_has_prices_and_says_where_they_come_from() -> None:
    for spec in base_models().values():
        assert min(spec.training_price, spec.input_price, spec.output_price) > 0
        assert spec.price_note
        assert spec.prices_seen
        assert spec.adapter_sizes


def test_a_model_is_either_live_or_retired() -> None:
    assert retired_models()
    assert not set(base_models()) & set(retired_models())


@pytest.mark.parametrize("name", retired_models())
def test_a_retired_model_is_rejected_with_its_day_and_the_nearest_live_one(name: str) -> None:
    with pytest.raises(Rejected) as caught:
        find_base_model(name, "us-central1")
    assert f"{name!r} retired on {retired_models()[name]}" in caught.value.reason
    assert any(f"live one is {live};" in caught.value.remedy for live in base_models())


def test_a_model_that_the_table_takes_for_live_is_rejected_after_an_earliest_day_never() -> None:
    spec = base_models()["gemini-3.1-flash-lite"]
    assert spec.retires_or_later
    assert spec.retires
    later = spec.retires + timedelta(days=400)
    assert find_base_model("gemini-3.1-flash-lite", "us-central1", later) == spec


def test_the_day_of_a_request_does_not_matter_to_a_model_without_a_last_day() -> None:
    assert find_base_model("gemini-3.5-flash", "us-central1", date(2026, 11, 1))


@pytest.mark.parametrize(("region", "location"), [("us-central1", "us"), ("europe-west4", "eu")])
def test_a_model_is_served_where_its_region_belongs(region: str, location: str) -> None:
    assert serving_location("gemini-3.5-flash", region) == location


def test_an_unknown_model_is_rejected_with_the_nearest_one() -> None:
    with pytest.raises(Rejected) as caught:
        find_base_model("gemini-3.5-flahs-lite", "us-central1")
    assert "gemini-3.5-flahs-lite" in caught.value.reason
    assert "gemini-3.5-flash-lite" in caught.value.remedy


def test_an_unknown_region_is_rejected_with_those_that_are_known() -> None:
    with pytest.raises(Rejected) as caught:
        serving_location("gemini-3.5-flash", "mars-north1")
    assert "europe-west4" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("The parcel came late and the box was wet. " * 10, 70, 130),
        ("包裹来得很晚，盒子湿了。", 6, 11),
        ("2026-11-01 12:30:45", 8, 16),
    ],
)
def test_tokens_are_estimated_by_script(text: str, least: float, most: float) -> None:
    assert least <= estimate_tokens(text) <= most


@settings(deadline=None)
@given(st.text(), st.text())
def test_tokens_of_two_texts_add_up(first: str, second: str) -> None:
    total = estimate_tokens(first) + estimate_tokens(second)
    assert estimate_tokens(first + second) == pytest.approx(total)
    assert 0 <= total <= 0.76 * len(first + second) + 1e-9
