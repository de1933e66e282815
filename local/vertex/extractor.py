"""The tuned model of extraction tasks: it learns where values start and how far they reach.

For each field, one model ranks all tokens of a text, and "absent", as the value's start: the
likelihood is listwise, summed over all places where the true value stands, so the model finds out
by itself which of them is the telling one. A second model decides token by token whether the value
goes on. Values found in several places add up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from local.vertex.answers import FieldAlternatives, FieldsKnowledge
from local.vertex.classifier import LabelModel
from local.vertex.conventions import Convention
from local.vertex.layout import Layout, lay_out
from local.vertex.linear import Array, sigmoid
from local.vertex.token_columns import Columns
from local.vertex.token_features import continue_features, start_features

_STARTS = 5
_LIST_STARTS = 40
_ENDS = 3
_LEAST_LOG_ODDS = -3.0
_FLOOR = 1e-9


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
