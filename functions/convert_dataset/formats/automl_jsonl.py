"""Vertex AI's text datasets (AutoML) as JSON lines, and entities in their v1beta1 form.

A label or labels, text segments or a sentiment; the text stands in the line or in a file of its own
in Cloud Storage.
Source: https://cloud.google.com/vertex-ai/docs/text-data/classification/prepare-data
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from functions.convert_dataset.formats.json_records import (
    Spanned,
    ends_in,
    misfit,
    most_are,
    rows_of,
)
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.spans import Ends, Misfit, Span, fields_of, span_of
from functions.convert_dataset.rows import ANSWER, SPLIT, TEXT, Refusal, Row
from shared.errors import Rejected

SENTIMENT = "sentiment"
"""The column of a sentiment: a number, not a label by name."""

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,9}")
_USE = "aiplatform.googleapis.com/ml_use"


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 1 when most records have AutoML's key for the text."""
    keys = {"textContent", "textGcsUri", "text_snippet"}
    return 1.0 if most_are(beginning, lambda record: not keys.isdisjoint(record)) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the records.

    Raises:
        Rejected: The rest of the file is not JSON, or its offsets may be exclusive or inclusive.
        UnicodeDecodeError: It is not UTF-8.
    """
    ends = ends_in(source, partial(_spanned, source))
    return rows_of(source, partial(_row, source, ends))


def _row(source: Source, ends: Ends | None, line: int, record: dict[str, Any]) -> Row | Refusal:
    """Make a row of one record."""
    try:
        text = _text(source, record)
        segments = _segments(record)
        if segments is None:
            is_sentiment = "sentimentAnnotation" in record
            answer = _sentiment(line, record) if is_sentiment else _labels(line, record)
        else:
            answer = {ANSWER: fields_of(text or "", segments, ends)}
    except Misfit as error:
        return misfit(line, error)
    except Rejected as error:
        return Refusal(line, "text cannot be read", str(error))
    if text is None:
        return Refusal(line, "no text", "it has neither 'textContent' nor 'textGcsUri'")
    if isinstance(answer, Refusal):
        return answer
    resource = record.get("dataItemResourceLabels")
    use = resource.get(_USE) if isinstance(resource, dict) else None
    return Row(line, {TEXT: text, **answer, **({SPLIT: use} if isinstance(use, str) else {})})


def _text(source: Source, record: Mapping[str, Any]) -> str | None:
    """Return a record's text; None when it has none. Raises Rejected when it cannot be read."""
    snippet = record.get("text_snippet")
    text = snippet.get("content") if isinstance(snippet, dict) else record.get("textContent")
    if isinstance(text, str):
        return text
    address = record.get("textGcsUri")
    return source.text_at(address) if isinstance(address, str) else None


def _spanned(source: Source, record: Mapping[str, Any]) -> Spanned:
    """Return a record's text and segments; none when the text cannot be read. Raises Misfit."""
    segments = _segments(record)
    if not segments:
        return "", []
    try:
        return _text(source, record) or "", segments
    except Rejected as error:
        raise Misfit(str(error)) from None


def _segments(record: Mapping[str, Any]) -> list[Span] | None:
    """Return a record's text segments; None when it is not about segments. Raises Misfit."""
    segments = record.get("textSegmentAnnotations")
    if isinstance(segments, list):
        return [_segment(item, "startOffset", "endOffset", "displayName") for item in segments]
    annotations = record.get("annotations")
    if "text_snippet" not in record or not isinstance(annotations, list):
        return None
    return [
        _segment({**_inside(item), **_objects(item)}, "start_offset", "end_offset", "display_name")
        for item in annotations
    ]


def _segment(item: object, start: str, end: str, label: str) -> Span:
    """Make a span of a segment. Raises Misfit."""
    found = _objects(item)
    # Exporters leave out zeros, as JSON made of protocol buffers does.
    return span_of(found.get(start, 0), found.get(end), found.get(label), found.get("content"))


def _inside(annotation: object) -> dict[str, Any]:
    """Return the offsets inside of a v1beta1 annotation."""
    extraction = _objects(_objects(annotation).get("text_extraction"))
    return _objects(extraction.get("text_segment"))


def _objects(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _labels(line: int, record: dict[str, Any]) -> dict[str, object] | Refusal:
    """Return the label, or the labels of a record that can have several."""
    several = record.get("classificationAnnotations")
    many = several if isinstance(several, list) else [record.get("classificationAnnotation")]
    names = [_objects(annotation).get("displayName") for annotation in many]
    if not names or not all(isinstance(name, str) for name in names):
        return Refusal(line, "not annotated", "it has no annotation with a 'displayName'")
    return {ANSWER: names if isinstance(several, list) else names[0]}


def _sentiment(line: int, record: dict[str, Any]) -> dict[str, object] | Refusal:
    """Return the sentiment, as text."""
    annotation = _objects(record.get("sentimentAnnotation"))
    value, most = (_number(annotation.get(key)) for key in ("sentiment", "sentimentMax"))
    if value is None or most is None:
        detail = "'sentimentAnnotation' needs whole numbers for sentiment and sentimentMax"
        return Refusal(line, "not annotated", detail)
    if not 0 <= value <= most:
        return Refusal(line, "sentiment out of range", f"{value} is not within 0 and {most}")
    return {SENTIMENT: str(value)}


def _number(value: object) -> int | None:
    """Read a whole number, or its digits in a text; None for anything else."""
    text = str(value) if isinstance(value, int | str) else ""
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None
