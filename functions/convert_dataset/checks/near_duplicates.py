"""Examples that are nearly the same text as another."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.grouping import begins_group, by_row, places_of, sorted_rows
from functions.convert_dataset.checks.wording import number_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class NearDuplicates(Check):
    """Examples that are nearly the same: up to punctuation, or by 80 % of the text."""

    name = "near-duplicates"
    severity = "warning"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Give all but the first of each group; examples in two given splits make no group."""
        import numpy as np

        family = _families(facts)
        rows = sorted_rows(facts.kept, family, facts.given)
        begins = begins_group(rows, family, facts.given)
        places = places_of(begins)
        first = rows[places]
        # Copies of one text are exact-duplicates' business.
        several = np.zeros(len(rows), dtype=bool)
        several[places[facts.exact[rows] != facts.exact[first]]] = True
        near = several[places]
        if not near.any():
            return
        again, originals = by_row(rows[near & ~begins], first[near & ~begins])
        count = int(near.sum())
        looked = (
            "all examples were compared"
            if facts.sample.whole
            else f"for more than punctuation, {len(facts.sample.rows):,} examples were compared"
        )
        yield Finding(
            check=self.name,
            severity=self.severity,
            count=count,
            summary=f"at least {number_of(count, 'example is', 'examples are')} nearly the same as "
            f"another, in {number_of(int(several.sum()), 'group', 'groups')}; {looked}",
            remedy="Leave out all but one of each group if they were copied or come from one "
            "template; left in, they go to the same split, unless the file itself says otherwise.",
            rows=again,
            others=originals,
            clash="nearly the same text is on",
        )


def _families(facts: Facts) -> "NDArray[np.int32]":
    """Number the rows so that those that are near have the same number, and others do not.

    Rows that are no longer kept count too: two texts can be near because both are near a third.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = sorted_rows(facts.splits >= 0, facts.near)
    begins = begins_group(rows, facts.near)
    sampled = np.array(facts.sample.rows, dtype=np.int64)
    ones, others = sampled[np.array(facts.near_pairs, dtype=np.int64).reshape(-1, 2)].T
    ones = np.concatenate([ones, rows[places_of(begins)][~begins]])
    others = np.concatenate([others, rows[~begins]])
    size = len(facts.kept)
    graph = coo_array((np.ones(len(ones), dtype=np.int8), (ones, others)), shape=(size, size))
    family: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return family
