"""Figures of labels that have an order, such as stars: how far off an answer is."""

import re
from collections.abc import Sequence

from shared.records import EvaluationRecord
from shared.task import Task

ORDINAL = ("ordinal_error", "quadratic_kappa")

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,15}")


def label_order(names: Sequence[str], policy: Task) -> tuple[int, ...] | None:
    """Return each label's place from low to high; None when labels have no order.

    Whole numbers are ordered by value, other labels as they are listed if the task says that they
    are ordered.

    Args:
        names: The dataset's labels, as they are listed.
        policy: The task as it is now.
    """
    if all(map(_WHOLE_NUMBER.fullmatch, names)) and len(set(map(int, names))) == len(names):
        rising = sorted(map(int, names))
        return tuple(rising.index(int(name)) for name in names)
    return tuple(range(len(names))) if policy.ordered else None


def in_order(evaluation: EvaluationRecord, task: Task, policy: Task) -> EvaluationRecord:
    """Add the figures of the order that the labels have now, in place of those they had.

    They follow from the answers that are there, so that an order that is declared later asks for
    nothing again.

    Args:
        evaluation: A candidate's evaluation.
        task: The dataset's task, with its labels.
        policy: The task as it is now.
    """
    if not evaluation.row_answers:
        return evaluation
    order = label_order(task.label_names, policy)
    metrics = {name: each for name, each in evaluation.metrics.items() if name not in ORDINAL}
    if order is not None:
        metrics |= ordinal_figures(order, evaluation.row_answers)
    return evaluation.model_copy(update={"metrics": metrics})


def ordinal_figures(order: Sequence[int], pairs: Sequence[tuple[int, int]]) -> dict[str, float]:
    """Compute the mean distance in steps, and Cohen's kappa with quadratic weights.

    What is no answer counts as the farthest one. There is no kappa when only one label occurs.

    Args:
        order: Each label's place from low to high.
        pairs: Each row's (truth, answer) as numbers of labels; -1 for no answer.
    """
    from sklearn.metrics import cohen_kappa_score

    last = len(order) - 1
    rights = [order[right] for right, _ in pairs]
    saids = [
        order[said] if said >= 0 else 0 if right > last / 2 else last
        for right, (_, said) in zip(rights, pairs, strict=True)
    ]
    distance = sum(abs(right - said) for right, said in zip(rights, saids, strict=True))
    figures = {"ordinal_error": distance / len(pairs)}
    if len(set(rights) | set(saids)) > 1:
        places = list(range(len(order)))
        kappa = cohen_kappa_score(rights, saids, weights="quadratic", labels=places)
        figures["quadratic_kappa"] = float(kappa)
    return figures
