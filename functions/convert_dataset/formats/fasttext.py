"""fastText: a text a line, with labels such as `__label__spam` before or behind it.

https://fasttext.cc/docs/en/supervised-tutorial.html
"""

import re
from collections.abc import Iterator

from functions.convert_dataset.reading.delimited import lines_of
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row

PREFIX = "__label__"

_BEFORE = re.compile(rf"[ \t]*+((?:{PREFIX}\S++(?:[ \t]++|\Z))++)")
_BEHIND = re.compile(rf"[ \t]{PREFIX}")
_MOST = 0.9


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 1 when its lines have labels."""
    lines = [line for line in beginning.lines if line.strip()]
    labelled = sum(bool(_parts(line)[0]) for line in lines)
    return 1.0 if lines and labelled >= _MOST * len(lines) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the lines. The answers are lists when a line in the beginning has several labels."""
    several = any(len(_parts(line)[0]) > 1 for line in source.beginning.lines)
    with source.open_text() as text:
        for number, line in enumerate(lines_of(text, source.name), 1):
            labels, rest = _parts(line.rstrip("\r\n"))
            if not labels and not rest.strip():
                continue
            if not labels:
                yield Refusal(number, "no label", f"the line has no {PREFIX}… of its own")
            elif len(labels) > 1 and not several:
                detail = f"{len(labels)} labels, where the first lines have one each"
                yield Refusal(number, "several labels", detail)
            else:
                yield Row(number, {TEXT: rest, ANSWER: labels if several else labels[0]})


def _parts(line: str) -> tuple[list[str], str]:
    """Divide a line into its labels and its text."""
    before = _BEFORE.match(line)
    marks, text = (before[1].split(), line[before.end() :]) if before else ([], line)
    behind = _BEHIND.search(text)
    if behind:
        marks, text = [*marks, *text[behind.start() :].split()], text[: behind.start()]
    if not all(mark.startswith(PREFIX) and len(mark) > len(PREFIX) for mark in marks):
        return [], line
    return [mark.removeprefix(PREFIX) for mark in marks], text
