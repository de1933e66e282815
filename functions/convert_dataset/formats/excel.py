"""Excel workbooks (.xlsx): one sheet, with the values its formulas had when it was saved."""

import datetime as dt
import math
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from itertools import chain, islice
from typing import BinaryIO, TypeVar

from functions.convert_dataset.column_kinds import in_yaml
from functions.convert_dataset.reading.header import (
    column_names,
    is_header,
    rows_above_header,
)
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.zips import (
    MAX_WORKBOOK_BYTES,
    begins_like_workbook,
)
from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected
from shared.unpacking.archives import open_member, open_zip

MAX_COLUMNS = 1000
MAX_ROWS = 1_048_576
"""Excel's own limit."""

_SAMPLE_ROWS = 1000
_SOME_ROWS = 500
_CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 1 << 15
_MAX_INTEGRAL = 1e15
_WRONG = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, EOFError,
    RuntimeError, SyntaxError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
_ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#GETTING_DATA"}
)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_FORMULA_WITHOUT_VALUE = re.compile(
    rb"<(?:\w+:)?c\s([^<>]*)>\s*<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_COORDINATE = re.compile(rb'\br="([A-Z]{1,3}[0-9]{1,7})"')

_T = TypeVar("_T")
Cells = tuple[object, ...]
"""The values of a row, without the empty cells at its end."""


def sniff(beginning: Beginning) -> float:
    """Say whether a file is a zip archive that begins as workbooks do."""
    data = beginning.data
    return 1.0 if data.startswith(b"PK\x03\x04") and begins_like_workbook(data) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the rows of the first sheet, or of the one that task.yaml names.

    Raises:
        Rejected: The workbook is damaged or too large, or has no such sheet.
    """
    with source.open() as stream:
        unknown = _formulas_without_values(stream, source.name)
        stream.seek(0)
        rows = _without_empty_ends(enumerate(_rows(stream, source), 1))
        sample = list(islice(rows, _SAMPLE_ROWS))
        filled = [cells for _, cells in sample if cells]
        above = _above_header(filled, source)
        named_by_header = _has_header(filled[above:], source)
        names = _names(filled[above:], named_by_header=named_by_header)
        table = [place for place, (_, cells) in enumerate(sample) if cells][above:]
        first = table[0] if table else 0
        for number, cells in chain(sample[first + named_by_header :], rows):
            yield _row(number, cells, names, unknown)


def note(source: Source) -> str:
    """Say which sheet was read, and which were not."""
    with source.open() as stream:
        names = _guarded(lambda: _sheet_names(stream), source.name)
    read_one = source.hints.sheet or names[0]
    others = ", ".join(repr(name) for name in names if name != read_one)
    return f"the sheet {read_one!r} was read" + (f"; not read: {others}" if others else "")


def elsewhere(source: Source) -> str:
    """Say which other sheets the rows may be on, and how to name one; empty without others."""
    try:
        with source.open() as stream:
            names = _guarded(lambda: _sheet_names(stream), source.name)
    except Rejected:
        # It is damaged, which is what was found before.
        return ""
    read_one = source.hints.sheet or next(iter(names), "")
    others = [name for name in names if name != read_one]
    if not others or read_one not in names:
        return ""
    return (
        f"The sheet {read_one!r} was read; if the rows are on {' or '.join(map(repr, others[:5]))}"
        f", say so in task.yaml: `sheet: {in_yaml(others[0])}`."
    )


def _sheet_names(stream: BinaryIO) -> list[str]:
    """List the names of the sheets that hold cells."""
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    return [sheet.title for sheet in book.worksheets]


def _rows(stream: BinaryIO, source: Source) -> Iterator[Cells]:
    """Go through the rows of the sheet, the empty ones too."""
    with warnings.catch_warnings():
        # openpyxl warns of what a workbook has beside its cells.
        warnings.simplefilter("ignore")
        rows = _guarded(lambda: _sheet(stream, source), source.name)
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            some = _guarded(lambda: list(islice(rows, _SOME_ROWS)), source.name)
        if not some:
            return
        yield from (_trimmed(cells, source.name) for cells in some)


def _sheet(stream: BinaryIO, source: Source) -> Iterator[Cells]:
    """Open the workbook, and a sheet of it."""
    from openpyxl import load_workbook

    book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    wanted = source.hints.sheet
    if not sheets or (wanted is not None and wanted not in sheets):
        raise Rejected(
            f"{source.name} has no sheet {wanted or 'at all'!r}; its sheets are "
            f"{', '.join(map(repr, sheets))}.",
            "Correct `sheet:` in task.yaml.",
        )
    sheet = sheets[wanted] if wanted is not None else next(iter(sheets.values()))
    # Some programs write a wrong size, and rows beyond it would be left out.
    sheet.reset_dimensions()
    rows: Iterator[Cells] = islice(sheet.iter_rows(values_only=True), MAX_ROWS + 1)
    return rows


def _guarded(do: Callable[[], _T], name: str) -> _T:
    """Do something with a workbook; what openpyxl raises for a damaged one becomes Rejected."""
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return do()
    except (InvalidFileException, OSError, *_WRONG) as error:
        if isinstance(error, OSError) and type(error) is not OSError:
            # openpyxl raises OSError itself for damage; its kinds come from reading in storage.
            raise
        reason = str(error).partition("\n")[0][:150] or type(error).__name__
        raise Rejected(
            f"{name} is damaged: {reason}.", "Save it in Excel again, as .xlsx."
        ) from error


def _trimmed(cells: Sequence[object], name: str) -> Cells:
    """Turn a row's cells into plain values, without the empty ones at the end."""
    values = [_plain(value) for value in cells]
    while values and values[-1] is None:
        values.pop()
    if len(values) > MAX_COLUMNS:
        raise Rejected(
            f"{name} has more than {MAX_COLUMNS:,} columns.", "Keep those with texts and labels."
        )
    return tuple(values)


def _plain(value: object) -> object:
    """Turn a cell's value into text, a number or a truth value; dates become ISO text."""
    if isinstance(value, str):
        text = _ESCAPE.sub(_unescape, value) if "_x" in value else value
        return None if not text or text in _ERRORS else text
    if isinstance(value, float):
        whole = abs(value) < _MAX_INTEGRAL and value.is_integer()
        return int(value) if whole else None if math.isnan(value) else value
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)


