"""What different spellings of one value share: dates, amounts, letter case and white space.

One rule for everybody: truths and answers are normalised alike, so it can only forgive spelling.
"""

import re
import unicodedata
from datetime import date

from shared.examples import FieldValue

_MONTH_NAMES = (
    "january february march april may june july august september october november december"
)
_MONTHS = {
    short: number
    for number, name in enumerate(_MONTH_NAMES.split(), start=1)
    for short in (name, name[:3], f"{name[:3]}.")
} | {"sept": 9, "sept.": 9}
_WORD = "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True))

_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_EAST_ASIAN = re.compile(r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일号]")
_DAY_NAMED = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th)?[ -]?({_WORD})[ ,-]*(\d{{4}}|\d{{2}})")
_MONTH_NAMED = re.compile(rf"({_WORD})[ -]?(\d{{1,2}})(?:st|nd|rd|th)?[ ,-]+(\d{{4}}|\d{{2}})")

_CURRENCY = r"(?:[$€£¥₹₩฿₽₫]|us\$|r?rm|usd|eur|gbp|jpy|cny|rmb|inr|myr|sgd|aud|cad|chf|hkd|元|円)"
_AMOUNT = re.compile(rf"(-?) ?{_CURRENCY}? ?(-?)(\.?\d[\d,.' ]*) ?{_CURRENCY}?")
_POINT = re.compile(r"(?:0|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?:[' ]\d{3})+|[1-9]\d*)(?:\.\d+)?")
_COMMA = re.compile(
    r"(?:0|[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}(?:[' ]\d{3})+|[1-9]\d*),\d{1,2}"
    r"|[1-9]\d{0,2}(?:\.\d{3}){2,}"
)

_QUOTES = " \"'`“”‘’«»;:"
_PIVOT = 69
"""A year of two digits from here on is of the last century, as in POSIX."""


def normalise(value: str) -> str:
    """Return what the spellings of one value share.

    A date becomes YYYY-MM-DD; where day and month cannot be told apart, the day comes first. An
    amount loses its currency, its thousands separators and zeros at its end; 1,234 is one thousand
    and 1.234 is a little more than one. Everything else loses letter case, compatibility forms,
    repeated white space, and quotes and punctuation around it.

    Args:
        value: The value as it was written.
    """
    text = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    bare = text.strip(_QUOTES).rstrip(f"{_QUOTES}.,")
    return _date(bare) or _amount(bare) or bare or text


def value_key(value: FieldValue) -> tuple[str, ...]:
    """Return what the spellings of one field value share; nobody minds the order of a list."""
    values = [value] if isinstance(value, str) else value or ()
    return tuple(sorted(map(normalise, values)))


def _date(text: str) -> str:
    """Read a date; empty when it is none."""
    if found := _YEAR_FIRST.fullmatch(text):
        return _iso(found[1], found[3], found[4])
    if found := _EAST_ASIAN.fullmatch(text):
        return _iso(found[1], found[2], found[3])
    if found := _YEAR_LAST.fullmatch(text):
        return _iso(found[4], found[3], found[1]) or _iso(found[4], found[1], found[3])
    if found := _DAY_NAMED.fullmatch(text):
        return _iso(found[3], str(_MONTHS[found[2]]), found[1])
    if found := _MONTH_NAMED.fullmatch(text):
        return _iso(found[3], str(_MONTHS[found[1]]), found[2])
    return ""


def _iso(year: str, month: str, day: str) -> str:
    full = int(year)
    if len(year) == 2:  # noqa: PLR2004
        full += 1900 if full >= _PIVOT else 2000
    try:
        return date(full, int(month), int(day)).isoformat()
    except ValueError:
        return ""


def _amount(text: str) -> str:
    """Read an amount; empty when it is none, such as a number that begins with a zero."""
    found = _AMOUNT.fullmatch(text)
    if not found or (found[1] and found[2]):
        return ""
    digits = f"0{found[3]}".strip() if found[3].startswith(".") else found[3].strip()
    if _POINT.fullmatch(digits):
        plain = re.sub(r"[,' ]", "", digits)
    elif _COMMA.fullmatch(digits):
        plain = re.sub(r"[.' ]", "", digits).replace(",", ".")
    else:
        return ""
    whole, _, part = plain.partition(".")
    part = part.rstrip("0")
    value = f"{whole}.{part}" if part else whole
    return value if value == "0" else f"{found[1]}{found[2]}{value}"
