"""Reads a text in some encoding as UTF-8, chunk by chunk."""

import codecs
import io
from typing import Any, BinaryIO, cast

from shared.errors import Rejected

CHUNK_BYTES = 1 << 16
SAVE = "Save it as UTF-8 and upload it again, or name its encoding in task.yaml: `encoding: …`."


def without_mark(stream: BinaryIO) -> BinaryIO:
    """Leave out a byte order mark."""
    reader = (
        stream
        if isinstance(stream, io.BufferedReader)
        else io.BufferedReader(cast("io.RawIOBase", stream))
    )
    if reader.peek(3).startswith(codecs.BOM_UTF8):
        reader.read(3)
    return reader


class Recoded(io.RawIOBase):
    """Reads text in some encoding as UTF-8.

    Args:
        stream: The text.
        encoding: Its encoding.
        name: Its name, for messages.
    """

    def __init__(self, stream: BinaryIO, encoding: str, name: str) -> None:
        super().__init__()
        self._stream, self._encoding, self._name = stream, encoding, name
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._line = 1
        self._ready = b""
        self._begun = self._ended = self._cut = False

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, as far as there is text."""
        view = memoryview(buffer)
        while not self._ready and not self._ended:
            data = self._stream.read(CHUNK_BYTES)
            self._ended = not data
            self._ready = self._recode(data)
        given, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(given)] = given
        return len(given)

    def _recode(self, data: bytes) -> bytes:
        """Decode a chunk and encode it again."""
        try:
            text = self._decoder.decode(data, final=not data)
            recoded = text.encode()
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(error.encoding, "ignore")
            raise self._wrong(before, f"byte {error.object[error.start]:#04x}") from None
        except UnicodeError as error:
            raise self._wrong("", str(error)[:60]) from None
        if not self._begun and text:
            self._begun, recoded = True, recoded.removeprefix(codecs.BOM_UTF8)
        if text:
            self._line += _line_ends(text) - (self._cut and text[0] == "\n")
            self._cut = text[-1] == "\r"
        return recoded

    def _wrong(self, before: str, what: str) -> Rejected:
        """Make the error for bytes that are no text."""
        line = self._line + _line_ends(before) - (self._cut and before[:1] == "\n")
        return Rejected(f"Line {line:,} of {self._name} is not {self._encoding} ({what}).", SAVE)


def _line_ends(text: str) -> int:
    """Count line ends of any kind."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")
