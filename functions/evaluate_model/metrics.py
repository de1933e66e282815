"""Figures of a candidate's answers. Everything is computed from parsed answers, alike for all.

An answer that is outside of the label set or is not valid JSON counts as wrong.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.examples import Answer, FieldValue
from shared.prompts import answer_text
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
    """

    metrics: dict[str, float]
    per_label: dict[str, dict[str, float]]
    confusions: tuple[tuple[str, str, int], ...]
    row_scores: tuple[float, ...]
    invalid: int


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
        float(answer is not None and answer_text(answer) == answer_text(truth))
        for truth, answer in zip(truths, answers, strict=True)
    ]
    invalid = sum(answer is None for answer in answers)
    metrics = {
        "exact_match": sum(exact) / len(exact),
        "valid_share": 1 - invalid / len(answers),
    }
    if task.type == "extraction":
        per_label = _field_figures(task, truths, answers)
        metrics["field_f1"] = per_label.pop("")["f1"]
        scores = [_field_share(task, *pair) for pair in zip(truths, answers, strict=True)]
        return Figures(metrics, per_label, (), tuple(scores), invalid)
    per_label, averages = _label_figures(task, truths, answers)
    metrics |= averages
    if not task.multi_label and _has_order(task):
        metrics |= _ordinal_figures(task, truths, answers)
    confusions = Counter(
        (answer_text(truth), INVALID if answer is None else answer_text(answer))
        for truth, answer, right in zip(truths, answers, exact, strict=True)
        if not right
    )
    most = tuple((*pair, count) for pair, count in confusions.most_common(MAX_CONFUSIONS))
    return Figures(metrics, per_label, most, tuple(exact), invalid)


def _label_figures(
    task: Task, truths: Sequence[Answer], answers: Sequence[Answer | None]
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Precision, recall and F1 of each label, and their averages, by scikit-learn."""
    import numpy as np
    from sklearn.metrics import precision_recall_fscore_support

    names = list(task.label_names)
    place = {name: index for index, name in enumerate(names)}

    def indicator(
        values: Sequence[Answer | None],
    ) -> "np.ndarray[tuple[int, int], np.dtype[np.int8]]":
        matrix = np.zeros((len(values), len(names)), dtype=np.int8)
        for row, value in enumerate(values):
            for name in [value] if isinstance(value, str) else value or []:
                matrix[row, place[name]] = 1
        return matrix

    truth, answer = indicator(truths), indicator(answers)
    each = precision_recall_fscore_support(truth, answer, average=None, zero_division=0)
    per_label = {
        name: {
            "precision": float(each[0][index]),
            "recall": float(each[1][index]),
            "f1": float(each[2][index]),
            "support": float(each[3][index]),
        }
        for name, index in place.items()
    }
    present = [figures["f1"] for figures in per_label.values() if figures["support"]]
    weighted = precision_recall_fscore_support(truth, answer, average="weighted", zero_division=0)
    averages = {
        "macro_f1": sum(present) / len(present) if present else 0.0,
        "weighted_f1": float(weighted[2]),
    }
    if task.multi_label:
        micro = precision_recall_fscore_support(truth, answer, average="micro", zero_division=0)
        averages["micro_f1"] = float(micro[2])
    return per_label, averages


def _has_order(task: Task) -> bool:
    return task.ordered or all(name.lstrip("-").isdigit() for name in task.label_names)


def _ordinal_figures(
    task: Task, truths: Sequence[Answer], answers: Sequence[Answer | None]
) -> dict[str, float]:
    """Mean distance in steps and quadratic kappa; an answer that is none counts as farthest."""
    from sklearn.metrics import cohen_kappa_score

    place = {name: index for index, name in enumerate(task.label_names)}
    last = len(place) - 1
    pairs = []
    for truth, answer in zip(truths, answers, strict=True):
        right = place[str(truth)]
        far = 0 if right > last / 2 else last
        pairs.append((right, far if answer is None else place[str(answer)]))
    distance = sum(abs(right - said) for right, said in pairs) / len(pairs)
    rights, saids = zip(*pairs, strict=True)
    if len(set(rights) | set(saids)) == 1:
        return {"ordinal_error": distance}
    kappa = cohen_kappa_score(rights, saids, weights="quadratic", labels=list(range(last + 1)))
    return {"ordinal_error": distance, "quadratic_kappa": float(kappa)}


def _field_figures(
    task: Task, truths: Sequence[Answer], answers: Sequence[Answer | None]
) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of each field's values; under "" those of all fields together."""
    counts = {name: Counter[str]() for name in ("", *task.field_names)}
    for truth, answer in zip(truths, answers, strict=True):
        for name in task.field_names:
            right, said = _values(truth, name), _values(answer, name)
            for counted in (counts[name], counts[""]):
                counted["hits"] += len(right & said)
                counted["said"] += len(said)
                counted["right"] += len(right)
    return {name: _f1(counted) for name, counted in counts.items()}


def _f1(counted: Counter[str]) -> dict[str, float]:
    precision = counted["hits"] / counted["said"] if counted["said"] else 0.0
    recall = counted["hits"] / counted["right"] if counted["right"] else 0.0
    both = precision + recall
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / both if both else 0.0,
        "support": float(counted["right"]),
    }


def _field_share(task: Task, truth: Answer, answer: Answer | None) -> float:
    """Return the share of fields that are right, fields that are rightly empty included."""
    if answer is None:
        return 0.0
    names = task.field_names
    return sum(_values(truth, name) == _values(answer, name) for name in names) / len(names)


def _values(answer: Answer | None, name: str) -> frozenset[str]:
    """Return a field's values as a set; empty when there is none."""
    value: FieldValue = answer.get(name) if isinstance(answer, Mapping) else None
    if value is None:
        return frozenset()
    return frozenset(value) if isinstance(value, list) else frozenset({value})
