"""Tells files that are not text by how they begin or how they are stored."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.errors import Rejected

if TYPE_CHECKING:
    from shared.ports import StoredObject

WORKBOOK = "an Excel workbook"
_BEGINNINGS = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive, an Excel workbook or another Office document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"{\\rtf": "an RTF document",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
    b"PARE": "an encrypted Parquet file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\0": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"SQLite format 3\0": "an SQLite database",
    b"\x80\x02": "a Python pickle",
    b"\x80\x03": "a Python pickle",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file",
}
_OFFICE = (
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
    ("xl/workbook.bin", "a binary workbook (.xlsb)"),
    ("mimetype", "an OpenDocument file"),
    ("xl/", WORKBOOK),
)
_WORDS = (b"PAR1", b"PARE", b"BZh", b"ORC", b"ARROW1", b"FEA1")
_TAR = slice(257, 262)
_LOOKED_AT = 512
_CONTROLS = bytes({*range(32)} - set(b"\t\n\f\r\x1b"))


def kind_of_binary(beginning: bytes) -> str | None:
    """Name what a file is by its first 512 bytes, such as "a PDF"; None when it may be text."""
    if beginning[_TAR] == b"ustar":
        return "a tar archive"
    for start, kind in _BEGINNINGS.items():
        if beginning.startswith(start):
            # A text may begin with these letters, but it has no control characters.
            return None if start in _WORDS and _may_be_text(beginning) else kind
    return None


def kind_of_office(names: Sequence[str]) -> str | None:
    """Name what kind of Office document a zip archive is by the names inside; None for none."""
    if names[:1] != ["mimetype"] and "[Content_Types].xml" not in names:
        return None
    return next((kind for start, kind in _OFFICE if any(n.startswith(start) for n in names)), None)


def _may_be_text(beginning: bytes) -> bool:
    """Whether the first bytes have no control character but white space and escapes."""
    looked_at = beginning[:_LOOKED_AT]
    return len(looked_at.translate(None, _CONTROLS)) == len(looked_at)


def refuse_packed(stored: "StoredObject", name: str) -> None:
    """Refuse an object that storage unpacks while it is read: its size says nothing.

    Raises:
        Rejected: It was uploaded with a Content-Encoding.
    """
    if stored.content_encoding not in {"", "identity"}:
        raise Rejected(
            f"{name} was uploaded with Content-Encoding {stored.content_encoding!r}.",
            "Upload it as it is; `gcloud storage cp` without --gzip-in-flight or -z does.",
        )
