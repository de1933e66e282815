"""Turns training texts and records into an extractor: fields, places, conventions, models."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.vertex.classifier import LabelModel, train_labels
from local.vertex.conventions import Found, find_value, learn_convention
from local.vertex.extractor import FieldModel, Lesson, SpanField, train_reaches, train_starts
from local.vertex.features import FeatureCache
from local.vertex.layout import Layout, lay_out
from local.vertex.linear import HyperParameters

_FEATURES_A_SIZE = 25_000
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


def train_fields(
    texts: Sequence[str],
    records: Sequence[dict[str, Any]],
    hyper_parameters: HyperParameters,
    cache: FeatureCache,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
) -> FieldModel:
    """Train an extractor.

    A field whose values mostly do not stand in the text, but come from a small set, is learnt by
    a classifier over those values.

    Args:
        texts: The training texts.
        records: Each text's fields; a value is text, a number, a list of these, or null.
        hyper_parameters: The job's hyperparameters; the adapter size limits the features.
        cache: Keeps the text features of recent datasets.
        seed: Decides the order of the texts.
        stop: Asked after every epoch; training ends early when it says true.

    Returns:
        The trained model.
    """
    names = tuple(dict.fromkeys(name for record in records for name in record))
    layouts = _up_to_limit([lay_out(text) for text in texts])
    used = range(len(layouts))
    observed = {name: _Observed() for name in names}
    for index in used:
        for name in names:
            observed[name].add(layouts[index], records[index].get(name))
    closed = {
        name: _closed_model(texts, records, name, hyper_parameters, cache, seed, stop)
        for name, about in observed.items()
        if about.present
        and about.aligned < _LEAST_FOUND * about.present
        and len({json.dumps(record.get(name), sort_keys=True) for record in records})
        <= min(_MOST_CLOSED_VALUES, len(records) // 2)
    }
    spans = {
        name: SpanField(
            convention=learn_convention(about.habits),
            is_list=about.several,
            bare_single=about.bare_single,
            may_be_absent=about.present < len(layouts),
            longest=max(
                (last - first + 1 for _, place, _ in about.habits for first, last in place.spans),
                default=1,
            ),
        )
        for name, about in observed.items()
        if name not in closed and about.aligned
    }
    lessons = [
        Lesson(
            layouts[index],
            tuple(
                tuple(span for place in observed[name].found[index] or [] for span in place.spans)
                for name in spans
            ),
            tuple(observed[name].found[index] is not None for name in spans),
        )
        for index in used
        if layouts[index].words
    ]
    limit = _FEATURES_A_SIZE * hyper_parameters.adapter_size
    is_list = [spec.is_list for spec in spans.values()]
    starts, start_epochs = train_starts(lessons, is_list, hyper_parameters, limit, seed, stop)
    reaches, reach_epochs = train_reaches(lessons, len(spans), hyper_parameters, limit, seed, stop)
    missing = Counter(name in record for record in records for name in names)
    return FieldModel(
        names=names,
        spans=spans,
        closed=closed,
        keep_absent=missing[False] * 2
        <= sum(_values_of(r.get(n)) == [] for r in records for n in names),
        start_columns=starts,
        continue_columns=reaches,
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


def _closed_model(
    texts: Sequence[str],
    records: Sequence[dict[str, Any]],
    name: str,
    hyper_parameters: HyperParameters,
    cache: FeatureCache,
    seed: int,
    stop: Callable[[], bool],
) -> tuple[LabelModel, dict[str, Any]]:
    """Train a classifier over a field's values, and give the value of each of its labels."""
    written = [json.dumps(record.get(name), ensure_ascii=False) for record in records]
    model = train_labels(
        texts,
        [[value] for value in written],
        many=False,
        hyper_parameters=hyper_parameters,
        cache=cache,
        seed=seed,
        stop=stop,
    )
    return model, {value: json.loads(value) for value in set(written)}
