"""Tells files that are not text by how they begin or how they are stored."""

from shared.errors import Rejected
from shared.ports import StoredObject

_BEGINNINGS = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive, an Excel workbook or another Office document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"{\\rtf": "an RTF document",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
}


def kind_of_binary(beginning: bytes) -> str | None:
    """Name what a file is by its first bytes, such as "a PDF"; None when it may be text."""
    return next((kind for start, kind in _BEGINNINGS.items() if beginning.startswith(start)), None)


def refuse_packed(stored: StoredObject, name: str) -> None:
    """Refuse an object that storage unpacks while it is read: its size says nothing.

    Raises:
        Rejected: It was uploaded with a Content-Encoding.
    """
    if stored.content_encoding not in {"", "identity"}:
        raise Rejected(
            f"{name} was uploaded with Content-Encoding {stored.content_encoding!r}.",
            "Upload it as it is; `gcloud storage cp` without --gzip-in-flight or -z does.",
        )
