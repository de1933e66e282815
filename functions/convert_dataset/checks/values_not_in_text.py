"""Values of fields that do not occur in the text they are said to come from."""

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping

from functions.convert_dataset.checks import Batch, Check, Facts, Finding
from functions.convert_dataset.checks.grouping import as_rows
from functions.convert_dataset.checks.wording import first_few, number_of, quoted
from shared.examples import FieldValue

_MAX_DIFFERENT = 10_000
_MAX_NOTES = 1000
_OFTEN = 5
_MUCH = 0.1
"""A value that is missed this often, and makes up this share of what is missed, may mean none."""


class ValuesNotInText(Check):
    """Fields whose values do not occur in the text."""

    name = "values-not-in-text"
    severity = "warning"

    def __init__(self) -> None:
        self._rows = array("q")
        self._fields = array("q")
        self._numbers: dict[str, int] = {}
        self._values: Counter[str] = Counter()
        self._notes: dict[int, str] = {}

    def look(self, batch: Batch) -> None:
        """Look up every value; letter case and white space do not matter."""
        if isinstance(next(iter(batch.answers), ""), str | list):
            return
        for row, text, answer in zip(batch.rows, batch.texts, batch.answers, strict=True):
            if isinstance(answer, Mapping):
                self._look_up(row, text, answer)

    def _look_up(self, row: int, text: str, answer: Mapping[str, FieldValue]) -> None:
        """Note the fields of one example whose values are not there."""
        folded = ""
        for field, value in answer.items():
            for item in [value] if isinstance(value, str) else value or ():
                if item in text:
                    continue
                folded = folded or _folded(text)
                if _folded(item) not in folded:
                    self._rows.append(row)
                    self._fields.append(self._numbers.setdefault(field, len(self._numbers)))
                    if item in self._values or len(self._values) < _MAX_DIFFERENT:
                        self._values[item] += 1
                    if len(self._notes) < _MAX_NOTES:
                        self._notes.setdefault(row, f"{quoted(field)} is {quoted(item)}")

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Count the values by field; name one that looks like a word for none."""
        import numpy as np

        seen = np.array(self._rows, dtype=np.int64)
        kept = facts.kept[seen]
        rows = np.unique(seen[kept])
        if not len(rows):
            return
        counts = np.bincount(np.array(self._fields)[kept], minlength=len(self._numbers))
        by_field = sorted(zip(-counts, self._numbers, strict=True))
        fields = [f"{quoted(field)} {-count:,}" for count, field in by_field if count]
        have = number_of(len(rows), "example has", "examples have")
        yield Finding(
            check=self.name,
            severity=self.severity,
            count=len(rows),
            summary=f"{have} a value that does not occur in the text: {first_few(fields)}",
            remedy=self._remedy(),
            rows=as_rows(rows),
            details=self._notes,
        )

    def _remedy(self) -> str:
        """Propose to take a value for none if it is missed again and again."""
        (value, count), *_ = self._values.most_common(1)
        if count >= _OFTEN and count >= _MUCH * len(self._rows):
            word = json.dumps(value, ensure_ascii=False)
            return (
                f"If {quoted(value)} ({count:,} times) means that there is none, write "
                f"`columns: {{missing: [{word}]}}` in task.yaml; else correct the values."
            )
        return (
            "Numbers and dates that are written in one fixed way cannot all occur in the text, and "
            "are fine; other values should be copied from it, or the model learns to invent them."
        )


def _folded(text: str) -> str:
    """Fold letter case, and make white space the same."""
    return " ".join(text.split()).casefold()
