"""Writes tuning lines fast: the parts that never change once, the text and the answer each time."""

from collections.abc import Callable

import orjson

from shared.answers import answer_text
from shared.examples import Answer, Example
from shared.prompts import tuning_line
from shared.task import Task

_TEXT, _ANSWER = "\x00text\x00", "\x00answer\x00"


def line_writer(task: Task) -> Callable[[Example], bytes]:
    """Make the function that writes an example's line, as `tuning_line` means it.

    Args:
        task: The task, its labels or fields complete.

    Returns:
        A function from an example to one line of JSON with its line end.
    """
    whole = orjson.dumps(tuning_line(task, Example(_TEXT, _ANSWER)))
    head, rest = whole.split(orjson.dumps(_TEXT))
    middle, tail = rest.split(orjson.dumps(_ANSWER))
    tail += b"\n"
    # The same few labels come again and again.
    known: dict[Answer, bytes] = {}

    def write(example: Example) -> bytes:
        text, answer = example
        if isinstance(answer, str):
            end = known.get(answer)
            if end is None:
                end = known[answer] = middle + orjson.dumps(answer) + tail
        else:
            end = middle + orjson.dumps(answer_text(answer)) + tail
        return head + orjson.dumps(text) + end

    return write
