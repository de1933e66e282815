"""Finds the examples that resemble a text most, in pure Python and in a millisecond or so.

Texts are compared by TF-IDF over words and pieces of words (characters, in scripts that do not part
words), with cosine similarity. Only a text's rarest terms are looked up, and only terms that few
examples share are kept: what most examples have in common tells none of them apart, and looking it
up is what would cost time.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

MAX_CHARACTERS = 2000
"""So much of a text's beginning is compared."""

MAX_TERMS = 64
"""So many of a text's terms are looked up, the rarest."""

COMMON = 0.5
"""Terms that more than this share of the examples have are not looked up."""

PIECE = 4
PIECE_WEIGHT = 0.5
"""Pieces find other forms of a word, but there are many of them; whole words say more."""

VERSION = 1
"""Counts the ways of comparing: another way finds other examples, and so makes other prompts."""

_MARK = "~"
_WORD = re.compile(r"[^\W_]+")
_UNPARTED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def terms(text: str) -> Counter[str]:
    """Count a text's terms: its words, their pieces of four letters, and pairs of words."""
    found: Counter[str] = Counter()
    before = ""
    for word in _WORD.findall(text[:MAX_CHARACTERS].casefold()):
        if _UNPARTED.search(word):
            found.update(word)
            found.update(word[at : at + 2] for at in range(len(word) - 1))
            before = ""
            continue
        found[f" {word} "] += 1
        if before:
            found[f"{before} {word}"] += 1
        before = word
        if len(word) > PIECE:
            padded = f" {word} "
            found.update(f"{_MARK}{padded[at : at + PIECE]}" for at in range(len(word) - 1))
    return found


class Nearest:
    """An index of texts.

    Args:
        texts: The texts; of two that are equally near, the earlier one counts as nearer.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        counted = [terms(text) for text in texts]
        frequency = Counter(term for counts in counted for term in counts)
        most = max(COMMON * len(texts), 1)
        self._rarity = {
            term: (1 + math.log((1 + len(texts)) / (1 + shared)))
            * (PIECE_WEIGHT if term[0] == _MARK else 1)
            for term, shared in frequency.items()
            if shared <= most
        }
        self._where: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, counts in enumerate(counted):
            for term, weight in self._weighted(counts):
                self._where[term].append((place, weight))

    def find(self, text: str, count: int) -> list[int]:
        """Return the places of the texts that are nearest, the nearest first.

        Args:
            text: The text that others are compared with.
            count: How many to return; fewer only if there are fewer.
        """
        likeness = [0.0] * self._size
        for term, weight in self.looked_up(text):
            for place, other in self._where[term]:
                likeness[place] += weight * other
        places = sorted(range(self._size), key=lambda place: -likeness[place])
        return places[:count]

    def looked_up(self, text: str) -> list[tuple[str, float]]:
        """Return the terms of a text that are looked up, with their weights, the rarest first."""
        weighted = self._weighted(terms(text))
        weighted.sort(key=lambda item: -self._rarity[item[0]])
        return weighted[:MAX_TERMS]

    def _weighted(self, counts: Counter[str]) -> list[tuple[str, float]]:
        """Weigh the terms that are known and rare enough; the weights' squares come to one."""
        raw = [
            (term, (1 + math.log(number)) * rarity)
            for term, number in counts.items()
            if (rarity := self._rarity.get(term)) is not None
        ]
        length = math.sqrt(sum(weight * weight for _, weight in raw)) or 1.0
        return [(term, weight / length) for term, weight in raw]
