"""Where a training value stands in its text, and how values of its field are written.

A value is searched without regard to white space and case; then as the same number; then as the
same date. How it was found most often becomes the field's convention.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from local.vertex.dates import DATE, format_of, read_date
from local.vertex.layout import Layout

Span = tuple[int, int]
Form = Literal["verbatim", "number", "date"]

_LINE_BREAK = re.compile(r"\s*[\r\n]+\s*")
_SPACES = re.compile(r"[^\S\r\n]+")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class Found:
    """Where a value stands.

    Attributes:
        spans: First and last token of each occurrence.
        form: How it was found.
        date_format: The value's own date format, when it was found as a date.
        day_first: Whether the text writes the day before the month.
    """

    spans: tuple[Span, ...]
    form: Form
    date_format: str = ""
    day_first: bool = True


def as_number(text: str) -> float | None:
    """Read a number with thousands separators.

    Args:
        text: For example "1,234.50".

    Returns:
        The number, or None.
    """
    if not _NUMBER.fullmatch(text):
        return None
    plain = text.replace(",", "") if "." in text or re.search(r",\d{3}\b", text) else text
    try:
        return float(plain.replace(",", "."))
    except ValueError:
        return None


def find_value(layout: Layout, value: str) -> Found | None:
    """Find a value in a text.

    Args:
        layout: The text.
        value: The value, not empty.

    Returns:
        Where it stands, or None when it is not there in any known form.
    """
    spans = _verbatim(layout, value)
    if spans:
        return Found(spans, "verbatim")
    number = as_number(value)
    if number is not None:
        spans = tuple(
            (index, index) for index, word in enumerate(layout.words) if as_number(word) == number
        )
        if spans:
            return Found(spans, "number")
    return _as_date(layout, value)


def _verbatim(layout: Layout, value: str) -> tuple[Span, ...]:
    wanted = "".join(value.split()).lower()
    if not wanted:
        return ()
    characters: list[str] = []
    token_at_start: dict[int, int] = {}
    token_at_end: dict[int, int] = {}
    length = 0
    # Tokens hold every character that is not white space, so their lower-cased join is the text.
    for index, word in enumerate(layout.words):
        token_at_start[length] = index
        characters.append(word.lower())
        length += len(characters[-1])
        token_at_end[length] = index
    squashed = "".join(characters)
    spans: list[Span] = []
    position = squashed.find(wanted)
    while position >= 0:
        end = position + len(wanted)
        if position in token_at_start and end in token_at_end:
            spans.append((token_at_start[position], token_at_end[end]))
        position = squashed.find(wanted, position + 1)
    return tuple(spans)


def _as_date(layout: Layout, value: str) -> Found | None:
    known = format_of(value)
    if known is None:
        return None
    pattern, wanted = known
    starts = {int(start): index for index, start in enumerate(layout.starts)}
    ends = {int(end): index for index, end in enumerate(layout.ends)}
    for day_first in (True, False):
        spans = tuple(
            (starts[match.start()], ends[match.end()])
            for match in DATE.finditer(layout.text)
            if read_date(match, day_first=day_first) == wanted
            and match.start() in starts
            and match.end() in ends
        )
        if spans:
            return Found(spans, "date", pattern, day_first)
    return None


@dataclass(frozen=True)
class Convention:
    """How a field's values are written.

    Attributes:
        form: How values relate to the text.
        joiner: What stands for a line break inside a value.
        case: Whether values are put in upper or lower case.
        date_format: How dates are written.
        day_first: Whether the texts write the day before the month.
        decimals: How many decimals numbers have, or -1 for as many as needed.
        numeric: Whether values are JSON numbers rather than strings.
    """

    form: Form = "verbatim"
    joiner: str = " "
    case: Literal["as_is", "upper", "lower"] = "as_is"
    date_format: str = "%Y-%m-%d"
    day_first: bool = True
    decimals: int = -1
    numeric: bool = False

    def write(self, raw: str) -> Any:
        """Write a piece of text as this field's values are written.

        Args:
            raw: The piece as it stands in the text.

        Returns:
            The value.
        """
        if self.form == "date":
            match = DATE.fullmatch(raw.strip())
            day = read_date(match, day_first=self.day_first) if match else None
            if day is not None:
                return day.strftime(self.date_format)
        number = as_number(raw.strip()) if self.form == "number" or self.numeric else None
        if number is not None:
            if self.numeric:
                return int(number) if number.is_integer() and self.decimals <= 0 else number
            return f"{number:.{self.decimals}f}" if self.decimals >= 0 else f"{number:g}"
        value = _SPACES.sub(" ", _LINE_BREAK.sub(self.joiner, raw)).strip()
        return {"upper": value.upper, "lower": value.lower}.get(self.case, value.strip)()


def learn_convention(observed: Iterable[tuple[Layout, Found, Any]]) -> Convention:
    """Learn how a field's values are written.

    Args:
        observed: Texts with where the value stands in each and the value itself.

    Returns:
        The most frequent habits.
    """
    forms: Counter[tuple[Form, str, bool]] = Counter()
    joiners: Counter[str] = Counter()
    cases: Counter[Literal["as_is", "upper", "lower"]] = Counter()
    decimals: Counter[int] = Counter()
    numeric: Counter[bool] = Counter()
    for layout, found, value in observed:
        forms[found.form, found.date_format, found.day_first] += 1
        numeric[isinstance(value, int | float)] += 1
        written = str(value)
        decimals[len(written.rpartition(".")[2]) if "." in written else 0] += 1
        if found.form == "verbatim":
            first, last = found.spans[0]
            raw = layout.text[layout.starts[first] : layout.ends[last]]
            cases[_case(raw, written)] += 1
            joiners.update(_joiners(raw, written))
    if not forms:
        return Convention()
    form, date_format, day_first = forms.most_common(1)[0][0]
    same_decimals = len(decimals) == 1
    return Convention(
        form=form,
        joiner=joiners.most_common(1)[0][0] if joiners else " ",
        case=cases.most_common(1)[0][0] if cases else "as_is",
        date_format=date_format or "%Y-%m-%d",
        day_first=day_first,
        decimals=next(iter(decimals)) if same_decimals else -1,
        numeric=numeric[True] > numeric[False],
    )


def _case(raw: str, written: str) -> Literal["as_is", "upper", "lower"]:
    if "".join(raw.split()) == "".join(written.split()):
        return "as_is"
    return "upper" if written.isupper() else "lower" if written.islower() else "as_is"


def _joiners(raw: str, written: str) -> list[str]:
    """List what the written value has where the text breaks a line."""
    found: list[str] = []
    letters_before = 0
    breaks: set[int] = set()
    for piece in _LINE_BREAK.split(raw)[:-1]:
        letters_before += len("".join(piece.split()))
        breaks.add(letters_before)
    seen = 0
    position = 0
    while position < len(written):
        if written[position].isspace():
            position += 1
            continue
        seen += 1
        position += 1
        if seen in breaks:
            end = position
            while end < len(written) and written[end].isspace():
                end += 1
            found.append(written[position:end])
    return found