def _unescape(match: re.Match[str]) -> str:
    """Read Excel's way of writing control characters; half of a character stays as it is."""
    character = chr(int(match[1], 16))
    return match[0] if "\ud800" <= character <= "\udfff" else character


def _without_empty_ends(rows: Iterable[tuple[int, Cells]]) -> Iterator[tuple[int, Cells]]:
    """Leave out the empty rows before the first row and after the last."""
    begun = False
    empty: tuple[int, int] | None = None
    for number, cells in rows:
        if number > MAX_ROWS:
            raise Rejected("The sheet has more rows than Excel allows.", "Upload a CSV file.")
        if not cells:
            empty = (empty[0] if empty else number, number + 1)
            continue
        if empty and begun:
            yield from ((between, ()) for between in range(*empty))
        begun, empty = True, None
        yield number, cells


def _has_header(rows: Sequence[Cells], source: Source) -> bool:
    """Whether the first row names the columns."""
    width = max(map(len, rows), default=0)
    texts = [[_text(value) for value in cells] + [""] * (width - len(cells)) for cells in rows]
    named = all(isinstance(value, str | None) for value in rows[0]) if rows else False
    return named and is_header(texts, source.hints.known_columns)


def _above_header(rows: Sequence[Cells], source: Source) -> int:
    """Count the rows above the header: a title, a comment."""
    texts = [[_text(value) for value in cells] for cells in rows]
    return rows_above_header(texts, source.hints.known_columns)


def _names(rows: Sequence[Cells], *, named_by_header: bool) -> dict[int, str]:
    """Name the columns by the first row, or number them; columns without anything have no name."""
    width = max(map(len, rows), default=0)
    used = [
        any(place < len(cells) and cells[place] is not None for cells in rows)
        for place in range(width)
    ]
    first = [_text(value) for value in rows[0]] if named_by_header else []
    names = column_names([*first, *[""] * (width - len(first))])
    return {place: name for place, name in enumerate(names) if used[place]}


def _text(value: object) -> str:
    """Write a value as text."""
    return "" if value is None else str(value)


def _row(number: int, cells: Cells, names: dict[int, str], unknown: Set[int]) -> Row | Refusal:
    """Name a row's cells."""
    if not cells:
        return Refusal(number, "empty row", "the row holds nothing")
    beside = [
        place for place, value in enumerate(cells) if value is not None and place not in names
    ]
    if beside:
        detail = f"cell {beside[0] + 1} has a value, but its column has no name"
        return Refusal(number, "wrong number of cells", detail)
    values = {name: cells[place] if place < len(cells) else None for place, name in names.items()}
    for place, name in names.items():
        if values[name] is None and _key(number, place + 1) in unknown:
            detail = f"the column {name!r}; open the workbook in Excel once, and save it"
            return Refusal(number, "formula without a value", detail)
    return Row(number, values)


def _formulas_without_values(stream: BinaryIO, name: str) -> Set[int]:
    """Find the cells whose formulas have never been calculated, in all sheets.

    openpyxl takes them for empty cells, and they are not.
    """
    from openpyxl.utils.cell import coordinate_to_tuple

    found: set[int] = set()
    with open_zip(stream, name, MAX_WORKBOOK_BYTES) as archive:
        for member in archive.infolist():
            if not member.filename.startswith("xl/worksheets/"):
                continue
            with open_member(archive, member, name) as sheet:
                before = b""
                while chunk := sheet.read(_CHUNK_BYTES):
                    for match in _FORMULA_WITHOUT_VALUE.finditer(before + chunk):
                        place = _COORDINATE.search(match[1])
                        if place and b't="str"' not in match[1]:
                            found.add(_key(*coordinate_to_tuple(place[1].decode())))
                    before = chunk[-_OVERLAP_BYTES:]
    return found


def _key(row: int, column: int) -> int:
    """Number a cell."""
    return row << 15 | column
