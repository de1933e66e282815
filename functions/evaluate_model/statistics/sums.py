"""What each row adds to a metric, so that a metric of resampled rows is one of resampled sums.

Every primary metric follows from sums over rows: exact_match from the rows that are right, F1 from
hits, values said and values that are right, of each label or of all fields together.
"""

from typing import TYPE_CHECKING

from shared.records import EvaluationRecord
from shared.task import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def row_sums(
    evaluation: EvaluationRecord, metric: Metric, parts: int
) -> "NDArray[np.int16] | None":
    """Return what each row adds to a metric.

    Args:
        evaluation: A candidate's evaluation.
        metric: The metric.
        parts: How many labels or fields the task has.

    Returns:
        Rows x 1 for exact_match; rows x 3 (hits, said, right) for field_f1; rows x 3 * parts (the
        hits of each label, then what was said of each, then what is right) for macro_f1. None when
        the evaluation does not hold it, as those of earlier versions do not.
    """
    import numpy as np

    if metric == "exact_match":
        right: NDArray[np.int16] = (np.array(evaluation.row_scores) == 1.0).astype(np.int16)
        return right[:, None]
    cells: NDArray[np.int16] = np.zeros((evaluation.n, 3, parts), dtype=np.int16)
    if evaluation.row_answers:
        rows = np.arange(evaluation.n)
        truth, answer = np.array(evaluation.row_answers).T
        said = answer >= 0
        cells[rows[said], 1, answer[said]] = 1
        cells[rows, 2, truth] = 1
        cells[rows, 0, truth] = truth == answer
    elif evaluation.row_parts:
        for row, counted in enumerate(evaluation.row_parts):
            for part, *counts in counted:
                cells[row, :, part] = counts
    else:
        return None
    if metric == "field_f1":
        together: NDArray[np.int16] = cells.sum(axis=2, dtype=np.int16)
        return together
    return cells.reshape(evaluation.n, 3 * parts)


def metric_of(metric: Metric, sums: "NDArray[np.float64]", n: int) -> "NDArray[np.float64]":
    """Compute a metric from sums over rows.

    Args:
        metric: The metric.
        sums: ... x k, as in `row_sums`.
        n: How many rows were summed up.

    Returns:
        The metric, in the shape of `sums` without its last dimension. A macro average goes over
        the labels that some row has.
    """
    import numpy as np

    if metric == "exact_match":
        return sums[..., 0] / n
    hits, said, right = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, -1), -2, 0)
    each = 2 * hits / np.maximum(said + right, 1)
    present = right > 0
    average: NDArray[np.float64] = (each * present).sum(axis=-1) / np.maximum(
        present.sum(axis=-1), 1
    )
    return average
