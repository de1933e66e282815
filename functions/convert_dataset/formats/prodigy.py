"""Prodigy's annotations: entities, one label, or a choice among options.

Only what was accepted is used. A label that was rejected says what a text is not; that teaches no
answer.
Source: https://prodi.gy/docs/api-interfaces
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from functions.convert_dataset.formats.json_records import (
    Spanned,
    ends_in,
    misfit,
    most_are,
    rows_of,
    split_of,
)
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.spans import Ends, Misfit, fields_of, span_of
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row

_DECISIONS = ("accept", "reject", "ignore")


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 1 when most records have spans or a decision."""
    return 1.0 if most_are(beginning, _is_annotation) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the annotations.

    Raises:
        Rejected: The rest of the file is not JSON, or its offsets may be exclusive or inclusive.
        UnicodeDecodeError: It is not UTF-8.
    """
    return rows_of(source, partial(_row, ends_in(source, _spans)))


def _is_annotation(record: Mapping[str, object]) -> bool:
    """Whether a record has a text, and spans, a decision or one of Prodigy's hashes."""
    if not isinstance(record.get("text"), str):
        return False
    spans = record.get("spans")
    if isinstance(spans, list) and spans:
        return all(isinstance(span, dict) and {"start", "end"} <= span.keys() for span in spans)
    return record.get("answer") in _DECISIONS or "_task_hash" in record


def _row(ends: Ends | None, line: int, record: dict[str, Any]) -> Row | Refusal:
    """Make a row of one annotation."""
    decision = record.get("answer", "accept")
    if decision != "accept":
        return Refusal(line, "not accepted", f"its answer is {str(decision)[:60]!r}")
    try:
        answer = _answer(record, ends)
    except Misfit as error:
        return misfit(line, error)
    if answer is None:
        return Refusal(line, "not annotated", "it has no spans, no label and no accepted option")
    return Row(line, {TEXT: record.get("text"), ANSWER: answer, **split_of(record)})


def _answer(record: dict[str, Any], ends: Ends | None) -> object:
    """Return the accepted options, the label, or the fields; None without. Raises Misfit."""
    accepted = record.get("accept")
    if isinstance(accepted, list):
        labels = [_option(record, chosen) for chosen in accepted]
        return labels if len(labels) > 1 else next(iter(labels), None)
    if isinstance(record.get("label"), str):
        return record["label"]
    if isinstance(record.get("spans"), list) or ends:
        return fields_of(*_spans(record), ends)
    return None


def _option(record: dict[str, Any], chosen: object) -> object:
    """Name an accepted option: by its id when that is a word, else by what it shows."""
    options = record.get("options")
    known = options if isinstance(options, list) and not isinstance(chosen, str) else []
    shown = [
        option.get("text")
        for option in known
        if isinstance(option, dict) and option.get("id") == chosen
    ]
    return next((text for text in shown if isinstance(text, str)), chosen)


def _spans(record: Mapping[str, Any]) -> Spanned:
    """Return an annotation's text and spans. Raises Misfit."""
    text, spans = record.get("text"), record.get("spans") or []
    if not isinstance(spans, list) or not all(isinstance(span, dict) for span in spans):
        raise Misfit("'spans' is not a list of objects with start, end and label")
    return text if isinstance(text, str) else "", [
        span_of(span.get("start"), span.get("end"), span.get("label"), span.get("text"))
        for span in spans
    ]
