"""The tuned model of extraction tasks: it learns where values start and how far they reach.

For each field, one model ranks all tokens of a text, and "absent", as the value's start: the
likelihood is listwise, summed over all places where the true value stands, so the model finds out
by itself which of them is the telling one. A second model decides token by token whether the value
goes on. Values found in several places add up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from local.vertex.answers import FieldAlternatives, FieldsKnowledge
from local.vertex.classifier import LabelModel
from local.vertex.conventions import Convention
from local.vertex.layout import Integers, Layout, lay_out
from local.vertex.linear import AdaGrad, Array, HyperParameters, sigmoid
from local.vertex.token_features import Hashes, continue_features, start_features

_STARTS = 5
_LIST_STARTS = 40
_ENDS = 3
_LEAST_LOG_ODDS = -3.0
_FLOOR = 1e-9


@dataclass(frozen=True)
class Columns:
    """Which feature hashes the model knows.

    Attributes:
        hashes: The known hashes, sorted; a hash's position is its column.
    """

    hashes: Hashes

    def rows(self, features: Hashes) -> Any:
        """Turn feature hashes into a sparse matrix.

        Args:
            features: Hashes (rows x templates).

        Returns:
            A CSR matrix of ones (rows x columns); unknown hashes are left out.
        """
        position = np.searchsorted(self.hashes, features)
        position = np.minimum(position, max(len(self.hashes) - 1, 0))
        known = self.hashes[position] == features
        counts = np.concatenate(([0], np.cumsum(known.sum(axis=1))))
        columns = position[known]
        return sparse.csr_matrix(
            (np.ones(len(columns), dtype=np.float32), columns, counts),
            shape=(len(features), len(self.hashes)),
        )


def choose_columns(features: Hashes, limit: int) -> Columns:
    """Keep the most frequent feature hashes.

    Args:
        features: Hashes of all training rows (rows x templates).
        limit: How many to keep at most.

    Returns:
        The chosen columns.
    """
    hashes, counts = np.unique(features.ravel(), return_counts=True)
    if len(hashes) > limit:
        hashes = np.sort(hashes[np.argsort(-counts, kind="stable")[:limit]])
    return Columns(hashes)


@dataclass(frozen=True)
class SpanField:
    """A field whose values stand in the text.

    Attributes:
        convention: How its values are written.
        is_list: Whether it may hold several values.
        bare_single: Whether a list of one is written without its brackets.
        may_be_absent: Whether any training text lacked it.
        longest: Tokens of the longest training value.
    """

    convention: Convention
    is_list: bool
    bare_single: bool
    may_be_absent: bool
    longest: int


@dataclass(frozen=True)
class FieldModel:
    """A trained extractor.

    Attributes:
        names: All fields in the order of the answer.
        spans: The fields found in the text, in the order of the weights' columns.
        closed: The fields answered by a classifier over the values seen in training.
        keep_absent: Whether absent fields are written as null.
        start_columns: What the start model sees.
        continue_columns: What the continue model sees.
        checkpoints: Start and continue weights (columns x span fields) after each epoch.
    """

    names: tuple[str, ...]
    spans: dict[str, SpanField]
    closed: dict[str, tuple[LabelModel, dict[str, Any]]]
    keep_absent: bool
    start_columns: Columns
    continue_columns: Columns
    checkpoints: list[tuple[Array, Array]]

    def know(self, text: str, checkpoint: int = -1) -> FieldsKnowledge:
        """Find each field's possible values in one text.

        Args:
            text: The text.
            checkpoint: Which epoch's weights to use, counted from zero; the last by default.

        Returns:
            The fields and their alternatives.
        """
        layout = lay_out(text)
        fields: dict[str, FieldAlternatives] = {}
        if self.spans and layout.words:
            fields = self._from_spans(layout, checkpoint)
        for name, (model, values) in self.closed.items():
            knowledge = model.know(text, min(checkpoint, len(model.checkpoints) - 1))
            fields[name] = FieldAlternatives(
                tuple(values[label] for label in knowledge.labels), knowledge.scores
            )
        absent = FieldAlternatives((None,), np.zeros(1, dtype=np.float32))
        return FieldsKnowledge(
            {name: fields.get(name, absent) for name in self.names}, self.keep_absent
        )

    def _from_spans(self, layout: Layout, checkpoint: int) -> dict[str, FieldAlternatives]:
        start_weights, continue_weights = self.checkpoints[checkpoint]
        scores = np.asarray(self.start_columns.rows(start_features(layout)) @ start_weights)
        chosen: list[tuple[int, int, int]] = []
        for column, spec in enumerate(self.spans.values()):
            ranked = np.argsort(-scores[:, column], kind="stable")
            ranked = ranked[: _LIST_STARTS if spec.is_list else _STARTS]
            for start in ranked.tolist():
                if spec.is_list and scores[start, column] < _LEAST_LOG_ODDS:
                    break
                chosen.append((column, start, min(spec.longest * 3 // 2 + 3, 120)))
        reaches = _reaches(layout, chosen, self.continue_columns, continue_weights)
        return {
            name: _alternatives(
                layout,
                spec,
                scores[:, column],
                [
                    (start, ends)
                    for (own, start, _), ends in zip(chosen, reaches, strict=True)
                    if own == column
                ],
            )
            for column, (name, spec) in enumerate(self.spans.items())
        }


def _reaches(
    layout: Layout,
    chosen: list[tuple[int, int, int]],
    columns: Columns,
    weights: Array,
) -> list[list[tuple[int, float]]]:
    """Give each chosen start its likeliest last tokens, with their log-probabilities."""
    last = len(layout.words) - 1
    walks = [np.arange(start, min(start + limit, last)) for _, start, limit in chosen]
    starts = np.concatenate(
        [np.full(len(walk), start) for walk, (_, start, _) in zip(walks, chosen, strict=True)]
        or [np.zeros(0, dtype=np.int64)]
    ).astype(np.int64)
    tokens = np.concatenate(walks or [starts]).astype(np.int64)
    odds = np.zeros((0, weights.shape[1]), dtype=np.float32)
    if len(tokens):
        odds = np.asarray(columns.rows(continue_features(layout, starts, tokens)) @ weights)
    found: list[list[tuple[int, float]]] = []
    offset = 0
    for walk, (column, start, _) in zip(walks, chosen, strict=True):
        going_on = sigmoid(odds[offset : offset + len(walk), column])
        offset += len(walk)
        onward = np.log(np.concatenate((np.ones(1, dtype=np.float32), going_on)) + _FLOOR)
        stopping = np.log(1 - np.append(going_on, np.float32(0)) + _FLOOR)
        ends = np.cumsum(onward) + stopping
        best = np.argsort(-ends, kind="stable")[:_ENDS].tolist()
        found.append([(start + step, float(ends[step])) for step in best])
    return found


def _alternatives(
    layout: Layout,
    spec: SpanField,
    scores: Array,
    candidates: list[tuple[int, list[tuple[int, float]]]],
) -> FieldAlternatives:
    def value(first: int, last: int) -> Any:
        return spec.convention.write(layout.text[layout.starts[first] : layout.ends[last]])

    if spec.is_list:
        taken: list[tuple[int, int]] = []
        listed: dict[Any, tuple[int, float]] = {}
        for start, ends in candidates:
            end = ends[0][0]
            if any(start <= other_end and end >= other for other, other_end in taken):
                continue
            taken.append((start, end))
            listed.setdefault(value(start, end), (start, float(scores[start])))
        in_order = sorted(listed.items(), key=lambda item: item[1][0])
        return FieldAlternatives(
            tuple(item for item, _ in in_order),
            np.array([score for _, (_, score) in in_order], dtype=np.float32),
            is_list=True,
            bare_single=spec.bare_single,
        )
    total: dict[Any, float] = {}
    for start, ends in candidates:
        for end, reach in ends:
            written = value(start, end)
            log_share = float(scores[start]) + reach
            total[written] = float(np.logaddexp(total.get(written, -np.inf), log_share))
    if spec.may_be_absent or not total:
        total[None] = 0.0
    return FieldAlternatives(tuple(total), np.array(list(total.values()), dtype=np.float32))


@dataclass(frozen=True)
class Lesson:
    """One training text with the places of its values.

    Attributes:
        layout: The text.
        spans: For each span field, first and last token of each place; empty when absent.
        known: For each span field, whether its value is absent or was found in the text.
    """

    layout: Layout
    spans: tuple[tuple[tuple[int, int], ...], ...]
    known: tuple[bool, ...]


def train_starts(
    lessons: Sequence[Lesson],
    is_list: Sequence[bool],
    hyper_parameters: HyperParameters,
    limit: int,
    seed: int,
    stop: Callable[[], bool],
) -> tuple[Columns, list[Array]]:
    """Train the model of where values start.

    Args:
        lessons: The training texts.
        is_list: For each span field, whether it may hold several values.
        hyper_parameters: epoch_count and learning_rate_multiplier are used here.
        limit: How many features to use at most.
        seed: Decides the order of the texts.
        stop: Asked after every epoch; training ends early when it says true.

    Returns:
        The columns, and the weights (columns x span fields) after each epoch.
    """
    features = [start_features(lesson.layout) for lesson in lessons]
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
    optimiser = AdaGrad(rows.shape[1], len(is_list), hyper_parameters.learning_rate_multiplier)
    order = np.random.default_rng(seed)
    size = min(8, max(2, len(lessons) // 40))
    epochs: list[Array] = []
    for _ in range(hyper_parameters.epoch_count):
        shuffled = order.permutation(len(lessons))
        for begin in range(0, len(lessons), size):
            texts = shuffled[begin : begin + size]
            picked = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in texts])
            batch = rows[picked]
            error = _start_error(
                np.asarray(batch @ optimiser.weights), gold[picked], sizes[texts], lists
            )
            error *= np.repeat(known[texts], sizes[texts], axis=0)
            optimiser.step(batch, error / np.float32(len(texts)))
        epochs.append(optimiser.weights.copy())
        if stop():
            break
    return columns, epochs


def _start_error(scores: Array, gold: Array, sizes: Integers, lists: Any) -> Array:
    """Give the listwise error: share of each token minus its share among the true places."""
    begins = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    highest = np.maximum(np.maximum.reduceat(scores, begins, axis=0), 0)
    raised = np.exp(scores - np.repeat(highest, sizes, axis=0))
    whole = np.add.reduceat(raised, begins, axis=0) + np.exp(-highest)
    true_part = np.add.reduceat(raised * gold, begins, axis=0)
    among_true = raised * gold / np.repeat(true_part + _FLOOR, sizes, axis=0)
    listwise = raised / np.repeat(whole, sizes, axis=0) - among_true
    return np.asarray(np.where(lists, sigmoid(scores) - gold, listwise), dtype=np.float32)


def train_reaches(
    lessons: Sequence[Lesson],
    fields: int,
    hyper_parameters: HyperParameters,
    limit: int,
    seed: int,
    stop: Callable[[], bool],
) -> tuple[Columns, list[Array]]:
    """Train the model of how far values reach.

    Args:
        lessons: The training texts.
        fields: How many span fields there are.
        hyper_parameters: epoch_count and learning_rate_multiplier are used here.
        limit: How many features to use at most.
        seed: Decides the order of the rows.
        stop: Asked after every epoch; training ends early when it says true.

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
        nothing = np.zeros((1, fields), dtype=np.float32)
        return Columns(np.zeros(1, dtype=np.uint64)), [nothing] * hyper_parameters.epoch_count
    features = np.concatenate(pieces)
    columns = choose_columns(features, limit)
    rows = columns.rows(features)
    owner = np.array(owners)
    target = np.array(goes_on, dtype=np.float32)
    optimiser = AdaGrad(rows.shape[1], fields, hyper_parameters.learning_rate_multiplier)
    order = np.random.default_rng(seed)
    epochs: list[Array] = []
    for _ in range(hyper_parameters.epoch_count):
        shuffled = order.permutation(len(target))
        for begin in range(0, len(target), 32):
            picked = shuffled[begin : begin + 32]
            batch = rows[picked]
            scores = np.asarray(batch @ optimiser.weights)
            error = np.zeros_like(scores)
            at = np.arange(len(picked))
            error[at, owner[picked]] = sigmoid(scores[at, owner[picked]]) - target[picked]
            optimiser.step(batch, error / np.float32(len(picked)))
        epochs.append(optimiser.weights.copy())
        if stop():
            break
    return columns, epochs
