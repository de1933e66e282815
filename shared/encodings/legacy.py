"""Tells in which of the old encodings a text is: in which it reads most like a language.

Every encoding gives the same bytes another meaning; `plausibility` scores what they mean.
"""

import codecs
import re

from shared.encodings.plausibility import Reading, encodings, read_as
from shared.encodings.recoding import SAVE
from shared.errors import Rejected

_ENOUGH = 4.0
"""The more probable reading has to be some fifty times as probable as the next."""

_TOO_ODD = -11.0
_TOO_ODD_THROUGHOUT = -9.5
_OFTEN = 0.2
_CHANCE = 0.1
_SHOWN = 30
_OWN_PAIRS = {"gb18030", "cp950", "cp932", "euc_jp", "cp949", "cp874", "cp866"}
_NAMES = {
    "gb18030": "GB18030 (GBK, GB2312)", "cp950": "Big5", "cp932": "Shift-JIS", "euc_jp": "EUC-JP",
    "cp949": "EUC-KR", "iso2022_jp": "ISO-2022-JP", "cp874": "Windows-874 (Thai)",
    "mac_roman": "Mac Roman", "mac_cyrillic": "Mac Cyrillic", "mac_iceland": "Mac Icelandic",
    "koi8_r": "KOI8-R", "koi8_u": "KOI8-U",
}  # fmt: skip


def choose_encoding(sample: bytes, like_utf8: float, name: str, *, whole: bool) -> str:
    """Choose the encoding in which some lines read most like a language.

    Args:
        sample: Lines that are neither ASCII nor UTF-8; more than some ten thousand bytes only cost
            time.
        like_utf8: How many of their characters would be UTF-8, between 0 and 1. In most encodings
            that is no chance.
        name: The file's name, for messages.
        whole: Whether the sample ends with a whole character.

    Returns:
        Python's name of the encoding.

    Raises:
        Rejected: No encoding gives a text, or two give texts that are about as probable.
    """
    found = _readings(sample, whole=whole)
    if not sample or not found or _is_noise(found[0]):
        raise Rejected(f"The encoding of {name} cannot be told.", SAVE)
    best, *others = found
    if like_utf8 > _CHANCE and best.encoding not in _OWN_PAIRS:
        raise Rejected(f"{name} is partly UTF-8 and partly {title_of(best.encoding)}.", SAVE)
    if others and best.score - others[0].score < _ENOUGH:
        one, other = _difference(best, others[0])
        raise Rejected(
            f"{name} can be read in two ways: as {best.encoding} ({one!r}) or as "
            f"{others[0].encoding} ({other!r}).",
            f"Say which in task.yaml: `encoding: {best.encoding}`.",
        )
    return best.encoding


def title_of(encoding: str) -> str:
    """Write an encoding's name as people do."""
    title = re.sub(r"^cp(12\d\d)$", r"Windows-\1", encoding)
    title = re.sub(r"^iso8859_", "ISO 8859-", title)
    return _NAMES.get(encoding, title)


def _readings(data: bytes, *, whole: bool) -> list[Reading]:
    """Read bytes in every encoding, the most probable first; of equal texts only one."""
    found: dict[str, Reading] = {}
    for encoding in encodings():
        text = _decode(data, encoding, whole=whole)
        if text is not None:
            reading = read_as(encoding, text)
            found[text] = max(found.get(text, reading), reading, key=lambda item: item.score)
    return sorted(found.values(), key=lambda item: -item.score)


def _decode(data: bytes, encoding: str, *, whole: bool) -> str | None:
    """Decode bytes; None when they are not text in this encoding."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
    except UnicodeDecodeError:
        return None
    return None if any("\x7f" < character < "\xa0" for character in set(text)) else text


def _is_noise(reading: Reading) -> bool:
    """Whether even the best reading looks like no language."""
    beyond = sum(character > "\x7f" for character in reading.text)
    often = beyond > _OFTEN * len(reading.text)
    return reading.mean < (_TOO_ODD_THROUGHOUT if often else _TOO_ODD)


def _difference(one: Reading, other: Reading) -> tuple[str, str]:
    """Return where two readings differ first, with a little before it."""
    pairs = enumerate(zip(one.text, other.text, strict=False))
    place = next((index for index, (a, b) in pairs if a != b), 0)
    start = max(0, place - _SHOWN // 3)
    return one.text[start : start + _SHOWN], other.text[start : start + _SHOWN]
