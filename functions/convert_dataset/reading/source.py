"""A labelled file as the formats see it: unpacked, and in UTF-8 when it is text."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Literal, TextIO

from shared.encodings.detection import BEGINNING_BYTES


@dataclass(frozen=True)
class Hints:
    """What task.yaml says about a file, beyond the task.

    Attributes:
        known_columns: Lower-case column names by which a header line is recognised.
        sheet: The sheet of a workbook; None for the first.
        offsets: Whether the ends of character offsets are exclusive; None to find out.
    """

    known_columns: frozenset[str] = frozenset()
    sheet: str | None = None
    offsets: Literal["exclusive", "inclusive"] | None = None


@dataclass(frozen=True)
class Source:
    """A file that can be read as often as is needed.

    Attributes:
        name: Its name, for messages.
        open: Opens it: UTF-8 without a byte order mark when it is text; else as it is, seekable.
        hints: What task.yaml says about it.
        text_at: Reads a text at a gs:// address; raises Rejected when that is not allowed or there
            is none.
    """

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]
    hints: Hints
    text_at: Callable[[str], str]

    @contextmanager
    def open_text(self) -> Iterator[TextIO]:
        """Open it as text, line ends as they are. Reading raises UnicodeDecodeError."""
        with self.open() as stream:
            yield io.TextIOWrapper(stream, encoding="utf-8", newline="")

    @cached_property
    def beginning(self) -> "Beginning":
        """Its first bytes, for formats that look before they read."""
        with self.open() as stream:
            data = stream.read(BEGINNING_BYTES + 1)
        return Beginning(data[:BEGINNING_BYTES], whole=len(data) <= BEGINNING_BYTES)


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a file, in the forms that formats look at.

    Attributes:
        data: At most BEGINNING_BYTES, as `Source.open` gives them.
        whole: Whether this is all there is.
    """

    data: bytes
    whole: bool

    @cached_property
    def text(self) -> str:
        """The text, without a character that is cut off at the end; empty when it is not text."""
        try:
            text = self.data.decode()
        except UnicodeDecodeError as error:
            cut = not self.whole and error.start >= len(self.data) - 3
            text = self.data[: error.start].decode() if cut else ""
        return "" if "\0" in text else text

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are there as a whole, without their ends."""
        *lines, rest = re.split(r"\r\n|\n|\r", self.text)
        return [*lines, rest] if self.whole and rest else lines

    @cached_property
    def records(self) -> list[dict[str, object]]:
        """The first JSON objects, at most 200; empty when the file is not JSON."""
        from functions.convert_dataset.reading.json_values import first_records

        return first_records(self.data, whole=self.whole)
