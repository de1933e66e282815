"""Linear models trained by mini-batch epochs, so that hyperparameters mean what they say.

The update is AdaGrad (Duchi et al., 2011) on the rows that a batch touches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sparse

Array = np.ndarray[Any, np.dtype[np.float32]]
Link = Literal["softmax", "sigmoid"]

_LARGEST_BATCH = 32
_SMALLEST_BATCH = 8
_BATCHES_AN_EPOCH = 20
_RATE = 0.25
_START_OF_SQUARES = 1e-6


@dataclass(frozen=True)
class HyperParameters:
    """What a tuning job asks for, in Vertex's own terms.

    Attributes:
        epoch_count: Passes over the training rows.
        learning_rate_multiplier: Scales the stand-in's own step size.
        adapter_size: 1, 2, 4, 8 or 16: how many features the model may use.
    """

    epoch_count: int = 4
    learning_rate_multiplier: float = 1.0
    adapter_size: int = 4


def softmax(scores: Array) -> Array:
    """Turn rows of scores into rows of probabilities.

    Args:
        scores: Scores (rows x labels).

    Returns:
        Probabilities (rows x labels), each row summing to one.
    """
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float32)


def sigmoid(scores: Array) -> Array:
    """Turn scores into independent probabilities.

    Args:
        scores: Scores of any shape.

    Returns:
        Probabilities of the same shape.
    """
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scores, -30, 30))), dtype=np.float32)


class AdaGrad:
    """Weights (columns x labels) and the sums of squares that scale their steps."""

    def __init__(self, columns: int, labels: int, multiplier: float) -> None:
        self.weights: Array = np.zeros((columns, labels), dtype=np.float32)
        self._squares: Array = np.full((columns, labels), _START_OF_SQUARES, dtype=np.float32)
        self._rate = np.float32(_RATE * multiplier)

    def step(self, rows: Any, error: Array) -> None:
        """Move the weights against the error of one batch.

        Args:
            rows: The batch, a CSR matrix (rows x columns).
            error: Probability minus truth, already averaged (rows x labels).
        """
        touched, local = np.unique(rows.indices, return_inverse=True)
        if not touched.size:
            return
        compact = sparse.csr_matrix(
            (rows.data, local, rows.indptr), shape=(rows.shape[0], touched.size)
        )
        gradient = compact.T @ error
        squares = self._squares[touched] + gradient * gradient
        self._squares[touched] = squares
        self.weights[touched] -= self._rate * gradient / np.sqrt(squares)


def train_linear(
    rows: Any,
    targets: Array,
    link: Link,
    hyper_parameters: HyperParameters,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
) -> list[Array]:
    """Train one linear model and keep its weights after every epoch.

    Args:
        rows: The training matrix, CSR (rows x columns).
        targets: The truth as 0 and 1 (rows x labels).
        link: softmax for one label a row, sigmoid for any number of labels.
        hyper_parameters: epoch_count and learning_rate_multiplier are used here.
        seed: Decides the order of the rows.
        stop: Asked after every epoch; training ends early when it says true.

    Returns:
        The weights (columns x labels) after each epoch, the last one final.
    """
    optimiser = AdaGrad(rows.shape[1], targets.shape[1], hyper_parameters.learning_rate_multiplier)
    squash = softmax if link == "softmax" else sigmoid
    order = np.random.default_rng(seed)
    # A small dataset still gets enough steps to learn from.
    size = min(_LARGEST_BATCH, max(_SMALLEST_BATCH, rows.shape[0] // _BATCHES_AN_EPOCH))
    epochs: list[Array] = []
    for _ in range(hyper_parameters.epoch_count):
        shuffled = order.permutation(rows.shape[0])
        mixed_rows, mixed_targets = rows[shuffled], targets[shuffled]
        for start in range(0, rows.shape[0], size):
            batch = mixed_rows[start : start + size]
            error = squash(batch @ optimiser.weights) - mixed_targets[start : start + size]
            optimiser.step(batch, error / np.float32(batch.shape[0]))
        epochs.append(optimiser.weights.copy())
        if stop():
            break
    return epochs
