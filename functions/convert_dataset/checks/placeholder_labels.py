"""Labels that only say that there is none."""

from collections.abc import Iterator

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.wording import first_few, number_of, quoted
from functions.convert_dataset.column_kinds import in_yaml

PLACEHOLDERS = frozenset(
    {"nan", "na", "n/a", "#n/a", "null", "none", "nil", "missing", "undefined", "unlabeled",
     "unlabelled", "\\n", "?", "-", "--", "."}
)  # fmt: skip


class PlaceholderLabels(Check):
    """Labels that seem to mean that there is none, such as nan."""

    name = "placeholder-labels"
    severity = "warning"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Name such labels, unless task.yaml declares them."""
        names = [] if facts.declared else sorted(facts.labels)
        found = [name for name in names if name.casefold() in PLACEHOLDERS and facts.labels[name]]
        if found:
            seems = number_of(len(found), "label seems", "labels seem")
            yield Finding(
                check=self.name,
                severity=self.severity,
                count=len(found),
                summary=f"{seems} to mean that there is none: "
                f"{first_few([quoted(name) for name in found])}",
                remedy="Say so in task.yaml, and their rows go to quarantine: "
                f"`columns: {{missing: [{', '.join(map(in_yaml, found))}]}}`.",
                droppable=False,
            )
