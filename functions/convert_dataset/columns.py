"""Finds out which column holds the text and which the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from functions.convert_dataset.column_kinds import Kind, cut_from_texts, in_yaml, kinds_of, shown
from functions.convert_dataset.label_cells import as_json, find_separator, labels_in, refuse_codes
from functions.convert_dataset.label_column import (
    flag_columns,
    label_by_name,
    named_like_labels,
    only_label_like,
)
from functions.convert_dataset.rows import ANSWER, SPLIT, SYSTEM, Row
from functions.convert_dataset.sentiment_words import SENTIMENT_COLUMNS
from functions.convert_dataset.text_column import guess_text, refuse_second_text
from shared.errors import Rejected
from shared.examples import TEXT_NAMES
from shared.task import Columns as ColumnNames
from shared.task import Task

LABEL_NAMES = tuple(dict.fromkeys((
    "label", "labels", "category", "categories", "class", "intent", "sentiment", "rating",
    "polarity", "topic", "target", "tag", "tags", ANSWER, "fields", "entities", "output", "标签",
    "kategorie", "klasse", "etikett", "catégorie", "étiquette", "categoría", "categoria",
    "etiqueta", "etichetta", "sentiment_label", "stars", "score",
    *SENTIMENT_COLUMNS,
)))  # fmt: skip
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

Kinds = Mapping[str, Kind]


@dataclass(frozen=True)
class Columns:
    """Which column holds what.

    Attributes:
        text: The text's column; when texts are joined, the first of `joined`.
        label: The column of the label, or of a JSON object with the fields; None when each field,
            or each label, has a column of its own.
        fields: Field name -> column, for the former.
        explanation: How they were found, for the report.
        split: The column that says which split a row is in, if there is one.
        group: The column whose equal values stay in one split, if task.yaml names one.
        missing: Values that mean that there is no label or value.
        joined: The columns whose texts are joined, if task.yaml names several.
        flags: The columns that say with 1 that the label they are named by applies.
        separator: What stands between several labels in a cell.
        others: What else could be the declared fields: columns, or keys of the answers' objects.
    """

    text: str
    label: str | None
    fields: dict[str, str]
    explanation: tuple[str, ...]
    split: str | None = None
    group: str | None = None
    missing: frozenset[str] = frozenset()
    joined: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    separator: str | None = None
    others: tuple[str, ...] = ()


def known_columns(task: Task | None) -> frozenset[str]:
    """Return the lower-case column names by which a header line is recognised."""
    if task is None:
        return KNOWN_COLUMNS
    columns = task.columns
    named = (columns.label, columns.split, task.split.group_by, *task.field_names)
    return KNOWN_COLUMNS | {name.lower() for name in (*_texts(columns), *named) if name}


def find_columns(sample: Sequence[Row], task: Task | None, name: str) -> Columns:
    """Find the columns.

    Args:
        sample: The first rows.
        task: The task, when there is a task.yaml.
        name: The file's name, for messages.

    Raises:
        Rejected: A column that task.yaml names is not there, none looks right, or several do.
    """
    kinds = kinds_of(sample)
    wanted = task.columns if task else ColumnNames()
    split = _wanted(wanted.split, kinds, name) or _split_column(sample, list(kinds))
    group = _wanted(task.split.group_by if task else None, kinds, name)
    texts = tuple(column for text in _texts(wanted) if (column := _wanted(text, kinds, name)))
    free = {column: kind for column, kind in kinds.items() if column not in {split, group, SYSTEM}}
    unlikely = OTHER_NAMES.union(LABEL_NAMES)
    text = texts[0] if texts else guess_text(sample, free, TEXT_NAMES, unlikely, name)
    joined = texts if len(texts) > 1 else ()
    taken = {split, group, text, *joined}
    rest = {column: kind for column, kind in kinds.items() if column not in taken}
    found = _answer(sample, rest, task, joined or (text,), name)
    used = {text, *joined, found.label, split, group, SYSTEM, *found.fields.values(), *found.flags}
    unused = [column for column in kinds if column not in used]
    if not texts:
        refuse_second_text(kinds, text, unused, name)
    how = found.explanation
    if split is not None:
        how = (*how, f"the splits are those in the column {split!r}{_only_word(sample, split)}")
    if unused:
        how = (*how, f"not used: {shown(unused)}")
    found = replace(
        found,
        explanation=how,
        split=split,
        group=group,
        joined=joined,
        others=_other_names(sample, task, found, [name for name in rest if name != found.label]),
    )
    return _with_form(sample, replace(found, missing=frozenset(wanted.missing)), task, name)


def _texts(columns: ColumnNames) -> tuple[str, ...]:
    """Return the columns of the text that task.yaml names."""
    named = columns.text or ()
    return (named,) if isinstance(named, str) else named


def _answer(
    sample: Sequence[Row], kinds: Kinds, task: Task | None, texts: Sequence[str], name: str
) -> Columns:
    """Find the columns of the answer among those that are left."""
    how = [f"the text is in the column {texts[0]!r}" if len(texts) == 1 else
           f"the text is put together from the columns {', '.join(texts)}"]  # fmt: skip
    found = Columns(texts[0], None, {}, ())
    extraction = task is not None and task.type == "extraction"
    label = _wanted(task.columns.label if task else None, kinds, name)
    fields = _field_columns(task, kinds)
    candidates = [column for column in kinds if column.lower() not in OTHER_NAMES]
    if label is None and not fields:
        flags = flag_columns(kinds, candidates, LABEL_NAMES, task, name)
        if flags:
            said = f"the labels are the columns {shown(flags)} where they say 1"
            return replace(found, explanation=(*how, said), flags=flags)
        label = label_by_name(kinds, LABEL_NAMES, len(sample), name, extraction=extraction)
    if label is None and not fields and len(candidates) == 1:
        label = candidates[0]
    if label is None and not fields and not extraction:
        label = only_label_like(sample, kinds, candidates, texts, name)
        # An answer that is prose is refused later, with the reason.
        label = label or next(iter(named_like_labels(kinds, LABEL_NAMES)), None)
    if label is not None:
        return replace(
            found, label=label, explanation=(*how, f"the answer is in the column {label!r}")
        )
    if not fields and (task is None or extraction):
        cut = cut_from_texts(sample, candidates, texts)
        fields = {column: column for column in candidates if column in cut}
    if not fields:
        raise Rejected(
            f"{name} has no column with labels; its columns are {shown([*texts, *kinds])}.",
            "Name the label's column in task.yaml: "
            f"`columns: {{text: {in_yaml(texts[0])}, label: …}}`.",
        )
    return replace(
        found, fields=fields, explanation=(*how, f"the fields are in {shown(fields.values())}")
    )


def _with_form(sample: Sequence[Row], found: Columns, task: Task | None, name: str) -> Columns:
    """Add how several labels are written in a cell, unless answers are fields."""
    if found.label is None or (task is not None and task.type == "extraction"):
        return found
    cells = [labels_in(row.values.get(found.label)) for row in sample]
    cells = [cell for cell in cells if cell not in (None, "")]
    if cells and not (task and task.labels):
        refuse_codes(cells, found.label, name)
    labels = {cell.strip() for cell in cells if isinstance(cell, str)} - found.missing
    mark = find_separator(labels, task)
    said = () if mark is None or task is None else (f"the labels in a cell are cut at {mark!r}",)
    return replace(found, separator=mark, explanation=(*found.explanation, *said))


def _other_names(
    sample: Sequence[Row], task: Task | None, found: Columns, columns: Sequence[str]
) -> tuple[str, ...]:
    """List what a file has beside an extraction's declared fields."""
    if task is None or not task.fields:
        return ()
    names = columns
    if found.label is not None:
        objects = [as_json(row.values.get(found.label)) for row in sample]
        names = [key for item in objects if isinstance(item, dict) for key in item]
    declared = {name.lower() for name in task.field_names}
    return tuple(name for name in dict.fromkeys(names) if name.lower() not in declared)


