"""Groups of rows that are the same in some respect, without a Python object for each row."""

from array import array
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def sorted_rows(kept: "NDArray[np.bool_]", *facts: "NDArray[Any]") -> "NDArray[np.int64]":
    """Return the rows that are kept, sorted by facts, the first one first, then by row."""
    import numpy as np

    rows = np.flatnonzero(kept)
    return rows[np.lexsort([fact[rows] for fact in reversed(facts)])]


def begins_group(rows: "NDArray[np.int64]", *facts: "NDArray[Any]") -> "NDArray[np.bool_]":
    """Say of each of the sorted rows whether the one before it differs in a fact."""
    import numpy as np

    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = False
    for fact in facts:
        values = fact[rows]
        begins[1:] |= values[1:] != values[:-1]
    return begins


def places_of(begins: "NDArray[np.bool_]") -> "NDArray[np.int64]":
    """For each of the sorted rows, give the place where its group begins."""
    import numpy as np

    return np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))


def as_rows(rows: "NDArray[Any]") -> "array[int]":
    """Make row indexes out of numpy's numbers."""
    import numpy as np

    return array("q", np.asarray(rows, dtype=np.int64).tobytes())


def by_row(rows: "NDArray[Any]", others: "NDArray[Any]") -> tuple["array[int]", "array[int]"]:
    """Sort rows, and with them the rows that they clash with."""
    import numpy as np

    order = np.argsort(rows)
    return as_rows(rows[order]), as_rows(others[order])


def still_kept(rows: "array[int]", kept: "NDArray[np.bool_]") -> "array[int]":
    """Leave out the rows that an earlier check has taken out of the dataset."""
    import numpy as np

    seen = np.array(rows, dtype=np.int64)
    return as_rows(seen[kept[seen]])
