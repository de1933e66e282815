"""HTML pages: the text that a reader sees."""

import re

from functions.process_document.reading.document import Document, Hints

_BEGINNING = 4096
_FAR = 65_536
_PROLOGUE = re.compile(r"\s*(?:<!--.*?-->|<\?xml[^>]*>)", re.DOTALL)
_START = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)


def sniff(text: str, hints: Hints) -> bool:  # noqa: ARG001 - every format is asked in the same way
    """Whether a text begins as an HTML page does, comments and an XML declaration left aside."""
    position = 0
    while position < _FAR and (prologue := _PROLOGUE.match(text, position, _FAR)):
        position = prologue.end()
    return _START.match(text, position) is not None


def claimed_encodings(content: bytes) -> list[str]:
    """Return the encoding that a page says it is in, if it does."""
    return [claim[1].decode("ascii") for claim in _CHARSET.finditer(content[:_BEGINNING])][:1]


def read(content: bytes, name: str, hints: Hints) -> list[Document]:  # noqa: ARG001
    """Read a page.

    Args:
        content: The page, in UTF-8.
        name: Its name, for messages.
        hints: What task.yaml says.
    """
    from functions.process_document.reading.visible import visible_text

    return [Document(visible_text(content.decode()), "HTML")]
