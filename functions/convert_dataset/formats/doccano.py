"""doccano's labelled sequences, and what looks like them.

A text, and a list of [start, end, label] or of objects with offsets and label, under any names;
also CLUENER's {type: {mention: [[start, end], …]}}, whose ends are inclusive. Relations between the
parts are not read. The categories of intent detection (`cats`) stay a column of their own; the
answer is the labelled parts, if there are any at all. Texts with labels and no offsets are plain
records.
Sources: https://doccano.github.io/doccano/ and https://github.com/CLUEbenchmark/CLUENER2020
"""

from collections.abc import Iterator, Mapping, Sequence
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
from functions.convert_dataset.reading.spans import Ends, Misfit, Span, fields_of, span_of
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row
from shared.examples import TEXT_NAMES

_USUAL_NAMES = ("label", "entities", "labels")
_CATEGORIES = "cats"
_TRIPLE = 3
_PAIR = 2


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 0.9 when most records have offsets with labels."""
    key = _span_key(beginning.records)
    has_spans = key is not None and most_are(beginning, lambda record: _may_be_spans(record, key))
    return 0.9 if has_spans else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the records.

    Raises:
        Rejected: The rest of the file is not JSON, or its offsets may be exclusive or inclusive.
        UnicodeDecodeError: It is not UTF-8.
    """
    records = source.beginning.records
    keys = _text_key(records), _span_key(records) or _USUAL_NAMES[0]
    return rows_of(source, partial(_row, keys, ends_in(source, partial(_spanned, keys))))


def _row(
    keys: tuple[str, str], ends: Ends | None, line: int, record: dict[str, Any]
) -> Row | Refusal:
    """Make a row of one record."""
    text_key, span_key = keys
    if record.get(span_key) is None:
        return Refusal(line, "not annotated", f"it has no {span_key!r}")
    if not isinstance(record.get(text_key), str):
        return Refusal(line, "no text", f"its {text_key!r} is not a text")
    try:
        text, spans = _spanned(keys, record)
        values = {TEXT: text, ANSWER: fields_of(text, spans, ends), **split_of(record)}
    except Misfit as error:
        return misfit(line, error)
    categories = {_CATEGORIES: record[_CATEGORIES]} if _CATEGORIES in record else {}
    return Row(line, {**categories, **values})


def _spanned(keys: tuple[str, str], record: Mapping[str, Any]) -> Spanned:
    """Return a record's text and spans. Raises Misfit."""
    text, value = (record.get(key) for key in keys)
    spans = _spans_by_type(value) if isinstance(value, dict) else _listed_spans(value)
    return text if isinstance(text, str) else "", spans


def _listed_spans(items: object) -> list[Span]:
    """Read a list of triples or of objects. Raises Misfit."""
    spans = []
    for item in items if isinstance(items, list) else []:
        if isinstance(item, list) and len(item) == _TRIPLE:
            spans.append(span_of(item[0], item[1], item[2]))
        elif isinstance(item, dict):
            start, end = (item.get(f"{key}_offset", item.get(key)) for key in ("start", "end"))
            spans.append(span_of(start, end, item.get("label"), item.get("text")))
        else:
            raise Misfit(f"{str(item)[:40]!r} is not [start, end, label]")
    return spans


def _spans_by_type(types: Mapping[str, Any]) -> list[Span]:
    """Read CLUENER's mentions by type. Raises Misfit."""
    spans = []
    for label, mentions in types.items():
        if not isinstance(mentions, dict):
            raise Misfit(f"{label[:40]!r} has no mentions with their offsets")
        for mention, places in mentions.items():
            for place in places if isinstance(places, list) else [places]:
                if not isinstance(place, list) or len(place) != _PAIR:
                    raise Misfit(f"{mention[:40]!r} has no offsets like [[0, 3]]")
                spans.append(span_of(place[0], place[1], label, mention))
    return spans


def _span_key(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Find the key under which records have their spans: a usual one, or the first that fits."""
    keys = dict.fromkeys([*_USUAL_NAMES, *(key for record in records for key in record)])
    for key in keys:
        if any(_has_spans(record.get(key)) for record in records):
            return key
    return None


def _has_spans(value: object) -> bool:
    """Whether a value has at least one span, and nothing else."""
    try:
        return bool(_spans_by_type(value) if isinstance(value, dict) else _listed_spans(value))
    except Misfit:
        return False


def _may_be_spans(record: Mapping[str, Any], key: str) -> bool:
    """Whether a record has spans under a key, or says that there are none; and a text."""
    value = record.get(key)
    nothing = value is None or value in ([], {})
    return (nothing or _has_spans(value)) and any(isinstance(it, str) for it in record.values())


def _text_key(records: Sequence[Mapping[str, Any]]) -> str:
    """Find the key of the text: a usual one, or the one with the longest texts."""
    lengths: dict[str, int] = {}
    for record in records:
        for key, value in record.items():
            if isinstance(value, str):
                lengths[key] = lengths.get(key, 0) + len(value)
    usual = next((name for name in (TEXT, "data", *TEXT_NAMES) if name in lengths), None)
    return usual or max(lengths, key=lambda key: lengths[key], default=TEXT)
