"""Too few examples altogether."""

from collections.abc import Iterator

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.wording import number_of
from shared.examples import ENOUGH_FOR_TUNING


class FewExamples(Check):
    """Fewer examples than Google advises for tuning."""

    name = "few-examples"
    severity = "warning"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Count what is kept."""
        count = int(facts.kept.sum())
        if count < ENOUGH_FOR_TUNING:
            yield Finding(
                check=self.name,
                severity=self.severity,
                count=count,
                summary=f"the file has {number_of(count, 'usable example', 'usable examples')}; "
                f"Google advises {ENOUGH_FOR_TUNING} and more for tuning",
                remedy="Add examples, or prompt: with so few, a few-shot prompt often does as well "
                "as a tuned model.",
                droppable=False,
            )
