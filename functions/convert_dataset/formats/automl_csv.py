"""Google AutoML's CSV for texts, which has no header: `[use,]text,label[,label…]`.

The text may be the address of one, gs://…; for sentiment the cells behind it are a number and the
largest one there is. https://cloud.google.com/vertex-ai/docs/text-data/classification/prepare-data
"""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from functions.convert_dataset.columns import KNOWN_COLUMNS
from functions.convert_dataset.reading.delimited import (
    MAX_CELL_CHARACTERS,
    cut_by,
    keeping_quotes,
    lines_of,
    shape_of,
)
from functions.convert_dataset.reading.header import is_header, rows_above_header
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.rows import ANSWER, SPLIT, TEXT, Refusal, Row
from shared.errors import Rejected

SENTIMENT = "sentiment"

_SPLITS = frozenset({"train", "training", "validation", "test"})
_USES = _SPLITS | {"unassigned", ""}
_ADDRESS = "gs://"
_MOST = 0.9
_ENOUGH_ROWS = 8
_LONGEST_LABEL = 60
_LABELS_A_LABEL = 3
_SMALL_NUMBER = re.compile(r" *[0-9]{1,2} *")


class _Layout(NamedTuple):
    """What the cells hold: whether the first says the use, and what stands behind the text."""

    use: bool
    several: bool
    largest: int | None


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 0.95 for uses, addresses or sentiments as Google's.

    Rows with different numbers of labels get 0.6, and an ordinary table nothing.
    """
    rows = _sample(beginning)
    if not rows or is_header(rows, frozenset()) or rows_above_header(rows, KNOWN_COLUMNS):
        return 0.0
    layout = _layout(rows)
    addresses = sum(any(cell.startswith(_ADDRESS) for cell in cells[:2]) for cells in rows)
    if layout.use or layout.largest or addresses >= _MOST * len(rows):
        return 0.95
    labels = [label for cells in rows for label in cells[1:]]
    uneven = len({len(cells) for cells in cut_by(beginning, ",").rows}) > 1
    few = len(set(labels)) * _LABELS_A_LABEL <= len(labels)
    short = max(map(len, labels), default=0) <= _LONGEST_LABEL
    prose = sum(label.startswith(" ") for label in labels) * 2 > len(labels)
    whole = sum(len(cells) > 1 for cells in rows) >= _MOST * len(rows)
    # A decimal comma is no delimiter.
    uneven = uneven and shape_of(beginning).delimiter == ","
    fits = len(rows) >= _ENOUGH_ROWS and uneven and few and short and whole and not prose
    return 0.6 if fits else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the rows. The answers are lists when a row in the beginning has several labels.

    Raises:
        Rejected: A quote is never closed, or the rows name files with entities in them.
    """
    layout = _layout(_sample(source.beginning))
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    line = 1
    quoted: list[str] = []
    with source.open_text() as text:
        lines = keeping_quotes(lines_of(text, source.name), quoted, source.name)
        reader = csv.reader(lines, strict=True)
        try:
            for cells in reader:
                start, line = line, reader.line_num + 1
                quoted.clear()
                given = _given(cells)
                if given:
                    yield _row(start, given, layout, source)
        except csv.Error as error:
            raise Rejected(
                f"The row that begins on line {line} of {source.name} cannot be read: {error}.",
                "Look for a quotation mark that is never closed, or not written twice in a text.",
            ) from None


def _row(line: int, cells: list[str], layout: _Layout, source: Source) -> Row | Refusal:
    """Make a row of its cells."""
    has_use = layout.use and cells[0].strip().lower() in _USES
    use = cells[0].strip() if has_use else ""
    text, *labels = cells[has_use:] or [""]
    values: dict[str, object] = {SPLIT: use} if use.lower() in _SPLITS else {}
    if text.startswith(_ADDRESS):
        if text.endswith(".jsonl"):
            raise Rejected(
                f"{source.name} only names other files, such as {text[:200]}.",
                "Upload these JSONL files themselves.",
            )
        try:
            text = source.text_at(text.strip())
        except Rejected as error:
            return Refusal(line, "text not found", str(error))
    values[TEXT] = text
    if layout.largest is not None:
        if not _is_sentiment(labels, layout.largest):
            detail = (
                f"behind the text come a number from 0 to {layout.largest} and {layout.largest}"
            )
            return Refusal(line, "not a sentiment", detail)
        return Row(line, {**values, SENTIMENT: labels[0].strip()})
    labels = [label for label in labels if label.strip()]
    if not labels:
        return Refusal(line, "no label", "no cell behind the text holds a label")
    if len(labels) > 1 and not layout.several:
        detail = f"{len(labels)} labels, where the first rows have one; a comma needs quotes"
        return Refusal(line, "several labels", detail)
    return Row(line, {**values, ANSWER: labels if layout.several else labels[0]})


def _sample(beginning: Beginning) -> list[list[str]]:
    """Read the first rows, without the empty cells at their ends."""
    return [given for cells in cut_by(beginning, ",").rows if (given := _given(cells))]


def _given(cells: list[str]) -> list[str]:
    """Leave out empty cells at the end."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _layout(rows: Sequence[Sequence[str]]) -> _Layout:
    """Find out what the cells of some rows hold."""
    uses = [cells[0].strip().lower() for cells in rows]
    used = sum(use in _USES and len(cells) > 1 for use, cells in zip(uses, rows, strict=True))
    named = sum(use in _USES and use != "" for use in uses)
    use = bool(rows) and uses[0] in _USES and used >= _MOST * len(rows) and named * 2 >= len(rows)
    behind = [
        cells[1 + (use and first in _USES) :] for cells, first in zip(rows, uses, strict=True)
    ]
    ends = {cells[-1].strip() for cells in behind if cells}
    largest = int(end) if len(ends) == 1 and _SMALL_NUMBER.fullmatch(end := ends.pop()) else 0
    sentiment = largest > 0 and all(_is_sentiment(labels, largest) for labels in behind)
    different = len({labels[0] for labels in behind if labels}) > 1
    several = any(len(labels) > 1 for labels in behind)
    return _Layout(use, several, largest if sentiment and different else None)


def _is_sentiment(labels: Sequence[str], largest: int) -> bool:
    """Whether the cells behind a text are a sentiment and the largest one."""
    numbers = [int(label) for label in labels if _SMALL_NUMBER.fullmatch(label)]
    return len(labels) == len(numbers) == 2 and numbers[0] <= numbers[1] == largest  # noqa: PLR2004
