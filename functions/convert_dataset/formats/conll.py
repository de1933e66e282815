"""CoNLL: a token and its tag a line, a blank line between sentences.

The tag is in the last column, or in the first one, as the MIT corpora have it; other columns are
left out. `-DOCSTART-` lines and `# id = 3` comments are no tokens.
https://www.clips.uantwerpen.be/conll2003/ner/
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from functions.convert_dataset.reading.delimited import lines_of
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.tags import bad_tag, entities, text_of
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row

MAX_TOKENS = 10_000
MAX_CHARACTERS = 4_000_000

_MOST = 0.95
_SAMPLE_LINES = 5000
_PLAIN_TAGS = 50
_WHITE_SPACE = re.compile(r"[ \t]+")


class _Layout(NamedTuple):
    """How lines are written."""

    separator: re.Pattern[str]
    tag: int
    scheme: str
    token: int


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 0.95 for tags such as B-X, 0.6 for X beside O."""
    layout = _layout(beginning)
    if layout is None or not any(not line.strip() for line in beginning.lines):
        return 0.0
    return 0.6 if layout.scheme == "X" else 0.95


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the sentences; their answers are the fields that their tags mark, perhaps none."""
    layout = _layout(source.beginning) or _Layout(_WHITE_SPACE, -1, "B-X", 0)
    with source.open_text() as text:
        for start, lines in _sentences(lines_of(text, source.name)):
            if lines is None:
                detail = f"more than {MAX_TOKENS:,} tokens; is there a blank line behind each one?"
                yield Refusal(start, "sentence too long", detail)
            elif row := _row(start, lines, layout):
                yield row


def _sentences(lines: Iterator[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Divide lines at blank ones: the number of the first, and the lines when not too many."""
    start, size = 1, 0
    kept: list[str] = []
    for number, line in enumerate(lines, 1):
        if line.isspace():
            if kept:
                yield start, kept if _fits(kept, size) else None
            start, size, kept = number + 1, 0, []
        elif _fits(kept, size):
            size += len(line)
            kept.append(line.rstrip("\r\n"))
    if kept:
        yield start, kept if _fits(kept, size) else None


def _fits(lines: list[str], size: int) -> bool:
    """Whether the lines of a sentence are no more than it may have."""
    return len(lines) <= MAX_TOKENS and size <= MAX_CHARACTERS


def _row(start: int, lines: list[str], layout: _Layout) -> Row | Refusal | None:
    """Make a row of a sentence; None when it has no tokens."""
    first = start
    tokens: list[str] = []
    tags: list[str] = []
    for number, line in enumerate(lines, start):
        if line.startswith("-DOCSTART-"):
            continue
        cells = _cells(line, layout.separator)
        enough = len(cells) > max(1, layout.token)
        wrong = bad_tag([cells[layout.tag]], layout.scheme) if enough else line
        if wrong is not None and line.startswith(("# ", "#\t") if len(cells) > 1 else "#"):
            continue
        if wrong is not None:
            detail = f"line {number} has {wrong[:60]!r} where a tag such as O or B-… should be"
            return Refusal(start, "not a tag", detail)
        first = first if tokens else number
        tokens.append(cells[layout.token])
        tags.append(cells[layout.tag])
    if not tokens:
        return None
    return Row(first, {TEXT: text_of(tokens), ANSWER: entities(tokens, tags, layout.scheme)})


def _cells(line: str, separator: re.Pattern[str]) -> list[str]:
    """Cut a line into its columns."""
    return separator.split(line if separator is not _WHITE_SPACE else line.strip(" \t"))


def _layout(beginning: Beginning) -> _Layout | None:
    """Find out how lines are written; None when no column looks like tags."""
    lines = [
        line
        for line in islice(beginning.lines, _SAMPLE_LINES)
        if line.strip() and not line.startswith(("-DOCSTART-", "# ", "#\t"))
    ]
    tabs = sum("\t" in line for line in lines) >= _MOST * len(lines)
    separator = re.compile("\t") if tabs else _WHITE_SPACE
    rows = [_cells(line, separator) for line in lines]
    if not rows or sum(len(cells) > 1 for cells in rows) < _MOST * len(rows):
        return None
    for scheme in ("B-X", "B_X", "X-B", "X_B", "X"):
        for place in (-1, 0):
            tags = [cells[place] for cells in rows if len(cells) > 1]
            if _are_tags(tags, scheme):
                return _Layout(separator, place, scheme, _token_place(rows, place))
    return None


def _token_place(rows: list[list[str]], tag: int) -> int:
    """Return the column of the tokens: the first, or the last; behind a column of row numbers."""
    if tag == 0:
        return -1
    wide = [cells for cells in rows if len(cells) > 2]  # noqa: PLR2004
    numbered = sum(cells[0].isdigit() for cells in wide) >= _MOST * len(rows)
    return 1 if numbered else 0


def _are_tags(column: list[str], scheme: str) -> bool:
    """Whether a column holds tags of a scheme."""
    kinds = {tag for tag in column if tag not in {"O", "o"}}
    if scheme == "X":
        outside = len(column) - sum(tag in kinds for tag in column)
        few = 0 < len(kinds) <= _PLAIN_TAGS and len(kinds) * 10 <= len(column)
        return few and outside * 4 >= len(column)
    right = {tag for tag in kinds if bad_tag([tag], scheme) is None}
    wrong = sum(tag in kinds and tag not in right for tag in column)
    return bool(right) and wrong <= (1 - _MOST) * len(column)
