"""The formats of documents. Each one tells its files by their content; names say nothing."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from functions.process_document.reading import html, mail, pdf, table, word
from functions.process_document.reading.document import Document, Hints

Reader = Callable[[bytes, str, Hints], Iterable[Document]]


class FromBytes(NamedTuple):
    """A format that is read as it is stored.

    Attributes:
        sniff: Says whether bytes are in this format.
        read: Reads them.
    """

    sniff: Callable[[bytes], bool]
    read: Reader


class FromText(NamedTuple):
    """A format that is read as text, in UTF-8.

    Attributes:
        sniff: Says whether a text is in this format.
        read: Reads it.
    """

    sniff: Callable[[str, Hints], bool]
    read: Reader


BINARY = {
    "pdf": FromBytes(pdf.sniff, pdf.read),
    "word": FromBytes(word.sniff, word.read),
    "mail": FromBytes(mail.sniff, mail.read),
}
TEXTUAL = {
    "html": FromText(html.sniff, html.read),
    "table": FromText(table.sniff, table.read),
}
"""What is in none of them is plain text or Markdown, and is taken as it is."""


def reader_of(key: str) -> Reader:
    """Return what reads a format."""
    return BINARY[key].read if key in BINARY else TEXTUAL[key].read
