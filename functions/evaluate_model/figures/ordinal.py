"""Figures of labels that have an order, such as stars: how far off an answer is."""

from collections.abc import Sequence

from shared.task import Task


def has_order(task: Task) -> bool:
    """Whether a task's labels run from low to high: it says so, or they are whole numbers."""
    return task.ordered or all(name.lstrip("-").isdigit() for name in task.label_names)


def ordinal_figures(labels: int, pairs: Sequence[tuple[int, int]]) -> dict[str, float]:
    """Compute the mean distance in steps, and Cohen's kappa with quadratic weights.

    What is no answer counts as the farthest one. There is no kappa when only one label occurs.

    Args:
        labels: How many labels there are.
        pairs: Each row's (truth, answer) as numbers, lowest label first; -1 for no answer.
    """
    from sklearn.metrics import cohen_kappa_score

    last = labels - 1
    rights = [right for right, _ in pairs]
    saids = [said if said >= 0 else 0 if right > last / 2 else last for right, said in pairs]
    distance = sum(abs(right - said) for right, said in zip(rights, saids, strict=True))
    figures = {"ordinal_error": distance / len(pairs)}
    if len(set(rights) | set(saids)) > 1:
        kappa = cohen_kappa_score(rights, saids, weights="quadratic", labels=list(range(labels)))
        figures["quadratic_kappa"] = float(kappa)
    return figures
