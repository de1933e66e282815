"""Trains an extractor's two models: where values start, and how far they reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from local.vertex.layout import Layout
from local.vertex.linear import AdaGrad, Array, Integers, Training, sigmoid
from local.vertex.token_columns import Columns, choose_columns
from local.vertex.token_features import Hashes, continue_features, start_features

Span = tuple[int, int]

_FEATURES_A_SIZE = 3_000
_FLOOR = 1e-9
_RATE = 0.1
_REACH_BATCH = 32
_LARGEST_BATCH = 8
_SMALLEST_BATCH = 2
_BATCHES_AN_EPOCH = 40


@dataclass(frozen=True)
class Lesson:
    """One training text with the places of its values.

    Attributes:
        layout: The text, with at least one token.
        spans: For each span field, first and last token of each place; empty when absent.
        known: For each span field, whether its value is absent or was found in the text.
    """

    layout: Layout
    spans: tuple[tuple[Span, ...], ...]
    known: tuple[bool, ...]


def _nothing(fields: int, training: Training) -> tuple[Columns, list[Array]]:
    """Make a model that knows nothing, for when there is nothing to learn."""
    weights = np.zeros((1, fields), dtype=np.float32)
    columns = Columns(np.zeros(1, dtype=np.uint64))
    return columns, [weights] * training.hyper_parameters.epoch_count


def train_starts(
    lessons: Sequence[Lesson], is_list: Sequence[bool], training: Training
) -> tuple[Columns, list[Array]]:
    """Train the model of where values start.

    Args:
        lessons: The training texts.
        is_list: For each span field, whether it may hold several values.
        training: Hyperparameters, of which the adapter size limits the features, and the seed.

    Returns:
        The columns, and the weights (columns x span fields) after each epoch.
    """
    if not lessons or not is_list:
        return _nothing(len(is_list), training)
    features = [start_features(lesson.layout) for lesson in lessons]
    limit = _FEATURES_A_SIZE * training.hyper_parameters.adapter_size
    columns = choose_columns(np.concatenate(features), limit)
    rows = columns.rows(np.concatenate(features))
    sizes = np.array([len(own) for own in features])
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    gold = np.zeros((rows.shape[0], len(is_list)), dtype=np.float32)
    for offset, lesson in zip(offsets.tolist(), lessons, strict=False):
        for column, spans in enumerate(lesson.spans):
            for first, _ in spans:
                gold[offset + first, column] = 1
    known = np.array([lesson.known for lesson in lessons], dtype=np.float32)
    lists = np.array(is_list, dtype=bool)
    optimiser = AdaGrad(rows.shape[1], len(is_list), training.hyper_parameters, _RATE)
    size = min(_LARGEST_BATCH, max(_SMALLEST_BATCH, len(lessons) // _BATCHES_AN_EPOCH))
    checkpoints: list[Array] = []
    for batches in training.epochs(len(lessons), size):
        for texts in batches:
            picked = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in texts])
            batch = rows[picked]
            error = _start_error(
                np.asarray(batch @ optimiser.weights), gold[picked], sizes[texts], lists
            )
            error *= np.repeat(known[texts], sizes[texts], axis=0)
            optimiser.step(batch, error / np.float32(len(texts)))
        checkpoints.append(optimiser.weights.copy())
    return columns, checkpoints


def _start_error(scores: Array, gold: Array, sizes: Integers, lists: Any) -> Array:
    """Give the listwise error: share of each token minus its share among the true places."""
    begins = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    highest = np.maximum(np.maximum.reduceat(scores, begins, axis=0), 0)
    raised = np.exp(scores - np.repeat(highest, sizes, axis=0))
    # "Absent" takes part in every text, with a score of zero.
    whole = np.add.reduceat(raised, begins, axis=0) + np.exp(-highest)
    true_part = np.add.reduceat(raised * gold, begins, axis=0)
    among_true = raised * gold / np.repeat(true_part + _FLOOR, sizes, axis=0)
    listwise = raised / np.repeat(whole, sizes, axis=0) - among_true
    return np.asarray(np.where(lists, sigmoid(scores) - gold, listwise), dtype=np.float32)


def train_reaches(
    lessons: Sequence[Lesson], fields: int, training: Training
) -> tuple[Columns, list[Array]]:
    """Train the model of how far values reach.

    Args:
        lessons: The training texts.
        fields: How many span fields there are.
        training: Hyperparameters, of which the adapter size limits the features, and the seed.

    Returns:
        The columns, and the weights (columns x span fields) after each epoch.
    """
    pieces: list[Hashes] = []
    owners: list[int] = []
    goes_on: list[float] = []
    for lesson in lessons:
        starts: list[int] = []
        tokens: list[int] = []
        for column, spans in enumerate(lesson.spans):
            for first, last in spans:
                walk = range(first, min(last + 1, len(lesson.layout.words) - 1))
                starts.extend([first] * len(walk))
                tokens.extend(walk)
                owners.extend([column] * len(walk))
                goes_on.extend(float(token < last) for token in walk)
        if tokens:
            pieces.append(continue_features(lesson.layout, np.array(starts), np.array(tokens)))
    if not pieces:
        return _nothing(fields, training)
    features = np.concatenate(pieces)
    limit = _FEATURES_A_SIZE * training.hyper_parameters.adapter_size
    columns = choose_columns(features, limit)
    rows = columns.rows(features)
    owner = np.array(owners)
    target = np.array(goes_on, dtype=np.float32)
    optimiser = AdaGrad(rows.shape[1], fields, training.hyper_parameters, _RATE)
    checkpoints: list[Array] = []
    for batches in training.epochs(len(target), _REACH_BATCH):
        for picked in batches:
            batch = rows[picked]
            scores = np.asarray(batch @ optimiser.weights)
            error = np.zeros_like(scores)
            at = np.arange(len(picked))
            error[at, owner[picked]] = sigmoid(scores[at, owner[picked]]) - target[picked]
            optimiser.step(batch, error / np.float32(len(picked)))
        checkpoints.append(optimiser.weights.copy())
    return columns, checkpoints
