"""What different spellings of one value share."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.normalise import normalise

days = st.dates(date(1970, 1, 1), date(2068, 12, 31))
DATES = (
    "{0:%Y}-{0:%m}-{0:%d}",
    "{0:%Y}/{0.month}/{0.day}",
    "{0.day}.{0.month}.{0:%Y}",
    "{0:%d}/{0:%m}/{0:%y}",
    "{0:%d}-{1}-{0:%Y}",
    "{0.day} {2} {0:%Y}",
    "{1} {0.day}, {0:%Y}",
    "{2} {0.day}th, {0:%Y}.",
    "{0.year}年{0.month}月{0.day}日",
)
MONTHS = [date(2000, month, 1).strftime("%B") for month in range(1, 13)]


@settings(deadline=None)
@given(days, st.sampled_from(DATES))
def test_a_date_is_the_same_in_every_spelling(day: date, spelling: str) -> None:
    name = MONTHS[day.month - 1]
    assert normalise(spelling.format(day, name[:3].upper(), name)) == day.isoformat()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("03/04/2018", "2018-04-03"),
        ("03/14/2018", "2018-03-14"),
        ("31/02/2018", "31/02/2018"),
        ("1/1/69", "1969-01-01"),
        ("1/1/68", "2068-01-01"),
        ("5th of May", "5th of may"),
    ],
)
def test_the_day_comes_first_where_it_can(written: str, read: str) -> None:
    assert normalise(written) == read


amounts = st.decimals(0, 10_000_000, places=2, allow_nan=False)


@settings(deadline=None)
@given(amounts, st.sampled_from(("{}", "${}", "RM {}", "{} EUR", "{}.", "USD{}", "-{}")))
def test_an_amount_is_the_same_with_any_separators_and_currency(
    amount: Decimal, around: str
) -> None:
    plain = around.format(f"{amount:.2f}")
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    swiss = english.replace(",", "'")
    spaced = english.replace(",", " ")
    found = {normalise(around.format(text)) for text in (english, german, swiss, spaced)}
    assert found == {normalise(plain)}
    sign = "-" if around.startswith("-") and amount else ""
    (value,) = found
    assert Decimal(value) == (-amount if sign else amount)


@settings(deadline=None)
@given(amounts, amounts)
def test_two_amounts_stay_two(first: Decimal, second: Decimal) -> None:
    assert (normalise(f"{first:,}") == normalise(f"{second:,}")) == (first == second)


@settings(deadline=None)
@given(days, days)
def test_two_dates_stay_two(first: date, second: date) -> None:
    same = normalise(f"{first:%d/%m/%Y}") == normalise(f"{second:%d/%m/%Y}")
    assert same == (first == second)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("  The   Mill\n", "the mill"),
        ("“The Mill.”", "the mill"),
        ("ＴＨＥ ｍｉｌｌ", "the mill"),
        ("NO. 5, JALAN", "no. 5, jalan"),
        ("1,234", "1234"),
        ("1.234", "1.234"),
        (".50", "0.5"),
        ("007", "007"),
        ("5 %", "5 %"),
        ("(5.00)", "(5.00)"),
        ("...", "..."),
        ("", ""),
    ],
)
def test_other_values_lose_case_width_white_space_and_what_is_around_them(
    written: str, read: str
) -> None:
    assert normalise(written) == read


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_can_be_normalised_and_stays_as_it_is_then(text: str) -> None:
    once = normalise(text)
    assert once or not text.strip()
    assert normalise(once) == once
