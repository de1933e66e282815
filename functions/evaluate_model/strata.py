"""Samples in which every label has its share, or an equal one, the same ones every time."""

import heapq
from collections.abc import Iterable

from shared.answers import answer_text
from shared.examples import Example
from shared.paths import content_id

MAX_SHOT_CHARACTERS = 2000
"""Longer examples are left out of prompts as long as there are others."""


class Strata:
    """Examples by their answer, of each only the `most` that come first: by smallest hash.

    A field extraction has one stratum, and so the whole set of a text's labels is one. There is no
    seed: the same examples, in any order, give the same samples.

    Args:
        most: How many examples of a stratum can be asked for.
        prefer_short: Whether examples over MAX_SHOT_CHARACTERS come after all others.

    Attributes:
        sizes: How many examples each has.
    """

    def __init__(self, most: int, *, prefer_short: bool = False) -> None:
        self._most = most
        self._prefer_short = prefer_short
        self.sizes: dict[str, int] = {}
        # A heap whose top comes last: it makes room for what comes before it.
        self._kept: dict[str, list[_Last]] = {}

    def add(self, example: Example) -> None:
        """Take one more example in."""
        name = "" if isinstance(example.answer, dict) else answer_text(example.answer)
        number = self.sizes[name] = self.sizes.get(name, 0) + 1
        heap = self._kept.setdefault(name, [])
        too_long = self._prefer_short and len(example.text) > MAX_SHOT_CHARACTERS
        item = _Last((too_long, content_id(example.text), number), example)
        if len(heap) < self._most:
            heapq.heappush(heap, item)
        else:
            heapq.heappushpop(heap, item)

    def proportional(self, count: int) -> list[Example]:
        """Take a sample in which each stratum has its share, as nearly as whole numbers allow.

        Places that are left by rounding down go to the strata that it cost most.

        Args:
            count: How many to take, `most` at most; fewer are all taken.
        """
        total = sum(self.sizes.values())
        names = self._names()
        if total <= count:
            return [example for name in names for example in self._first(name, count)]
        places = {name: self.sizes[name] * count // total for name in names}
        cost = sorted(names, key=lambda name: -(self.sizes[name] * count % total))
        for name in cost[: count - sum(places.values())]:
            places[name] += 1
        return [example for name in names for example in self._first(name, places[name])]

    def balanced(self, count: int) -> list[Example]:
        """Take examples in turns, one of each stratum, as long as it has any.

        Args:
            count: How many to take, `most` at most; fewer are all taken.
        """
        queues = [self._first(name, count) for name in self._names()]
        turns = (queue[turn] for turn in range(count) for queue in queues if turn < len(queue))
        return [example for example, _ in zip(turns, range(count), strict=False)]

    def _names(self) -> list[str]:
        """Name the strata in an order that no label's spelling decides."""
        return sorted(self.sizes, key=content_id)

    def _first(self, name: str, count: int) -> list[Example]:
        """Return a stratum's first examples, in their order."""
        kept = sorted(self._kept[name], key=lambda item: item.key)
        return [item.example for item in kept[:count]]


def stratified(examples: Iterable[Example], count: int) -> list[Example]:
    """Take a sample of so many examples in which each label has its share."""
    strata = Strata(count)
    for example in examples:
        strata.add(example)
    return strata.proportional(count)


class _Last:
    """An example in a heap whose top has the greatest key."""

    __slots__ = ("example", "key")

    def __init__(self, key: tuple[bool, str, int], example: Example) -> None:
        self.key = key
        self.example = example

    def __lt__(self, other: "_Last") -> bool:
        return self.key > other.key
