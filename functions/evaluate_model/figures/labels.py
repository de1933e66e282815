"""Figures of labels, single or several a text, by scikit-learn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.examples import Answer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_MATRIX_LABELS = 100
"""With more labels, a confusion matrix is too large to be read."""


def numbers_of(names: Sequence[str], answers: Sequence[Answer | None]) -> list[tuple[int, ...]]:
    """Write labels as their numbers in the task's order; no answer has none."""
    place = {name: number for number, name in enumerate(names)}
    return [
        tuple(place[name] for name in ([answer] if isinstance(answer, str) else answer or []))
        for answer in answers
    ]


def label_figures(
    names: Sequence[str],
    truths: Sequence[tuple[int, ...]],
    answers: Sequence[tuple[int, ...]],
    valid: Sequence[bool],
    *,
    several: bool,
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Compute precision, recall and F1 of each label, and their averages.

    Macro averages go over the labels that some row has. For several labels a row there are also
    micro averages and the Jaccard index, averaged over rows: of two empty sets it is 1, of what is
    no answer 0.

    Args:
        names: The labels.
        truths: The right labels of each row, as numbers.
        answers: The labels that were said, in the same way; empty for no answer.
        valid: Whether each row has an answer.
        several: Whether a text can have several labels.

    Returns:
        Label -> precision, recall, f1 and support; and name -> average.
    """
    from sklearn.metrics import precision_recall_fscore_support

    truth, answer = _indicators(truths, len(names)), _indicators(answers, len(names))
    each = precision_recall_fscore_support(truth, answer, average=None, zero_division=0)
    kinds = ("precision", "recall", "f1", "support")
    per_label = {
        name: {kind: float(each[place][number]) for place, kind in enumerate(kinds)}
        for number, name in enumerate(names)
    }
    present = [figures for figures in per_label.values() if figures["support"]]
    averages = {
        f"macro_{kind}": sum(figures[kind] for figures in present) / max(1, len(present))
        for kind in kinds[:3]
    }
    for average in ("weighted", "micro") if several else ("weighted",):
        found = precision_recall_fscore_support(truth, answer, average=average, zero_division=0)
        for place, kind in enumerate(kinds[:3]):
            averages[f"{average}_{kind}"] = float(found[place])
    if several:
        averages["jaccard"] = _jaccard(truths, answers, valid)
    return per_label, averages


def confusion_matrix(labels: int, pairs: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Count (truth, answer) pairs: a row for each truth, a last column for what is no answer.

    Args:
        labels: How many labels there are; with more than MAX_MATRIX_LABELS the matrix is empty.
        pairs: Each row's (truth, answer) as numbers, -1 for no answer.
    """
    import numpy as np

    if labels > MAX_MATRIX_LABELS or not pairs:
        return ()
    counts = np.zeros((labels, labels + 1), dtype=np.int64)
    truth, answer = np.array(pairs).T
    np.add.at(counts, (truth, answer), 1)
    return tuple(tuple(row) for row in counts.tolist())


def _indicators(rows: Sequence[tuple[int, ...]], labels: int) -> "NDArray[np.int8]":
    import numpy as np

    matrix = np.zeros((len(rows), labels), dtype=np.int8)
    for row, numbers in enumerate(rows):
        matrix[row, list(numbers)] = 1
    return matrix


def _jaccard(
    truths: Sequence[tuple[int, ...]],
    answers: Sequence[tuple[int, ...]],
    valid: Sequence[bool],
) -> float:
    shares = []
    for right, said, read in zip(map(set, truths), map(set, answers), valid, strict=True):
        either = right | said
        shares.append(len(right & said) / len(either) if either else float(read))
    return sum(shares) / len(shares)
