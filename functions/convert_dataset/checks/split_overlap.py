"""Texts that the file puts into two of its splits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.grouping import begins_group, by_row, places_of, sorted_rows
from functions.convert_dataset.checks.wording import number_of
from shared.task import Severity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REMEDY = (
    "Leave them out of the later split: what a model has seen in training, it is not measured on."
)


class SplitOverlap(Check):
    """Texts of training that the file's own validation or test split holds as well."""

    name = "split-overlap"
    severity = "warning"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Give the copies in the later split; those that differ a little in a finding of theirs."""
        import numpy as np

        if not (facts.given >= 0).any():
            return
        same, originals = _overlap(facts, facts.exact)
        yield from self._finding(self.severity, same, originals, "the same text as")
        near, originals = _overlap(facts, facts.near)
        fresh = ~np.isin(near, same)
        yield from self._finding(
            "info",
            near[fresh],
            originals[fresh],
            "the same text, but for punctuation, as",
        )

    def _finding(
        self,
        severity: Severity,
        found: "NDArray[np.int64]",
        originals: "NDArray[np.int64]",
        relation: str,
    ) -> Iterator[Finding]:
        """Make a finding, if anything was found."""
        rows, others = by_row(found, originals)
        if rows:
            have = number_of(len(rows), "validation or test example has", "validation or test "
                             "examples have")  # fmt: skip
            yield Finding(
                check=self.name,
                severity=severity,
                count=len(rows),
                summary=f"{have} {relation} an example of an earlier split",
                remedy=_REMEDY,
                rows=rows,
                others=others,
                clash="an earlier split has the text on",
            )


def _overlap(facts: Facts, key: "NDArray[Any]") -> tuple["NDArray[np.int64]", "NDArray[np.int64]"]:
    """Find the rows whose text is in an earlier split, and the first such row for each.

    Where the file gives no split, it is the one that the row goes to: a part that is split by the
    file and a part that is not can overlap as well.
    """
    import numpy as np

    split = np.where(facts.given >= 0, facts.given, facts.splits)
    rows = sorted_rows(facts.kept & (split >= 0), key, split)
    earliest = rows[places_of(begins_group(rows, key))]
    later = split[rows] > split[earliest]
    return rows[later], earliest[later]
