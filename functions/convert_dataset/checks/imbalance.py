"""Labels of very different frequency."""

from collections.abc import Iterator

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.few_examples_per_label import FEW
from functions.convert_dataset.checks.wording import quoted

RATIO = 20
"""A model that never says the rarer of two such labels is still right about 95 % of them both, so
exact_match does not show it. Labels with fewer than ten examples are few-examples-per-label's."""


class Imbalance(Check):
    """A label with twenty times the examples of another."""

    name = "imbalance"
    severity = "warning"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Compare the most frequent label with the rarest."""
        counts = sorted((count, name) for name, count in facts.labels.items() if count >= FEW)
        if not counts or counts[-1][0] < RATIO * counts[0][0]:
            return
        (few, rare), (many, frequent) = counts[0], counts[-1]
        concerned = sum(RATIO * count <= many for count, _ in counts)
        yield Finding(
            check=self.name,
            severity=self.severity,
            count=concerned,
            summary=f"{quoted(frequent)} has {many:,} examples, {many // few} times as many as "
            f"{quoted(rare)} with {few:,}",
            remedy="Add examples of the rare labels, and set `target: {metric: macro_f1}`, in "
            "which each label counts the same: exact_match hardly shows whether rare ones are "
            "found.",
            droppable=False,
        )
