"""PDF files with a text layer, through pypdf."""

import io
import unicodedata
from itertools import islice

from functions.process_document.reading.document import AS_FILE, MAX_CHARACTERS, Document, Hints
from shared.errors import Rejected

MEDIA_TYPE = "application/pdf"
MAX_PAGES = 2000
MAX_STREAM_BYTES = 50_000_000
"""The most that one of its packed streams may become; honest pages have some hundred thousand."""

_LOOKED_AT = 20_000
_ODD = 0.2
_NO_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})
_SEARCHABLE = "Save it as a PDF with text in it: a scan has to be run through text recognition."


def sniff(content: bytes) -> bool:
    """Whether bytes are a PDF file."""
    return content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-")


def read(content: bytes, name: str, hints: Hints) -> list[Document]:
    """Read a PDF file's text, page by page.

    Args:
        content: The file.
        name: Its name, for messages.
        hints: What task.yaml says.

    Raises:
        Rejected: It needs a password, has no text or too much, or is damaged.
    """
    from pypdf import PdfReader, overwrite_configuration
    from pypdf.errors import LimitReachedError, PyPdfError

    overwrite_configuration(
        # No other program is started, whatever a document holds.
        jbig2dec_binary=None,
        zlib_maximum_output_length=MAX_STREAM_BYTES,
        lzw_maximum_output_length=MAX_STREAM_BYTES,
        run_length_maximum_output_length=MAX_STREAM_BYTES,
        brotli_maximum_output_length=MAX_STREAM_BYTES,
        page_tree_maximum_entries=4 * MAX_PAGES,
        page_tree_maximum_page_entries=100 * MAX_PAGES,
    )
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        # Many are only protected from being changed: they open with the empty password.
        if reader.is_encrypted and not reader.decrypt(""):
            raise Rejected(f"{name} is protected by a password.", "Save it without one.")
        pages: list[str] = []
        length = 0
        for page in islice(reader.pages, MAX_PAGES + 1):
            pages.append(page.extract_text().strip())
            length += len(pages[-1])
            _check_size(len(pages), length, name)
    except LimitReachedError:
        raise Rejected(
            f"{name} takes more to be read than honest files do.",
            "Save it again as PDF, or split it.",
        ) from None
    except PyPdfError as error:
        raise Rejected(
            f"{name} is damaged, or no PDF ({type(error).__name__}).", "Save it again as PDF."
        ) from None
    text = "\n\n".join(page for page in pages if page)
    try:
        _check_text(text, len(pages), name)
    except Rejected:
        if MEDIA_TYPE not in hints.files:
            raise
        return [Document("", "PDF without text", (AS_FILE,), media_type=MEDIA_TYPE)]
    return [Document(text, "PDF")]


def _check_size(pages: int, length: int, name: str) -> None:
    """Refuse what is too long before more of it is read."""
    if pages > MAX_PAGES:
        raise Rejected(f"{name} has more than {MAX_PAGES:,} pages.", "Split it.")
    if length > MAX_CHARACTERS:
        raise Rejected(f"{name} has more than {MAX_CHARACTERS:,} characters.", "Split it.")


def _check_text(text: str, pages: int, name: str) -> None:
    """Refuse a file without a text layer, or with one that nobody can read."""
    if not any(character.isalnum() for character in text):
        raise Rejected(
            f"{name} has no text in its {pages:,} page{'s' if pages != 1 else ''}, only pictures.",
            _SEARCHABLE,
        )
    looked_at = text[:_LOOKED_AT]
    odd = sum(
        (unicodedata.category(character) in _NO_TEXT and not character.isspace())
        or character == "\ufffd"
        for character in looked_at
    )
    if odd > len(looked_at) * _ODD:
        raise Rejected(
            f"{name} has a text layer that does not say which letters it shows.", _SEARCHABLE
        )
