"""JSON values one after another, or in an array, out of a text that is never read as a whole."""

import codecs
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from functions.convert_dataset.reading.json_decode import (
    DECODER,
    MAX_NESTING,
    MAX_RECORD,
    checked,
    wrong_in,
)
from functions.convert_dataset.rows import Refusal
from shared.errors import Rejected

_CHUNK = 65_536
_LONGEST_TOKEN = 16
_CUT_OFF = "It looks cut off; upload the whole file."
_SOMETHING = re.compile(r"[^\s,]")


class Window:
    """The part of a text that is being read.

    Attributes:
        text: What is there of it; its line ends are line feeds.
        place: What comes next in the text.
        line: The line of that place.
        ended: Whether nothing comes after the text.
    """

    def __init__(self, chunks: Iterator[bytes], line: int) -> None:
        self.text = ""
        self.place = 0
        self.line = line
        self.ended = False
        self._chunks = chunks
        utf8 = codecs.getincrementaldecoder("utf-8")()
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)

    def grow(self) -> None:
        """Forget what has been read, and at least double what has not. Raises UnicodeDecodeError.

        Doubling keeps the time linear that is spent on a record that has to be tried again.
        """
        parts = [self.text[self.place :]]
        wanted = max(_CHUNK, len(parts[0]))
        while wanted > 0 and not self.ended:
            chunk = next(self._chunks, b"")
            self.ended = not chunk
            parts.append(self._decoder.decode(chunk, final=self.ended))
            wanted -= len(parts[-1])
        self.text, self.place = "".join(parts), 0

    def move(self, end: int) -> None:
        """Go on to another place."""
        self.line += self.text.count("\n", self.place, end)
        self.place = end

    def skip(self) -> str:
        """Go on to what is neither white space nor a comma, and return it; "" at the end."""
        while True:
            match = _SOMETHING.search(self.text, self.place)
            self.move(match.start() if match else len(self.text))
            if self.place < len(self.text) or self.ended:
                return self.text[self.place : self.place + 1]
            self.grow()


def strung_together(window: Window) -> Iterator[tuple[int, dict[str, Any]] | Refusal]:
    """Read one value after another, inside of an array or not.

    Raises:
        Rejected: What follows is not JSON, is too long, or is not there.
    """
    array_line = 0
    while mark := window.skip():
        if mark == "[" and not array_line:
            array_line = window.line
            window.move(window.place + 1)
        elif mark == "]" and array_line:
            array_line = 0
            window.move(window.place + 1)
        else:
            value, end = _next_value(window)
            yield checked(window.line, value, window.text[window.place : end])
            window.move(end)
    if array_line:
        raise Rejected(
            f"The file ends on line {window.line}, in the middle of the array that begins on line "
            f"{array_line}: ']' is missing.",
            _CUT_OFF,
        )


def _next_value(window: Window) -> tuple[Any, int]:
    """Read the value that comes next, and tell where it ends. Raises Rejected."""
    while True:
        try:
            value, end = DECODER.raw_decode(window.text, window.place)
        except json.JSONDecodeError as error:
            _check_goes_on(window, error)
        except RecursionError:
            raise Rejected(
                f"The record that begins on line {window.line} is nested too deeply.",
                f"At most {MAX_NESTING} levels are read.",
            ) from None
        else:
            if end < len(window.text) or window.ended:
                return value, end
        if len(window.text) - window.place > MAX_RECORD:
            raise Rejected(
                f"The record that begins on line {window.line} is longer than {MAX_RECORD:,} "
                "characters.",
                "Upload one JSON object an example, one a line or in one array.",
            )
        window.grow()


def _check_goes_on(window: Window, error: json.JSONDecodeError) -> None:
    """Raise Rejected, unless a value is unfinished only because more of the file is to be read."""
    unfinished = error.msg.startswith("Unterminated string")
    if not window.ended:
        unfinished = unfinished or error.pos >= len(window.text) - _LONGEST_TOKEN
        if unfinished:
            return
    if unfinished or error.pos >= len(window.text.rstrip()):
        raise Rejected(
            f"The file ends in the middle of the record that begins on line {window.line}: "
            f"{wrong_in(error)}.",
            _CUT_OFF,
        ) from None
    line = window.line + window.text.count("\n", window.place, error.pos)
    found = window.text[error.pos : error.pos + 40]
    raise Rejected(
        f"The file is not JSON on line {line}: {wrong_in(error)}, at {found!r}.",
        "Correct it there. In JSON lines, one object a line, only the line itself would be lost.",
    ) from None
