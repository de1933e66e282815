"""The answers of a day as one table: JSON lines, or CSV that no spreadsheet runs."""

import csv
import io
from collections.abc import Iterator, Sequence

from shared.answers import answer_text
from shared.records import ResultRecord
from shared.task import Task

BOM = "\ufeff".encode()
"""Without it, Excel takes UTF-8 for something else."""

MEDIA_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}

_BEFORE = ("document", "row", "status")
_AFTER = (
    *("confidence", "agreement", "calibrated", "provisional", "reason"),
    *("champion", "model_version", "generation", "at"),
)
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def json_lines(results: Sequence[ResultRecord]) -> Iterator[bytes]:
    """Write results as JSON lines, without the texts of those that are to be reviewed."""
    for result in results:
        yield result.model_dump_json(exclude={"text"}).encode() + b"\n"


def csv_header(task: Task) -> bytes:
    """Write the first line of a task's CSV."""
    return BOM + _csv_line((*_BEFORE, *_answer_columns(task), *_AFTER))


def csv_lines(results: Sequence[ResultRecord], task: Task) -> Iterator[bytes]:
    """Write results as lines of CSV: a column for the answer, or one for each field."""
    for result in results:
        answer = result.answer
        fields = answer if isinstance(answer, dict) else {}
        shown = (
            [fields.get(name) for name in task.field_names]
            if task.type == "extraction"
            else [answer]
        )
        provenance = result.provenance
        about = (
            provenance.champion if provenance else "",
            provenance.model_version if provenance else "",
        )
        values = (
            *(result.document, result.row, result.status),
            *shown,
            *(result.confidence, result.agreement, result.calibrated, result.provisional),
            *(result.reason, *about, result.generation, result.at.isoformat()),
        )
        yield _csv_line(values)


def harmless(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    Source: https://owasp.org/www-community/attacks/CSV_Injection.
    """
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _answer_columns(task: Task) -> tuple[str, ...]:
    return task.field_names if task.type == "extraction" else ("answer",)


def _csv_line(values: Sequence[object]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow([harmless(_cell(value)) for value in values])
    return stream.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return answer_text(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
