"""The tuned model of classification, sentiment and multi-label tasks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from local.vertex.answers import LabelKnowledge, LabelSetKnowledge
from local.vertex.features import FeatureCache, TextFeatures
from local.vertex.linear import Array, HyperParameters, train_linear

# How many of the most frequent features an adapter of size one may use.
_FEATURES_A_SIZE = 2_500


@dataclass(frozen=True)
class LabelModel:
    """A trained text classifier.

    Attributes:
        labels: The labels, sorted.
        features: How a text becomes a row.
        checkpoints: Weights (columns x labels) after each epoch.
        many: Whether a text may have any number of labels.
        never_empty: Whether every training text had a label.
    """

    labels: tuple[str, ...]
    features: TextFeatures
    checkpoints: list[Array]
    many: bool
    never_empty: bool

    def know(self, text: str, checkpoint: int = -1) -> LabelKnowledge | LabelSetKnowledge:
        """Score the labels for one text.

        Args:
            text: The text.
            checkpoint: Which epoch's weights to use, counted from zero; the last by default.

        Returns:
            The labels and their scores.
        """
        weights = self.checkpoints[checkpoint]
        row = self.features.rows([text])[:, : weights.shape[0]]
        scores: Any = np.asarray(row @ weights, dtype=np.float32)[0]
        if self.many:
            return LabelSetKnowledge(self.labels, scores, self.never_empty)
        return LabelKnowledge(self.labels, scores)


def train_labels(
    texts: Sequence[str],
    answers: Sequence[Sequence[str]],
    *,
    many: bool,
    hyper_parameters: HyperParameters,
    cache: FeatureCache,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
) -> LabelModel:
    """Train a classifier.

    Args:
        texts: The training texts.
        answers: The labels of each text; exactly one each unless `many`.
        many: Whether a text may have any number of labels.
        hyper_parameters: The job's hyperparameters; the adapter size limits the features.
        cache: Keeps the features of recent datasets.
        seed: Decides the order of the rows.
        stop: Asked after every epoch; training ends early when it says true.

    Returns:
        The trained model.
    """
    labels = tuple(sorted({label for row in answers for label in row}))
    position = {label: i for i, label in enumerate(labels)}
    targets = np.zeros((len(texts), len(labels)), dtype=np.float32)
    for row, row_labels in enumerate(answers):
        for label in row_labels:
            targets[row, position[label]] = 1
    features, matrix = cache.get(texts)
    used = matrix[:, : _FEATURES_A_SIZE * hyper_parameters.adapter_size]
    link = "sigmoid" if many else "softmax"
    checkpoints = train_linear(used, targets, link, hyper_parameters, seed, stop)
    return LabelModel(labels, features, checkpoints, many, all(len(row) > 0 for row in answers))