def _split_column(sample: Sequence[Row], present: Sequence[str]) -> str | None:
    """Find the column that says train, validation or test, by its name and all of its values."""
    for column in present:
        if column.lower() not in SPLIT_NAMES:
            continue
        said = {str(row.values.get(column) or "").strip().lower() for row in sample}
        if said <= SPLIT_WORDS.keys() and said != {""}:
            return column
    return None


def _only_word(sample: Sequence[Row], split: str) -> str:
    """Say which split the sample is of, when it is of one."""
    said = {str(row.values.get(split) or "").strip() for row in sample}
    return (
        f", which says {said.pop()[:60]!r} in the first {len(sample):,} rows"
        if len(said) == 1
        else ""
    )


def _wanted(column: str | None, present: Kinds, name: str) -> str | None:
    """Check that a column named in task.yaml is there."""
    if column is None:
        return None
    by_case = {item.lower(): item for item in present}
    if column.lower() not in by_case:
        raise Rejected(
            f"task.yaml names the column {column!r}, but {name} has {shown(present)}.",
            "Correct `columns:` in task.yaml, or the file's header line.",
        )
    return by_case[column.lower()]


def _field_columns(task: Task | None, rest: Kinds) -> dict[str, str]:
    """Find a column for each of an extraction's fields; a field without one is left out."""
    if task is None or task.type != "extraction":
        return {}
    by_case = {column.lower(): column for column in rest}
    return {name: by_case[name.lower()] for name in task.field_names if name.lower() in by_case}
