"""Examples that are too long for Gemini to be tuned on.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning
"""

from array import array
from collections.abc import Iterator

from functions.convert_dataset.checks import Batch, Check, Facts, Finding
from functions.convert_dataset.checks.grouping import still_kept
from functions.convert_dataset.checks.wording import number_of
from shared.tokens import estimate_tokens

MAX_TOKENS = 131_072
MAX_ESTIMATE = int(MAX_TOKENS / 1.25)
"""The estimate errs by 25 %. A long example that is left out for nothing is one example less; one
that is too long may cost the tuning job, or is cut off and teaches a wrong answer."""


class OverLong(Check):
    """Examples that are probably longer than Gemini takes in training."""

    name = "over-long"
    severity = "error"

    def __init__(self) -> None:
        self._rows = array("q")
        self._notes: dict[int, str] = {}

    def look(self, batch: Batch) -> None:
        """Estimate the tokens of the few texts that are long enough."""
        # No character counts for more than one token.
        if max(map(len, batch.texts), default=0) <= MAX_ESTIMATE:
            return
        for row, text in zip(batch.rows, batch.texts, strict=True):
            if len(text) > MAX_ESTIMATE and (tokens := estimate_tokens(text)) > MAX_ESTIMATE:
                self._rows.append(row)
                self._notes[row] = f"about {tokens:,.0f} tokens"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Give the rows that are too long."""
        rows = still_kept(self._rows, facts.kept)
        if rows:
            has = number_of(len(rows), "example has", "examples have")
            yield Finding(
                check=self.name,
                severity=self.severity,
                count=len(rows),
                summary=f"{has} more than {MAX_ESTIMATE:,} tokens by an estimate that errs by "
                f"25 %; Gemini takes {MAX_TOKENS:,}",
                remedy="Cut these texts into parts that have an answer each, or leave them out.",
                rows=rows,
                details=self._notes,
            )
