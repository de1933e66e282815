"""A base model that is about to be retired is warned of in the log."""

from datetime import date, timedelta

import pytest

from shared.models import WARN_DAYS, BaseModelSpec, retirement_warning

TODAY = date(2026, 11, 1)
LIVE = BaseModelSpec(tuned_in={}, adapter_sizes=(1,), training_price=1.0, price_note="")


@pytest.mark.parametrize("days", [WARN_DAYS, 30, 0, -5])
def test_the_last_days_of_a_model_are_counted(days: int) -> None:
    spec = LIVE.model_copy(update={"retires": TODAY + timedelta(days=days)})
    assert retirement_warning(spec, TODAY) == days


@pytest.mark.parametrize("retires", [None, TODAY + timedelta(days=WARN_DAYS + 1)])
def test_nothing_is_said_of_a_model_that_stays(retires: date | None) -> None:
    spec = LIVE.model_copy(update={"retires": retires})
    assert retirement_warning(spec, TODAY) is None
