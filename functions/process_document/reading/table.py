"""Tables of documents: CSV or TSV with a header, JSON lines, or an array of JSON objects.

A file is such a table only when a column of it is the text's: the one that task.yaml names, or that
the labelled file had, or one with a usual name. Any other file with commas or braces in it is a
text.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from functions.process_document.reading.document import Document, Hints
from shared.errors import Rejected
from shared.examples import MAX_TEXT_CHARACTERS, TEXT_NAMES, joined_text

MAX_ROWS = 100_000
MAX_CELL_CHARACTERS = 2 * MAX_TEXT_CHARACTERS
MAX_LINE_CHARACTERS = 4 << 20

_BEGINNING = 1 << 20
_DELIMITERS = ",;\t"
_LONGEST_HEADER = 16_384
_LOOKED_AT = 20
_REGULAR_ROWS = 5
_NAMES = 2
"""A header with a single name is only one when task.yaml names it: it could be a title."""


class _Shape(NamedTuple):
    """How a table of cells is written: its delimiter, and the columns of the text."""

    delimiter: str
    columns: tuple[int, ...]
    names: tuple[str, ...]


def sniff(text: str, hints: Hints) -> bool:
    """Whether a text is a table of documents."""
    if text.lstrip()[:1] in {"{", "["}:
        return _first_is_record(text, hints)
    return _shape(text, hints) is not None


def read(content: bytes, name: str, hints: Hints) -> Iterator[Document]:
    """Go through the documents of a table.

    Args:
        content: The table, in UTF-8.
        name: Its name, for messages.
        hints: What task.yaml says.

    Raises:
        Rejected: It has too many rows, or is broken so that no more rows can be told.
    """
    text = content.decode()
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        records = _array(text, name) if start == "[" else _lines(text)
        documents = _of_records(records, hints)
    else:
        documents = _of_cells(text, name, hints)
    for number, document in enumerate(documents, 1):
        if number > MAX_ROWS:
            raise Rejected(f"{name} has more than {MAX_ROWS:,} rows.", "Split it.")
        yield document._replace(row=number)


def _wanted(names: Iterable[str], hints: Hints) -> tuple[str, ...]:
    """Choose the columns of the text; none when there are none."""
    by_case = {name.strip().lower(): name for name in reversed(list(names))}
    if hints.columns:
        found = [by_case.get(column.lower(), "") for column in hints.columns]
        return tuple(found) if all(found) else ()
    return tuple(by_case[name] for name in _usual(hints) if name in by_case)[:1]


def _usual(hints: Hints) -> tuple[str, ...]:
    """Return the names of the text's column, in lower case, where task.yaml names none."""
    return (hints.learnt.strip().lower(), *TEXT_NAMES) if hints.learnt else TEXT_NAMES


def doubt(text: str) -> str:
    """Say so when a text that is answered as one looks like a table; else nothing."""
    first = text[:_LONGEST_HEADER].partition("\n")[0]
    for delimiter in (mark for mark in _DELIMITERS if mark in first):
        header, *rest = _first_rows(text[:_BEGINNING], delimiter) or [[]]
        regular = len(header) >= _NAMES and all(len(cells) == len(header) for cells in rest)
        if regular and len(rest) >= _REGULAR_ROWS and all(cell.strip() for cell in header):
            names = ", ".join(cell.strip()[:40] for cell in header[:6])
            return (
                f"it looks like a table with the columns {names}, and was answered as one text: "
                "name the text's column in task.yaml to have each row answered, "
                "`columns: {text: …}`"
            )
    return ""


def _first_is_record(text: str, hints: Hints) -> bool:
    """Whether a text begins with JSON objects that have a column of the text.

    One object over several lines is a text; a record is a line, or in an array.
    """
    start = text.lstrip()
    if start.startswith("["):
        place = len(start) - len(start[1:].lstrip())
        try:
            first, _ = json.JSONDecoder().raw_decode(start[:_BEGINNING], place)
        except (ValueError, RecursionError):
            return False
        return isinstance(first, dict) and bool(_wanted(first, hints))
    first = _record(start[:_BEGINNING].split("\n", 1)[0])
    return isinstance(first, dict) and bool(_wanted(first, hints))


