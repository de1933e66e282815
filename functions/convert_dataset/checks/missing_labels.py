"""Labels that task.yaml declares and no example has."""

from collections.abc import Iterator

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.wording import first_few, number_of, quoted


class MissingLabels(Check):
    """Labels that are declared but that no example has."""

    name = "missing-labels"
    severity = "warning"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Name the declared labels without examples."""
        missing = [name for name in facts.task.label_names if not facts.labels.get(name)]
        if facts.declared and missing:
            has = number_of(len(missing), "declared label has", "declared labels have")
            yield Finding(
                check=self.name,
                severity=self.severity,
                count=len(missing),
                summary=f"{has} no example: {first_few([quoted(name) for name in missing])}",
                remedy="Add examples, or take the label out of task.yaml: what is never seen is "
                "not learnt.",
                droppable=False,
            )
