"""A text a line with its label before it and a space between: `NUM:dist How far is it ?`."""

import re
from collections import Counter
from collections.abc import Iterator

from functions.convert_dataset.reading.delimited import lines_of
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row

_ENOUGH_LINES = 8
_LONGEST_LABEL = 40
_LINES_A_LABEL = 5
_MOST_WORDS = 20
_SIGN = re.compile(r"[-+]?\d+|[A-Z][A-Z\d_.:-]*|\S*[A-Za-z][:_][A-Za-z\d]\S*")
_SENTENCE = re.compile(r"\W*[A-Z\d]")


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 0.4 when few signs, such as NUM, begin all lines.

    Words are believed less, as they also begin sentences: 0.2, and only before a capital letter.
    """
    parts = [line.partition(" ") for line in beginning.lines if line.strip()]
    labels = Counter(label for label, _, _ in parts)
    if (
        len(parts) < _ENOUGH_LINES
        or "\t" in beginning.text
        or not all(label and text.strip() for label, _, text in parts)
        or max(map(len, labels)) > _LONGEST_LABEL
        or len(labels) < 2  # noqa: PLR2004
        or len(labels) * _LINES_A_LABEL > len(parts)
    ):
        return 0.0
    if all(map(_SIGN.fullmatch, labels)):
        return 0.4
    sentences = sum(bool(_SENTENCE.match(text)) for _, _, text in parts)
    words = len(labels) <= _MOST_WORDS and all(label.islower() for label in labels)
    return 0.2 if words and sentences * 2 > len(parts) and min(labels.values()) > 1 else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the lines; those without a text are refused."""
    with source.open_text() as lines:
        for number, line in enumerate(lines_of(lines, source.name), 1):
            label, _, text = line.rstrip("\r\n").partition(" ")
            if label and text.strip():
                yield Row(number, {TEXT: text, ANSWER: label})
            elif line.strip():
                detail = f"{line.strip()[:60]!r} is not a label, a space and a text"
                yield Refusal(number, "no text", detail)
