"""Reads a document of any kind. Plain text and Markdown need no more than to be decoded."""

from functions.process_document.reading.document import (
    AS_FILE,
    MAX_BYTES,
    MAX_CHARACTERS,
    NO_HINTS,
    Document,
    Hints,
)
from functions.process_document.reading.guarded import read_guarded
from functions.process_document.reading.html import claimed_encodings
from functions.process_document.reading.registry import BINARY, TEXTUAL
from functions.process_document.reading.table import doubt
from functions.process_document.reading.text import decode
from shared.errors import Rejected
from shared.file_kinds import kind_of_binary

_READ = "Upload text, Markdown, HTML, e-mail (.eml), Word (.docx), PDF, CSV or JSON lines."
_OFFICE = "Save it as .docx or PDF; a message from Outlook as .eml."
_UNPACK = "Unpack it, and upload the documents inside."
_PICTURES = {"a PNG picture": "image/png", "a JPEG picture": "image/jpeg"}
_REMEDIES = {
    "an old Office document": _OFFICE,
    "an RTF document": "Save it as .docx or PDF.",
    "a gzip file": _UNPACK,
    "a bzip2 file": _UNPACK,
    "an xz file": _UNPACK,
    "a Zstandard file": _UNPACK,
    "a 7z archive": _UNPACK,
    "a RAR archive": _UNPACK,
    "a tar archive": _UNPACK,
}


def read_documents(content: bytes, name: str, hints: Hints = NO_HINTS) -> list[Document]:
    """Read a document, or the documents of a table.

    Args:
        content: The file's bytes.
        name: Its name, for messages.
        hints: What task.yaml says.

    Returns:
        One document; or one for each row of a table, those that cannot be answered too.

    Raises:
        Rejected: It is empty, too large, damaged, of a kind that is not read, or holds no text.
    """
    if len(content) > MAX_BYTES:
        raise Rejected(f"{name} has more than {MAX_BYTES:,} bytes.", "Split it.")
    if not content.strip():
        raise Rejected(f"{name} is empty.", "Upload it again, with a text in it.")
    documents = _read(content, name, hints)
    if not any(document.text or document.media_type for document in documents):
        raise Rejected(f"{name} holds no text.", "Upload it again, with a text in it.")
    return documents


def _read(content: bytes, name: str, hints: Hints) -> list[Document]:
    """Find the format, and read it."""
    for key, binary in BINARY.items():
        if binary.sniff(content):
            return read_guarded(key, content, name, hints)
    kind = kind_of_binary(content)
    picture = _PICTURES.get(kind or "")
    if picture in hints.files:
        return [Document("", "picture", (AS_FILE,), media_type=picture)]
    if kind:
        raise Rejected(f"{name} is {kind}, which is not read.", _REMEDIES.get(kind, _READ))
    claims = [*claimed_encodings(content), *([hints.encoding] if hints.encoding else [])]
    text, encoding = decode(content, name, claims)
    for key, textual in TEXTUAL.items():
        if textual.sniff(text, hints):
            found = read_guarded(key, text.encode(), name, hints)
            return [item._replace(reader=f"{item.reader}, {encoding}") for item in found]
    text = text.strip()
    if len(text) > MAX_CHARACTERS:
        raise Rejected(f"{name} has more than {MAX_CHARACTERS:,} characters.", "Split it.")
    note = doubt(text)
    return [Document(text, f"text, {encoding}", (note,) if note else ())]
