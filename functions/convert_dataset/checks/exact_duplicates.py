"""Examples that are in the file before, with the same text and the same answer."""

from collections.abc import Iterator

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.grouping import begins_group, by_row, places_of, sorted_rows
from functions.convert_dataset.checks.wording import number_of


class ExactDuplicates(Check):
    """Examples that are in the file before, up to white space and letter case."""

    name = "exact-duplicates"
    severity = "error"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Give every copy but the first; copies in two given splits are split-overlap's."""
        same = (facts.exact, facts.answers, facts.given)
        rows = sorted_rows(facts.kept, *same)
        begins = begins_group(rows, *same)
        copies, originals = by_row(rows[~begins], rows[places_of(begins)][~begins])
        if copies:
            are = number_of(len(copies), "example is", "examples are")
            yield Finding(
                check=self.name,
                severity=self.severity,
                count=len(copies),
                summary=f"{are} in the file before, with the same text and answer",
                remedy="Leave the copies out: they teach nothing new, and count twice in training "
                "and in measurement.",
                rows=copies,
                others=originals,
                clash="the same example is on",
            )
