"""Decodes a document. What is plain UTF-8 needs nothing else; the rest is found out."""

import codecs
import io
from collections.abc import Sequence

from functions.process_document.reading.document import SAVE_AGAIN
from shared.errors import Rejected

_ESCAPES = (b"\0", b"\x1b$")
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\f\r\x1b"))
_FEW = 0.1


def decode(content: bytes, name: str, likely: Sequence[str] = ()) -> tuple[str, str]:
    """Decode a text: by its byte order mark, as UTF-8, or by what it looks like.

    Args:
        content: The bytes.
        name: The document's name, for messages.
        likely: Encodings that somebody claims it is in. They decide when its bytes leave it open;
            claims are often wrong, and bytes that show another encoding are believed.

    Returns:
        (text, Python's name of the encoding).

    Raises:
        Rejected: It is not text, or its encoding cannot be told.
    """
    if not any(escape in content for escape in _ESCAPES):
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
        else:
            _refuse_controls(content, name)
            return text, "utf-8"
    try:
        encoding = _detect(content, name)
        return content.decode(encoding).removeprefix("\ufeff"), encoding
    except Rejected as rejection:
        # A wide encoding shows in the bytes, and no claim makes a text of zero bytes.
        for claimed in () if b"\0" in content else likely:
            if (claim := decode_as(content, claimed)) is not None:
                return claim, codecs.lookup(claimed).name
        raise Rejected(rejection.reason, SAVE_AGAIN) from None
    except UnicodeDecodeError as error:
        raise Rejected(f"{name} is not {error.encoding} as a whole.", SAVE_AGAIN) from None


def decode_as(content: bytes, encoding: str) -> str | None:
    """Decode bytes in an encoding that somebody names; None when they are not, or it is none."""
    try:
        text = content.decode(encoding)
    except (LookupError, ValueError):
        return None
    # Python takes the names of codecs that make bytes, too.
    return text if isinstance(text, str) else None


def _detect(content: bytes, name: str) -> str:
    """Find the encoding by the text's beginning, or by all of it when that misleads."""
    from shared.encodings.detection import detect_encoding, detect_encoding_at_depth

    def reopen() -> io.BytesIO:
        return io.BytesIO(content)

    encoding = detect_encoding(reopen, name, None).name
    if encoding != "utf-8" or decode_as(content, encoding) is not None:
        return encoding
    return detect_encoding_at_depth(reopen, name).name


def _refuse_controls(content: bytes, name: str) -> None:
    """Refuse what is valid UTF-8 but mostly control characters."""
    if len(content.translate(None, _CONTROLS)) < len(content) * (1 - _FEW):
        raise Rejected(f"{name} is not text: it is full of control characters.", SAVE_AGAIN)
