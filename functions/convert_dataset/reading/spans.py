"""Character offsets in a text, and the fields they cut out.

Some tools write the offset behind the last character (exclusive), others the last one's own
(inclusive), and the same tool has done both. The texts that are cut out tell which.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from shared.errors import Rejected

Ends = Literal["exclusive", "inclusive"]

_OFFSET = re.compile(r"[0-9]{1,9}")
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_BEHIND_A_WORD = re.compile(r"[\s,;:!?，。、；：！？]")
_FARTHEST = 10**9
_CLEAR = 0.95
_PROBABLE = 0.8
_ENOUGH = 3


class Span(NamedTuple):
    """A labelled part of a text.

    Attributes:
        start: The offset of its first character.
        end: The offset of its last character, or the one behind it.
        label: What it is.
        text: Its text, when the file tells it.
    """

    start: int
    end: int
    label: str
    text: str | None = None


class Misfit(ValueError):
    """Offsets that do not fit their text; the message says which."""


def span_of(start: object, end: object, label: object, text: object = None) -> Span:
    """Make a span of what a file says. Raises Misfit when an offset or the label is none."""
    if not isinstance(label, str) or not label:
        raise Misfit(f"the span from {str(start)[:20]} has no label")
    return Span(
        offset_of(start), offset_of(end), label, text if isinstance(text, str) and text else None
    )


def offset_of(value: object) -> int:
    """Read an offset: an integer from 0, or its digits in a text. Raises Misfit otherwise."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _FARTHEST:
        return value
    if isinstance(value, str) and _OFFSET.fullmatch(value):
        return int(value)
    raise Misfit(f"{str(value)[:20]!r} is not an offset")


def fields_of(text: str, spans: Sequence[Span], ends: Ends | None) -> dict[str, str | list[str]]:
    """Cut the fields out of a text.

    Returns:
        Label -> the text cut out, or several in the order in which they stand in the text; the
        same text counts once.

    Raises:
        Misfit: An offset is outside of the text, or cuts out something else than the file says.
    """
    found: dict[str, list[str]] = {}
    for span in sorted(spans, key=lambda span: span.start):
        found.setdefault(span.label, []).append(_cut(text, span, ends))
    unique = {label: list(dict.fromkeys(values)) for label, values in found.items()}
    return {label: values if len(values) > 1 else values[0] for label, values in unique.items()}


def find_ends(examples: Iterable[tuple[str, Sequence[Span]]], hint: Ends | None) -> Ends | None:
    """Tell exclusive from inclusive ends.

    A text that the file gives for a span settles it. So does, unless most spans speak against it,
    an end at the text's very end, which is exclusive, or at the span's start, which is inclusive.
    Else three spans are needed that make sense in one way only: a word that is cut, or a space or
    comma that comes along, makes none.

    Args:
        examples: Texts and their spans.
        hint: What task.yaml says.

    Returns:
        None when it is not needed: all spans have their texts beside them, or there are none.

    Raises:
        Rejected: The texts that are cut out do not tell.
    """
    if hint:
        return hint
    told: Counter[Ends] = Counter()
    sure: Counter[Ends] = Counter()
    likely: Counter[Ends] = Counter()
    shown = ""
    for text, spans in examples:
        for span in spans:
            if span.text is not None:
                fitting = _fitting(text, span)
                told.update(fitting if len(fitting) == 1 else [])
                continue
            shown = shown or _both_cuts(text, span)
            if span.start == span.end or span.end == len(text):
                sure["inclusive" if span.start == span.end else "exclusive"] += 1
            else:
                likely.update(_likely(text, span))
    ends = _decide(told, sure, likely)
    if ends or not shown:
        return ends
    total = told + sure + likely
    raise Rejected(
        "The offsets do not tell whether their ends are exclusive: "
        f"{total['exclusive']} of the first spans look so, {total['inclusive']} look inclusive; "
        f"{shown}.",
        "Say `offsets: exclusive` or `offsets: inclusive` in task.yaml.",
    )


def _decide(told: Counter[Ends], sure: Counter[Ends], likely: Counter[Ends]) -> Ends | None:
    """Weigh the evidence; None when it does not suffice."""
    if told:
        ends, count = told.most_common(1)[0]
        return ends if count >= _CLEAR * told.total() else None
    both = sure + likely
    if not sure and likely.total() < _ENOUGH:
        return None
    ends, count = both.most_common(1)[0]
    share = count / both.total()
    agrees = not sure or sure[ends] >= _CLEAR * sure.total()
    return ends if share >= _CLEAR or (agrees and share >= _PROBABLE) else None


def _fitting(text: str, span: Span) -> list[Ends]:
    """Tell which cuts are the text that the file gives, up to white space if none is exactly.

    Browsers change white space in what is selected, and with them the tools that run in one.
    """
    cuts: list[tuple[Ends, str]] = [("exclusive", text[span.start : span.end])]
    if span.end < len(text):
        cuts.append(("inclusive", text[span.start : span.end + 1]))
    given = span.text or ""
    exact: list[Ends] = [ends for ends, cut in cuts if cut == given]
    return exact or [ends for ends, cut in cuts if _bare(cut) == _bare(given)]


def _bare(text: str) -> str:
    """Leave out white space, and line ends that a tool has written as a backslash and an n."""
    return "".join(text.replace("\\n", " ").split())


def _likely(text: str, span: Span) -> list[Ends]:
    """Tell the only way of cutting that makes sense; nothing when both do, or none."""
    if not 0 <= span.start < span.end < len(text):
        return []
    exclusive, inclusive = _is_odd(text, span.end), _is_odd(text, span.end + 1)
    if exclusive == inclusive:
        return []
    return ["inclusive"] if exclusive else ["exclusive"]


def _is_odd(text: str, end: int) -> bool:
    """Whether a cut before this offset ends in a space or comma, or inside of a word.

    Scripts without spaces between words do not show where one ends; in Korean, endings follow it.
    """
    last, following = text[end - 1], text[end : end + 1]
    if _BEHIND_A_WORD.match(last):
        return True
    in_word = last.isalnum() and following.isalnum()
    return in_word and not _NO_SPACES.search(last + following)


def _cut(text: str, span: Span, ends: Ends | None) -> str:
    """Cut out one span. Raises Misfit."""
    if span.text is not None:
        fitting = _fitting(text, span)
        if not fitting:
            raise Misfit(
                f"the file says {span.text[:40]!r}, but {_both_cuts(text, span)}; offsets must "
                "count characters"
            )
        ends = ends if ends in fitting else fitting[0]
    if ends is None:
        raise Misfit(
            "the first records do not tell how ends are meant; say `offsets:` in task.yaml"
        )
    end = span.end if ends == "exclusive" else span.end + 1
    if not 0 <= span.start < end <= len(text):
        raise Misfit(
            f"{span.start} to {span.end} ({ends}) is no part of a text of {len(text)} characters"
        )
    return text[span.start : end]


def _both_cuts(text: str, span: Span) -> str:
    """Show what a span cuts out in either way."""
    exclusive, inclusive = text[span.start : span.end], text[span.start : span.end + 1]
    return (
        f"{span.start} to {span.end} cuts out {exclusive[-30:]!r} exclusively, "
        f"{inclusive[-30:]!r} inclusively"
    )
