"""Figures of a candidate's answers. Everything is computed from parsed answers, alike for all.

An answer that is outside of the label set or is not valid JSON counts as wrong.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from functions.evaluate_model.figures.canonical import canonical_text
from functions.evaluate_model.figures.fields import field_figures
from functions.evaluate_model.figures.labels import label_figures, numbers_of
from shared.answers import answer_text
from shared.examples import Answer
from shared.task import Task
from shared.voting import INVALID

MAX_CONFUSIONS = 50


@dataclass(frozen=True)
class Figures:
    """What a candidate's answers came to.

    Attributes:
        metrics: Name -> value.
        per_label: Label or field -> precision, recall, f1 and support.
        confusions: (truth, answer, count) of wrong answers, most frequent first.
        row_scores: Each row's score, 0 to 1: exact match, or the share of fields that are right.
        invalid: Answers that could not be read.
        row_answers: For single labels, each row's (truth, answer) as numbers in the task's order;
            -1 is no answer.
        row_parts: For several labels and for fields, what each row counts as: (number of the label
            or field, hits, values said, values that are right), where anything is said or right.
    """

    metrics: dict[str, float]
    per_label: dict[str, dict[str, float]]
    confusions: tuple[tuple[str, str, int], ...]
    row_scores: tuple[float, ...]
    invalid: int
    row_answers: tuple[tuple[int, int], ...] = ()
    row_parts: tuple[tuple[tuple[int, int, int, int], ...], ...] = ()


def compute_figures(
    task: Task, truths: Sequence[Answer], answers: Sequence[Answer | None]
) -> Figures:
    """Compute the figures of one candidate on one split.

    Args:
        task: The task.
        truths: The right answers, one a row.
        answers: The candidate's parsed answers, one a row; None for one that is not an answer.
    """
    exact = [
        float(answer is not None and canonical_text(answer) == canonical_text(truth))
        for truth, answer in zip(truths, answers, strict=True)
    ]
    invalid = sum(answer is None for answer in answers)
    metrics = {
        "exact_match": sum(exact) / len(exact),
        "valid_share": 1 - invalid / len(answers),
    }
    if task.type == "extraction":
        fields = field_figures(task.field_names, truths, answers)
        metrics |= fields.metrics
        return Figures(metrics, fields.per_field, (), fields.scores, invalid, (), fields.parts)
    names = task.label_names
    rights, saids = numbers_of(names, truths), numbers_of(names, answers)
    valid = [answer is not None for answer in answers]
    per_label, averages = label_figures(names, rights, saids, valid, several=task.multi_label)
    metrics |= averages
    confusions = Counter(
        (answer_text(truth), INVALID if answer is None else answer_text(answer))
        for truth, answer, right in zip(truths, answers, exact, strict=True)
        if not right
    )
    most = tuple((*pair, count) for pair, count in confusions.most_common(MAX_CONFUSIONS))
    if task.multi_label:
        parts = tuple(
            tuple(
                (number, int(number in right and number in said), int(number in said),
                 int(number in right))
                for number in sorted({*right, *said})
            )
            for right, said in zip(rights, saids, strict=True)
        )  # fmt: skip
        return Figures(metrics, per_label, most, tuple(exact), invalid, (), parts)
    pairs = tuple(
        (right[0], said[0] if said else -1) for right, said in zip(rights, saids, strict=True)
    )
    return Figures(metrics, per_label, most, tuple(exact), invalid, pairs)
