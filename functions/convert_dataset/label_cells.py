"""Tells how labels are written in the cells of a file: one, a list, several with marks between."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import orjson

from shared.errors import Rejected
from shared.task import Task

MAX_LITERAL = 10_000
"""A longer cell is not read as a Python list or dict: that takes a lot of memory."""

FLAGS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
"""What says in a column of its own whether a label applies."""

_TAG_SHARE = 0.95
_TAG = re.compile(r"O|([BIESLUM])-(\S+)")
_ARRAY = re.compile(r"\[\s*(?:[-+\d.e]+(?:\s+[-+\d.e]+)+|(['\"]).*\1)\s*\]", re.DOTALL)
_JOINED = re.compile(r"['\"]\s+['\"]")


def as_json(value: object) -> object:
    """Read a cell that holds a JSON or Python list or object; anything else stays as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return _as_literal(value)


def labels_in(value: object) -> object:
    """Read a cell of labels like `as_json`; Label Studio's {"choices": […]} is a list."""
    found = as_json(value)
    if isinstance(found, dict) and len(found) == 1 and isinstance(found.get("choices"), list):
        return found["choices"]
    return found


def is_array(label: str) -> bool:
    """Whether a label is an array as numpy prints it, or another list that cannot be read."""
    return label[:1] == "[" and _ARRAY.fullmatch(label) is not None


def clean_label(value: object) -> str:
    """Write a label as text: JSON's true, 1 and "a" alike; nothing is empty."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).strip()


def refuse_codes(cells: Sequence[object], column: str, name: str) -> None:
    """Refuse a column that has labels in a form that hides their names.

    Args:
        cells: The column's values, as `labels_in` reads them.
        column: The column's name.
        name: The file's name.

    Raises:
        Rejected: They are lists of 0 and 1, printed arrays, or the tags of single words.
    """
    lists = [cell for cell in cells if isinstance(cell, list)]
    arrays = sum(isinstance(cell, str) and is_array(cell.strip()) for cell in cells)
    one_length = len({len(cell) for cell in lists}) == 1 and len(lists[0]) > 1
    hot = one_length and all(clean_label(item).lower() in FLAGS for item in chain(*lists))
    if (len(lists) * 2 > len(cells) and hot) or arrays * 2 > len(cells):
        raise Rejected(
            f"The column {column!r} of {name} holds arrays, such as {str(cells[0])[:60]!r}, which "
            "do not say what the labels are called.",
            "Write the names of the labels that apply, as a JSON list or with | between them.",
        )
    tags = list(chain(*lists)) if len(lists) * 2 > len(cells) else cells
    if _are_tags(tags):
        shown = ", ".join(list(dict.fromkeys(map(str, tags)))[:3])
        raise Rejected(
            f"The column {column!r} of {name} holds tags of single words ({shown}), not labels of "
            "texts.",
            "Write a word and its tag a line with blank lines between sentences, as in the format "
            "conll; docs/intake.md has an example.",
        )


def find_separator(labels: Iterable[str], task: Task | None) -> str | None:
    """Find the mark that divides several labels in a cell, once for a whole file.

    Without a task, it is the mark that leaves fewer labels when cells are cut there. With a task of
    several labels a text, it is the one that leaves declared labels, or that is there at all.

    Args:
        labels: The different cells that are texts.
        task: The task, when there is a task.yaml.
    """
    if task is not None and not task.multi_label:
        return None
    declared = {label.casefold() for label in task.label_names} if task else set()
    cells = {label for label in labels if label.casefold() not in declared}
    if task is None or not declared:
        found = _dividing_mark(cells)
        return found or next((mark for mark in "|;," if task and _has(cells, mark)), None)
    marks = [mark for mark in "|;," if _has(cells, mark)]
    fits = {
        mark: sum(
            all(part.strip().casefold() in declared for part in cell.split(mark)) for cell in cells
        )
        for mark in marks
    }
    return max(marks, key=lambda mark: fits[mark], default=None)


def _dividing_mark(labels: set[str]) -> str | None:
    """Find the mark at which cutting leaves fewer labels."""
    decimals = all(re.fullmatch(r"[-+]?\d+(,\d+)?", label) for label in labels)
    for mark in "|;" if decimals else "|;,":
        parts = {part.strip() for label in labels for part in label.split(mark)}
        if not _has(labels, mark) or len(parts) >= len(labels):
            continue
        # A comma may stand inside of a label; between labels, most of them stand alone as well.
        if mark != "," or sum(part in labels for part in parts) * 2 > len(parts):
            return mark
    return None


def _has(labels: Iterable[str], mark: str) -> bool:
    return any(mark in label for label in labels)


def _are_tags(values: Sequence[object]) -> bool:
    """Whether labels are those of a tagger, such as O and B-place."""
    counts = Counter(map(str, values))
    tags = {value: found for value in counts if (found := _TAG.fullmatch(value))}
    if sum(counts[value] for value in tags) < _TAG_SHARE * len(values):
        return False
    begun = {found[2] for found in tags.values() if found[1] == "B"}
    inside = {found[2] for found in tags.values() if found[1] == "I"}
    # Nothing else has these: "S-Bahn" and "U-Bahn" look like tags as well.
    return bool(begun) and ("O" in tags or bool(begun & inside))


def _as_literal(value: str) -> object:
    """Read a list or dict as Python prints it, such as ['a', 'b']."""
    # Python joins 'a' 'b' into one text; numpy means two.
    if len(value) > MAX_LITERAL or value.rstrip()[-1:] not in {"}", "]"} or _JOINED.search(value):
        return value
    try:
        found: object = orjson.loads(
            orjson.dumps(ast.literal_eval(value.strip()), option=orjson.OPT_NON_STR_KEYS)
        )
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return value
    return found
