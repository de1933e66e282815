"""Turns rows into examples, or says why not."""

import difflib
from collections.abc import Mapping
from functools import lru_cache

from functions.convert_dataset.columns import Columns, as_json
from functions.convert_dataset.rows import Refusal, Row
from shared.examples import MAX_TEXT_CHARACTERS, Answer, Example, FieldValue
from shared.prompts import clean_value
from shared.task import Task

MAX_LABEL_CHARACTERS = 200


def example_of(row: Row, task: Task, columns: Columns) -> Example | Refusal:
    """Make an example of a row.

    Args:
        row: The row.
        task: The task; without labels, every label is taken.
        columns: Which column holds what.
    """
    text = row.values.get(columns.text)
    if not isinstance(text, str) or not text.strip():
        return Refusal(row.line, "no text", f"the column {columns.text!r} is empty")
    if len(text) > MAX_TEXT_CHARACTERS:
        detail = f"{len(text):,} characters; Gemini takes about {MAX_TEXT_CHARACTERS:,}"
        return Refusal(row.line, "text too long", detail)
    answer = (
        _fields(row, task, columns) if task.type == "extraction" else _labels(row, task, columns)
    )
    return answer if isinstance(answer, Refusal) else Example(text.strip(), answer)


def _labels(row: Row, task: Task, columns: Columns) -> Answer | Refusal:
    """Read the label, or the labels."""
    value = row.values.get(columns.label or "")
    if task.multi_label:
        value = as_json(value)
        values = value if isinstance(value, list) else _listed(value, task)
    else:
        values = [value]
    names: list[str] = []
    for item in values:
        if isinstance(item, dict | list):
            return Refusal(row.line, "not a label", f"{str(item)[:60]!r} is not a label")
        name = clean_label(item)
        if not name:
            return Refusal(row.line, "no label", f"the column {columns.label!r} is empty")
        if len(name) > MAX_LABEL_CHARACTERS:
            detail = f"{len(name)} characters; a label has at most {MAX_LABEL_CHARACTERS}"
            return Refusal(row.line, "label too long", detail)
        known = _known_label(name, task)
        if known is None:
            hint = _nearest(name, task.label_names)
            return Refusal(row.line, "unknown label", f"{name[:60]!r} is not declared{hint}")
        names.append(known)
    return sorted(set(names)) if task.multi_label else names[0]


def clean_label(value: object) -> str:
    """Write a label as text: JSON's true, 1 and "a" alike; nothing is empty."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).strip()


@lru_cache(maxsize=2000)
def _nearest(name: str, known: tuple[str, ...]) -> str:
    """Say which declared label looks most like one that is not; the same few come again."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _listed(value: object, task: Task) -> list[object]:
    """Cut a cell with several labels: at | or ;, or at commas, unless it is one label as it is."""
    if not isinstance(value, str) or value.strip() in task.label_names:
        return [value]
    separator = next((mark for mark in "|;," if mark in value), None)
    return list(value.split(separator)) if separator else [value]


def _known_label(name: str, task: Task) -> str | None:
    """Return the label as it is declared; None when it is not."""
    if not task.labels or name in task.label_names:
        return name
    same = [known for known in task.label_names if known.casefold() == name.casefold()]
    return same[0] if len(same) == 1 else None


def _fields(row: Row, task: Task, columns: Columns) -> Answer | Refusal:
    """Read the fields' values."""
    if columns.label is None:
        values: Mapping[str, object] = {
            name: row.values.get(column) for name, column in columns.fields.items()
        }
    else:
        cell = as_json(row.values.get(columns.label))
        if not isinstance(cell, dict):
            return Refusal(row.line, "no fields", f"{columns.label!r} is not a JSON object")
        values = cell
    answer: dict[str, FieldValue] = {}
    for field in task.fields:
        value = values.get(field.name)
        inner = value if isinstance(value, list) else [value]
        if any(isinstance(item, dict | list) for item in inner):
            return Refusal(row.line, "nested field", f"{field.name!r} holds an object")
        if isinstance(value, list):
            answer[field.name] = [text for item in value if (text := clean_value(item))] or None
        else:
            answer[field.name] = clean_value(value)
        if field.required and not answer[field.name]:
            return Refusal(row.line, "required field missing", f"{field.name!r} has no value")
    return answer
