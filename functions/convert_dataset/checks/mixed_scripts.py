"""Texts in another script than nearly all the others."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from functions.convert_dataset.checks import Batch, Check, Facts, Finding
from functions.convert_dataset.checks.grouping import as_rows
from functions.convert_dataset.checks.wording import number_of

SCRIPTS = (
    "no script", "Latin", "Han", "kana", "Hangul", "Cyrillic", "Greek", "Arabic", "Hebrew",
    "Devanagari", "Thai", "another script",
)  # fmt: skip
_NONE, _LATIN, _HAN, _KANA, _HANGUL, _CYRILLIC = range(6)
_GREEK, _ARABIC, _HEBREW, _DEVANAGARI, _THAI, _ELSE = range(6, 12)

_BLOCKS = (
    (0x0000, _LATIN), (0x0370, _GREEK), (0x0400, _CYRILLIC), (0x0530, _ELSE), (0x0590, _HEBREW),
    (0x0600, _ARABIC), (0x0700, _ELSE), (0x0750, _ARABIC), (0x0780, _ELSE), (0x08A0, _ARABIC),
    (0x0900, _DEVANAGARI), (0x0980, _ELSE), (0x0E00, _THAI), (0x0E80, _ELSE), (0x1100, _HANGUL),
    (0x1200, _ELSE), (0x1C80, _CYRILLIC), (0x1C90, _ELSE), (0x1D00, _LATIN), (0x1F00, _GREEK),
    (0x2000, _LATIN), (0x2C80, _ELSE), (0x2DE0, _CYRILLIC), (0x2E00, _ELSE), (0x2E80, _HAN),
    (0x3040, _KANA), (0x3100, _HAN), (0x3130, _HANGUL), (0x3190, _HAN), (0x31F0, _KANA),
    (0x3200, _HAN), (0xA000, _ELSE), (0xA640, _CYRILLIC), (0xA6A0, _ELSE), (0xA720, _LATIN),
    (0xA800, _ELSE), (0xA8E0, _DEVANAGARI), (0xA900, _ELSE), (0xA960, _HANGUL), (0xA980, _ELSE),
    (0xAB30, _LATIN), (0xAB70, _ELSE), (0xAC00, _HANGUL), (0xD800, _ELSE), (0xF900, _HAN),
    (0xFB00, _LATIN), (0xFB13, _ELSE), (0xFB1D, _HEBREW), (0xFB50, _ARABIC), (0xFE00, _ELSE),
    (0xFE70, _ARABIC), (0xFF00, _LATIN), (0xFF66, _KANA), (0xFFA0, _HANGUL), (0xFFE0, _ELSE),
    (0x20000, _HAN), (0x40000, _ELSE),
)  # fmt: skip
"""Where blocks of Unicode begin, and the script of the letters in them."""
_STARTS = tuple(start for start, _ in _BLOCKS)

_BEYOND_LATIN = re.compile(
    r"[\u0370-\u1cff\u2c80-\u2dff\u2e80-\u2fff\u3005-\uffff\U00020000-\U0003ffff]"
)
_LATIN_LETTER = re.compile(r"[A-Za-z\u00c0-\u024f]")

_LOOKED_AT = 40
"""So many characters, evenly from all of a text, tell its script."""

_WEIGHTS = tuple(3 if script in {_HAN, _KANA, _HANGUL} else 1 for script in range(len(SCRIPTS)))
"""Where a sign is a syllable or a word, it counts for as much as three letters."""

_MINORITY = 0.05
_FEWEST = 2
_KANA_IN_JAPANESE = 0.1


class MixedScripts(Check):
    """Texts in a script that hardly any other text is in."""

    name = "mixed-scripts"
    severity = "info"

    def __init__(self) -> None:
        self._scripts = bytearray()

    def look(self, batch: Batch) -> None:
        """Note each text's script, one byte a row."""
        if batch.rows:
            self._scripts.extend(bytes(batch.rows[-1] + 1 - len(self._scripts)))
        scripts = map(script_of, batch.texts)
        for row, script in zip(batch.rows, scripts, strict=True):
            self._scripts[row] = script

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Give the texts of each script that fewer than one in twenty is in."""
        import numpy as np

        scripts = np.frombuffer(self._scripts, dtype=np.uint8)
        scripts = np.where(facts.kept[: len(scripts)], scripts, _NONE)
        counts = np.bincount(scripts, minlength=len(SCRIPTS))
        counts[_NONE] = 0
        usual = int(counts.argmax())
        for script in np.flatnonzero(counts >= _FEWEST):
            # A short Japanese text may have no kana.
            japanese = usual == _KANA and script == _HAN
            if counts[script] < _MINORITY * counts.sum() and not japanese:
                count = int(counts[script])
                yield Finding(
                    check=self.name,
                    severity=self.severity,
                    count=count,
                    summary=f"{number_of(count, 'text is', 'texts are')} mostly in "
                    f"{SCRIPTS[script]}, where most are in {SCRIPTS[usual]}",
                    remedy="Leave them out if they are here by mistake; if such texts will be "
                    "asked about, add more of them.",
                    rows=as_rows(np.flatnonzero(scripts == script)),
                )


def script_of(text: str) -> int:
    """Return the script of most of a text's letters, as an index of SCRIPTS."""
    if text.isascii() or not _BEYOND_LATIN.search(text):
        return _LATIN if _LATIN_LETTER.search(text) else _NONE
    counts = [0] * len(SCRIPTS)
    for character in text[:: 1 + len(text) // _LOOKED_AT]:
        counts[_script_of_character(character)] += 1
    counts[_NONE] = 0
    if counts[_KANA] > _KANA_IN_JAPANESE * (counts[_HAN] + counts[_KANA]):
        counts[_KANA] += counts[_HAN]
    weighted = [count * weight for count, weight in zip(counts, _WEIGHTS, strict=True)]
    return weighted.index(max(weighted))


@lru_cache(maxsize=20_000)
def _script_of_character(character: str) -> int:
    """Return the script of one character; what is no letter has none."""
    if not character.isalpha():
        return _NONE
    return _BLOCKS[bisect_right(_STARTS, ord(character)) - 1][1]
