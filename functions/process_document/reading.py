"""Reads a document's text: plain text, Markdown and HTML, told apart by content.

The library that guesses encodings is imported when a document needs it.
"""

import codecs
import re
from dataclasses import dataclass
from html.parser import HTMLParser

from shared.errors import Rejected
from shared.examples import MAX_TEXT_CHARACTERS
from shared.file_kinds import kind_of_binary

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HTML_PROLOGUE = re.compile(r"\s*(?:<!--.*?-->|<\?xml[^>]*>)", re.DOTALL)
_HTML_START = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_HIDDEN = frozenset({"script", "style", "template", "noscript", "title"})
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "legend", "li", "main", "nav", "ol", "p", "pre", "section", "table", "td",
    "th", "tr", "ul",
})  # fmt: skip


@dataclass(frozen=True)
class Document:
    """A document's text, and how it was read."""

    text: str
    reader: str


def read_document(content: bytes, name: str) -> Document:
    """Read a document.

    Args:
        content: The document's bytes.
        name: Its name, for messages.

    Raises:
        Rejected: It is empty, too long, or not text.
    """
    if not content.strip():
        raise Rejected(f"{name} is empty.", "Upload it again, with a text in it.")
    kind = kind_of_binary(content)
    if kind:
        raise Rejected(f"{name} is {kind}, which is not read.", "Upload text, Markdown or HTML.")
    text, encoding = _decode(content, name)
    reader = f"text, {encoding}"
    if _is_html(text):
        text, reader = _html_text(text), f"HTML, {encoding}"
    text = text.strip()
    if not text:
        raise Rejected(f"{name} holds no text.", "Upload it again, with a text in it.")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise Rejected(
            f"{name} has {len(text):,} characters; Gemini takes about {MAX_TEXT_CHARACTERS:,}.",
            "Split it into several documents.",
        )
    return Document(text, reader)


def _decode(content: bytes, name: str) -> tuple[str, str]:
    """Decode bytes: by their byte order mark, as UTF-8, or by what they look like."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding), encoding
            except UnicodeDecodeError:
                raise Rejected(
                    f"{name} begins like {encoding} but is not.", "Save it as UTF-8."
                ) from None
    if b"\0" in content:
        raise Rejected(f"{name} is not text.", "Upload text, Markdown or HTML.")
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _guess(content, name)


def _guess(content: bytes, name: str) -> tuple[str, str]:
    """Decode bytes in the encoding that they look most like."""
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    if best is None:
        raise Rejected(f"The encoding of {name} cannot be told.", "Save it as UTF-8.")
    return str(best), best.encoding


def _is_html(text: str) -> bool:
    """Whether a text begins as an HTML page does, comments and an XML declaration left aside."""
    position = 0
    while prologue := _HTML_PROLOGUE.match(text, position):
        position = prologue.end()
    return _HTML_START.match(text, position) is not None


def _html_text(text: str) -> str:
    """Return what a reader of an HTML page sees: a line a block, without scripts and styles."""
    reader = _VisibleText()
    reader.feed(text)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line)


class _VisibleText(HTMLParser):
    """Collects a page's text in one pass."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)
