"""Works out a task from the data alone, and says how."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from functions.convert_dataset.columns import LABEL_NAMES, Columns
from functions.convert_dataset.label_cells import labels_in
from functions.convert_dataset.labelled import example_reader
from functions.convert_dataset.rows import SYSTEM, Refusal, Row
from functions.convert_dataset.sentiment_words import SENTIMENT_COLUMNS, worst_to_best
from shared.errors import Rejected
from shared.task import FieldSpec, Task, TaskType
from shared.validation import explain

MAX_LABEL_SHARE = 0.5
"""With more different labels than this share of the rows, the column holds free text."""

ENOUGH_ROWS = 50
"""With fewer rows, labels that differ in most of them say nothing but that rows are few."""

SHORT_LABEL = 20
"""Labels are at most this many characters long on average; longer ones are sentences."""

_ANSWER_RULES = re.compile(
    r"\n\nAnswer with (exactly one|a JSON array|one JSON object).*\Z", re.DOTALL
)


@dataclass(frozen=True)
class Inference:
    """A task, and the sentences that say how it was worked out."""

    task: Task
    explanation: tuple[str, ...]


def infer_task(sample: Sequence[Row], columns: Columns, name: str) -> Inference:
    """Work out a task.

    Args:
        sample: The first rows.
        columns: Which column holds what.
        name: The file's name, for messages.

    Raises:
        Rejected: The answers do not look like labels or fields.
    """
    instruction = _instruction(sample)
    if columns.flags:
        why = f"{len(columns.flags)} columns hold nothing but 0 and 1"
        return _inferred("classification", instruction, columns, why, multi_label=True)
    if columns.label is None:
        names = list(columns.fields)
        return _inferred("extraction", instruction, columns, f"its fields are {', '.join(names)}",
                         fields=names)  # fmt: skip
    values = [labels_in(row.values.get(columns.label)) for row in sample]
    values = [value for value in values if value not in (None, "")]
    if not values:
        raise Rejected(
            f"The column {columns.label!r} of {name} is empty.",
            "Fill in the labels, or name their column in task.yaml: `columns: {label: …}`.",
        )
    objects = [value for value in values if isinstance(value, dict)]
    if len(objects) * 2 > len(values):
        if not any(objects):
            raise Rejected(f"The answers of {name} are JSON objects with nothing in them.",
                           "Fill in the fields.")  # fmt: skip
        return _inferred("extraction", instruction, columns, "its answers are JSON objects")
    single = all(isinstance(value, list) and len(value) == 1 for value in values)
    if not single and sum(isinstance(value, list) for value in values) * 2 > len(values):
        return _inferred("classification", instruction, columns, "its answers are lists of labels",
                         multi_label=True)  # fmt: skip
    if columns.separator:
        why = f"its answers are labels with {columns.separator!r} between them"
        return _inferred("classification", instruction, columns, why, multi_label=True)
    return _with_one_label(sample, columns, columns.label, name)


def _with_one_label(sample: Sequence[Row], columns: Columns, column: str, name: str) -> Inference:
    """Work out a task whose texts have one label each.

    Raises:
        Rejected: The answers are too many, or cannot be read.
    """
    instruction = _instruction(sample)
    labels = _labels(sample, columns, name)
    count = labels.total()
    short = sum(map(len, labels)) <= SHORT_LABEL * len(labels)
    few_rows = column.lower() in LABEL_NAMES and count < ENOUGH_ROWS and short
    if len(labels) > max(2, MAX_LABEL_SHARE * count) and not few_rows:
        raise Rejected(
            f"The column {column!r} of {name} has {len(labels)} different values in its "
            f"first {count:,} labelled rows, too many for labels.",
            "Answers must be labels or fields, not free text. If the labels are in another column, "
            "name it in task.yaml: `columns: {label: …}`.",
        )
    named = column.lower() in SENTIMENT_COLUMNS
    if named or worst_to_best(labels):
        why = f"the column {column!r} says so" if named else "its labels say so"
        return _inferred("sentiment", instruction, columns, why)
    several = "one label" if len(labels) == 1 else f"{len(labels)} different labels"
    why = f"{several} in the first {count:,} labelled rows"
    return _inferred("classification", instruction, columns, why)


def late_separator(labels: Mapping[str, int]) -> str | None:
    """Find a mark between labels that the beginning of a file did not show.

    Args:
        labels: The labels of a task with one label a text, and how many examples each has.

    Returns:
        The mark, when most labels with it consist of others of them; else None.
    """
    for mark in "|;":
        marked = [label for label in labels if mark in label]
        known = labels.keys() - set(marked)
        joined = sum(all(part.strip() in known for part in label.split(mark)) for label in marked)
        if joined * 2 > len(marked):
            return mark
    return None


def _labels(sample: Sequence[Row], columns: Columns, name: str) -> Counter[str]:
    """Count the labels as they will be read.

    Raises:
        Rejected: None can be read.
    """
    read = example_reader(Task(type="classification"), columns)
    found = [read(row) for row in sample]
    labels = Counter(str(item.answer) for item in found if not isinstance(item, Refusal))
    if not labels:
        first = next(item for item in found if isinstance(item, Refusal))
        raise Rejected(
            f"None of the first {len(found):,} rows of {name} is an example: {first.reason}, "
            f"{first.detail}.",
            "Answers must be labels or fields, not free text. If they are in another column, name "
            "it in task.yaml: `columns: {text: …, label: …}`.",
        )
    return labels


def _inferred(
    kind: TaskType,
    instruction: str,
    columns: Columns,
    why: str,
    *,
    fields: Sequence[str] = (),
    multi_label: bool = False,
) -> Inference:
    """Put the task together."""
    try:
        task = Task(
            type=kind,
            instruction=instruction,
            fields=tuple(FieldSpec(name=field) for field in fields),
            multi_label=multi_label,
        )
    except ValidationError as error:
        raise Rejected(
            f"No task can be inferred: {explain(error, Task)}.",
            "Shorten it in the data, or declare the task in task.yaml.",
        ) from None
    several = " with several labels a text" if multi_label else ""
    sentences = [
        "there is no task.yaml, so the task was inferred",
        *columns.explanation,
        f"it is {kind}{several}: {why}",
    ]
    if instruction:
        sentences.append("the instruction was taken from the file's system instructions")
    return Inference(task, tuple(sentences))


def _instruction(sample: Sequence[Row]) -> str:
    """Take over the system instruction that most of the rows have, if any."""
    found = Counter(str(row.values[SYSTEM]) for row in sample if row.values.get(SYSTEM))
    if not found:
        return ""
    instruction, count = found.most_common(1)[0]
    # What tunedrop itself adds to an instruction is added again, so it is not taken over.
    return _ANSWER_RULES.sub("", instruction) if count * 2 > len(sample) else ""
