"""Which label was taken for which: a table where it can be read, a small picture where not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.records import EvaluationRecord
from shared.voting import INVALID

READABLE = 12
"""With more labels than this, a table of all pairs does not fit a page."""

SHADES = 5


@dataclass(frozen=True)
class Cell:
    """How many rows of a label got the answer of a column.

    `shade` is 0 for none of the label's rows, up to SHADES for all of them.
    """

    column: int
    count: int
    shade: int
    right: bool


@dataclass(frozen=True)
class Matrix:
    """Right labels down, answers across; the last answer may be none at all."""

    labels: tuple[str, ...]
    answers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def readable(self) -> bool:
        """Whether it can be shown as a table."""
        return len(self.labels) <= READABLE


def count_confusions(evaluation: EvaluationRecord, labels: Sequence[str]) -> Matrix | None:
    """Count a candidate's answers; None when the record does not hold them row by row.

    Args:
        evaluation: The candidate's figures.
        labels: The task's labels, in its order.
    """
    if not evaluation.row_answers or not labels:
        return None
    counts = Counter(evaluation.row_answers)
    none = any(answer < 0 for _, answer in counts)
    places = [*range(len(labels)), *([-1] if none else [])]
    rows = []
    for truth in range(len(labels)):
        numbers = [counts[truth, answer] for answer in places]
        total = sum(numbers)
        rows.append(
            tuple(
                Cell(column, number, _shade(number, total), right=places[column] == truth)
                for column, number in enumerate(numbers)
            )
        )
    return Matrix(tuple(labels), (*labels, *([INVALID] if none else [])), tuple(rows))


def _shade(number: int, total: int) -> int:
    return -(-number * SHADES // total) if total else 0
