"""Label Studio's JSON export, and what it calls JSON-MIN.

Of a task's annotations, the ground truth counts, else the latest; one that was cancelled never.
Choices, ratings, numbers and taxonomies are labels; labelled parts of the text are fields. Free
texts (textarea) and relations are not read. When a project asks several questions, each answer is
in a column of the question's name. The export does not name the column of the text: it is the one
with a usual name, else the longest.
Source: https://labelstud.io/guide/export
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
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

_REGIONS = "labels"
_READ = (_REGIONS, "choices", "rating", "number", "taxonomy")
_NOT_TEXT = re.compile(r"\w+labels|rectangle|polygon|ellipse|brush|keypoint|chatmessage|video\w*")
_ADDRESS = re.compile(r"(https?|s3|gs|azure-blob)://\S+|/data/\S+")
_OF_THE_TOOL = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"}
)

Result = dict[str, Any]
"""One answer to one question: `from_name`, `type` and `value`."""


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 1 when most records are tasks of Label Studio."""
    return 1.0 if most_are(beginning, lambda record: _is_full(record) or _is_min(record)) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the tasks.

    Raises:
        Rejected: The rest of the file is not JSON, or its offsets may be exclusive or inclusive.
        UnicodeDecodeError: It is not UTF-8.
    """
    records = source.beginning.records
    results = chain.from_iterable(map(_results, records))
    # There a single label is a plain word, which only its column's name tells from other words.
    is_min = any(map(_is_min, records))
    questions = {
        result["from_name"]: result["type"]
        for result in results
        if result["type"] == _REGIONS or not is_min
    }
    return rows_of(source, partial(_row, questions, ends_in(source, _spanned)))


def _is_full(record: Mapping[str, object]) -> bool:
    """Whether a record is a task with its annotations."""
    annotations = record.get("annotations", record.get("completions"))
    return isinstance(record.get("data"), dict) and isinstance(annotations, list)


def _is_min(record: Mapping[str, object]) -> bool:
    """Whether a record is a task with its answers only."""
    return {"annotation_id", "annotator"} <= record.keys()


def _row(
    questions: Mapping[str, str], ends: Ends | None, line: int, record: dict[str, Any]
) -> Row | Refusal:
    """Make a row of one task.

    Args:
        questions: The names of the project's questions, as far as the first tasks show them, and
            the types of their answers.
        ends: How the ends of offsets are meant.
        line: The task's line.
        record: The task.
    """
    results = _results(record)
    if _is_full(record) and _annotation(record) is None:
        return Refusal(line, "not annotated", "it has no annotation that was submitted")
    odd = next((result["type"] for result in results if result["type"] not in _READ), None)
    if odd:
        return Refusal(line, "not about text", f"its answer is of the type {odd[:40]!r}")
    texts = _texts(record)
    key = _text_key(texts)
    if key is None or _ADDRESS.fullmatch(texts[key].strip()):
        detail = "its data have no text" if key is None else f"{key!r} is the address of a file"
        return Refusal(line, "not about text", detail)
    try:
        answers = _answers(questions, results, texts[key], ends)
    except Misfit as error:
        return misfit(line, error)
    if not _is_full(record):
        answers = {**{name: text for name, text in texts.items() if name != key}, **answers}
    if not answers:
        return Refusal(line, "not annotated", "its annotation has no label that is read")
    return Row(line, {**answers, TEXT: texts[key], **split_of(texts)})


def _answers(
    questions: Mapping[str, str], results: list[Result], text: str, ends: Ends | None
) -> dict[str, object]:
    """Put the answers into columns. Raises Misfit."""
    only = next(iter(questions)) if len(questions) == 1 else None
    answers: dict[str, object] = {}
    for name, kind in {**{one["from_name"]: one["type"] for one in results}, **questions}.items():
        mine = [one["value"] for one in results if one["from_name"] == name]
        column = ANSWER if name in (only, TEXT) else name
        if kind == _REGIONS:
            answers[column] = fields_of(text, _spans(mine), ends)
        elif labels := list(chain.from_iterable(_labels(kind, value) for value in mine)):
            answers[column] = labels if len(labels) > 1 else labels[0]
    return answers


def _results(record: Mapping[str, Any]) -> list[Result]:
    """Return a task's answers, except for those that are neither read nor about a picture."""
    if not _is_full(record):
        return _min_results(record)
    results = (_annotation(record) or {}).get("result")
    return [
        {"from_name": str(one.get("from_name")), "type": kind, "value": one["value"]}
        for one in (results if isinstance(results, list) else [])
        if isinstance(one, dict)
        and isinstance(one.get("value"), dict)
        and (kind := _kind(str(one.get("type")), one["value"]))
    ]


def _min_results(record: Mapping[str, Any]) -> list[Result]:
    """Return the answers of a JSON-MIN task that are more than a word."""
    return [
        {"from_name": name, "type": kind, "value": item}
        for name, value in record.items()
        for item in (value if isinstance(value, list) else [value])
        if isinstance(item, dict)
        for kind in (_kind(key, item) for key in item)
        if kind
    ]


def _kind(kind: str, value: Mapping[str, Any]) -> str:
    """Return a result's type if it matters: it is read, or shows that the task is no text."""
    if kind == _REGIONS:
        return "audio" if "channel" in value else kind
    if kind in _READ:
        # With offsets it is said of a part of the text.
        return "" if "start" in value else kind
    return kind if _NOT_TEXT.fullmatch(kind) else ""


def _annotation(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Choose the annotation that counts: the ground truth, else the latest; None without."""
    annotations = record.get("annotations", record.get("completions"))
    submitted = [
        annotation
        for annotation in (annotations if isinstance(annotations, list) else [])
        if isinstance(annotation, dict) and annotation.get("was_cancelled") is not True
    ]
    best = [item for item in submitted if item.get("ground_truth") is True] or submitted
    return max(
        best,
        key=lambda item: str(item.get("updated_at") or item.get("created_at") or ""),
        default=None,
    )


def _texts(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what is text in a task's data; of a JSON-MIN task also the answers of one word."""
    data = record["data"] if _is_full(record) else record
    return {
        key: value
        for key, value in data.items()
        if isinstance(value, str) and (_is_full(record) or key not in _OF_THE_TOOL)
    }


def _text_key(texts: Mapping[str, str]) -> str | None:
    """Find the text: the key with a usual name, else the longest; None without."""
    usual = next((name for name in TEXT_NAMES if name in texts), None)
    return usual or max(texts, key=lambda key: len(texts[key]), default=None)


def _spanned(record: Mapping[str, Any]) -> Spanned:
    """Return a task's text and all of its labelled parts. Raises Misfit."""
    texts = _texts(record)
    spans = _spans([one["value"] for one in _results(record) if one["type"] == _REGIONS])
    key = _text_key(texts)
    return (texts[key], spans) if key else ("", [])


def _spans(regions: list[dict[str, Any]]) -> list[Span]:
    """Make spans of labelled parts, one for each label. Raises Misfit."""
    return [
        span_of(region.get("start"), region.get("end"), label, region.get("text"))
        for region in regions
        for label in _labels(_REGIONS, region)
    ]


def _labels(kind: str, value: Mapping[str, Any]) -> list[str]:
    """Return the labels of one answer; a taxonomy's are paths."""
    given = value.get(kind)
    labels = given if isinstance(given, list) else [given]
    return [
        " > ".join(map(str, label)) if isinstance(label, list) else str(label)
        for label in labels
        if label is not None
    ]
