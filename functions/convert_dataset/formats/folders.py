"""A zip archive with a folder for each label and a small text in each file.

Above the labels there may be folders that are named like splits, such as train and test.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.zips import (
    MAX_CLASS_FILE_BYTES,
    begins_like_workbook,
    class_folders,
    files_in,
)
from functions.convert_dataset.rows import ANSWER, SPLIT, TEXT, Refusal, Row
from shared.encodings.detection import BEGINNING_BYTES, detect_encoding
from shared.errors import Rejected
from shared.file_kinds import kind_of_binary
from shared.unpacking.archives import open_member, open_zip

_MARK = "\ufeff"


def sniff(beginning: Beginning) -> float:
    """Say whether a file is a zip archive but no workbook."""
    data = beginning.data
    return 1.0 if data.startswith(b"PK\x03\x04") and not begins_like_workbook(data) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the files, in the order of their names.

    Raises:
        Rejected: The archive is damaged, holds something else, or texts of an unknown encoding.
    """
    with source.open() as stream, open_zip(stream, source.name) as archive:
        files = sorted(files_in(archive), key=lambda member: member.filename)
        places = class_folders(files)
        if places is None:
            raise Rejected(
                f"{source.name} does not hold one folder for each label, with small texts in it.",
                "Pack it so, or upload one table.",
            )
        encoding = ""
        for number, (member, place) in enumerate(zip(files, places, strict=True), 1):
            content = _content(archive, member, source.name)
            kind = kind_of_binary(content)
            text = _utf8(content)
            if kind or (text and "\0" in text):
                detail = f"{member.filename[-60:]!r} is {kind or 'binary'}"
                yield Refusal(number, "not text", detail)
                continue
            if text is None:
                encoding = encoding or _encoding_of_others(archive, files, source.name)
                text = _decode(content, encoding)
            if text is None:
                detail = f"{member.filename[-60:]!r} is neither UTF-8 nor {encoding}"
                yield Refusal(number, "in another encoding", detail)
                continue
            values = {TEXT: text, ANSWER: place.folder}
            yield Row(number, {**values, SPLIT: place.split} if place.split else values)


def _content(archive: ZipFile, member: ZipInfo, name: str) -> bytes:
    """Read one file; the table of contents has been checked to say that it is small."""
    with open_member(archive, member, name) as stream:
        return stream.read(MAX_CLASS_FILE_BYTES)


def _utf8(content: bytes) -> str | None:
    """Decode UTF-8, without a byte order mark; None when it is something else."""
    return _decode(content, "utf-8")


def _decode(content: bytes, encoding: str) -> str | None:
    """Decode bytes; None when they are not text in this encoding."""
    try:
        return content.decode(encoding).removeprefix(_MARK)
    except UnicodeDecodeError:
        return None


def _encoding_of_others(archive: ZipFile, files: Sequence[ZipInfo], name: str) -> str:
    """Find the encoding of all files that are not UTF-8, by as many as are enough."""
    sample = bytearray()
    for member in files:
        content = _content(archive, member, name)
        if _utf8(content) is None and kind_of_binary(content) is None:
            sample += content + b"\n"
        if len(sample) > BEGINNING_BYTES:
            break

    @contextmanager
    def open_sample() -> Iterator[BinaryIO]:
        yield io.BytesIO(sample)

    return detect_encoding(open_sample, f"The collection of texts in {name}", None).name