def _record(line: str) -> object:
    """Read one line of JSON; None when it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _lines(text: str) -> Iterator[object]:
    """Read JSON lines; blank ones do not count."""
    for line in io.StringIO(text, newline=None):
        if line.strip():
            yield _record(line) if len(line) <= MAX_LINE_CHARACTERS else None


def _array(text: str, name: str) -> list[object]:
    """Read an array."""
    try:
        records = json.loads(text)
    except (ValueError, RecursionError):
        raise Rejected(
            f"{name} begins as an array of JSON objects, but is not JSON as a whole.",
            "Correct it, or upload JSON lines: one object a line.",
        ) from None
    return records if isinstance(records, list) else []


def _of_records(records: Iterable[object], hints: Hints) -> Iterator[Document]:
    """Make documents of JSON objects."""
    for record in records:
        columns = _wanted(record, hints) if isinstance(record, dict) else ()
        if not isinstance(record, dict):
            yield Document("", "JSON", flaw="it is not a JSON object")
        elif not columns:
            yield Document("", "JSON", flaw="it has no column of the text")
        else:
            yield _document(record, columns, "JSON")


def _document(values: Mapping[str, Any], columns: Sequence[str], form: str) -> Document:
    """Make a document of a row, with its text as training puts it together."""
    text = joined_text(values[column] for column in columns)
    reader = f"{form}, {', '.join(columns)}"
    return Document(text, reader, flaw="" if text else "it has no text")


def _shape(text: str, hints: Hints) -> _Shape | None:
    """Find out whether a text is a table, by its first rows; None when it is none."""
    beginning = text[:_BEGINNING]
    first = beginning[:_LONGEST_HEADER].lstrip().split("\n", 1)[0].lower()
    usual = [column.lower() for column in hints.columns] or _usual(hints)
    if not any(column in first for column in usual):
        return None
    for delimiter in _DELIMITERS:
        rows = _first_rows(beginning, delimiter)
        header = rows[0] if rows else []
        columns = _wanted(header, hints)
        if not columns or (len(header) < _NAMES and not hints.columns):
            continue
        rest = rows[1:]
        if rest and all(len(cells) == len(header) for cells in rest):
            return _Shape(delimiter, tuple(header.index(name) for name in columns), columns)
    return None


def _first_rows(beginning: str, delimiter: str) -> list[list[str]]:
    """Cut the first lines into cells; the last row may be cut off, and is left out."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    rows: list[list[str]] = []
    lines = io.StringIO(beginning, newline="")
    try:
        for cells in csv.reader(lines, delimiter=delimiter, strict=True):
            if cells:
                rows.append(cells)
            if len(rows) > _LOOKED_AT:
                return rows
    except csv.Error:
        return rows
    return rows if len(beginning) < _BEGINNING else rows[:-1]


def _of_cells(text: str, name: str, hints: Hints) -> Iterator[Document]:
    """Make documents of the rows of a table of cells."""
    shape = _shape(text, hints)
    if shape is None:
        raise Rejected(f"{name} is not a table.", "Give each row as many cells as the header has.")
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=shape.delimiter)
    width = None
    try:
        for cells in rows:
            if not cells:
                continue
            if width is None:
                width = len(cells)
            elif len(cells) != width:
                flaw = f"it has {len(cells)} cells, and the header {width}"
                yield Document("", "table", flaw=flaw)
            else:
                values = {
                    column: cells[place]
                    for column, place in zip(shape.names, shape.columns, strict=True)
                }
                yield _document(values, shape.names, "table")
    except csv.Error as error:
        raise Rejected(
            f"{name} cannot be read from line {rows.line_num:,} on: {error}.",
            "Close its quotation marks, and upload it again.",
        ) from None
