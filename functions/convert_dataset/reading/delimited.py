"""Tables in text: which delimiter they have, whether quotation marks quote, and the first rows."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple, TextIO

from functions.convert_dataset.reading.source import Beginning
from shared.errors import Rejected

DELIMITERS = ",\t;|"
MAX_CELL_CHARACTERS = 4 << 20
"""Without a limit, an unclosed quote swallows the rest of the file."""
MAX_ROW_CHARACTERS = 4 * MAX_CELL_CHARACTERS
"""A file without line ends, or with a row that never ends, does not have to fit into memory."""

_SAMPLE_ROWS = 1000
_SEPARATOR_LINE = re.compile(r"sep=([,\t;|])\s*$", re.IGNORECASE)
_QUOTED_CELL = re.compile(r'(?:(?<=[\t\r\n])|\A)"([^"]*+(?:""[^"]*+)*+)"(?=[\t\r\n]|\Z)')


class Shape(NamedTuple):
    """How a table is written.

    Attributes:
        delimiter: What stands between the cells.
        quoting: Whether quotation marks quote, as the csv module says it.
        rows: The first rows, without blank lines and a `sep=` line.
        before: How many rows come before these.
        width: How many cells most of them have.
        evenness: The share of the rows that have as many.
    """

    delimiter: str
    quoting: Literal[0, 3]
    rows: list[list[str]]
    before: int
    width: int
    evenness: float


def shape_of(beginning: Beginning) -> Shape:
    """Find out how a table is written: by the delimiter that cuts it most evenly.

    A first line such as `sep=;`, which Excel reads, settles the delimiter.
    """
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    named = _SEPARATOR_LINE.match(beginning.lines[0]) if beginning.lines else None
    shapes = [cut_by(beginning, delimiter) for delimiter in (named[1] if named else DELIMITERS)]
    return max(shapes, key=lambda shape: (shape.width > 1, shape.evenness, shape.width))


def cut_by(beginning: Beginning, delimiter: str) -> Shape:
    """Read the first rows with a delimiter; at most 1,000, and none that is cut off."""
    quoting = _quoting(beginning.text, delimiter)
    lines = io.StringIO(beginning.text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting)
    rows: list[list[str]] = []
    before = 0
    whole = beginning.whole
    try:
        for cells in reader:
            if not rows and _is_before_the_table(cells, delimiter):
                before += 1
            elif cells:
                rows.append(cells)
            if len(rows) == _SAMPLE_ROWS:
                whole = True
                break
    except csv.Error:
        whole = False
    if not whole and len(rows) > 1:
        rows.pop()
    ((width, count),) = Counter(map(len, rows)).most_common(1) or [(0, 0)]
    return Shape(delimiter, quoting, rows, before, width, count / max(1, len(rows)))


def _quoting(text: str, delimiter: str) -> Literal[0, 3]:
    """Tell whether quotation marks quote: in files with tabs mostly they are just text.

    They quote when cells are quoted that need it, or when half of the lines have a quoted cell.
    """
    if delimiter != "\t":
        return csv.QUOTE_MINIMAL
    quoted = _QUOTED_CELL.findall(text)
    strays = _QUOTED_CELL.sub("", text).count('"')
    needed = any(re.search(r'[\t\r\n"]', cell) for cell in quoted)
    lines = text.count("\n") or text.count("\r") or 1
    believed = needed or len(quoted) * 2 > lines
    return csv.QUOTE_MINIMAL if believed and strays <= len(quoted) else csv.QUOTE_NONE


def _is_before_the_table(cells: list[str], delimiter: str) -> bool:
    """Whether a row comes before the first one: nothing in it, or Excel's `sep=;`."""
    text = delimiter.join(cells)
    return not text.strip(delimiter).strip() or bool(_SEPARATOR_LINE.match(text))


def lines_of(text: TextIO, name: str) -> Iterator[str]:
    """Go through the lines of a file, with their ends.

    Raises:
        Rejected: A line is far too long.
    """
    while line := text.readline(MAX_ROW_CHARACTERS):
        if len(line) == MAX_ROW_CHARACTERS:
            raise _too_long(name)
        yield line


def keeping_quotes(lines: Iterator[str], quoted: list[str], name: str) -> Iterator[str]:
    """Go through lines, and keep those with quotation marks until their row is looked at.

    Args:
        lines: The lines.
        quoted: Where they are kept; whoever looks at a row clears it.
        name: The file's name, for messages.

    Raises:
        Rejected: A row is far too long.
    """
    size = 0
    for line in lines:
        if '"' in line:
            size = size + len(line) if quoted else len(line)
            quoted.append(line)
            if size > MAX_ROW_CHARACTERS:
                raise _too_long(name)
        yield line


def _too_long(name: str) -> Rejected:
    """Say that a row takes more memory than it may."""
    return Rejected(
        f"{name} has a row of more than {MAX_ROW_CHARACTERS:,} characters.",
        "Check that its lines end, and that no quotation mark is left open.",
    )
