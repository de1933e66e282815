"""The tuned model of classification, sentiment and multi-label tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from local.vertex.answers import LabelKnowledge, LabelSetKnowledge
from local.vertex.features import FeatureCache, TextFeatures
from local.vertex.linear import Array, Training, train_linear

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
    training: Training,
    cache: FeatureCache,
) -> LabelModel:
    """Train a classifier.

    Args:
        texts: The training texts.
        answers: The labels of each text; exactly one each unless `many`.
        many: Whether a text may have any number of labels.
        training: Hyperparameters, of which the adapter size limits the features, and the seed.
        cache: Keeps the features of recent datasets.

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
    used = matrix[:, : _FEATURES_A_SIZE * training.hyper_parameters.adapter_size]
    checkpoints = train_linear(used, targets, "sigmoid" if many else "softmax", training)
    return LabelModel(labels, features, checkpoints, many, all(len(row) > 0 for row in answers))
