"""Finds out in which encoding a text is, and gives it as UTF-8.

Nothing is guessed where a guess could be wrong without anybody seeing it: when two readings of the
bytes are about as probable, the file is rejected and task.yaml has to say which one is meant.
"""

import codecs
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from shared.encodings.legacy import choose_encoding, title_of
from shared.encodings.recoding import CHUNK_BYTES, SAVE, Recoded, without_mark
from shared.errors import Rejected

Open = Callable[[], AbstractContextManager[BinaryIO]]

BEGINNING_BYTES = 262_144
"""How much of a text is looked at to find its encoding."""

_SAMPLE_BYTES = 32_768
_FEW = 0.01
_NO_LETTERS = frozenset({"Cc", "Cn", "Co"})
_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_NO_TEXT = bytes({*range(32), 127} - set(b"\t\n\f\r\x1b"))
_NOT_ASCII = bytes(range(128, 256))
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "charmap"}
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text.

    Attributes:
        name: Python's name of it.
        how: How it is known: a sentence for the report, without a full stop.
    """

    name: str
    how: str


def detect_encoding(open_bytes: Open, name: str, declared: str | None) -> Encoding:
    """Find a text's encoding by its first 256 KiB.

    Args:
        open_bytes: Opens the file.
        name: Its name, for messages.
        declared: The encoding in task.yaml, which is taken as it is.

    Raises:
        Rejected: It is not text, or its encoding cannot be told, or is not known.
    """
    if declared is not None:
        return Encoding(_check_declared(declared), f"the text is in {declared}, as task.yaml says")
    with open_bytes() as stream:
        data = stream.read(BEGINNING_BYTES + 1)
    whole, data = len(data) <= BEGINNING_BYTES, data[:BEGINNING_BYTES]
    for mark, encoding, title in _MARKS:
        if data.startswith(mark):
            return Encoding(encoding, f"the text is in {title}, as its byte order mark says")
    if b"\0" in data:
        return _wide(data, name)
    if len(data.translate(None, _NO_TEXT)) < len(data) * 0.9:
        raise _no_text(name, "it is full of control characters")
    if _is_in(data, "utf-8", whole=whole):
        if (b"\x1b$B" in data or b"\x1b$@" in data) and _is_in(data, "iso2022_jp", whole=whole):
            return _found("iso2022_jp")
        return Encoding("utf-8", "the text is in UTF-8")
    valid, bad = _count(data)
    if valid > bad:
        raise _broken(open_bytes, name)
    sample, cut = _telling_lines(data)
    like_utf8 = valid / (valid + bad)
    return _found(choose_encoding(sample, like_utf8, name, whole=whole and not cut))


def detect_encoding_at_depth(open_bytes: Open, name: str) -> Encoding:
    """Find the encoding of a text that begins like UTF-8 but is not, by all of it.

    Args:
        open_bytes: Opens the file.
        name: Its name, for messages.

    Raises:
        Rejected: It is UTF-8 with wrong bytes in it, or its encoding cannot be told.
    """
    valid = bad = 0
    telling, cut = b"", False
    with open_bytes() as stream:
        while chunk := stream.read(BEGINNING_BYTES):
            chunk += stream.readline(CHUNK_BYTES)
            if b"\0" in chunk:
                raise _no_text(name, "it has zero bytes")
            if chunk.isascii():
                continue
            more, wrong = _count(chunk)
            valid, bad = valid + more, bad + wrong
            if not cut:
                lines, cut = _telling_lines(chunk)
                telling += lines
                # The next chunk would go on in the middle of a line, perhaps of a character.
                cut |= len(telling) > _SAMPLE_BYTES or not chunk.endswith((b"\n", b"\r"))
    if valid > bad:
        raise _broken(open_bytes, name)
    like_utf8 = valid / max(1, valid + bad)
    return _found(choose_encoding(telling, like_utf8, name, whole=False))


def as_utf8(open_bytes: Open, encoding: str, name: str = "The file") -> Open:
    """Give a text as UTF-8 without a byte order mark, as a stream.

    Args:
        open_bytes: Opens the file.
        encoding: Its encoding. UTF-8 is passed on as it is, wrong bytes included.
        name: Its name, for messages.

    Returns:
        Opens the text. Reading raises Rejected for bytes that are wrong in another encoding.
    """
    plain = codecs.lookup(encoding).name in {"utf-8", "utf-8-sig"}

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        with open_bytes() as stream:
            if plain:
                yield without_mark(stream)
            else:
                yield io.BufferedReader(Recoded(stream, encoding, name), CHUNK_BYTES)

    return opened


def _check_declared(declared: str) -> str:
    """Return Python's name of an encoding that task.yaml names."""
    try:
        found = codecs.lookup(declared).name
        "".encode(found)
        usable = found.replace("-", "_") not in _NO_CHARSETS
    except (LookupError, ValueError):
        usable = False
    if not usable:
        raise Rejected(
            f"task.yaml names the encoding {declared[:60]!r}, which is not known.",
            "Name one such as utf-8, gb18030, big5, shift_jis, euc-kr or windows-1252.",
        )
    return found


def _is_in(data: bytes, encoding: str, *, whole: bool) -> bool:
    """Whether bytes are text in an encoding."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _wide(data: bytes, name: str) -> Encoding:
    """Tell UTF-16 and UTF-32 without a mark: one of them gives lines of characters."""
    found: dict[str, int] = {}
    for encoding in _WIDE:
        if _is_in(data, encoding, whole=False):
            text = codecs.getincrementaldecoder(encoding)().decode(data)
            odd = sum(unicodedata.category(character) in _NO_LETTERS for character in text)
            lines = text.count("\n") + text.count("\r")
            if lines and odd - lines - text.count("\t") <= len(text) * _FEW:
                found[encoding] = sum(character < "\x7f" for character in text)
    best = max(found, key=lambda encoding: found[encoding], default=None)
    if best is None:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise _no_text(name, f"it has a zero byte on line {line}")
    return Encoding(best, f"the text is in {best.upper()}, as its zero bytes show")


def _count(data: bytes) -> tuple[int, int]:
    """Count the characters of several bytes as in UTF-8, and the bytes that are in none."""
    lengths = [len(match) for match in _MULTIBYTE.findall(data)]
    beyond = len(data) - len(data.translate(None, _NOT_ASCII))
    return len(lengths), beyond - sum(lengths)


def _telling_lines(data: bytes) -> tuple[bytes, bool]:
    """Return the lines that are not ASCII, not too many, and whether the last one is cut off."""
    found = bytearray()
    for line in data.splitlines(keepends=True):
        if not line.isascii():
            found += line
        if len(found) > _SAMPLE_BYTES:
            return bytes(found[:_SAMPLE_BYTES]), True
    return bytes(found), False


def _found(encoding: str) -> Encoding:
    return Encoding(encoding, f"the text is in {title_of(encoding)}, as its bytes show")


def _no_text(name: str, why: str) -> Rejected:
    return Rejected(f"{name} is not text: {why}.", "Upload a table with labelled texts.")


def _broken(open_bytes: Open, name: str) -> Rejected:
    """Make the error for UTF-8 with wrong bytes: it names the first one."""
    with open_bytes() as stream:
        recoded = Recoded(stream, "utf-8", name)
        try:
            while recoded.read(CHUNK_BYTES):
                pass
        except Rejected as error:
            return error
    return Rejected(f"{name} is not UTF-8 as a whole.", SAVE)
