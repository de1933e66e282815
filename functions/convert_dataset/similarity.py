"""Finds texts that are nearly the same, without comparing each with each.

Texts are near when the sets of their pieces of four characters (letter case and white space do not
matter) have at least 80 % in common: their Jaccard similarity. MinHash finds the candidates
(Broder 1997, "On the resemblance and containment of documents"): of texts that are just near it
misses about one pair in 70, of nearly equal ones hardly any. Every pair it proposes is confirmed.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

NEAR = 0.8
"""From this Jaccard similarity on, texts are near."""

_PIECE = 4
_BANDS = 8
_BAND_WIDTH = 4
_AGREEMENT = 0.6
"""Candidates whose MinHashes agree less than this are not worth confirming: if their similarity
were 0.8, that would happen to one pair in 250."""

_ROUNDS = 4
_PATIENCE = 4
"""How many different texts of a bucket the others are compared with, and how often a text may be
compared in vain: bounds the work when all texts share a long part without being near."""

_CHUNK_CHARACTERS = 1_000_000
_ALL = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MIXING = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
"""The constants of SplitMix64 (Steele, Lea, Flood 2014): written down, because a random number
generator may change from one version to the next, and with it the splits."""


def near_pairs(texts: Sequence[str], keys: Sequence[int]) -> list[tuple[int, int]]:
    """Find pairs of near texts: enough of them to connect all that belong together.

    The order of the texts makes no difference to what is connected. Time and memory grow with the
    number of characters, whatever the texts are.

    Args:
        texts: The texts, not blank.
        keys: A stable hash of each, such as `keys.exact_key`.

    Returns:
        Pairs of indexes, the smaller one first, sorted.
    """
    folded = [" ".join(text.casefold().split()) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: (keys[index], folded[index]))
    signatures = _signatures([folded[index] for index in order])
    search = _Search(folded, list(range(len(texts))), [_PATIENCE] * len(texts))
    found: list[tuple[int, int]] = []
    for band in range(_BANDS):
        columns = signatures[:, band * _BAND_WIDTH : (band + 1) * _BAND_WIDTH]
        for bucket in _buckets(columns):
            found += _confirmed(bucket, signatures, order, search)
    return sorted(found)


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of pieces that two texts have in common."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def pieces(folded: str) -> frozenset[str]:
    """Return a text's pieces of four characters; a shorter text is its own piece."""
    ends = range(_PIECE, max(len(folded), _PIECE) + 1)
    return frozenset(folded[end - _PIECE : end] for end in ends)


class _Search(NamedTuple):
    """What a search remembers of each text.

    Attributes:
        folded: The text.
        family: Another text that it is connected with, or itself.
        patience: How many more times it may be compared in vain.
    """

    folded: Sequence[str]
    family: list[int]
    patience: list[int]

    def head(self, member: int) -> int:
        """Follow the links to the text that stands for all those connected with one."""
        while self.family[member] != member:
            self.family[member] = self.family[self.family[member]]
            member = self.family[member]
        return member


def _confirmed(
    bucket: "NDArray[np.int64]", signatures: "Hashes", order: Sequence[int], search: _Search
) -> Iterator[tuple[int, int]]:
    """Compare a bucket's first text with the rest; then the first of those that are not near it."""
    import numpy as np

    for _ in range(_ROUNDS):
        if len(bucket) < 2:  # noqa: PLR2004
            return
        first, rest = order[bucket[0]], bucket[1:]
        own = pieces(search.folded[first])
        alike = (signatures[rest] == signatures[bucket[0]]).mean(axis=1) >= _AGREEMENT
        for number in np.flatnonzero(alike).tolist():
            member = order[rest[number]]
            # What is connected already is not compared again: a million texts with the same long
            # beginning would be, in every band.
            if search.head(member) == search.head(first):
                continue
            if not search.patience[member]:
                continue
            if jaccard(own, pieces(search.folded[member])) >= NEAR:
                search.family[search.head(member)] = search.head(first)
                yield min(first, member), max(first, member)
            else:
                search.patience[member] -= 1
                alike[number] = False
        bucket = rest[~alike]


def _buckets(columns: "Hashes") -> Iterator["NDArray[np.int64]"]:
    """Group texts whose MinHashes are the same in one band; only groups of two and more."""
    import numpy as np

    order = np.lexsort(columns.T)
    ordered = columns[order]
    changes = np.flatnonzero((ordered[1:] != ordered[:-1]).any(axis=1)) + 1
    starts = np.concatenate(([0], changes))
    ends = np.concatenate((changes, [len(order)]))
    for index in np.flatnonzero(ends - starts > 1):
        yield np.sort(order[starts[index] : ends[index]])


def _signatures(folded: Sequence[str]) -> "Hashes":
    """Compute the MinHashes of each text."""
    import numpy as np

    signatures = np.empty((len(folded), _BANDS * _BAND_WIDTH), dtype=np.uint64)
    start = size = 0
    for index, text in enumerate(folded):
        size += len(text) + _PIECE
        if size >= _CHUNK_CHARACTERS or index == len(folded) - 1:
            signatures[start : index + 1] = _chunk_signatures(folded[start : index + 1])
            start, size = index + 1, 0
    return signatures


def _chunk_signatures(folded: Sequence[str]) -> "Hashes":
    """Compute the MinHashes of texts that fit into memory as numbers, all at once."""
    import numpy as np

    # Texts are padded, so that a short one has a piece too, and pieces across two texts are
    # left out.
    padded = [text if len(text) >= _PIECE else text.ljust(_PIECE, "\0") for text in folded]
    joined = "".join(padded).encode("utf-32-le", "surrogatepass")
    characters = np.frombuffer(joined, dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in padded])
    begins = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    hashes = np.zeros(len(characters) - _PIECE + 1, dtype=np.uint64)
    for offset in range(_PIECE):
        hashes *= np.uint64(_GOLDEN)
        hashes ^= characters[offset : offset + len(hashes)]
        hashes ^= hashes >> np.uint64(29)
    whole = np.ones(len(characters), dtype=bool)
    for offset in range(1, _PIECE):
        whole[begins + lengths - offset] = False
    hashes = hashes[whole[: len(hashes)]]
    numbers = lengths - _PIECE + 1
    starts = np.concatenate(([0], np.cumsum(numbers)[:-1]))
    columns = []
    for number in range(1, _BANDS * _BAND_WIDTH + 1):
        mixed = hashes ^ np.uint64(number * _GOLDEN & _ALL)
        for shift, factor in _MIXING:
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        columns.append(np.minimum.reduceat(mixed, starts))
    return np.stack(columns, axis=1)
