"""Opens zip archives, whoever made them. Nothing is unpacked to disk.

The names of what is inside never become paths: they may be absolute or hold .., and do no harm.
"""

import io
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, BinaryIO, NamedTuple, cast

from functions.convert_dataset.reading.bounded import (
    DAMAGED,
    MAX_UNPACKED_BYTES,
    BoundedReader,
    check_size,
    damaged,
)
from shared.errors import Rejected

MAX_MEMBERS = 100_000
MAX_DIRECTORY_BYTES = 16 << 20
"""The table of contents is held in memory, at about ten times its size."""

MAX_WORKBOOK_BYTES = 300_000_000
MAX_CLASS_FILE_BYTES = 1_000_000
SPLIT_FOLDERS = frozenset({"train", "training", "test", "testing", "valid", "validation", "val",
                           "dev"})  # fmt: skip

_LOOK_BYTES = 65_536
_WORKBOOK = re.compile(rb"PK\x03\x04.{26}(?:xl/|\[Content_Types\]|docProps/|_rels/)", re.DOTALL)
_ENCRYPTED = 0x1
_READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class Place(NamedTuple):
    """Where a file lies in an archive of class folders.

    Attributes:
        split: The folder that names a split; empty when there is none.
        folder: The class: the name of its folder.
    """

    split: str
    folder: str


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


def files_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files that somebody put there: no folders, no links, nothing hidden."""
    return [
        member
        for member in archive.infolist()
        if not member.filename.endswith("/")
        and member.filename
        and not stat.S_ISLNK(member.external_attr >> 16)
        and not any(_is_hidden(part) for part in member.filename.split("/"))
    ]


def begins_like_workbook(data: bytes) -> bool:
    """Whether the first bytes of a zip archive are those of an Excel workbook."""
    return _WORKBOOK.search(data, 0, _LOOK_BYTES) is not None


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether an archive is an Excel workbook."""
    names = archive.namelist()
    return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)


def class_folders(files: Sequence[zipfile.ZipInfo]) -> list[Place] | None:
    """Say which class each file belongs to by its folder; None when folders are no classes.

    An outer folder around everything does not matter. Above the classes there may be folders that
    are named like splits.
    """
    paths = [member.filename.split("/")[:-1] for member in files]
    if any(member.file_size > MAX_CLASS_FILE_BYTES for member in files):
        return None
    while paths and all(len(path) > 1 for path in paths) and len({path[0] for path in paths}) == 1:
        paths = [path[1:] for path in paths]
    depths = {len(path) for path in paths}
    if depths == {2} and all(path[0].lower() in SPLIT_FOLDERS for path in paths):
        places = [Place(*path) for path in paths]
    elif depths == {1}:
        places = [Place("", *path) for path in paths]
    else:
        return None
    classes = {place.folder for place in places}
    return (
        places if len(classes) > 1 and not {c.lower() for c in classes} <= SPLIT_FOLDERS else None
    )


def _is_hidden(part: str) -> bool:
    """Whether a part of a path is what computers put there, not people."""
    return (part.startswith(".") and part.strip(".") != "") or part in {
        "__MACOSX",
        "Thumbs.db",
        "desktop.ini",
    }


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
