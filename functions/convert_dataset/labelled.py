"""Turns rows into examples, or says why not."""

import difflib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from functions.convert_dataset.columns import Columns
from functions.convert_dataset.label_cells import FLAGS, as_json, clean_label, is_array, labels_in
from functions.convert_dataset.rows import Refusal, Row
from functions.convert_dataset.tally import LabelTally, declared_label
from shared.answers import clean_value
from shared.examples import MAX_TEXT_CHARACTERS, Answer, Example, FieldValue, joined_text
from shared.task import Task

MAX_LABEL_CHARACTERS = 200

Reader = Callable[[Row], Example | Refusal]

new_tuple = tuple.__new__
"""Makes a named tuple in half the time that its own constructor takes."""


def example_reader(task: Task, columns: Columns, tally: LabelTally | None = None) -> Reader:
    """Make the function that turns a file's rows into examples.

    Args:
        task: The task; without labels or fields, all are taken.
        columns: Which column holds what.
        tally: Counts the labels that are not spelt as the task declares them.
    """
    tally = tally or LabelTally()
    if columns.joined:
        read = example_reader(task, replace(columns, joined=()), tally)
        return lambda row: read(_with_one_text(row, columns.joined))
    if task.type == "extraction":
        return lambda row: _example(row, columns.text, _fields(row, task, columns))
    if columns.flags:
        return lambda row: _example(row, columns.text, _flagged_labels(row, task, columns, tally))
    if task.multi_label:
        return lambda row: _example(row, columns.text, _several_labels(row, task, columns, tally))
    return _single_label_reader(task, columns, tally)


def _with_one_text(row: Row, columns: Sequence[str]) -> Row:
    """Join a row's texts into the first of their columns, each on a line of its own."""
    found = [row.values.get(column) for column in columns]
    other = [value for value in found if not isinstance(value, str | None)]
    return Row(row.line, {**row.values, columns[0]: other[0] if other else joined_text(found)})


def _single_label_reader(task: Task, columns: Columns, tally: LabelTally) -> Reader:
    """Make the reader of most tasks. It is run for every row, so the usual row is quick."""
    text_column, label_column, missing = columns.text, columns.label or "", columns.missing
    # Label as it stands in the file -> the label; the same few come again and again.
    known: dict[str, str] = {}

    def read(row: Row) -> Example | Refusal:
        values = row.values
        text, value = values.get(text_column), values.get(label_column)
        if text.__class__ is str and value.__class__ is str and value in known:
            text = text.strip()
            if text and len(text) <= MAX_TEXT_CHARACTERS:
                return new_tuple(Example, (text, known[value]))
        cell = _only_item(labels_in(value))
        answer = _label(row, cell, task, label_column, missing, tally)
        # A label in another spelling goes this way every time, where it is counted.
        if isinstance(value, str) and isinstance(answer, str) and answer == clean_label(cell):
            known[value] = answer
        return _example(row, text_column, answer)

    return read


def _example(row: Row, column: str, answer: Answer | Refusal) -> Example | Refusal:
    """Put an example together, or say why there is none."""
    text = row.values.get(column)
    if not isinstance(text, str) or not (text := text.strip()):
        return Refusal(row.line, "no text", _no_text(text, column))
    if len(text) > MAX_TEXT_CHARACTERS:
        detail = f"{len(text):,} characters; Gemini takes about {MAX_TEXT_CHARACTERS:,}"
        return Refusal(row.line, "text too long", detail)
    return answer if isinstance(answer, Refusal) else Example(text, answer)


def _no_text(value: object, column: str) -> str:
    """Say why a cell holds no text."""
    if value is None or isinstance(value, str):
        return f"the column {column!r} is empty"
    return f"the column {column!r} holds {str(value)[:60]!r}, which is not text"


