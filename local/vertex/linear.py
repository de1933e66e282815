"""Linear models trained by mini-batch epochs, so that hyperparameters mean what they say.

The update is AdaGrad (Duchi et al., 2011) on the rows that a batch touches.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import sparse

Array = np.ndarray[Any, np.dtype[np.float32]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
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


@dataclass(frozen=True)
class Training:
    """What goes with every training, whatever is learnt.

    Attributes:
        hyper_parameters: What the tuning job asks for.
        seed: Decides the order of the rows, so that the same data gives the same model.
        stop: Asked after every epoch; training ends early when it says true.
    """

    hyper_parameters: HyperParameters
    seed: int
    stop: Callable[[], bool] = lambda: False

    def epochs(self, rows: int, size: int) -> Iterator[Iterator[Integers]]:
        """Give the batches of each epoch.

        Args:
            rows: How many rows or texts there are.
            size: How many go into one batch.

        Yields:
            For each epoch, its batches as arrays of row numbers in a new random order.
        """
        order = np.random.default_rng(self.seed)
        for _ in range(self.hyper_parameters.epoch_count):
            shuffled = order.permutation(rows)
            yield (shuffled[start : start + size] for start in range(0, rows, size))
            if self.stop():
                return


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

    def __init__(
        self, columns: int, labels: int, asked: HyperParameters, rate: float = _RATE
    ) -> None:
        self.weights: Array = np.zeros((columns, labels), dtype=np.float32)
        self._squares: Array = np.full((columns, labels), _START_OF_SQUARES, dtype=np.float32)
        self._rate = np.float32(rate * asked.learning_rate_multiplier)

    def step(self, rows: Any, error: Any) -> None:
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


def train_linear(rows: Any, targets: Array, link: Link, training: Training) -> list[Array]:
    """Train one linear model and keep its weights after every epoch.

    Args:
        rows: The training matrix, CSR (rows x columns).
        targets: The truth as 0 and 1 (rows x labels).
        link: softmax for one label a row, sigmoid for any number of labels.
        training: Hyperparameters, seed and when to stop.

    Returns:
        The weights (columns x labels) after each epoch, the last one final.
    """
    optimiser = AdaGrad(rows.shape[1], targets.shape[1], training.hyper_parameters)
    squash = softmax if link == "softmax" else sigmoid
    # A small dataset still gets enough steps to learn from.
    size = min(_LARGEST_BATCH, max(_SMALLEST_BATCH, rows.shape[0] // _BATCHES_AN_EPOCH))
    checkpoints: list[Array] = []
    for batches in training.epochs(rows.shape[0], size):
        for picked in batches:
            batch = rows[picked]
            error = squash(batch @ optimiser.weights) - targets[picked]
            optimiser.step(batch, error / np.float32(len(picked)))
        checkpoints.append(optimiser.weights.copy())
    return checkpoints
