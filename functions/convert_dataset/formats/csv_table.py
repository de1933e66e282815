"""CSV and TSV, with a header line or with numbered columns.

What may be quoted and how follows RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180), with other
delimiters and line ends as well. A line with nothing on it is no row.
"""

import csv
import re
from collections.abc import Iterator
from typing import TextIO

from functions.convert_dataset.reading.delimited import (
    MAX_CELL_CHARACTERS,
    Shape,
    keeping_quotes,
    lines_of,
    shape_of,
)
from functions.convert_dataset.reading.header import (
    column_names,
    is_header,
    rows_above_header,
)
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected

MAX_COLUMNS = 10_000

_EVEN = 0.9
_FAIRLY_EVEN = 0.6
_STRAY = "stray quotation mark"
_HOW_TO_QUOTE = (
    "a text with a quotation mark in it is put into quotation marks, and each one in it is "
    'written twice: "a ""big"" owl"'
)

_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 0.5 for an even table of several columns."""
    first_line = beginning.text.lstrip().partition("\n")[0].rstrip()
    if first_line in {"{", "["} or (first_line[:1] in {"{", "["} and beginning.records):
        return 0.0
    if _looks_like_objects(beginning):
        return 0.0
    shape = shape_of(beginning)
    columns = {place for cells in shape.rows for place, cell in enumerate(cells) if cell.strip()}
    if shape.width < 2 or len(columns) < 2:  # noqa: PLR2004
        return 0.0
    if shape.evenness < _FAIRLY_EVEN:
        return 0.1
    return 0.3 if shape.evenness < _EVEN or _is_prose(shape) else 0.5


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the rows, named by the header, or by 1, 2, … when there is none.

    Raises:
        Rejected: A quote is never closed, a row is far too long, or the header cannot be read.
    """
    shape = shape_of(source.beginning)
    above = rows_above_header(shape.rows, source.hints.known_columns)
    has_header = is_header(shape.rows[above:], source.hints.known_columns)
    first = shape.rows[above] if shape.rows else []
    if len(first) > MAX_COLUMNS:
        raise Rejected(
            f"{source.name} has {len(first):,} columns.",
            f"A table may have {MAX_COLUMNS:,}; check that its lines end.",
        )
    numbers = [str(number + 1) for number in range(shape.width)]
    header = column_names(first) if has_header else numbers
    with source.open_text() as text:
        skip = shape.before + above + has_header
        again = first if has_header else []
        yield from _rows(text, shape, header, source.name, skip=skip, again=again)


def _looks_like_objects(beginning: Beginning) -> bool:
    """Whether most lines are bracketed, as Python's dicts and broken JSON are."""
    lines = [line.strip() for line in beginning.lines[:50] if line.strip()]
    bracketed = sum(line[0] in "{[" and line[-1] in "}]" for line in lines)
    return bracketed * 2 > len(lines)


def note(source: Source) -> str:
    """Say how the cells are separated, and what was left out above the header."""
    shape = shape_of(source.beginning)
    above = rows_above_header(shape.rows, source.hints.known_columns)
    left_out = f"; rows above the header that were left out: {above}" if above else ""
    return (
        f"its cells are separated by {_DELIMITERS.get(shape.delimiter, shape.delimiter)}{left_out}"
    )


def _rows(
    text: TextIO, shape: Shape, header: list[str], name: str, *, skip: int, again: list[str]
) -> Iterator[Row | Refusal]:
    """Go through the rows. This is every table's hot path: a row with nothing odd is quick."""
    quoted: list[str] = []
    lines = lines_of(text, name)
    if shape.quoting == csv.QUOTE_MINIMAL:
        lines = keeping_quotes(lines, quoted, name)
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = csv.reader(lines, delimiter=shape.delimiter, quoting=shape.quoting, strict=True)
    well_quoted = _well_quoted(shape.delimiter)
    width = len(header)
    # In half the time that the constructor takes.
    new_row = tuple.__new__
    line = 1
    while True:
        try:
            for cells in reader:
                start, line = line, reader.line_num + 1
                stray = quoted and not _take(quoted, well_quoted)
                if skip:
                    skip -= 1
                elif stray:
                    yield Refusal(start, _STRAY, _HOW_TO_QUOTE)
                elif cells and len(cells) == width and cells[0].strip() and cells != again:
                    # strict= would compare the lengths once more, for a tenth of all the time.
                    yield new_row(Row, (start, dict(zip(header, cells))))  # noqa: B905
                elif cells:
                    yield _odd_row(start, cells, header, again)
        except csv.Error as error:
            can_go_on = reader.line_num == line and not skip and _is_whole(error, quoted, shape)
            yield _wrongly_quoted(error, line, name, can_go_on=can_go_on)
            quoted.clear()
            line = reader.line_num + 1
        else:
            return


def _wrongly_quoted(error: csv.Error, line: int, name: str, *, can_go_on: bool) -> Refusal:
    """Refuse a row with a quotation mark in a wrong place, or all the rest with it.

    Raises:
        Rejected: It is not known where the next row begins.
    """
    if can_go_on:
        return Refusal(line, _STRAY, _HOW_TO_QUOTE)
    raise Rejected(
        f"The row that begins on line {line} of {name} cannot be read: {error}.",
        f"Look for a quotation mark that is never closed there: {_HOW_TO_QUOTE}.",
    ) from None


def _odd_row(line: int, cells: list[str], header: list[str], again: list[str]) -> Row | Refusal:
    """Name a row's cells, or say what is wrong with it."""
    if cells == again:
        return Refusal(line, "header again", "the header stands here once more")
    if not any(cell.strip() for cell in cells):
        return Refusal(line, "empty row", "the line holds nothing but delimiters")
    if len(cells) != len(header):
        detail = (
            f"{len(cells)} cells where the table has {len(header)}; "
            "a text with a delimiter in it needs quotes"
        )
        return Refusal(line, "wrong number of cells", detail, cells)
    return Row(line, dict(zip(header, cells, strict=True)))


def _take(quoted: list[str], well_quoted: re.Pattern[str]) -> bool:
    """Whether a row's quotation marks are all where they may be. Its lines are looked at once."""
    row = "".join(quoted)
    quoted.clear()
    return bool(well_quoted.fullmatch(row))


def _is_whole(error: csv.Error, quoted: list[str], shape: Shape) -> bool:
    """Whether a wrongly quoted line holds a whole row, so that the next line begins another."""
    line = quoted[-1] if quoted else ""
    if "expected after" not in str(error) or len(line) > MAX_CELL_CHARACTERS:
        return False
    return len(next(csv.reader([line], delimiter=shape.delimiter), [])) >= shape.width


def _well_quoted(delimiter: str) -> re.Pattern[str]:
    """Match rows in which every quotation mark is where it may be."""
    cell = rf'(?:"[^"]*+(?:""[^"]*+)*+"|[^"{delimiter}\r\n]*+)'
    return re.compile(rf"{cell}(?:[{delimiter}]{cell})*+[\r\n]*+")


def _is_prose(shape: Shape) -> bool:
    """Whether what looks like a table is sentences: their commas have spaces behind them."""
    rest = [cell for cells in shape.rows for cell in cells[1:] if cell]
    spaced = sum(cell[0] == " " for cell in rest)
    return shape.delimiter in ",;" and spaced * 10 > len(rest) * 8
