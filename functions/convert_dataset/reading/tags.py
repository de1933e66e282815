"""Tagged tokens, as in CoNLL files, made into a text and the fields in it.

Tags are read as seqeval does in its default mode, which is lenient: whatever the scheme (BIO,
IOB1, IOBES, BILOU, BMES), a tag with another type, or one that begins an entity, begins one, so
that an I- at the start is none the worse for it. https://github.com/chakki-works/seqeval
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

_FORMS = {
    "B-X": re.compile(r"(?P<role>[BIESLUM])-(?P<type>\S.*)", re.IGNORECASE),
    "B_X": re.compile(r"(?P<role>[BIESLUM])_(?P<type>\S.*)", re.IGNORECASE),
    "X-B": re.compile(r"(?P<type>\S.*)-(?P<role>[BIESLUM])"),
    "X_B": re.compile(r"(?P<type>\S.*)_(?P<role>[BIESLUM])"),
    "X": re.compile(r"(?P<role>)(?P<type>\S.*)"),
}
_BEGINS = frozenset("BSU")
_ENDS = frozenset("ESLU")
_OUTSIDE = frozenset({"O", "o"})
_UNSPACED = re.compile(
    "[\u3000-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff9f"
    "\U00020000-\U0003ffff]"
)


def scheme_of(tags: Iterable[str]) -> str:
    """Find out how tags are written: `B-X`, `B_X`, `X-B`, `X_B`, or `X` for types alone."""
    given = {tag for tag in tags if tag not in _OUTSIDE}
    fitting = (key for key, form in _FORMS.items() if all(map(form.fullmatch, given)))
    return next(fitting, "X") if given else "B-X"


def bad_tag(tags: Iterable[str], scheme: str) -> str | None:
    """Return the first tag that a scheme does not know; None when it knows all."""
    form = _FORMS[scheme]
    return next((tag for tag in tags if tag not in _OUTSIDE and not form.fullmatch(tag)), None)


def text_of(tokens: Sequence[str]) -> str:
    """Join tokens by spaces, but not where Chinese or Japanese characters meet.

    A sentence of single characters, some of them Chinese or Japanese, has no spaces at all.
    """
    return "".join(part for pair in zip(_gaps(tokens), tokens, strict=True) for part in pair)


def entities(tokens: Sequence[str], tags: Sequence[str], scheme: str) -> dict[str, str | list[str]]:
    """Collect the values of the fields that tags mark.

    Args:
        tokens: The tokens.
        tags: A tag for each; all of the scheme.
        scheme: What scheme_of has found.

    Returns:
        Type -> value, or values in their order when there are several different ones. Each stands
        in `text_of(tokens)` as it is.
    """
    gaps = _gaps(tokens)
    found: dict[str, dict[str, None]] = {}
    for kind, start, end in _spans(tags, scheme):
        pieces = (gaps[place] + tokens[place] for place in range(start + 1, end))
        found.setdefault(kind, {})[tokens[start] + "".join(pieces)] = None
    return one_or_several(found)


def one_or_several(found: Mapping[str, Iterable[str]]) -> dict[str, str | list[str]]:
    """Write fields with one value as text, and those with several as lists."""
    lists = {name: list(values) for name, values in found.items()}
    return {name: values[0] if len(values) == 1 else values for name, values in lists.items()}


def _spans(tags: Sequence[str], scheme: str) -> Iterator[tuple[str, int, int]]:
    """Find the entities: their types, first tokens and ends."""
    kind, start, closed = "", 0, True
    for place, tag in enumerate([*tags, "O"]):
        match = None if tag in _OUTSIDE else _FORMS[scheme].fullmatch(tag)
        role, next_kind = (match["role"].upper(), match["type"]) if match else ("", "")
        if kind and (closed or next_kind != kind or role in _BEGINS):
            yield kind, start, place
            kind = ""
        if next_kind and not kind:
            kind, start = next_kind, place
        closed = role in _ENDS


def _gaps(tokens: Sequence[str]) -> list[str]:
    """Say what stands before each token: a space or nothing."""
    if all(len(token) == 1 for token in tokens) and any(map(_UNSPACED.match, tokens)):
        return [""] * len(tokens)
    gaps = [
        "" if _UNSPACED.match(left[-1:]) and _UNSPACED.match(right[:1]) else " "
        for left, right in pairwise(tokens)
    ]
    return ["", *gaps][: len(tokens)]
