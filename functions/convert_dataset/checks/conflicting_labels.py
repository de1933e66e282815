"""The same text with different answers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.grouping import begins_group, by_row, places_of, sorted_rows
from functions.convert_dataset.checks.wording import number_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ConflictingLabels(Check):
    """Copies of a text that have different answers: those that the majority contradicts."""

    name = "conflicting-labels"
    severity = "error"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Give the outvoted copies; all copies when no answer has more than half of them."""
        found, against = _outvoted(facts)
        rows, others = by_row(found, against)
        if rows:
            have = number_of(len(rows), "example has", "examples have")
            yield Finding(
                check=self.name,
                severity=self.severity,
                count=len(rows),
                summary=f"{have} another answer than the same text elsewhere in the file, and no "
                "majority on their side",
                remedy="Decide which answer is right, and give it to every copy of the text; "
                "copies that most of the others agree with are left as they are.",
                rows=rows,
                others=others,
                clash="the same text has another answer on",
            )


def _outvoted(facts: Facts) -> tuple["NDArray[np.int64]", "NDArray[np.int64]"]:
    """Find the rows that are contradicted, and for each a row with another answer."""
    import numpy as np

    rows = sorted_rows(facts.kept, facts.exact, facts.answers)
    if not len(rows):
        return rows, rows
    # A camp is the copies of a text that have one answer; camps of a text are side by side.
    camps = np.flatnonzero(begins_group(rows, facts.exact, facts.answers))
    sizes = np.diff(camps, append=len(rows))
    begins = begins_group(rows[camps], facts.exact)
    text = np.cumsum(begins) - 1
    copies = np.bincount(text, weights=sizes)[text]
    majority = sizes * 2 > copies
    disputed = ~(begins & np.append(begins[1:], True))
    winner = np.full(text[-1] + 1, -1)
    winner[text[majority]] = np.flatnonzero(majority)
    first = places_of(begins)
    places = np.arange(len(camps))
    rival = np.where(winner[text] >= 0, winner[text], np.where(begins, places + 1, first))
    lost = np.repeat(disputed & ~majority, sizes)
    return rows[lost], rows[camps[np.repeat(np.minimum(rival, len(camps) - 1), sizes)[lost]]]
