"""CSV and TSV, in UTF-8, with a header line or with numbered columns."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from typing import BinaryIO, Literal

from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected

DELIMITERS = ",\t;|"
MAX_FIELD_CHARACTERS = 4 << 20
"""Without a limit, an unclosed quote swallows the rest of the file."""

_SNIFF_ROWS = 1000
_ENOUGH_ROWS = 8
_LONGEST_NAME = 60
_SAMPLE_BYTES = 65_536


def sniff(beginning: bytes) -> float:
    """Say how well a file's beginning fits: 0.5 for text whose first row has several cells."""
    sample = _decode_sample(beginning)
    if "\0" in sample:
        return 0.0
    counts = _cells(sample, _delimiter(sample))
    return 0.5 if counts and counts[0] > 1 else 0.0


def rows(stream: BinaryIO, known_columns: Collection[str]) -> Iterator[Row | Refusal]:
    """Read the rows, named by the header, or by 1, 2, … when there is none.

    Args:
        stream: The file, seekable.
        known_columns: Lower-case names; a first row with one of them is a header.

    Raises:
        Rejected: The file is not UTF-8, or a quote is never closed.
    """
    sample = _decode_sample(stream.read(_SAMPLE_BYTES))
    stream.seek(0)
    delimiter = _delimiter(sample)
    has_header = _has_header(_first_rows(sample, delimiter), known_columns)
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=delimiter, quoting=_quoting(sample, delimiter), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if header is None and _is_before_the_table(cells, delimiter):
                continue
            if header is None:
                header = [str(number + 1) for number in range(len(cells))]
                if has_header:
                    header = _column_names(cells)
                    continue
            yield _row(start, cells, header)
    except UnicodeDecodeError as error:
        raise Rejected(
            f"The file is not UTF-8 near line {line} (byte {error.object[error.start]:#04x}).",
            "Save it as UTF-8 and upload it again.",
        ) from None
    except csv.Error as error:
        raise Rejected(
            f"The row that begins on line {line} cannot be read: {error}.",
            "Look for a quotation mark that is never closed there.",
        ) from None


def not_utf8(beginning: bytes) -> str:
    """Say where a file's beginning is not UTF-8; empty when it is."""
    try:
        beginning.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(beginning) - 3:
            line = beginning.count(b"\n", 0, error.start) + 1
            return f"byte {beginning[error.start]:#04x} on line {line}"
    return ""


def _row(line: int, cells: list[str], header: list[str]) -> Row | Refusal:
    """Name a row's cells."""
    if not any(cell.strip() for cell in cells):
        return Refusal(line, "empty row", "the line holds nothing")
    if len(cells) != len(header):
        detail = (
            f"{len(cells)} cells where the first row has {len(header)}; "
            "a text with a delimiter in it needs quotes"
        )
        return Refusal(line, "wrong number of cells", detail)
    return Row(line, dict(zip(header, cells, strict=True)))


def _has_header(rows: list[list[str]], known_columns: Collection[str]) -> bool:
    """Whether the first row names the columns.

    It does when it has a known name that does not come again below, or when it stands out: in a
    column of few different values, as labels are, it alone has a value that never comes again.
    """
    first, *rest = rows or [[]]
    names = [cell.strip() for cell in first]
    whole = [cells for cells in rest if len(cells) == len(names)]
    below = [{cells[place].strip() for cells in whole} for place in range(len(names))]
    unique = [
        (name, values) for name, values in zip(names, below, strict=True) if name not in values
    ]
    if any(name.lower() in known_columns for name, _ in unique if name):
        return True
    if len(whole) < _ENOUGH_ROWS or max(map(len, names)) > _LONGEST_NAME:
        return False
    named = [(name, values) for name, values in unique if name and not name.isdigit()]
    return any(len(values) * 2 <= len(whole) for _, values in named)


def _column_names(cells: list[str]) -> list[str]:
    """Name the columns by a header: one without a name by its number, a second one with .2."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip() or str(number)
        again = sum(other == name or other.startswith(f"{name}.") for other in names)
        names.append(f"{name}.{again + 1}" if name in names else name)
    return names


def _is_before_the_table(cells: list[str], delimiter: str) -> bool:
    """Whether a row comes before the first one: a blank line, or Excel's "sep=;"."""
    text = delimiter.join(cells).strip()
    return not text.strip(delimiter) or text.lower().startswith("sep=")


def _quoting(sample: str, delimiter: str) -> Literal[0, 3]:
    """Tell whether quotation marks quote: in files with tabs mostly they are just text."""
    quoted = re.search(r'(^|\t)"[^\t\n]*"(\t|\r?\n|$)', sample, re.MULTILINE)
    return csv.QUOTE_NONE if delimiter == "\t" and not quoted else csv.QUOTE_MINIMAL


def _decode_sample(beginning: bytes) -> str:
    """Decode a sample that may end inside of a character; what is not UTF-8 gives nothing."""
    try:
        return beginning.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cut = error.start >= len(beginning) - 3
        return beginning[: error.start].decode("utf-8-sig") if cut else ""


def _delimiter(sample: str) -> str:
    """Choose the delimiter that cuts the first rows most evenly into most cells."""

    def evenness(delimiter: str) -> tuple[float, int]:
        counts = _cells(sample, delimiter)
        if not counts or counts[0] == 1:
            return 0.0, 0
        return sum(count == counts[0] for count in counts) / len(counts), counts[0]

    return max(DELIMITERS, key=evenness)


def _cells(sample: str, delimiter: str) -> list[int]:
    """Count the cells of the first rows."""
    return [len(cells) for cells in _first_rows(sample, delimiter)]


def _first_rows(sample: str, delimiter: str) -> list[list[str]]:
    """Read the first rows; a sample that ends inside of a quote is cut there."""
    quoting = _quoting(sample, delimiter)
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, quoting=quoting)
    rows: list[list[str]] = []
    try:
        for cells in reader:
            if cells and (rows or not _is_before_the_table(cells, delimiter)):
                rows.append(cells)
            if len(rows) == _SNIFF_ROWS:
                break
    except csv.Error:
        return rows
    return rows
