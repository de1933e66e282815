"""Reads a dataset's splits: the held-out rows, and the examples that prompts show."""

import heapq
import json
from collections.abc import Iterable, Iterator

from shared import paths
from shared.examples import Example
from shared.paths import content_id
from shared.ports import Bucket
from shared.prompts import answer_text, example_of_line
from shared.records import DatasetRecord

MAX_SHOT_CHARACTERS = 2000
"""Longer examples are left out of prompts as long as there are others."""


def held_out_rows(
    bucket: Bucket, dataset: DatasetRecord, split: str, max_rows: int
) -> list[Example]:
    """Read the rows that every candidate is measured on, the same ones in the same order.

    Args:
        bucket: The artifacts bucket.
        dataset: The dataset.
        split: validation or test.
        max_rows: With more rows than this, a stratified sample of so many is taken.
    """
    rows = stratified(_examples(bucket, dataset, split), max_rows)
    return sorted(rows, key=lambda row: content_id(row.text))


def choose_shots(bucket: Bucket, dataset: DatasetRecord, count: int) -> list[Example]:
    """Choose the examples of a few-shot prompt: balanced over the labels, by smallest hash."""
    strata = _Strata(_examples(bucket, dataset, "train"), count, prefer_short=True)
    queues = [strata.smallest(name, count) for name in strata.names]
    shots: list[Example] = []
    for depth in range(count):
        for queue in queues:
            if depth < len(queue) and len(shots) < count:
                shots.append(queue[depth])
    return shots


def stratified(
    examples: Iterable[Example], count: int, *, prefer_short: bool = False
) -> list[Example]:
    """Take a sample in which each label has its share of the whole, as nearly as numbers allow.

    Of a label, the examples with the smallest hashes are taken; places that are left by rounding
    down go to the labels that it cost most. A field extraction has one stratum, and so the whole
    set of a text's labels is one. There is no seed: the same examples give the same sample.

    Args:
        examples: The examples, in any order.
        count: How many to take; fewer are all taken.
        prefer_short: Whether examples over MAX_SHOT_CHARACTERS come after all others of a label.
    """
    strata = _Strata(examples, count, prefer_short=prefer_short)
    total = sum(strata.sizes.values())
    if total <= count:
        return [example for name in strata.names for example in strata.smallest(name, count)]
    places = {name: strata.sizes[name] * count // total for name in strata.names}
    cost = sorted(strata.names, key=lambda name: -(strata.sizes[name] * count % total))
    for name in cost[: count - sum(places.values())]:
        places[name] += 1
    return [example for name in strata.names for example in strata.smallest(name, places[name])]


class _Strata:
    """Examples by their answer, of each only the `most` that come first.

    Attributes:
        names: The strata's names, in an order that no label's spelling decides.
        sizes: How many examples each has.
    """

    def __init__(self, examples: Iterable[Example], most: int, *, prefer_short: bool) -> None:
        self.sizes: dict[str, int] = {}
        # A heap whose top comes last: it makes room for what comes before it.
        self._kept: dict[str, list[_Last]] = {}
        for example in examples:
            name = "" if isinstance(example.answer, dict) else answer_text(example.answer)
            number = self.sizes[name] = self.sizes.get(name, 0) + 1
            heap = self._kept.setdefault(name, [])
            too_long = prefer_short and len(example.text) > MAX_SHOT_CHARACTERS
            item = _Last((too_long, content_id(example.text), number), example)
            if len(heap) < most:
                heapq.heappush(heap, item)
            else:
                heapq.heappushpop(heap, item)
        self.names = sorted(self.sizes, key=content_id)

    def smallest(self, name: str, count: int) -> list[Example]:
        """Return a stratum's first examples, in their order."""
        kept = sorted(self._kept[name], key=lambda item: item.key)
        return [item.example for item in kept[:count]]


class _Last:
    """An example in a heap whose top has the greatest key."""

    __slots__ = ("example", "key")

    def __init__(self, key: tuple[bool, str, int], example: Example) -> None:
        self.key = key
        self.example = example

    def __lt__(self, other: "_Last") -> bool:
        return self.key > other.key


def _examples(bucket: Bucket, dataset: DatasetRecord, split: str) -> Iterator[Example]:
    """Go through the examples of a split."""
    path = paths.split_file(dataset.task_name, dataset.id, split)
    with bucket.open_read(path) as stream:
        for line in stream:
            yield example_of_line(dataset.task, json.loads(line))
