"""Fields that task.yaml declares and no example has a value for."""

import difflib
from collections.abc import Iterator, Mapping

from functions.convert_dataset.checks import Batch, Check, Facts, Finding
from functions.convert_dataset.checks.wording import first_few, number_of, quoted


class MissingFields(Check):
    """Fields that are declared but that no example has a value for."""

    name = "missing-fields"
    severity = "error"

    def __init__(self) -> None:
        self._filled: set[str] = set()
        self._examples = 0

    def look(self, batch: Batch) -> None:
        """Note the fields that have a value."""
        self._examples += len(batch.answers)
        for answer in batch.answers:
            if isinstance(answer, Mapping):
                self._filled.update(name for name, value in answer.items() if value)

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Name the declared fields without values, and what they may be called in the file."""
        missing = [name for name in facts.task.field_names if name not in self._filled]
        if not (facts.declared and missing and self._examples):
            return
        meant = [_meant(name, facts.others) for name in missing]
        if len(missing) == 1:
            hint = f"; did you mean {quoted(meant[0])}?" if meant[0] else ""
            summary = f"field {quoted(missing[0])} has no value in any of "
        else:
            pairs = zip(missing, meant, strict=True)
            named = [f"{quoted(name)} ({quoted(near)}?)" if near else quoted(name)
                     for name, near in pairs]  # fmt: skip
            hint = f": {first_few(named)}"
            summary = f"{len(missing)} fields have no value in any of "
        others = first_few([quoted(name) for name in facts.others])
        yield Finding(
            check=self.name,
            severity=self.severity,
            count=len(missing),
            summary=f"{summary}{number_of(self._examples, 'row', 'rows')}{hint}",
            remedy="A model that is tuned on this says null. Correct the names under `fields` in "
            "task.yaml, or take the fields out"
            + (f"; the file also has {others}." if others else "."),
            droppable=False,
        )


def _meant(name: str, others: tuple[str, ...]) -> str | None:
    """Find the name in the file that looks most like a field's."""
    by_case = {other.lower(): other for other in others}
    near = difflib.get_close_matches(name.lower(), by_case, n=1)
    return by_case[near[0]] if near else None
