"""Guesses which column holds the text: by its name and its values, never by one of them alone."""

from collections.abc import Collection, Mapping, Sequence

from functions.convert_dataset.column_kinds import Kind, hold_prose, in_yaml, shown
from functions.convert_dataset.rows import Row
from shared.errors import Rejected

PAIRS = (
    frozenset({"premise", "hypothesis"}),
    frozenset({"sentence1", "sentence2"}),
    frozenset({"question1", "question2"}),
    frozenset({"text1", "text2"}),
    frozenset({"text_a", "text_b"}),
    frozenset({"question", "passage"}),
    frozenset({"question", "context"}),
    frozenset({"question", "sentence"}),
    frozenset({"prompt", "response"}),
)
"""Columns that are judged together, however long each of them is."""

_SHORT = 20
_SHARE_OF_LENGTH = 0.5


def guess_text(
    sample: Sequence[Row],
    kinds: Mapping[str, Kind],
    usual: Sequence[str],
    unlikely: Collection[str],
    name: str,
) -> str:
    """Guess the column of the text.

    Args:
        sample: The first rows.
        kinds: Column -> what it is like.
        usual: The text's usual names, likely ones first.
        unlikely: The usual names of other columns.
        name: The file's name, for messages.

    Raises:
        Rejected: No column holds texts, or they are inside of objects.
    """
    texts = {column: kind for column, kind in kinds.items() if kind.texts}
    prose = any(kind.prose for kind in texts.values())
    by_case = {
        column.lower(): column
        for column, kind in texts.items()
        if not (prose and _is_short_label(kind))
    }
    named = next((by_case[item] for item in usual if item in by_case), None)
    if named is not None:
        return named
    _refuse_inner(sample, kinds, unlikely, name, prose=prose)
    best = max(
        texts,
        key=lambda column: _rank(texts[column], unlikely=column.lower() in unlikely),
        default=None,
    )
    dull = best is not None and (best.lower() in unlikely or _is_short_label(texts[best]))
    if best is None or (dull and not texts[best].prose):
        raise Rejected(
            f"{name} has no column with text; its columns are {shown(kinds) or 'none'}.",
            "Name the text's column in task.yaml: `columns: {text: …}`.",
        )
    return best


def refuse_second_text(
    kinds: Mapping[str, Kind], text: str, unused: Sequence[str], name: str
) -> None:
    """Refuse a file with another text of which nothing says that it is not part of the input.

    Args:
        kinds: Column -> what it is like.
        text: The column that was guessed.
        unused: The columns that are not used.
        name: The file's name, for messages.

    Raises:
        Rejected: There is one.
    """
    long = _SHARE_OF_LENGTH * kinds[text].length
    others = [
        column
        for column in unused
        if (kinds[column].prose and kinds[column].length >= long)
        or (kinds[column].texts and {column.lower(), text.lower()} in PAIRS)
    ]
    if others:
        both = [column for column in kinds if column in {text, *others}]
        count = "Two" if len(both) == 2 else f"{len(both)}"  # noqa: PLR2004 - two is two
        raise Rejected(
            f"{count} columns of {name} hold texts: {shown(both)}.",
            "Say which in task.yaml, or have them joined: "
            f"`columns: {{text: [{', '.join(map(in_yaml, both))}]}}`.",
        )


def _is_short_label(kind: Kind) -> bool:
    """Whether a column has a few words again and again."""
    return kind.labels and kind.length <= _SHORT and not kind.prose


def _rank(kind: Kind, *, unlikely: bool) -> tuple[bool, bool, bool, bool, float]:
    """Say how likely a column is the text's: prose first, then what is not called otherwise."""
    return kind.prose, not unlikely, not kind.labels, not kind.codes, kind.length


def _refuse_inner(
    sample: Sequence[Row],
    kinds: Mapping[str, Kind],
    unlikely: Collection[str],
    name: str,
    *,
    prose: bool,
) -> None:
    """Refuse a file whose rows, or whose texts, are inside of a column.

    Raises:
        Rejected: They are.
    """
    objects = [column for column, kind in kinds.items() if kind.objects]
    if len(sample) == 1 and objects:
        raise Rejected(
            f"{name} has one row, with lists or objects in it.",
            f"The rows are inside of {' or '.join(map(repr, objects[:3]))}; write one object a "
            "row, e.g. with orient='records' in pandas.",
        )
    likely = [] if prose else [column for column in objects if column.lower() not in unlikely]
    for column in likely:
        if hold_prose(row.values.get(column) for row in sample):
            raise Rejected(
                f"The text of {name} is inside of the objects in the column {column!r}.",
                'Write it beside the label: {"text": …, "label": …}.',
            )
