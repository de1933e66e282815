"""Dates in texts: reading the usual spellings, and naming the format a value is written in."""

import re
from datetime import date, datetime

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_MONTH = r"(?P<{}>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
DATE = re.compile(
    r"(?<!\d)(?:"
    r"(?P<y1>\d{4})\s?[-/.年]\s?(?P<m1>\d{1,2})\s?[-/.月]\s?(?P<d1>\d{1,2})日?"
    r"|(?P<a2>\d{1,2})\s?[-/.]\s?(?P<b2>\d{1,2})\s?[-/.]\s?(?P<y2>\d{4}|\d{2})"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?[\s\-/.]*{_MONTH.format('m3')}[\s\-/.,]*(?P<y3>\d{{4}}|\d{{2}})"
    rf"|{_MONTH.format('m4')}[\s\-/.]*(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?[\s,]+(?P<y4>\d{{4}})"
    r")(?!\d)",
    re.IGNORECASE,
)
FORMATS = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d %B %Y",
    "%B %d, %Y", "%d %b %Y", "%d/%m/%y", "%Y%m%d",
)  # fmt: skip
_TWO_DIGITS = 100


def read_date(match: re.Match[str], *, day_first: bool) -> date | None:
    """Read the date that `DATE` found.

    Args:
        match: A match of `DATE`.
        day_first: Whether 1/2/2020 is the first of February.

    Returns:
        The date, or None when no calendar has it.
    """
    part = match.groupdict()
    if part["y1"]:
        year, month, day = int(part["y1"]), int(part["m1"]), int(part["d1"])
    elif part["y2"]:
        first, second, year = int(part["a2"]), int(part["b2"]), int(part["y2"])
        day, month = (first, second) if day_first else (second, first)
    elif part["y3"]:
        year, month, day = int(part["y3"]), _MONTHS[part["m3"].lower()], int(part["d3"])
    else:
        year, month, day = int(part["y4"]), _MONTHS[part["m4"].lower()], int(part["d4"])
    try:
        return date(year + 2000 if year < _TWO_DIGITS else year, month, day)
    except ValueError:
        return None


def format_of(value: str) -> tuple[str, date] | None:
    """Name the format that a value is written in.

    Args:
        value: A field's value.

    Returns:
        A strptime format and the date, or None when the value is not a date in a known format.
    """
    for pattern in FORMATS:
        try:
            return pattern, datetime.strptime(value, pattern).date()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    return None
