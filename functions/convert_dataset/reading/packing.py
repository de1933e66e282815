"""Finds out whether an uploaded file is packed, and opens what is inside.

A file is told by its first bytes; its name says nothing.
"""

import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal
from zipfile import ZipInfo

from functions.convert_dataset.reading.zips import (
    MAX_WORKBOOK_BYTES,
    class_folders,
    files_in,
)
from shared.errors import Rejected
from shared.file_kinds import WORKBOOK, kind_of_binary, kind_of_office
from shared.unpacking.archives import open_member, open_zip
from shared.unpacking.bounded import BoundedReader

Open = Callable[[], AbstractContextManager[BinaryIO]]
Kind = Literal["plain", "gzip", "zip member", "folders", "excel", "parquet"]

MAX_SPOOLED_BYTES = 64 << 20
"""What has to be sought in is held in memory when it comes out of a packed file."""

MAX_LEVELS = 2

_LOOK_BYTES = 512
_SHOWN = 5
_PARQUET = "a Parquet file"
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_UNPACK = "Unpack it, and upload the file itself, or pack that with gzip or zip."
_TABLE = "Upload the labelled texts as a table: CSV, JSON lines or an Excel workbook (.xlsx)."
_PICKLE = "A pickle is a program and is never opened: save the table as Parquet, CSV or JSON lines."
_REMEDIES = {
    "an old Office document": "It is an .xls workbook, or one with a password: save it in Excel "
    "as .xlsx, without a password.",
    "an encrypted Parquet file": "Write it without encryption.",
    "a Python pickle": _PICKLE,
    "a NumPy array": _PICKLE,
    "an SQLite database": "Export its table as CSV.",
    "an Avro file": "Write the rows as Parquet or JSON lines.",
    "an ORC file": "Write the rows as Parquet or JSON lines.",
    "an Arrow file": "Write the rows as Parquet: pyarrow.parquet.write_table does.",
    "a Feather file": "Write the rows as Parquet: pyarrow.parquet.write_table does.",
    "a bzip2 file": _UNPACK,
    "an xz file": _UNPACK,
    "a Zstandard file": _UNPACK,
    "a 7z archive": _UNPACK,
    "a RAR archive": _UNPACK,
    "a tar archive": _UNPACK,
}


@dataclass(frozen=True)
class Unpacked:
    """A file that can be read.

    Attributes:
        open: Opens it. A workbook, a Parquet file and an archive of folders can be sought in.
        kind: What it was found in, or what it is.
        member: Its name inside of a zip archive; empty otherwise.
    """

    open: Open
    kind: Kind
    member: str = ""


def open_unpacked(open_raw: Open, name: str) -> Unpacked:
    """Look whether a file is packed.

    Args:
        open_raw: Opens the file as it was uploaded, seekable.
        name: Its name, for messages.

    Returns:
        What is inside. Reading it may raise Rejected: it is damaged, or too large.

    Raises:
        Rejected: It is damaged, holds too much or too many files, or is of a kind that is not read.
    """
    return _look(open_raw, name, Unpacked(open_raw, "plain"), levels=0)


def _look(open_raw: Open, name: str, outer: Unpacked, *, levels: int) -> Unpacked:
    """Look at a file, or at what is inside of one after some levels of unpacking."""
    with open_raw() as stream:
        beginning = stream.read(_LOOK_BYTES)
    kind = kind_of_binary(beginning)
    if kind == "a gzip file":
        if levels == MAX_LEVELS or outer.kind == "gzip":
            raise Rejected(f"{name} is packed twice.", _UNPACK)
        inner = _opener(_gunzipped, open_raw, name)
        kept: Kind = "zip member" if outer.member else "gzip"
        return _look(inner, name, Unpacked(inner, kept, outer.member), levels=levels + 1)
    if not beginning.startswith(_ZIPS) and kind != _PARQUET:
        _refuse(kind, name, outer.member)
        return Unpacked(open_raw, outer.kind, outer.member)
    if levels:
        open_raw = _spooled(open_raw, name)
    if kind == _PARQUET:
        return Unpacked(open_raw, "parquet", outer.member)
    return _look_into_zip(open_raw, name, outer, levels=levels)


def _look_into_zip(open_raw: Open, name: str, outer: Unpacked, *, levels: int) -> Unpacked:
    """Tell what a zip archive is: a workbook, one packed file, or folders of texts."""
    with open_raw() as stream, open_zip(stream, name) as archive:
        files = files_in(archive)
        kind = kind_of_office(archive.namelist())
    if kind == WORKBOOK:
        with open_raw() as stream, open_zip(stream, name, MAX_WORKBOOK_BYTES):
            return Unpacked(open_raw, "excel", outer.member)
    _refuse(kind, name, outer.member)
    if outer.member:
        raise Rejected(f"{name} is an archive in an archive.", _UNPACK)
    if len(files) == 1:
        member = files[0]
        inner = _opener(_member, open_raw, name, member)
        found = Unpacked(inner, "zip member", member.filename)
        return _look(inner, name, found, levels=levels + 1)
    if class_folders(files):
        return Unpacked(open_raw, "folders")
    raise _unclear(files, name)


def _unclear(files: list[ZipInfo], name: str) -> Rejected:
    """Make the error for an archive of which nobody can say what is meant."""
    shown = ", ".join(repr(member.filename[:60]) for member in files[:_SHOWN])
    more = f" and {len(files) - _SHOWN:,} more" if len(files) > _SHOWN else ""
    return Rejected(
        f"{name} holds {f'{len(files):,} files: {shown}{more}' if files else 'no file'}.",
        "Put one file into it; or one folder for each label, with small texts in it.",
    )


def _refuse(kind: str | None, name: str, member: str) -> None:
    """Refuse a file of a kind that is not read, with the way out."""
    if kind is not None:
        inside = f"holds {member[:60]!r}, which " if member else ""
        remedy = _REMEDIES.get(kind, _TABLE)
        raise Rejected(f"{name} {inside}is {kind}, which cannot be read.", remedy)


def _opener(opened: Callable[..., AbstractContextManager[BinaryIO]], *known: object) -> Open:
    """Fix what is known."""
    return lambda: opened(*known)


@contextmanager
def _gunzipped(open_raw: Open, name: str) -> Iterator[BinaryIO]:
    """Open what a gzip file holds."""
    with open_raw() as stream, gzip.GzipFile(fileobj=stream) as inner:
        yield io.BufferedReader(BoundedReader(inner.read, stream.tell, name), 1 << 16)


@contextmanager
def _member(open_raw: Open, name: str, member: ZipInfo) -> Iterator[BinaryIO]:
    """Open the one file of a zip archive."""
    with (
        open_raw() as stream,
        open_zip(stream, name) as archive,
        open_member(archive, member, name) as inner,
    ):
        yield inner


def _spooled(open_packed: Open, name: str) -> Open:
    """Hold an unpacked file in memory, so that it can be sought in."""
    with open_packed() as stream:
        content = stream.read(MAX_SPOOLED_BYTES + 1)
    if len(content) > MAX_SPOOLED_BYTES:
        raise Rejected(
            f"{name} has more than {MAX_SPOOLED_BYTES >> 20} MiB when it is unpacked.",
            "Upload the file inside without packing it; it is packed by itself.",
        )

    @contextmanager
    def open_content() -> Iterator[BinaryIO]:
        yield io.BytesIO(content)

    return open_content
