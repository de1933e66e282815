"""Samples in which every label has its share, or an equal one, the same ones every time.

Examples are gone through twice: first they are counted, then those that have a place are kept. So
memory holds as many texts as are wanted, however many there are.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from shared.answers import answer_text
from shared.examples import Example
from shared.paths import content_id

MAX_SHOT_CHARACTERS = 2000
"""Longer examples are left out of prompts as long as there are others."""


def stratum_of(example: Example) -> str:
    """Name an example's stratum: by its answer, in an order that no label's spelling decides.

    A field extraction has one stratum, and so the whole set of a text's labels is one.
    """
    return content_id("" if isinstance(example.answer, dict) else answer_text(example.answer))


def proportional(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """Give each stratum its share of so many places, as nearly as whole numbers allow.

    Places that are left by rounding down go to the strata that it cost most.

    Args:
        sizes: How many examples each stratum has.
        count: How many places there are; fewer examples all have one.
    """
    total = sum(sizes.values())
    if total <= count:
        return dict(sizes)
    places = {name: sizes[name] * count // total for name in sorted(sizes)}
    cost = sorted(places, key=lambda name: -(sizes[name] * count % total))
    for name in cost[: count - sum(places.values())]:
        places[name] += 1
    return places


def balanced(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """Give places in turns, one to each stratum, as long as it has any.

    Args:
        sizes: How many examples each stratum has.
        count: How many places there are; fewer examples all have one.
    """
    names = sorted(sizes)
    turns = (name for turn in range(count) for name in names if turn < sizes[name])
    return dict(Counter(name for name, _ in zip(turns, range(count), strict=False)))


class Strata:
    """Examples by their answer, of each only those that come first: by smallest hash.

    There is no seed: the same examples, in any order, give the same samples.

    Args:
        places: How many examples of each stratum are kept; of others none.
        prefer_short: Whether examples over MAX_SHOT_CHARACTERS come after all others.
    """

    def __init__(self, places: Mapping[str, int], *, prefer_short: bool = False) -> None:
        self._places = places
        self._prefer_short = prefer_short
        self._seen: Counter[str] = Counter()
        # A heap whose top comes last: it makes room for what comes before it.
        self._kept: dict[str, list[_Last]] = {}

    def add(self, example: Example) -> None:
        """Take one more example in."""
        name = stratum_of(example)
        most = self._places.get(name, 0)
        if not most:
            return
        self._seen[name] += 1
        too_long = self._prefer_short and len(example.text) > MAX_SHOT_CHARACTERS
        item = _Last((too_long, content_id(example.text), self._seen[name]), example)
        heap = self._kept.setdefault(name, [])
        if len(heap) < most:
            heapq.heappush(heap, item)
        else:
            heapq.heappushpop(heap, item)

    def first(self, places: Mapping[str, int]) -> list[Example]:
        """Return the first examples of each stratum, one stratum after the other.

        Args:
            places: How many of each; no more than are kept.
        """
        return [example for name in sorted(places) for example in self._first(name, places[name])]

    def in_turns(self, count: int) -> list[Example]:
        """Return so many examples in turns, one of each stratum, as long as it has any."""
        queues = [self._first(name, count) for name in sorted(self._kept)]
        turns = (queue[turn] for turn in range(count) for queue in queues if turn < len(queue))
        return [example for example, _ in zip(turns, range(count), strict=False)]

    def _first(self, name: str, count: int) -> list[Example]:
        kept = sorted(self._kept.get(name, ()), key=lambda item: item.key)
        return [item.example for item in kept[:count]]


def stratified(read: Callable[[], Iterable[Example]], count: int) -> list[Example]:
    """Take a sample of so many examples in which each label has its share.

    Args:
        read: Goes through the examples from the beginning; it is called twice.
        count: How many to take; fewer are all taken.
    """
    places = proportional(Counter(map(stratum_of, read())), count)
    strata = Strata(places)
    for example in read():
        strata.add(example)
    return strata.first(places)


class _Last:
    """An example in a heap whose top has the greatest key."""

    __slots__ = ("example", "key")

    def __init__(self, key: tuple[bool, str, int], example: Example) -> None:
        self.key = key
        self.example = example

    def __lt__(self, other: "_Last") -> bool:
        return self.key > other.key
