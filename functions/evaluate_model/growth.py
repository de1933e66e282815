"""Estimates from a task's runs how much more training examples would help.

A task whose file grew was tuned on datasets of several sizes. Splits go by each text's hash, so
their test rows are much the same, and the figures can be laid beside each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from shared import paths
from shared.ports import Bucket
from shared.record_store import BrokenRecord, read
from shared.records import DatasetRecord, Interval, VerdictRecord

_SPREAD = 1.5
"""Datasets of about the same size show no curve."""

_CHANCE = 0.05
_MOST_DOUBLINGS = 5
"""A line is not followed further than this."""


@dataclass(frozen=True)
class Size:
    """What the best tuned model of a run reached on test, and on how many training examples."""

    examples: int
    value: float
    interval: Interval


@dataclass(frozen=True)
class Growth:
    """How a metric has grown with training examples.

    Attributes:
        gain: The metric gained with each doubling of the training examples.
        interval: The 95 % interval of the gain.
        sizes: What it is estimated from, the smallest first.
    """

    gain: float
    interval: Interval
    sizes: tuple[Size, ...]

    def needed_for(self, target: float) -> int | None:
        """Return how many training examples the target needs at that rate; None for too many."""
        last = self.sizes[-1]
        doublings = (target - last.value) / self.gain
        if not 0 < doublings <= _MOST_DOUBLINGS:
            return None
        return math.ceil(last.examples * 2**doublings)


def other_sizes(artifacts: Bucket, task: str, dataset: str, metric: str) -> list[Size]:
    """Read what runs on a task's other datasets have reached, the best of each dataset.

    Args:
        artifacts: The artifacts bucket.
        task: The task.
        dataset: The dataset that is left out.
        metric: The metric; verdicts by another one do not count.
    """
    best: dict[str, Size] = {}
    for stored in artifacts.list(f"tasks/{task}/runs/"):
        if not stored.name.endswith("/verdict.json"):
            continue
        try:
            verdict = read(artifacts, stored.name, VerdictRecord)
            if verdict is None or verdict.dataset == dataset or verdict.metric != metric:
                continue
            record = read(artifacts, paths.dataset_record(task, verdict.dataset), DatasetRecord)
        except BrokenRecord:
            # An older version's record says nothing here; the index page names it.
            continue
        for figure in verdict.figures:
            if record and figure.kind == "tuned" and figure.split == "test" and figure.interval:
                size = Size(record.counts["train"], figure.metrics[metric], figure.interval)
                if verdict.dataset not in best or best[verdict.dataset].value < size.value:
                    best[verdict.dataset] = size
    return list(best.values())


def growth(sizes: Sequence[Size]) -> Growth | None:
    """Fit a metric against the logarithm of training examples.

    The line is that of least squares; how sure its slope is follows from the figures' intervals.

    Returns:
        The growth; None where sizes are alike, or where chance can explain the rise.
    """
    ordered = tuple(sorted(sizes, key=lambda size: size.examples))
    if not ordered or ordered[-1].examples < _SPREAD * max(1, ordered[0].examples):
        return None
    places = [math.log2(size.examples) for size in ordered]
    middle = sum(places) / len(places)
    spread = sum((place - middle) ** 2 for place in places)
    weights = [(place - middle) / spread for place in places]
    gain = sum(weight * size.value for weight, size in zip(weights, ordered, strict=True))
    reach = NormalDist().inv_cdf(1 - _CHANCE / 2)
    error = math.hypot(
        *(
            weight * (size.interval.high - size.interval.low) / (2 * reach)
            for weight, size in zip(weights, ordered, strict=True)
        )
    )
    interval = Interval(low=gain - reach * error, high=gain + reach * error)
    return Growth(gain, interval, ordered) if interval.low > 0 else None