def _only_item(value: object) -> object:
    """Take the only item out of a list of one label."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _label(
    row: Row,
    value: object,
    task: Task,
    column: str,
    missing: Collection[str],
    tally: LabelTally,
) -> str | Refusal:
    """Read one label."""
    name = clean_label(value)
    if isinstance(value, dict | list) or is_array(name):
        return Refusal(row.line, "not a label", f"{name[:60]!r} is not a label")
    if not name or name in missing:
        why = f"holds {name!r}, which means none" if name else "is empty"
        return Refusal(row.line, "no label", f"the column {column!r} {why}")
    if len(name) > MAX_LABEL_CHARACTERS:
        detail = f"{len(name)} characters; a label has at most {MAX_LABEL_CHARACTERS}"
        return Refusal(row.line, "label too long", detail)
    known = declared_label(name, task.label_names) if task.labels else name
    if known is None:
        tally.refuse(name)
        hint = _nearest(name, task.label_names)
        return Refusal(row.line, "unknown label", f"{name[:60]!r} is not declared{hint}")
    if known != name:
        tally.read_as(name, known)
    return known


def _several_labels(row: Row, task: Task, columns: Columns, tally: LabelTally) -> Answer | Refusal:
    """Read the labels of a text that may have several."""
    value = labels_in(row.values.get(columns.label or ""))
    values = value if isinstance(value, list) else _listed(value, task, columns.separator)
    names: list[str] = []
    for item in values:
        name = _label(row, item, task, columns.label or "", columns.missing, tally)
        if isinstance(name, Refusal):
            return name
        names.append(name)
    return sorted(set(names))


def _flagged_labels(row: Row, task: Task, columns: Columns, tally: LabelTally) -> Answer | Refusal:
    """Take the names of the columns that say that their label applies."""
    names: list[str] = []
    for column in columns.flags:
        said = clean_label(row.values.get(column))
        if said.lower() not in FLAGS:
            detail = f"the column {column!r} holds {said[:60]!r}"
            return Refusal(row.line, "neither 0 nor 1", detail)
        name = _label(row, column, task, column, (), tally) if FLAGS[said.lower()] else ""
        if isinstance(name, Refusal):
            return name
        names += [name] if name else []
    return sorted(names)


@lru_cache(maxsize=2000)
def _nearest(name: str, known: tuple[str, ...]) -> str:
    """Say which known name looks most like one that is not; the same few come again."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _listed(value: object, task: Task, separator: str | None) -> list[object]:
    """Cut a cell with several labels, unless it is one label as it is."""
    if not isinstance(value, str) or separator is None:
        return [value]
    if declared_label(value.strip(), task.label_names) is not None:
        return [value]
    return list(value.split(separator))


def _fields(row: Row, task: Task, columns: Columns) -> Answer | Refusal:
    """Read the fields' values: of the task's fields, or of all that are there."""
    values: Mapping[str, object]
    if columns.label is None:
        values = {name: row.values.get(column) for name, column in columns.fields.items()}
    else:
        cell = as_json(row.values.get(columns.label))
        if not isinstance(cell, dict):
            return Refusal(row.line, "no fields", f"{columns.label!r} is not a JSON object")
        values = cell
    answer: dict[str, FieldValue] = {}
    for name in task.field_names or values:
        if not 0 < len(name.strip()) <= MAX_LABEL_CHARACTERS:
            detail = f"{name[:60]!r} cannot be a field's name"
            return Refusal(row.line, "bad field name", detail)
        value = _flat(values.get(name))
        inner = value if isinstance(value, list) else [value]
        nested = next((item for item in inner if isinstance(item, dict | list)), None)
        if nested is not None:
            return Refusal(row.line, "nested field", _nested(name, nested))
        texts = [text for item in inner if (text := clean_value(item))]
        texts = [text for text in texts if text not in columns.missing]
        answer[name] = (texts if isinstance(value, list) else texts[0]) if texts else None
    for field in task.fields:
        if field.required and not answer[field.name]:
            hint = "" if field.name in values else _nearest(field.name, columns.others)
            detail = f"{field.name!r} has no value{hint}"
            return Refusal(row.line, "required field missing", detail)
    return answer


def _nested(name: str, value: object) -> str:
    """Say what is inside of a field, and how its object would be flat."""
    if not isinstance(value, dict):
        return f"{name!r} holds a list inside of a list; a list of texts is what it can be"
    keys = [json.dumps(f"{name}_{key}", ensure_ascii=False) for key in list(value)[:3]]
    flat = ", ".join(f"{key}: …" for key in keys)
    return f"{name!r} holds an object; written flat it is {{{flat}}}"


def _flat(value: object) -> object:
    """Take the values out of {value: score}, as some files write them; one is not a list."""
    if not isinstance(value, dict):
        return value
    if any(not isinstance(score, int | float) for score in value.values()):
        return value
    return next(iter(value)) if len(value) == 1 else list(value)
