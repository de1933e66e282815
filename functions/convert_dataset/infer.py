"""Works out a task from the data alone, and says how."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from functions.convert_dataset.columns import LABEL_NAMES, Columns, as_json
from functions.convert_dataset.labelled import clean_label
from functions.convert_dataset.rows import SYSTEM, Row
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
_SENTIMENT_COLUMNS = frozenset({"sentiment", "rating", "polarity", "stars"})
_SENTIMENT_LABELS = frozenset(
    {"positive", "negative", "neutral", "mixed", "pos", "neg", "very positive", "very negative",
     "very_positive", "very_negative", "正面", "负面", "中性", "好评", "差评"}
)  # fmt: skip


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
    if columns.label is None:
        names = list(columns.fields)
        return _inferred("extraction", instruction, columns, f"its fields are {', '.join(names)}",
                         fields=names)  # fmt: skip
    values = [as_json(row.values.get(columns.label)) for row in sample]
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
    if all(isinstance(value, list) and len(value) == 1 for value in values):
        values = [value[0] for value in values if isinstance(value, list)]
    if sum(isinstance(value, list) for value in values) * 2 > len(values):
        return _inferred("classification", instruction, columns, "its answers are lists of labels",
                         multi_label=True)  # fmt: skip
    labels = Counter(clean_label(value) for value in values)
    separator = _separator(labels)
    if separator:
        why = f"its answers are labels with {separator!r} between them"
        return _inferred("classification", instruction, columns, why, multi_label=True)
    short = sum(map(len, labels)) <= SHORT_LABEL * len(labels)
    few_rows = columns.label.lower() in LABEL_NAMES and len(values) < ENOUGH_ROWS and short
    if len(labels) > max(2, MAX_LABEL_SHARE * len(values)) and not few_rows:
        raise Rejected(
            f"The column {columns.label!r} of {name} has {len(labels)} different values in its "
            f"first {len(values):,} rows, too many for labels.",
            "Answers must be labels or fields, not free text. If the labels are in another column, "
            "name it in task.yaml: `columns: {label: …}`.",
        )
    named = columns.label.lower() in _SENTIMENT_COLUMNS
    if named or {label.lower() for label in labels} <= _SENTIMENT_LABELS:
        why = f"the column {columns.label!r} says so" if named else "its labels say so"
        return _inferred("sentiment", instruction, columns, why)
    several = "one label" if len(labels) == 1 else f"{len(labels)} different labels"
    why = f"{several} in the first {len(values):,} rows"
    return _inferred("classification", instruction, columns, why)


def _separator(labels: Counter[str]) -> str | None:
    """Find the mark that divides several labels in a cell: cutting there leaves fewer labels."""
    for mark in "|;,":
        parts = Counter(part.strip() for label in labels for part in label.split(mark))
        if not any(mark in label for label in labels) or len(parts) >= len(labels):
            continue
        # A comma may stand inside of a label; between labels, most of them stand alone as well.
        if mark != "," or sum(part in labels for part in parts) * 2 > len(parts):
            return mark
    return None


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
