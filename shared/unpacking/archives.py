"""Opens zip archives, whoever made them, once their table of contents keeps to the limits.

Nothing is unpacked to disk. The names of what is inside never become paths: they may be absolute or
hold .., and do no harm.
"""

import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from shared.errors import Rejected
from shared.unpacking.bounded import (
    DAMAGED,
    MAX_UNPACKED_BYTES,
    BoundedReader,
    check_size,
    damaged,
)

MAX_MEMBERS = 100_000
MAX_DIRECTORY_BYTES = 16 << 20
"""The table of contents is held in memory, at about ten times its size."""

_ENCRYPTED = 0x1
_READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


@contextmanager
def open_zip(
    stream: BinaryIO, name: str, most: int = MAX_UNPACKED_BYTES
) -> Iterator[zipfile.ZipFile]:
    """Open an archive once its table of contents keeps to the limits.

    Args:
        stream: The archive, seekable.
        name: Its name, for messages.
        most: The most bytes that everything inside may have together.

    Raises:
        Rejected: It is damaged, encrypted, or holds too much.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    try:
        archive = zipfile.ZipFile(cast("IO[bytes]", _Careful(stream, name)))
    except DAMAGED as error:
        raise damaged(name, error) from error
    with archive:
        _check(archive.infolist(), size, name, most)
        yield archive


def open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> BinaryIO:
    """Open a file inside of an archive that `open_zip` gave.

    Raises:
        Rejected: It is damaged; reading may raise it as well.
    """
    try:
        inner = archive.open(member)
    except DAMAGED as error:
        raise damaged(name, error) from error
    return io.BufferedReader(BoundedReader(inner.read, lambda: member.compress_size, name), 1 << 16)


def _check(members: Sequence[zipfile.ZipInfo], size: int, name: str, most: int) -> None:
    """Check what the table of contents says."""
    if len(members) > MAX_MEMBERS:
        raise Rejected(
            f"{name} holds {len(members):,} files; {MAX_MEMBERS:,} may be in one archive.",
            "Put the texts into one file, such as a CSV file.",
        )
    for member in members:
        if member.flag_bits & _ENCRYPTED:
            raise Rejected(f"{name} is protected by a password.", "Pack it without one.")
        if member.compress_type not in _READABLE:
            raise Rejected(
                f"{name} is packed in an unusual way (method {member.compress_type}).",
                "Pack it as an ordinary zip file (Deflate).",
            )
    if sum(member.compress_size for member in members) > size:
        raise Rejected(
            f"{name} claims to hold more packed bytes than it has: its files overlap.",
            "Pack it again, and upload that.",
        )
    check_size(sum(member.file_size for member in members), size, name, most)


class _Careful:
    """The archive's stream; it refuses to read a huge table of contents at once."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream, self._name = stream, name
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        """Read bytes, not too many."""
        if size > MAX_DIRECTORY_BYTES:
            raise Rejected(
                f"The table of contents of {self._name} has {size:,} bytes.",
                "Put the texts into one file, such as a CSV file.",
            )
        return self._stream.read(size)
