"""Scores how much a text reads like a language.

A score is the logarithm of how probable the text is in the languages that an encoding was made for:
by its letters, their neighbours and its words. The difference between the scores of two readings of
the same bytes says how much surer one is than the other.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain, pairwise
from math import log
from typing import NamedTuple

from shared.encodings.languages import (
    ALPHABETS,
    HAN,
    HAN_TRADITIONAL,
    HANGUL,
    KANA_AND_KANJI,
    Language,
)

_ASCII = log(1 / 20)
_WORD = 2.0
_PRIOR = 1.5
_INSIDE_WORD = re.compile(r"[A-Za-z][^\x00-\x7f](?=[A-Za-z])")
_UNLIKELY = -16.0
_MIXED = -6.0
_ODD = -3.5
_CASE = -6.0
_SIGN = log(0.003)
_SYMBOL = log(0.0002)
_OTHER_LETTER = log(0.00003)
_FREE_SIGNS = frozenset("’‘“”„‚«»‹›–—…•\xa0\xad!?¿¡،؟؛")
_CLOSING = "’”"
_NO_LETTERS = frozenset({"SYMBOL", "SIGN", "NONE"})
_WIDE_SIGNS = frozenset(
    "，。、！？：；“”（）「」『』《》【】…—～・·\u3000‘’％～＂－０１２３４５６７８９"
)
_WIDE_SIGN = log(0.1 / len(_WIDE_SIGNS))
_COMMON, _RARE, _FOREIGN, _UNUSUAL = log(0.2 / 3000), -13.5, -11.5, -15.0
_USUAL = "cp1252"
_WORDS = re.compile(r"[^\W\d_]+")


class _Charset(NamedTuple):
    """An Asian encoding, and what is usual in it.

    Attributes:
        encoding: Python's name of the encoding.
        levels: The encoding whose rows 16 and up hold the usual characters.
        end: The first byte of the row behind them.
        costs: Frequent character -> logarithm of its probability.
    """

    encoding: str
    levels: str
    end: int
    costs: Mapping[str, float]


class Reading(NamedTuple):
    """What bytes mean in one encoding.

    Attributes:
        encoding: Python's name of the encoding.
        text: The text.
        score: How probable it is: a natural logarithm.
        mean: The mean score of a character beyond ASCII.
    """

    encoding: str
    text: str
    score: float
    mean: float


def encodings() -> Iterator[str]:
    """Go through the encodings for which texts can be scored, the more usual ones first."""
    ours = chain(*(language.encodings for language in ALPHABETS))
    yield from dict.fromkeys([*ours, *(charset.encoding for charset in _charsets())])


def read_as(encoding: str, text: str) -> Reading:
    """Score a text in the languages that its encoding was made for; the best score counts."""
    readings = [_read_asian(text, item) for item in _charsets() if item.encoding == encoding]
    if any(encoding in language.encodings for language in ALPHABETS):
        readings.append(_best_language(encoding, text))
    return max(readings, key=_score)


def _score(reading: Reading) -> float:
    return reading.score


def _best_language(encoding: str, text: str) -> Reading:
    """Score a text in the languages that an encoding was made for."""
    pairs = Counter(pairwise(" " + text))
    words = Counter(_WORDS.findall(text.lower()))
    beyond = sum(count for (_, character), count in pairs.items() if character > "\x7f")
    plain = _ASCII * (len(text) - beyond)

    def read(language: Language) -> Reading:
        costs = _costs(language)
        cost = sum(count * _cost(pair, costs) for pair, count in pairs.items())
        known = sum(count for word, count in words.items() if word in language.words)
        prior = _PRIOR * (language.encodings.index(encoding) + (encoding != _USUAL))
        score = plain + cost + _WORD * known - prior
        return Reading(encoding, text, score, cost / max(1, beyond))

    return max((read(item) for item in ALPHABETS if encoding in item.encodings), key=_score)


@lru_cache(maxsize=64)
def _costs(language: Language) -> Mapping[str, float]:
    """Give each letter of a language the logarithm of its probability."""
    latin = _script(language.letters[0]) == "LATIN"
    rate = 0.01 if language.name == "English" else 0.04 if latin else 0.8
    return _ranked(language.letters, rate, 3 if latin else 8)


def _ranked(letters: str, share: float, start: int) -> Mapping[str, float]:
    """Give letters in the order of their frequency the logarithms of their probabilities."""
    different = list(dict.fromkeys(letters))
    weights = [1 / (rank + start) for rank in range(len(different))]
    total = sum(weights)
    return {
        letter: log(share * weight / total)
        for letter, weight in zip(different, weights, strict=True)
    }


def _cost(pair: tuple[str, str], costs: Mapping[str, float]) -> float:
    """Score a character after another one; nothing for two in ASCII."""
    before, character = pair
    if character < "\x80" and before < "\x80":
        return 0.0
    cost = 0.0 if character < "\x80" else _cost_alone(before, character, costs)
    one, other = _script(before), _script(character)
    if one in _NO_LETTERS or other in _NO_LETTERS:
        beside = (one == "SYMBOL" and other not in _NO_LETTERS) or (
            other == "SYMBOL" and one not in _NO_LETTERS
        )
        return cost + (_ODD if beside else 0.0)
    if one != other:
        return cost + _MIXED
    if one == "LATIN" and before > "\x7f" and character > "\x7f":
        listed = before.lower() in costs and character.lower() in costs
        return cost + (-1.0 if listed else _ODD)
    return cost


def _cost_alone(before: str, character: str, costs: Mapping[str, float]) -> float:
    """Score a character beyond ASCII by how usual it is, in its case."""
    if character in costs:
        return costs[character]
    lower = character.lower()
    if lower in costs:
        case = _CASE if before.islower() else -0.5 if before.isupper() else -2.0
        return costs[lower] + case
    if character in _FREE_SIGNS:
        return _SIGN + (_ODD if character in _CLOSING and before.isspace() else 0.0)
    script = _script(character)
    if script == "NONE":
        return _UNLIKELY
    if script == "SYMBOL":
        return _SYMBOL
    return _OTHER_LETTER + (_CASE if before.islower() and character.isupper() else 0.0)


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """Name a letter's script; SYMBOL, SIGN or NONE for what is no letter."""
    category = unicodedata.category(character)
    if category in {"Cn", "Co", "Cs", "Cc"} and character > "\x7f":
        return "NONE"
    if category[0] in "LM" and character not in "ªº":
        script = unicodedata.name(character, "NONE").partition(" ")[0]
        return "LATIN" if script == "COMBINING" else script
    return "SIGN" if character in _FREE_SIGNS or character < "\x80" else "SYMBOL"


