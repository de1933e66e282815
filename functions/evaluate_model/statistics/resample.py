"""The bootstrap and the exchange of answers, over joint counts instead of over rows.

Rows that add the same to every sum are one kind of row; drawing n rows with replacement draws a
multinomial count of each kind. It is the same distribution as that of the row bootstrap (Efron
1979), at a cost that depends on the number of kinds and not of rows. In the same way, exchanging
answers at random exchanges a binomial share of each kind.
"""

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 10_000

_CELLS = 4_000_000
"""So many counts are held at a time."""


def resampled_sums(
    rows: "NDArray[np.int16]", resamples: int = RESAMPLES
) -> "Iterator[NDArray[np.float64]]":
    """Draw resamples of rows, and sum each of them up.

    The draws follow from the rows, so that they are the same every time.

    Args:
        rows: n x k: what each row adds to each of k sums.
        resamples: How many resamples to draw.

    Yields:
        Some resamples at a time, each a row of k sums.
    """
    import numpy as np

    kinds, counts, chance = _kinds_of(rows)
    for size in _batches(kinds.shape, resamples):
        drawn = chance.multinomial(len(rows), counts / len(rows), size=size)
        yield (drawn.astype(np.float32) @ kinds).astype(np.float64)


def exchanged_sums(
    rows: "NDArray[np.int16]", resamples: int = RESAMPLES
) -> "Iterator[NDArray[np.float64]]":
    """Pick each row with probability one half, and sum up what was picked, again and again.

    The picks follow from the rows, so that they are the same every time.

    Args:
        rows: n x k: what exchanging a row moves from one candidate's sums to the other's.
        resamples: How often to pick.

    Yields:
        The sums of some picks at a time, each a row of k sums.
    """
    import numpy as np

    kinds, counts, chance = _kinds_of(rows)
    for size in _batches(kinds.shape, resamples):
        picked = chance.binomial(counts, 0.5, size=(size, len(counts)))
        yield (picked.astype(np.float32) @ kinds).astype(np.float64)


def _kinds_of(
    rows: "NDArray[np.int16]",
) -> "tuple[NDArray[np.float32], NDArray[np.int64], np.random.Generator]":
    """Return the kinds of rows, how many there are of each, and the chance that follows."""
    import numpy as np

    kinds, counts = np.unique(rows, axis=0, return_counts=True)
    digest = hashlib.sha256(kinds.tobytes() + counts.tobytes()).digest()
    chance = np.random.default_rng(int.from_bytes(digest[:16], "big"))
    # Whole numbers of this size are exact, and the product is twice as fast.
    return kinds.astype(np.float32), counts, chance


def _batches(shape: tuple[int, ...], resamples: int) -> Iterator[int]:
    """Cut resamples into as many at a time as may be held."""
    at_once = max(1, _CELLS // max(1, *shape))
    for start in range(0, resamples, at_once):
        yield min(at_once, resamples - start)
