"""spaCy's categories: `text` and `cats`, which gives each label a score.

Source: https://spacy.io/api/data-formats
"""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.convert_dataset.formats.json_records import most_are, rows_of, split_of
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row

_APPLIES = 0.5


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 1 when most records have scored categories."""
    return 1.0 if most_are(beginning, _is_scored) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the records; a label applies from 0.5 on. See `json_records` for what is raised."""
    return rows_of(source, _row)


def _is_scored(record: Mapping[str, object]) -> bool:
    """Whether a record has a text, and categories with scores."""
    cats = record.get("cats")
    scored = isinstance(cats, dict) and cats and None not in map(_score, cats.values())
    return bool(scored) and isinstance(record.get("text"), str)


def _row(line: int, record: dict[str, Any]) -> Row | Refusal:
    """Make a row of one record."""
    cats = record.get("cats")
    if not isinstance(cats, dict):
        return Refusal(line, "not annotated", "it has no 'cats' with a score for each label")
    scores = {label: _score(value) for label, value in cats.items()}
    unknown = [label for label, score in scores.items() if score is None]
    if unknown:
        return Refusal(line, "not a score", f"{unknown[0][:60]!r} needs a number from 0 to 1")
    labels = [label for label, score in scores.items() if score and score >= _APPLIES]
    if not labels:
        return Refusal(line, "no label", f"no label has a score of {_APPLIES} or more")
    answer = labels if len(labels) > 1 else labels[0]
    return Row(line, {TEXT: record.get("text"), ANSWER: answer, **split_of(record)})


def _score(value: object) -> float | None:
    """Read a score, which is text when it has a fraction; None when it is none."""
    if not isinstance(value, int | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