@lru_cache(maxsize=1)
def _charsets() -> tuple[_Charset, ...]:
    """List the Asian encodings; a text in Traditional characters may be in GB18030 as well."""
    simplified, traditional = (_ranked(han, 0.7, 20) for han in (HAN, HAN_TRADITIONAL))
    japanese, korean = _ranked(KANA_AND_KANJI, 0.7, 8), _ranked(HANGUL, 0.7, 10)
    return (
        _Charset("gb18030", "gb2312", 0xD8, simplified),
        _Charset("cp950", "big5", 0xC7, traditional),
        _Charset("gb18030", "big5", 0xC7, traditional),
        _Charset("cp932", "euc_jp", 0xD0, japanese),
        _Charset("euc_jp", "euc_jp", 0xD0, japanese),
        _Charset("cp949", "euc_kr", 0xC9, korean),
    )


def _read_asian(text: str, charset: _Charset) -> Reading:
    """Score a text by how usual its characters are."""
    beyond = plain = 0
    cost = _MIXED * len(_INSIDE_WORD.findall(text))
    for character, count in Counter(text).items():
        if character < "\x80":
            plain += count
            continue
        beyond += count
        cost += count * _cost_asian(character, charset)
    return Reading(charset.encoding, text, _ASCII * plain + cost, cost / max(1, beyond))


def _cost_asian(character: str, charset: _Charset) -> float:
    """Score a character beyond ASCII."""
    known = charset.costs.get(character)
    if known is not None:
        return known
    if character in _WIDE_SIGNS:
        return _WIDE_SIGN
    if _script(character) == "NONE":
        return _UNLIKELY
    try:
        lead = character.encode(charset.levels)[0]
    except UnicodeEncodeError:
        return _UNUSUAL
    first = 0xA4 if charset.levels == "big5" else 0xB0
    if first <= lead < charset.end:
        return _COMMON
    return _FOREIGN if lead < first else _RARE
