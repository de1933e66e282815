"""A base model that is about to be retired is warned of in the log."""

import json
from datetime import date, timedelta

import pytest

from shared.models import base_models, retirement_warning, warn_of_retirement

TODAY = date(2026, 11, 1)
LIVE = base_models()["gemini-3.5-flash"]


@pytest.mark.parametrize(
    ("days", "threshold"),
    [(91, None), (90, 90), (31, 90), (30, 30), (1, 30), (0, 30), (-5, 30)],
)
def test_the_threshold_that_a_retirement_has_crossed_is_told(
    days: int, threshold: int | None
) -> None:
    spec = LIVE.model_copy(update={"retires": TODAY + timedelta(days=days)})
    assert retirement_warning(spec, TODAY) == threshold


def test_nothing_is_said_of_a_model_without_a_last_day() -> None:
    assert retirement_warning(LIVE.model_copy(update={"retires": None}), TODAY) is None


def test_the_log_says_how_many_days_are_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert LIVE.retires
    warn_of_retirement("gemini-3.5-flash", LIVE.retires - timedelta(days=91), "birds")
    warn_of_retirement("a-model-of-yesterday", LIVE.retires, "birds")
    assert capsys.readouterr().out == ""
    warn_of_retirement("gemini-3.5-flash", LIVE.retires - timedelta(days=12), "birds")
    line = json.loads(capsys.readouterr().out)
    assert (line["severity"], line["days"], line["task"]) == ("WARNING", 12, "birds")
