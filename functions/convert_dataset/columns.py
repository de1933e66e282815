"""Finds out which column holds the text and which the answer."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from functions.convert_dataset.rows import ANSWER, SPLIT, SYSTEM, TEXT, Row
from shared.errors import Rejected
from shared.task import Columns as ColumnNames
from shared.task import Task

TEXT_NAMES = (
    TEXT, "texts", "sentence", "review", "content", "message", "body", "comment", "document",
    "question", "query", "utterance", "input", "title", "tweet", "description", "文本", "内容",
    "nachricht", "kommentar", "inhalt", "frage", "texte", "commentaire", "texto", "mensaje",
    "comentario", "testo",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "category", "categories", "class", "intent", "sentiment", "rating",
    "polarity", "topic", "target", "tag", "tags", ANSWER, "fields", "entities", "output", "标签",
    "kategorie", "klasse", "etikett", "catégorie", "étiquette", "categoría", "categoria",
    "etiqueta", "etichetta", "sentiment_label", "stars", "score",
)  # fmt: skip
OTHER_NAMES = frozenset(
    {"id", "uid", "uuid", "index", "idx", "row", "source", "meta", "metadata", "file", "filename",
     "split", "url", "date_added", "", SYSTEM}
)  # fmt: skip
SPLIT_NAMES = (
    SPLIT, "ml_use", "set", "subset", "fold", "partition", "usage", "data_split", "dataset_split",
)  # fmt: skip
SPLIT_WORDS = {
    "train": 0, "training": 0, "trn": 0,
    "validation": 1, "valid": 1, "val": 1, "dev": 1, "development": 1, "eval": 1,
    "test": 2, "testing": 2, "holdout": 2,
    "": -1, "unassigned": -1, "unspecified": -1,
}  # fmt: skip
"""What files call the splits: index of splits.SPLITS, -1 for a row that is in none."""

KNOWN_COLUMNS = frozenset(TEXT_NAMES) | frozenset(LABEL_NAMES)


@dataclass(frozen=True)
class Columns:
    """Which column holds what.

    Attributes:
        text: The text's column.
        label: The column of the label, or of a JSON object with the fields; None when each field
            has a column of its own.
        fields: Field name -> column, for the latter.
        explanation: How they were found, for the report.
        split: The column that says which split a row is in, if there is one.
        group: The column whose equal values stay in one split, if task.yaml names one.
        missing: Values that mean that a field has none.
    """

    text: str
    label: str | None
    fields: dict[str, str]
    explanation: tuple[str, ...]
    split: str | None = None
    group: str | None = None
    missing: frozenset[str] = frozenset()


def known_columns(task: Task | None) -> frozenset[str]:
    """Return the lower-case column names by which a header line is recognised."""
    if task is None:
        return KNOWN_COLUMNS
    columns = task.columns
    named = (columns.text, columns.label, columns.split, task.split.group_by, *task.field_names)
    return KNOWN_COLUMNS | {name.lower() for name in named if name}


def find_columns(sample: Sequence[Row], task: Task | None, name: str) -> Columns:
    """Find the columns.

    Args:
        sample: The first rows.
        task: The task, when there is a task.yaml.
        name: The file's name, for messages.

    Raises:
        Rejected: A column that task.yaml names is not there, or none looks right.
    """
    present = list(dict.fromkeys(column for row in sample for column in row.values))
    wanted = task.columns if task else ColumnNames()
    split = _wanted(wanted.split, present, name) or _split_column(sample, present)
    group = _wanted(task.split.group_by if task else None, present, name)
    found = _text_and_answer(sample, task, [item for item in present if item != split], name)
    how = found.explanation
    if split is not None:
        how = (*how, f"the splits are those in the column {split!r}")
    used = {found.text, found.label, split, group, SYSTEM, *found.fields.values()}
    unused = [column for column in present if column not in used]
    if unused:
        how = (*how, f"not used: {', '.join(unused)}")
    return replace(
        found, explanation=how, split=split, group=group, missing=frozenset(wanted.missing)
    )


def _text_and_answer(
    sample: Sequence[Row], task: Task | None, present: Sequence[str], name: str
) -> Columns:
    """Find the columns of the text and of the answer."""
    text = _wanted(task.columns.text if task else None, present, name)
    text = text or _by_name(TEXT_NAMES, present) or _longest(sample, present)
    if text is None:
        raise Rejected(
            f"{name} has no column with text; its columns are {', '.join(present) or 'none'}.",
            "Name the text's column in task.yaml: `columns: {text: …}`.",
        )
    rest = [column for column in present if column != text]
    how = [f"the text is in the column {text!r}"]
    fields = _field_columns(task, rest)
    label = _wanted(task.columns.label if task else None, rest, name)
    if label is None and not fields:
        label = _by_name(LABEL_NAMES, rest)
    candidates = [column for column in rest if column.lower() not in OTHER_NAMES]
    if label is None and not fields and len(candidates) == 1:
        label = candidates[0]
    if label is None and not fields and (task is None or task.type != "extraction"):
        label = _only_label_like(sample, candidates, text, name)
    if label is not None:
        return Columns(text, label, {}, (*how, f"the answer is in the column {label!r}"))
    if not fields and (task is None or task.type == "extraction"):
        fields = {column: column for column in candidates if _is_cut_from(sample, column, text)}
    if not fields:
        raise Rejected(
            f"{name} has no column with labels; its columns are {', '.join(present)}.",
            f"Name the label's column in task.yaml: `columns: {{text: {text}, label: …}}`.",
        )
    return Columns(text, None, fields, (*how, f"the fields are in {', '.join(fields.values())}"))


def _split_column(sample: Sequence[Row], present: Sequence[str]) -> str | None:
    """Find the column that says train, validation or test, by its name and all of its values."""
    for column in present:
        if column.lower() not in SPLIT_NAMES:
            continue
        said = {str(row.values.get(column) or "").strip().lower() for row in sample}
        if said <= SPLIT_WORDS.keys() and said != {""}:
            return column
    return None


def as_json(value: object) -> object:
    """Read a cell that holds a JSON object or array; anything else stays as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _only_label_like(
    sample: Sequence[Row], candidates: Sequence[str], text: str, name: str
) -> str | None:
    """Find the one column whose few values come again and again, and do not stand in the text.

    Raises:
        Rejected: There are several; only a person knows which one is meant.
    """
    counts = {
        column: len({str(row.values.get(column)).strip() for row in sample})
        for column in candidates
        if not _is_cut_from(sample, column, text)
    }
    alike = [column for column, count in counts.items() if 1 < count <= max(2, len(sample) // 3)]
    if len(alike) > 1:
        shown = ", ".join(f"{column} ({counts[column]} values)" for column in alike)
        raise Rejected(
            f"Several columns of {name} could hold the label: {shown}.",
            f"Say which in task.yaml: `columns: {{text: {text}, label: {alike[0]}}}`.",
        )
    return alike[0] if alike else None


def _is_cut_from(sample: Sequence[Row], column: str, text: str) -> bool:
    """Whether most values of a column stand in the text beside them, as extracted fields do."""
    pairs = [(row.values.get(column), row.values.get(text)) for row in sample]
    values = [
        (" ".join(str(item).casefold().split()), " ".join(str(whole).casefold().split()))
        for value, whole in pairs
        if value not in (None, "")
        for item in (value if isinstance(value, list) else [value])
    ]
    found = sum(item in whole for item, whole in values)
    return bool(values) and found * 2 > len(values)


def _wanted(column: str | None, present: Sequence[str], name: str) -> str | None:
    """Check that a column named in task.yaml is there."""
    if column is None:
        return None
    by_case = {item.lower(): item for item in present}
    if column.lower() not in by_case:
        raise Rejected(
            f"task.yaml names the column {column!r}, but {name} has {', '.join(present)}.",
            "Correct `columns:` in task.yaml, or the file's header line.",
        )
    return by_case[column.lower()]


def _by_name(names: Sequence[str], present: Sequence[str]) -> str | None:
    """Find the first of some usual names."""
    by_case = {column.lower(): column for column in present}
    return next((by_case[name] for name in names if name in by_case), None)


def _longest(sample: Sequence[Row], present: Sequence[str]) -> str | None:
    """Find the column with the longest texts."""
    lengths = {
        column: statistics.mean(
            len(value) if isinstance(value := row.values.get(column), str) else 0 for row in sample
        )
        for column in present
    }
    best = max(present, key=lambda column: lengths[column], default=None)
    return best if best and lengths[best] > 0 else None


def _field_columns(task: Task | None, rest: Sequence[str]) -> dict[str, str]:
    """Find a column for each of an extraction's fields; a field without one is left out."""
    if task is None or task.type != "extraction":
        return {}
    by_case = {column.lower(): column for column in rest}
    return {name: by_case[name.lower()] for name in task.field_names if name.lower() in by_case}
