"""Texts without a single letter."""

import re
from array import array
from collections.abc import Iterator

from functions.convert_dataset.checks import Batch, Check, Facts, Finding
from functions.convert_dataset.checks.grouping import still_kept
from functions.convert_dataset.checks.wording import number_of

_LETTER = re.compile(r"[^\W\d_]")


class NoWords(Check):
    """Texts without a letter: numbers, punctuation or symbols only."""

    name = "no-words"
    severity = "info"

    def __init__(self) -> None:
        self._rows = array("q")

    def look(self, batch: Batch) -> None:
        """Search each text for a letter; the first one ends it."""
        search = _LETTER.search
        self._rows.extend(
            row for row, text in zip(batch.rows, batch.texts, strict=True) if not search(text)
        )

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Give the rows without letters."""
        rows = still_kept(self._rows, facts.kept)
        if rows:
            have = number_of(len(rows), "example has", "examples have")
            yield Finding(
                check=self.name,
                severity=self.severity,
                count=len(rows),
                summary=f"{have} no letter in the text, only numbers, punctuation or symbols",
                remedy="Leave them out unless such texts will be asked about later; many of them "
                "point to the wrong text column.",
                rows=rows,
            )
