"""Labels with too few examples to be learnt, or measured."""

from collections.abc import Iterator

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.wording import first_few, number_of, quoted

FEW = 10
IN_EVERY_SPLIT = 5
"""From this number on, a label has an example in each split."""


class FewExamplesPerLabel(Check):
    """Labels with fewer than ten examples."""

    name = "few-examples-per-label"
    severity = "warning"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Name the rarest labels."""
        rare = sorted((count, name) for name, count in facts.labels.items() if 0 < count < FEW)
        if not rare:
            return
        have = number_of(len(rare), "label has", "labels have")
        named = first_few([f"{quoted(name)} {count}" for count, name in rare])
        rarest = sum(count < IN_EVERY_SPLIT for count, _ in rare)
        unmeasured = (
            f"; {number_of(rarest, 'label has', 'labels have')} fewer than {IN_EVERY_SPLIT}, too "
            "few for one in every split, and may not be measured at all"
            if rarest
            else ""
        )
        yield Finding(
            check=self.name,
            severity=self.severity,
            count=len(rare),
            summary=f"{have} fewer than {FEW} examples: {named}{unmeasured}",
            remedy="Add examples of these labels, merge them into others, or leave them out.",
            droppable=False,
        )
