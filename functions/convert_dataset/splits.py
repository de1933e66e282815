"""Decides which split an example belongs to: a hash of its content against the shares.

Examples with the same letters, near duplicates, and rows of one group go together: the key of one
of them decides. So the same text is in the same split whatever its row or file, and a new row
moves no old one, with three exceptions that look at a file as a whole: a row that joins two groups;
a label (of a multi-label text: its combination) with five or more examples, which has at least one
in each split; and the cap on validation. Otherwise the shares hold in expectation.
Splits that a file gives are kept; only one that it lacks is cut out of its training examples.

docs/decisions/0008-intake.md has the reasons.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.task import Split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
NONE = -1

LARGE_TRAINING_FILE = 1000
LARGEST_SHARE = 0.3

TEMPLATE_TEXTS = 20
TEMPLATE_SHARE = 0.05
"""More alike texts than both of these are one template, such as "order 1234 has not come"."""

_FEW = 5
_KEYS = 1 << 64
# Multiplied by an odd number, each 64-bit key becomes another one, and can be had back.
_MIX = 0x9E3779B97F4A7C15
_UNMIX = pow(_MIX, -1, _KEYS)


def join_groups(
    keys: "NDArray[np.uint64]",
    others: "NDArray[np.uint64] | None" = None,
    links: Sequence[tuple[int, int]] = (),
) -> "NDArray[np.uint64]":
    """Find the key of each example's group: that of one of the examples joined to it.

    It is the one whose key is smallest after it was mixed. The smallest key itself would put large
    groups into the test split, which has the smallest keys.

    Args:
        keys: Each example's own key; equal ones are one group.
        others: Another key for each example; examples that share it are joined as well.
        links: Pairs of keys that are joined.
    """
    import numpy as np

    if others is None and not links:
        return keys
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, own = np.unique(keys, return_inverse=True)
    ends = [np.searchsorted(names, np.array([pair[side] for pair in links], dtype=np.uint64))
            for side in (0, 1)]  # fmt: skip
    size = len(names)
    if others is not None:
        other_names, other = np.unique(others, return_inverse=True)
        ends = [np.concatenate([ends[0], own]), np.concatenate([ends[1], other + size])]
        size += len(other_names)
    edges = coo_array((np.ones(len(ends[0]), np.int8), (ends[0], ends[1])), shape=(size, size))
    _, component = connected_components(edges, directed=False)
    smallest = np.full(size, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, component[: len(names)], names * np.uint64(_MIX))
    joined: NDArray[np.uint64] = (smallest * np.uint64(_UNMIX))[component[: len(names)]][own]
    return joined


def without_templates(pairs: Sequence[tuple[int, int]], examples: int) -> Sequence[tuple[int, int]]:
    """Leave out pairs of a cluster so large that it must be a template.

    Held together, most of a file that was made of one template would be in one split.

    Args:
        pairs: Pairs of examples, by their places.
        examples: How many examples there are.
    """
    if not pairs:
        return pairs
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array(pairs).T
    edges = coo_array((np.ones(len(pairs), np.int8), tuple(ends)), shape=(examples, examples))
    _, component = connected_components(edges, directed=False)
    most = max(TEMPLATE_TEXTS, TEMPLATE_SHARE * examples)
    small = np.bincount(component)[component] <= most
    return [pair for pair in pairs if small[pair[0]]]


def decide_splits(
    groups: "NDArray[np.uint64]",
    strata: "NDArray[np.int64]",
    given: "NDArray[np.int8]",
    split: Split,
    *,
    cut_groups: bool = True,
) -> "NDArray[np.int8]":
    """Decide each example's split.

    Args:
        groups: The key of each example's group, evenly spread over 64 bits.
        strata: A number for each example's label; a negative one for none.
        given: The split that the file gives each example, or NONE.
        split: The shares and the cap.
        cut_groups: Whether a group that is larger than the cap may be cut.

    Returns:
        TRAIN, VALIDATION or TEST for each example; NONE for validation examples that the file
        gives beyond the cap: they are not for training.
    """
    import numpy as np

    codes = np.full(len(groups), TRAIN, dtype=np.int8)
    test = int(split.test * _KEYS)
    validation = test + int(split.validation * _KEYS)
    codes[groups < np.uint64(validation)] = VALIDATION
    codes[groups < np.uint64(test)] = TEST
    free = np.ones(len(groups), dtype=bool)
    lacking = [part for part in (VALIDATION, TEST) if not (given == part).any()]
    if (given != NONE).any():
        # What a file says stays; a split that it lacks is cut out of its training examples.
        free = (given == NONE) | ((given == TRAIN) & np.isin(codes, lacking))
        codes[~free] = given[~free]
    if not (given != NONE).any():
        _give_every_stratum_a_share(codes, groups, strata)
    _cap_validation(codes, groups, split.max_validation, cut_groups=cut_groups)
    codes[(codes == TRAIN) & (given == VALIDATION)] = NONE
    return codes


def _give_every_stratum_a_share(
    codes: "NDArray[np.int8]", groups: "NDArray[np.uint64]", strata: "NDArray[np.int64]"
) -> None:
    """Move a group with a small key to each split that a stratum would lack."""
    import numpy as np

    if not len(codes) or strata.min() < 0:
        return
    counts = np.bincount(strata * len(SPLITS) + codes, minlength=(strata.max() + 1) * len(SPLITS))
    table = counts.reshape(-1, len(SPLITS))
    short = np.flatnonzero((table.sum(axis=1) >= _FEW) & (table.min(axis=1) == 0))
    if not len(short):
        return
    order = np.lexsort((groups, strata))
    starts = np.searchsorted(strata[order], [short, short + 1])
    for first, end in starts.T:
        members = order[first:end]
        keys = np.unique(groups[members])
        if len(keys) < len(SPLITS):
            continue
        for split, key in ((TEST, keys[0]), (TRAIN, keys[-1]), (VALIDATION, keys[1])):
            if not (codes[members] == split).any():
                codes[groups == key] = split


def _cap_validation(
    codes: "NDArray[np.int8]", groups: "NDArray[np.uint64]", most: int, *, cut_groups: bool
) -> None:
    """Keep the groups with the smallest keys in a validation split that is too large.

    Vertex AI takes 5,000 validation examples, and 30 % of a training file above 1,000; the rest
    is for training. Groups stay whole; those larger than the cap leave first.
    """
    import numpy as np

    chosen = np.flatnonzero(codes == VALIDATION)
    both = len(chosen) + int((codes == TRAIN).sum())
    if both > LARGE_TRAINING_FILE:
        most = min(most, int(both * LARGEST_SHARE / (1 + LARGEST_SHARE)))
    if len(chosen) <= most:
        return
    keys, sizes = np.unique(groups[chosen], return_counts=True)
    keys, sizes = keys[sizes <= most], sizes[sizes <= most]
    kept = keys[np.cumsum(sizes) <= most]
    if len(kept) or not cut_groups:
        codes[chosen[~np.isin(groups[chosen], kept)]] = TRAIN
    else:
        codes[chosen[most:]] = TRAIN
