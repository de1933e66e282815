"""Sorts the rows that a candidate got wrong by what they cost: label pairs, labels or fields."""

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass

from shared.records import EvaluationRecord, Mistake
from shared.task import Task

SURE = 0.8
"""From this agreement on, an answer is not a slip of one sample."""


@dataclass(frozen=True)
class Cost:
    """Rows that are wrong for one reason.

    Attributes:
        labels: The label, the two labels, or the field.
        rows: The rows.
        one_way: How many of them have the first label's truth; of a pair only.
    """

    labels: tuple[str, ...]
    rows: tuple[int, ...]
    one_way: int = 0


def pair_costs(task: Task, evaluation: EvaluationRecord) -> list[Cost]:
    """Group the rows with single labels by the two labels that were confused, the most first."""
    names = task.label_names
    pairs: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, (truth, answer) in enumerate(evaluation.row_answers):
        if answer not in (truth, -1):
            pairs[min(truth, answer), max(truth, answer)].append(row)
    costs = [
        Cost(
            (names[first], names[second]),
            tuple(rows),
            sum(evaluation.row_answers[row][0] == first for row in rows),
        )
        for (first, second), rows in pairs.items()
    ]
    return _most_first(costs)


def part_costs(task: Task, evaluation: EvaluationRecord) -> list[Cost]:
    """Group the rows that are wrong by the label or field that is, the most first.

    A row with a single label counts for its right label, one with several labels or fields for
    each that is wrong. An answer that is none counts for whatever would have been right.
    """
    names = task.field_names if task.type == "extraction" else task.label_names
    rows: dict[int, list[int]] = defaultdict(list)
    for row, (truth, answer) in enumerate(evaluation.row_answers):
        if answer != truth:
            rows[truth].append(row)
    for row, counted in enumerate(evaluation.row_parts):
        for part, hits, said, right in counted:
            if not hits == said == right:
                rows[part].append(row)
    return _most_first([Cost((names[part],), tuple(found)) for part, found in rows.items()])


def agreed_rows(first: EvaluationRecord, second: EvaluationRecord | None) -> frozenset[int]:
    """Return the rows where both candidates say the same, and are sure of it, against the label.

    Of single labels all rows are known; else those are that are kept as mistakes.
    """
    if second is None:
        return frozenset()
    ours, theirs = _wrong_answers(first), _wrong_answers(second)
    return frozenset(
        row
        for row, answer in ours.items()
        if theirs.get(row) == answer and _is_sure(first, row) and _is_sure(second, row)
    )


def invalid_rows(evaluation: EvaluationRecord) -> frozenset[int]:
    """Return the rows without an answer, as far as single labels tell."""
    return frozenset(row for row, (_, said) in enumerate(evaluation.row_answers) if said == -1)


def examples_of(
    evaluation: EvaluationRecord, rows: Container[int], count: int
) -> tuple[Mistake, ...]:
    """Return some mistakes in these rows, those the candidate was surest of first."""
    found = [mistake for mistake in evaluation.mistakes if mistake.row in rows]
    found.sort(key=lambda mistake: (-mistake.confidence, mistake.row))
    return tuple(found[:count])


def training_counts(task: Task, labels: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return how many training examples each label has; labels: label -> split -> examples."""
    return {name: labels.get(name, {}).get("train", 0) for name in task.label_names}


def _wrong_answers(evaluation: EvaluationRecord) -> dict[int, str | int]:
    if evaluation.row_answers:
        return {
            row: answer
            for row, (truth, answer) in enumerate(evaluation.row_answers)
            if answer not in (truth, -1)
        }
    return {mistake.row: mistake.answer for mistake in evaluation.mistakes}


def _is_sure(evaluation: EvaluationRecord, row: int) -> bool:
    return not evaluation.row_agreements or evaluation.row_agreements[row] >= SURE


def _most_first(costs: list[Cost]) -> list[Cost]:
    return sorted(costs, key=lambda cost: (-len(cost.rows), cost.labels))
