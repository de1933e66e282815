"""E-mail messages (.eml): the subject, and the text that the sender wrote.

Of an alternative the plain text is taken, unless it is empty or a stub beside the HTML. Attachments
are not read. Source: RFC 5322 and RFC 2046.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from functions.process_document.reading.document import Document, Hints
from functions.process_document.reading.text import decode, decode_as
from shared.errors import Rejected

if TYPE_CHECKING:
    from email.message import Message

MAX_PARTS = 1000
MAX_NESTING = 20

_HEADERS_BYTES = 65_536
_STUB = 4
_HEADER = re.compile(rb"([!-9;-~]{1,60}):")
_MACHINES = frozenset({
    b"message-id", b"mime-version", b"received", b"return-path", b"delivered-to", b"content-type",
    b"dkim-signature",
})  # fmt: skip
_TEXTS = frozenset({"text/plain", "text/html", "text/markdown", "text/enriched"})
_PEOPLE = frozenset({b"from", b"to", b"subject", b"sender"})
_DATE = re.compile(
    rb"^Date:\s*(?:\w{3},\s*)?\d{1,2} \w{3} \d{2,4} \d{2}:\d{2}", re.IGNORECASE | re.MULTILINE
)
_ENCODED = re.compile(r"=\?[^?\s]{1,40}\?[bq]\?[^?]*\?=", re.IGNORECASE)


def sniff(content: bytes) -> bool:
    """Whether bytes begin with the headers of an e-mail: some for people, one that programs write.

    A letter that somebody typed may begin with "To:" and "Subject:" as well.
    """
    beginning = content[:_HEADERS_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    names: set[bytes] = set()
    end = 0
    for number, line in enumerate(beginning.splitlines(keepends=True)):
        if not line.strip():
            break
        header = _HEADER.match(line)
        if header:
            names.add(header[1].lower())
        elif not (line.startswith((b" ", b"\t")) and names) and not (
            number == 0 and line.startswith(b"From ")
        ):
            return False
        end += len(line)
    if not names & _PEOPLE:
        return False
    return bool(names & _MACHINES) or _DATE.search(beginning, 0, end) is not None


def read(content: bytes, name: str, hints: Hints) -> list[Document]:
    """Read a message.

    Args:
        content: The message.
        name: Its name, for messages.
        hints: What task.yaml says.

    Raises:
        Rejected: It is encrypted, nested too deeply, or holds no text.
    """
    from email import message_from_bytes

    message = message_from_bytes(content.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))
    _check_parts(message, name)
    letter = _Letter(name)
    body = letter.text_of(message)
    if not body.strip():
        raise Rejected(f"{name} is an e-mail without a text.", "Upload what is attached to it.")
    subject = _subject(message, name) if hints.subject else ""
    notes = list(dict.fromkeys(letter.notes))
    attached = sum(_is_attached(part) for part in message.walk())
    if attached:
        notes.append(f"{attached} attachment{'s were' if attached > 1 else ' was'} not read")
    text = "\n".join(part for part in (subject, body.strip()) if part)
    return [Document(text, "e-mail", tuple(notes))]


def _check_parts(message: "Message", name: str) -> None:
    """Refuse a message with far more parts, or levels of them, than a mail program makes."""
    waiting, count = [(message, 1)], 0
    while waiting:
        part, depth = waiting.pop()
        count += 1
        if count > MAX_PARTS:
            raise Rejected(f"{name} has more than {MAX_PARTS:,} parts.", "Upload its text alone.")
        if depth > MAX_NESTING:
            raise Rejected(
                f"{name} has parts in more than {MAX_NESTING} levels.", "Upload its text alone."
            )
        waiting += [(inner, depth + 1) for inner in _parts(part)]


def _parts(message: "Message") -> "list[Message]":
    """Return the parts of a message; none when it is a single one."""
    parts = message.get_payload()
    return [part for part in parts if not isinstance(part, str)] if isinstance(parts, list) else []


def _is_attached(part: "Message") -> bool:
    """Whether a part is a file beside the text, and not text itself."""
    disposition = str(part.get("Content-Disposition", "")).split(";")[0].strip().lower()
    if part.is_multipart() and disposition != "attachment":
        return False
    return disposition == "attachment" or part.get_content_type() not in _TEXTS


class _Letter:
    """Puts a message's text together.

    Args:
        name: The message's name.
    """

    def __init__(self, name: str) -> None:
        self.notes: list[str] = []
        self._name = name

    def text_of(self, part: "Message") -> str:
        """Return the text of a part; empty when it has none."""
        kind = part.get_content_type()
        if kind == "multipart/encrypted" or kind.endswith("/pkcs7-mime"):
            raise Rejected(f"{self._name} is encrypted.", "Upload the message as you read it.")
        parts = _parts(part)
        if kind == "multipart/alternative":
            return self._best(parts)
        if kind in {"multipart/related", "multipart/signed"}:
            return next((text for inner in parts if (text := self.text_of(inner))), "")
        if parts:
            texts = [self.text_of(inner) for inner in parts if not _is_attached(inner)]
            return "\n".join(text.strip() for text in texts if text.strip())
        return "" if _is_attached(part) else self._own_text(part)

    def _best(self, parts: "list[Message]") -> str:
        """Choose between alternatives of the same text."""
        texts = [(inner.get_content_type(), self.text_of(inner).strip()) for inner in parts]
        plain = next((text for kind, text in texts if kind == "text/plain" and text), "")
        rich = next((text for kind, text in reversed(texts) if kind != "text/plain" and text), "")
        # Such as "Your mail program does not show HTML".
        return rich if len(plain) * _STUB < len(rich) else plain

    def _own_text(self, part: "Message") -> str:
        """Decode a single part."""
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or not content.strip():
            return ""
        text, whole = _decoded(content, _charset(part), self._name)
        if not whole:
            self.notes.append("what could not be decoded was replaced by \N{REPLACEMENT CHARACTER}")
        text = text.replace("\r\n", "\n")
        if part.get_content_subtype() != "html":
            return text
        from functions.process_document.reading.visible import visible_text

        return visible_text(text)


def _decoded(content: bytes, claimed: str, name: str) -> tuple[str, bool]:
    """Decode bytes as the message says, as they look, or as far as can be.

    Programs that do not know better claim Latin-1; bytes that happen to be UTF-8 are rare.

    Returns:
        (text, whether nothing in it had to be replaced).
    """
    text = None if content.isascii() else decode_as(content, "utf-8")
    if text is None and claimed:
        text = decode_as(content, claimed)
    if text is not None and "\0" not in text:
        return text, True
    try:
        return decode(content, name)[0], True
    except Rejected:
        return content.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}"), False


def _charset(part: "Message") -> str:
    """Return the encoding that a part says it is in; US-ASCII is what programs say by default."""
    claimed = part.get_content_charset("") or ""
    return "" if claimed in {"us-ascii", "ascii", "utf-8"} else claimed


def _subject(message: "Message", name: str) -> str:
    """Return the subject as people read it, on one line."""
    raw = str(message.get("Subject", ""))
    return " ".join("".join(_words(raw, name)).split())


def _words(raw: str, name: str) -> Iterator[str]:
    """Decode a header's encoded words (RFC 2047); what is wrong in them stays as it is."""
    from binascii import Error
    from email.errors import HeaderParseError
    from email.header import decode_header

    raw = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if not _ENCODED.search(raw):
        yield raw
        return
    try:
        parts = decode_header(raw)
    except (HeaderParseError, Error, ValueError):
        yield raw
        return
    for part, charset in parts:
        if isinstance(part, str):
            yield part
            continue
        yield _decoded(part, charset or "", name)[0]
