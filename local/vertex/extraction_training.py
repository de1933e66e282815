"""Turns training texts and records into an extractor: fields, places, conventions, models."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local.vertex.classifier import LabelModel, train_labels
from local.vertex.conventions import Found, find_value, learn_convention
from local.vertex.extractor import FieldModel, SpanField
from local.vertex.features import FeatureCache
from local.vertex.layout import Layout, lay_out
from local.vertex.linear import Training
from local.vertex.span_training import Lesson, train_reaches, train_starts

_MAXIMUM_TOKENS = 400_000
_LEAST_FOUND = 0.5
_MOST_CLOSED_VALUES = 200


def _values_of(value: Any) -> list[Any]:
    """List a field's values: none for null, "" and []."""
    if value is None or value in ("", []):
        return []
    return list(value) if isinstance(value, list) else [value]


@dataclass
class _Observed:
    """What the training texts say about one field."""

    found: list[list[Found] | None] = field(default_factory=list)
    habits: list[tuple[Layout, Found, Any]] = field(default_factory=list)
    present: int = 0
    aligned: int = 0
    several: bool = False
    bare_single: bool = True

    def add(self, layout: Layout, value: Any) -> None:
        values = _values_of(value)
        if isinstance(value, list):
            self.several = True
            self.bare_single = self.bare_single and len(value) != 1
        if not values:
            self.found.append([])
            return
        self.present += 1
        places: list[Found] = []
        for one in values:
            written = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
            place = find_value(layout, written)
            if place is not None:
                places.append(place)
                self.habits.append((layout, place, one))
        self.aligned += bool(places)
        self.found.append(places or None)

    def span_field(self, texts: int) -> SpanField:
        """Sum up a field whose values stand in the text."""
        return SpanField(
            convention=learn_convention(self.habits),
            is_list=self.several,
            bare_single=self.bare_single,
            may_be_absent=self.present < texts,
            longest=max(
                (last - first + 1 for _, place, _ in self.habits for first, last in place.spans),
                default=1,
            ),
        )


def train_fields(
    texts: Sequence[str],
    records: Sequence[dict[str, Any]],
    training: Training,
    cache: FeatureCache,
) -> FieldModel:
    """Train an extractor.

    A field whose values mostly do not stand in the text, but come from a small set, is learnt by
    a classifier over those values.

    Args:
        texts: The training texts.
        records: Each text's fields; a value is text, a number, a list of these, or null.
        training: Hyperparameters, of which the adapter size limits the features, and the seed.
        cache: Keeps the text features of recent datasets.

    Returns:
        The trained model.
    """
    names = tuple(dict.fromkeys(name for record in records for name in record))
    layouts = _up_to_limit([lay_out(text) for text in texts])
    observed = {name: _Observed() for name in names}
    for layout, record in zip(layouts, records, strict=False):
        for name, about in observed.items():
            about.add(layout, record.get(name))
    closed = {
        name: _closed_model(texts, [record.get(name) for record in records], training, cache)
        for name, about in observed.items()
        if _is_closed(about, [record.get(name) for record in records])
    }
    spans = {
        name: about.span_field(len(layouts))
        for name, about in observed.items()
        if name not in closed and about.aligned
    }
    lessons = [
        Lesson(
            layout,
            tuple(
                tuple(span for place in observed[name].found[index] or [] for span in place.spans)
                for name in spans
            ),
            tuple(observed[name].found[index] is not None for name in spans),
        )
        for index, layout in enumerate(layouts)
        if layout.words
    ]
    starts, start_epochs = train_starts(lessons, [f.is_list for f in spans.values()], training)
    reaches, reach_epochs = train_reaches(lessons, len(spans), training)
    left_out = sum(name not in record for record in records for name in names)
    empty = sum(not _values_of(record.get(name)) for record in records for name in names)
    return FieldModel(
        names=names,
        spans=spans,
        closed=closed,
        keep_absent=left_out * 2 <= empty,
        start_columns=starts,
        continue_columns=reaches,
        # Stopped early, the two may have come to different epochs.
        checkpoints=list(zip(start_epochs, reach_epochs, strict=False)),
    )


def _up_to_limit(layouts: list[Layout]) -> list[Layout]:
    """Keep the first texts that hold the most tokens that training has memory for."""
    tokens = 0
    for count, layout in enumerate(layouts):
        tokens += len(layout.words)
        if tokens > _MAXIMUM_TOKENS and count:
            return layouts[:count]
    return layouts


def _is_closed(about: _Observed, values: Sequence[Any]) -> bool:
    """Say whether a field's values come from a small set rather than from the text."""
    different = len({json.dumps(value, sort_keys=True) for value in values})
    return about.aligned < _LEAST_FOUND * about.present and different <= min(
        _MOST_CLOSED_VALUES, len(values) // 2
    )


def _closed_model(
    texts: Sequence[str], values: Sequence[Any], training: Training, cache: FeatureCache
) -> tuple[LabelModel, dict[str, Any]]:
    """Train a classifier over a field's values, and give the value of each of its labels."""
    written = [json.dumps(value, ensure_ascii=False) for value in values]
    answers = [[value] for value in written]
    model = train_labels(texts, answers, many=False, training=training, cache=cache)
    return model, {value: json.loads(value) for value in set(written)}
