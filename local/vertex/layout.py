"""A text as tokens on lines, and what each token looks like as integers ready for hashing."""

import re
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from local.vertex.linear import Integers

_DENSE = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
# A number with its separators, one character of a dense script, letters, or one sign.
_TOKEN = re.compile(rf"\d+(?:[.,:/-]\d+)*|[{_DENSE}]|[^\W\d_{_DENSE}]+|[^\w\s]|_")
_MAXIMUM_CHARACTERS = 20_000
_CUE_WORDS = 4
_CUE_LINES = 4
_COUNTED_LETTERS = 3
_LONGEST_SHAPE = 12
_LONGEST_AMOUNT = 15
_AMOUNT = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")

NOTHING = 0
GAP_NONE, GAP_SPACE, GAP_LINE = 0, 1, 2


@lru_cache(maxsize=200_000)
def code_of(word: str) -> int:
    """Give a word its number, the same in every process.

    Args:
        word: Any text.

    Returns:
        A number above zero.
    """
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) + 1


@lru_cache(maxsize=100_000)
def shape_of(word: str) -> str:
    """Describe a token's form: X and x for letters, the digits counted, the rest as it is.

    Args:
        word: One token.

    Returns:
        For example "Xx" for "Total", "99.99" for "12.50".
    """
    if word.isalpha():
        if not word.isascii():
            return "c" if len(word) == 1 else "l"
        form = "X" if word.isupper() else "x" if word.islower() else "Xx"
        return form + (str(len(word)) if len(word) <= _COUNTED_LETTERS else "+")
    return re.sub(r"\d", "9", word) if len(word) <= _LONGEST_SHAPE else "9+"


@dataclass(frozen=True)
class Layout:
    """One text's tokens and attributes, each attribute an integer array, one a token.

    Attributes:
        text: The text itself.
        starts: Where each token begins in the text.
        ends: Where it ends.
        words: The tokens.
        word: Number of the lower-cased token.
        shape: Number of its shape.
        prefix: Number of its first two characters.
        suffix: Number of its last three characters.
        gap: How it follows the token before it: GAP_NONE, GAP_SPACE or GAP_LINE.
        line: Its line, counted from zero over lines that are not blank.
        place: Its position on its line.
        rest: How many tokens follow on its line.
        amount: Rank of its value among the text's amounts: 1 largest; 0 for no amount.
        repeats: How often the token occurs, at most 4.
        line_first: Number of each line's first word (lines).
        line_second: Number of each line's second word (lines).
        line_last: Number of each line's last word (lines).
        line_shape: Number of each line's form (lines).
        line_length: Each line's tokens, at most 12 (lines).
        cue_words: Numbers of the words of the nearest earlier line with letters (lines x 4).
        cue_distance: How many lines up that is, 0 for none (lines).
    """

    text: str
    starts: Integers
    ends: Integers
    words: list[str]
    word: Integers
    shape: Integers
    prefix: Integers
    suffix: Integers
    gap: Integers
    line: Integers
    place: Integers
    rest: Integers
    amount: Integers
    repeats: Integers
    line_first: Integers
    line_second: Integers
    line_last: Integers
    line_shape: Integers
    line_length: Integers
    cue_words: Integers
    cue_distance: Integers

    @property
    def lines(self) -> int:
        """How many lines hold tokens."""
        return len(self.line_first)


def _line_form(words: list[str]) -> str:
    letters = sum(word[0].isalpha() for word in words)
    digits = sum(word[0].isdigit() for word in words)
    upper = sum(word.isupper() for word in words)
    return (
        f"{'a' if letters else ''}{'A' if letters and upper == letters else ''}"
        f"{'9' if digits else ''}{'m' if digits > letters else ''}"
    )


def _amount_ranks(words: list[str]) -> list[int]:
    values = {
        index: float(word.replace(",", ""))
        for index, word in enumerate(words)
        if "." in word and _AMOUNT.fullmatch(word) and len(word) <= _LONGEST_AMOUNT
    }
    order = {
        value: min(rank, 5) for rank, value in enumerate(sorted(set(values.values()))[::-1], 1)
    }
    return [order[values[index]] if index in values else NOTHING for index in range(len(words))]


def lay_out(text: str) -> Layout:
    """Split a text into tokens and describe them.

    Args:
        text: Any text; only its first 20,000 characters count.

    Returns:
        The layout; it may hold no tokens.
    """
    matches = list(_TOKEN.finditer(text, 0, min(len(text), _MAXIMUM_CHARACTERS)))
    words = [match.group() for match in matches]
    starts = [match.start() for match in matches]
    ends = [match.end() for match in matches]
    gaps: list[int] = []
    by_line: list[list[str]] = []
    line: list[int] = []
    place: list[int] = []
    previous_end = 0
    for word, start, end in zip(words, starts, ends, strict=True):
        between = text[previous_end:start]
        gap = GAP_LINE if "\n" in between or "\r" in between else int(bool(between))
        if not by_line or gap == GAP_LINE:
            by_line.append([])
        line.append(len(by_line) - 1)
        place.append(len(by_line[-1]))
        by_line[-1].append(word)
        gaps.append(gap)
        previous_end = end
    lower = [word.lower() for word in words]
    counts = Counter(lower)
    lengths = [len(row) for row in by_line]
    cue_words, cue_distance = _cues(by_line)

    def array(values: list[int]) -> Integers:
        return np.array(values, dtype=np.int64)

    def codes(values: list[str]) -> Integers:
        return array([code_of(value) for value in values])

    return Layout(
        text=text,
        starts=array(starts),
        ends=array(ends),
        words=words,
        word=codes(lower),
        shape=codes([shape_of(word) for word in words]),
        prefix=codes([word[:2] for word in lower]),
        suffix=codes([word[-3:] for word in lower]),
        gap=array(gaps),
        line=array(line),
        place=array(place),
        rest=array([lengths[row] - column - 1 for row, column in zip(line, place, strict=True)]),
        amount=array(_amount_ranks(words)),
        repeats=array([min(counts[word], 4) for word in lower]),
        line_first=codes([row[0].lower() for row in by_line]),
        line_second=codes([row[1].lower() if len(row) > 1 else "" for row in by_line]),
        line_last=codes([row[-1].lower() for row in by_line]),
        line_shape=codes([_line_form(row) for row in by_line]),
        line_length=array([min(length, 12) for length in lengths]),
        cue_words=cue_words,
        cue_distance=array(cue_distance),
    )


def _cues(by_line: list[list[str]]) -> tuple[Integers, list[int]]:
    """Find for each line the nearest earlier line that holds words: often a value's caption."""
    captions = [
        [code_of(word.lower()) for word in row if word[0].isalpha()][:_CUE_WORDS] for row in by_line
    ]
    found = np.zeros((len(by_line), _CUE_WORDS), dtype=np.int64)
    distances = [NOTHING] * len(by_line)
    for row in range(len(by_line)):
        for distance in range(1, min(_CUE_LINES, row) + 1):
            caption = captions[row - distance]
            if caption:
                found[row, : len(caption)] = caption
                distances[row] = distance
                break
    return found, distances
