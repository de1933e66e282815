"""JSON objects out of a stream, however they are strung together.

JSON lines, one array of objects, and objects written one after another are told apart by the first
line. Only lines can be read past an error; elsewhere nobody knows where the next record begins.

Numbers with a fraction, an exponent or very many digits may come as text: 12.50 stays 12.50.
Sources: https://www.rfc-editor.org/rfc/rfc8259 and https://jsonlines.org
"""

import codecs
import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, BinaryIO

import orjson

from functions.convert_dataset.reading.json_decode import (
    DECODER,
    MAX_NESTING,
    MAX_RECORD,
    checked,
    nested_too_deeply,
    no_object,
    wrong_in,
)
from functions.convert_dataset.reading.json_strung import Window, strung_together
from functions.convert_dataset.rows import Refusal
from shared.errors import Rejected

_FIRST_RECORDS = 200
_CHUNK = 65_536
_ARRAY_OF_OBJECTS = re.compile(r"\s*\[\s*([{\]]|$)")
_NUMBER_AS_TEXT = re.compile(rb"[\[:,]\s*-?(\d+[.eE]|\d{16})")


def json_records(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any]] | Refusal]:
    """Go through the objects of a JSON file, each with the line it begins on.

    Commas and blank lines between records may be there or not. When the same key comes twice in an
    object, the last one counts.

    Args:
        stream: The file, in UTF-8 without a byte order mark.

    Raises:
        Rejected: It is an array, or records over several lines, and not JSON from some line on.
        UnicodeDecodeError: It is not UTF-8.
    """
    pieces = iter(partial(stream.readline, MAX_RECORD + 1), b"")
    line = 1
    first = b""
    for first in pieces:
        if first.strip():
            break
        line += 1
    second = next(pieces, b"")
    cut = len(first) > MAX_RECORD
    if _is_json_lines(first.decode(errors="replace"), second.decode(errors="replace"), cut=cut):
        yield from _lines(chain((first, second), pieces), line)
    else:
        chunks = iter(partial(stream.read, _CHUNK), b"")
        yield from strung_together(Window(chain((first, second), chunks), line))


def first_records(data: bytes, *, whole: bool) -> list[dict[str, object]]:
    """Return the objects in a file's beginning, at most 200, up to where it cannot be read.

    Args:
        data: The beginning, which may be cut anywhere.
        whole: Whether it is the whole file.
    """
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data, final=whole)
    except UnicodeDecodeError:
        return []
    found: list[dict[str, object]] = []
    try:
        for record in json_records(io.BytesIO(text.encode())):
            if not isinstance(record, Refusal):
                found.append(record[1])
            if len(found) == _FIRST_RECORDS:
                break
    except Rejected:
        # What was cut off cannot be told from what is wrong; reading the file will tell.
        return found
    return found


def _is_json_lines(first: str, second: str, *, cut: bool) -> bool:
    """Whether the first line is a record of its own.

    Args:
        first: The first line that is not blank.
        second: The one after it, which tells when the first is broken.
        cut: Whether the first goes on beyond the longest record.
    """
    if _ARRAY_OF_OBJECTS.match(first):
        return False
    text = first.strip()
    try:
        _, end = DECODER.raw_decode(text)
    except RecursionError:
        return True
    except json.JSONDecodeError as error:
        if cut:
            return True
        broken = error.pos < len(text)
    else:
        rest = text[end:].lstrip()
        if not rest:
            return True
        broken = rest[0] not in ",{["
    return broken and second.lstrip().startswith("{") and _is_json_lines(second, "", cut=False)


def _lines(pieces: Iterator[bytes], line: int) -> Iterator[tuple[int, dict[str, Any]] | Refusal]:
    """Read one record a line.

    Args:
        pieces: The lines; one that is too long comes in several pieces.
        line: The first one's number.
    """
    line -= 1
    goes_on = False
    for piece in pieces:
        if not goes_on:
            line += 1
            if len(piece) > MAX_RECORD:
                yield Refusal(line, "line too long", f"it has more than {MAX_RECORD:,} bytes")
            elif content := piece.strip():
                yield _line(line, content)
        goes_on = not piece.endswith(b"\n")


def _line(line: int, content: bytes) -> tuple[int, dict[str, Any]] | Refusal:
    """Read one line. Raises UnicodeDecodeError."""
    brackets = content.count(b"[") + content.count(b"{")
    if brackets <= MAX_NESTING and not _NUMBER_AS_TEXT.search(content):
        # orjson is fast, but turns 12.50 into a number and says little about what is wrong.
        with suppress(orjson.JSONDecodeError):
            value = orjson.loads(content)
            return (line, value) if isinstance(value, dict) else no_object(line, value)
    text = content.decode()
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        detail = f"{wrong_in(error)}, at {text[error.pos : error.pos + 40]!r}"
        return Refusal(line, "not JSON", detail)
    except RecursionError:
        return nested_too_deeply(line)
    return checked(line, value, text)
