"""How an answer is written, and how a model's words are read as one; one parser for everybody."""

import json
import re
from collections import Counter
from functools import lru_cache

from shared.examples import Answer, FieldValue
from shared.task import Task

_AROUND = " \t\r\n\"'`*.。“”‘’"
"""What models put around a label: quotes, a full stop, the marks of bold print."""

_FENCE = re.compile(r"\A```[a-z]*\s*|\s*```\Z")
_ANSWER_LINE = re.compile(
    r"^[ \t>*#_-]*(?:final +)?answer[ \t*_]*[:：]", re.IGNORECASE | re.MULTILINE
)


def answer_text(answer: Answer) -> str:
    """Write an answer as the model should say it: a label, or compact JSON."""
    if isinstance(answer, str):
        return answer
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def parse_answer(task: Task, text: str) -> Answer | None:
    """Read a model's words.

    Args:
        task: The task, with its labels or fields.
        text: What the model said: an answer, or reasons and then a line "Answer: …".

    Returns:
        The answer in canonical form (labels as declared, in their order; every field present,
        white space collapsed), or None when it is not an answer to this task.
    """
    answer = _parse_whole(task, text)
    if answer is not None:
        return answer
    *_, last = (None, *_ANSWER_LINE.finditer(text))
    if last is None:
        return None
    # Models like to print the word in bold.
    return _parse_whole(task, text[last.end() :].strip().strip("*"))


def _parse_whole(task: Task, text: str) -> Answer | None:
    """Read words that are nothing but an answer."""
    if text.strip() in task.label_names and not task.multi_label:
        return text.strip()
    words = _FENCE.sub("", text.strip())
    if task.type == "extraction":
        return _parse_fields(task, words)
    if not task.multi_label:
        return _find_label(task, words)
    values = _parse_json(words)
    if not isinstance(values, list):
        return None
    names = [_find_label(task, str(value)) for value in values]
    if None in names:
        return None
    return [name for name in task.label_names if name in names]


def _find_label(task: Task, words: str) -> str | None:
    """Find the label that words mean: by its exact spelling, else by one that only it has."""
    if words.strip() in task.label_names:
        return words.strip()
    return _labels_by_key(task.label_names).get(_label_key(words))


@lru_cache(maxsize=64)
def _labels_by_key(names: tuple[str, ...]) -> dict[str, str]:
    """Index labels by what their spellings share; those that share it with another are left out."""
    keys = Counter(map(_label_key, names))
    return {_label_key(name): name for name in names if keys[_label_key(name)] == 1}


def _label_key(text: str) -> str:
    """Return what spellings of one label share: case, quotes, spaces, _ and - do not matter."""
    return re.sub(r"[\s_-]+", " ", text.strip(_AROUND)).casefold()


def _parse_json(text: str) -> object:
    """Read JSON with numbers kept as they were written; None when it is not JSON."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _parse_fields(task: Task, text: str) -> dict[str, FieldValue] | None:
    """Read an extraction's JSON object; fields it does not name are None.

    A value is a text or a list of texts: an object with anything deeper is not an answer.
    """
    values = _parse_json(text)
    if not isinstance(values, dict):
        return None
    fields: dict[str, FieldValue] = {}
    for name in task.field_names:
        value = values.get(name)
        if isinstance(value, dict):
            return None
        if isinstance(value, list):
            if any(isinstance(item, dict | list) for item in value):
                return None
            texts = [clean for item in value if (clean := clean_value(item)) is not None]
            fields[name] = texts or None
        else:
            fields[name] = clean_value(value)
    return fields


def clean_value(value: object) -> str | None:
    """Collapse a field value's white space; an empty value is None.

    Halves of surrogate pairs, which JSON can name and no text may hold, become question marks.

    Args:
        value: Text, a number, a truth value, or None.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value).encode("utf-8", "replace").decode()
    return " ".join(text.split()) or None
