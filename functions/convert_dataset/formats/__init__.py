"""Reads a labelled file, whatever its format, as a stream of rows.

One format a module: `sniff` says how well a file's beginning fits (0 to 1), `rows` reads it. The
format is chosen by content, not by the file's name.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from functions.convert_dataset.formats import csv_table, json_lines
from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected
from shared.file_kinds import kind_of_binary

JSON_ARRAY = re.compile(rb'\s*\[\s*[\[{"\]]')
SNIFF_BYTES = 65_536
HOW_TO_SAVE = (
    "Upload UTF-8 CSV with a header line (in Excel: Save as, CSV UTF-8), or one JSON object a line."
)


@dataclass(frozen=True)
class Format:
    """One way to read a file."""

    name: str
    sniff: Callable[[bytes], float]
    rows: Callable[[BinaryIO, Collection[str]], Iterator[Row | Refusal]]


FORMATS = (
    Format("JSON lines", json_lines.sniff, json_lines.rows),
    Format("CSV", csv_table.sniff, csv_table.rows),
)


def choose_format(beginning: bytes, name: str) -> Format:
    """Choose the format that a file's first bytes fit best.

    Args:
        beginning: The first SNIFF_BYTES of the file.
        name: The file's name, for messages.

    Raises:
        Rejected: No format fits.
    """
    if not beginning.strip():
        raise Rejected(f"{name} is empty.", "Upload a CSV or JSONL file with labelled texts.")
    kind = kind_of_binary(beginning)
    if kind:
        raise Rejected(f"{name} is {kind}, which is not read.", HOW_TO_SAVE)
    if JSON_ARRAY.match(beginning.removeprefix(b"\xef\xbb\xbf")):
        raise Rejected(
            f"{name} looks like one JSON array.",
            "Upload one JSON object a line; `jq -c '.[]' FILE` makes them.",
        )
    best = max(FORMATS, key=lambda item: item.sniff(beginning))
    if best.sniff(beginning) <= 0:
        wrong = csv_table.not_utf8(beginning)
        tried = " nor ".join(item.name for item in FORMATS)
        why = f"is not UTF-8 ({wrong})" if wrong else f"is neither {tried}"
        raise Rejected(f"{name} {why}.", HOW_TO_SAVE)
    return best
