"""Rows of an uploaded file, before it is known what they mean."""

from collections.abc import Mapping
from typing import NamedTuple

TEXT = "text"
ANSWER = "answer"
SYSTEM = "system instruction"
SPLIT = "split"
"""The columns that a format names when it knows what they hold."""


class Row(NamedTuple):
    """One row that could be read.

    Attributes:
        line: Where it begins: its line, or its row in a format without lines, from 1.
        values: Column name -> value, as it stands in the file.
    """

    line: int
    values: Mapping[str, object]


class Refusal(NamedTuple):
    """One row that cannot be used, and why.

    Attributes:
        line: Where it begins: its line, or its row in a format without lines, from 1.
        reason: The kind of problem, the same words for the same kind.
        detail: What exactly, and what to do about it.
        content: What stands there, as far as it could be read.
    """

    line: int
    reason: str
    detail: str = ""
    content: object = None
