"""Reads what was packed, within limits: a small file may claim to hold terabytes."""

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any
from zipfile import BadZipFile

from shared.errors import Rejected

MAX_UNPACKED_BYTES = 1_000_000_000
MAX_RATIO = 200
"""Text is packed to a tenth of its size, repetitive tables to a fiftieth."""

FREE_BYTES = 10_000_000
"""Below this many bytes the ratio does not matter."""

DAMAGED = (
    BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError,
    struct.error,
)  # fmt: skip
"""What unpacking raises for bytes that are wrong.

OSError itself is not among them: reading from storage raises it too.
"""


def check_size(unpacked: int, packed: int, name: str, most: int = MAX_UNPACKED_BYTES) -> None:
    """Check how much a file becomes when it is unpacked.

    Args:
        unpacked: The bytes that come out, or have come out so far.
        packed: The bytes that went in for them.
        name: The file's name, for messages.
        most: The most bytes that may come out.

    Raises:
        Rejected: It is too much, or far more than is packed into an honest file.
    """
    if unpacked > most:
        raise Rejected(
            f"{name} has more than {most // 1_000_000:,} MB when it is unpacked.",
            "Upload a part of it.",
        )
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * packed:
        raise Rejected(
            f"{name} becomes more than {MAX_RATIO} times larger when it is unpacked, "
            "as files do that are made to fill up memory.",
            "Upload it without packing it.",
        )


class BoundedReader(io.RawIOBase):
    """Reads what an unpacker gives; wrong bytes and too many of them raise Rejected.

    Args:
        read: Gives so many unpacked bytes, none at the end.
        taken: Says how many packed bytes it has been given so far.
        name: The file's name, for messages.
    """

    def __init__(self, read: Callable[[int], bytes], taken: Callable[[], int], name: str) -> None:
        super().__init__()
        self._read, self._taken, self._name = read, taken, name
        self._given = 0

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def tell(self) -> int:
        """Return how many bytes have been given."""
        return self._given

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, as far as there are bytes."""
        view = memoryview(buffer)
        try:
            data = self._read(len(view))
        except DAMAGED as error:
            raise damaged(self._name, error) from error
        self._given += len(data)
        check_size(self._given, self._taken(), self._name)
        view[: len(data)] = data
        return len(data)


def damaged(name: str, error: Exception) -> Rejected:
    """Make the error that says that a packed file is damaged."""
    return Rejected(f"{name} is damaged: {error}.", "Pack it again, and upload that.")
