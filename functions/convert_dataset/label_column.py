"""Guesses which column holds the label, and asks when several could."""

from collections.abc import Mapping, Sequence

from functions.convert_dataset.column_kinds import Kind, cut_from_texts, in_yaml, shown
from functions.convert_dataset.rows import ANSWER, Row
from shared.errors import Rejected
from shared.task import Task

PLAIN_NAMES = ("label", "labels", ANSWER)
"""A column of this name is the answer's, whatever is beside it."""

FEWEST_FLAGS = 3

WHOLE_SAMPLE = 1800
"""So many rows are about all that is looked at: more of them, with other labels, may follow."""


def label_by_name(
    kinds: Mapping[str, Kind], usual: Sequence[str], rows: int, name: str, *, extraction: bool
) -> str | None:
    """Find the column of the answer by the usual names; one with prose is none.

    Args:
        kinds: Column -> what it is like.
        usual: The usual names, likely ones first.
        rows: How many rows were looked at.
        name: The file's name, for messages.
        extraction: Whether the answer is known to be fields.

    Raises:
        Rejected: Several have such names, and hold what could be labels.
    """
    known = named_like_labels(kinds, usual)
    if extraction:
        return next(iter(known), None)
    known = [column for column in known if not kinds[column].prose]
    plain = [column for item in PLAIN_NAMES for column in known if column.lower() == item]
    alike = [column for column in known if _could_be_label(kinds[column], rows)]
    if not plain and len(alike) > 1:
        raise _several(kinds, alike, name)
    return next(iter((*plain, *alike, *known)), None)


def named_like_labels(kinds: Mapping[str, Kind], usual: Sequence[str]) -> list[str]:
    """List the columns with usual names of labels, whatever they hold, likely ones first."""
    by_case = {column.lower(): column for column in kinds}
    return [by_case[item] for item in usual if item in by_case]


def only_label_like(
    sample: Sequence[Row],
    kinds: Mapping[str, Kind],
    candidates: Sequence[str],
    texts: Sequence[str],
    name: str,
) -> str | None:
    """Find the one column whose few values come again and again, and do not stand in the text.

    Args:
        sample: The first rows.
        kinds: Column -> what it is like.
        candidates: The columns that it could be.
        texts: The columns of the text.
        name: The file's name, for messages.

    Raises:
        Rejected: There are several; only a person knows which one is meant.
    """
    alike = [column for column in candidates if _could_be_label(kinds[column], len(sample))]
    fields = cut_from_texts(sample, alike, texts)
    alike = [column for column in alike if column not in fields]
    if len(alike) > 1:
        raise _several(kinds, alike, name)
    return alike[0] if alike else None


def flag_columns(
    kinds: Mapping[str, Kind],
    candidates: Sequence[str],
    usual: Sequence[str],
    task: Task | None,
    name: str,
) -> tuple[str, ...]:
    """Find the columns of 0 and 1 that are labels, when there is nothing else beside the text.

    Args:
        kinds: Column -> what it is like.
        candidates: The columns that could be labels.
        usual: The usual names of a label's column.
        task: The task, when there is a task.yaml.
        name: The file's name, for messages.

    Raises:
        Rejected: One of them could be the label itself.
    """
    flags = [column for column in candidates if kinds[column].flags]
    if task is not None and task.labels and task.multi_label:
        return tuple(column for column in flags if column in task.label_names)
    others = [
        column for column in candidates if column not in flags and not kinds[column].identifiers
    ]
    named = [column for column in flags if column.lower() in usual]
    plain = any(column.lower() in PLAIN_NAMES for column in named)
    single = task is not None and not task.multi_label
    if single or len(flags) < FEWEST_FLAGS or others or plain:
        return ()
    if named:
        raise _several(kinds, flags, name)
    return tuple(flags)


def _could_be_label(kind: Kind, rows: int) -> bool:
    """Whether values come again and again; a file may also be sorted by its label."""
    return kind.labels or (kind.constant and rows >= WHOLE_SAMPLE)


def _several(kinds: Mapping[str, Kind], alike: Sequence[str], name: str) -> Rejected:
    """Ask which of several columns holds the label."""
    counts = [
        f"{column} ({kinds[column].different} value{'s' * (kinds[column].different > 1)})"
        for column in alike
    ]
    flags = sum(kinds[column].flags for column in alike) >= FEWEST_FLAGS
    several = " If a text can have several, write them into one column, with | between them."
    return Rejected(
        f"Several columns of {name} could hold the label: {shown(counts)}.",
        f"Say which in task.yaml: `columns: {{label: {in_yaml(alike[0])}}}`."
        f"{several if flags else ''}",
    )
