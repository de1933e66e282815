"""Rows of an uploaded file, before it is known what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One row that could be read.

    Attributes:
        line: The line of the file that it begins on, from 1.
        values: Column name -> value, as it stands in the file.
    """

    line: int
    values: Mapping[str, object]


@dataclass(frozen=True)
class Refusal:
    """One row that cannot be used, and why.

    Attributes:
        line: The line of the file that it begins on, from 1.
        reason: The kind of problem, the same words for the same kind.
        detail: What exactly, and what to do about it.
    """

    line: int
    reason: str
    detail: str = ""
