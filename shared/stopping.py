"""When sampling stops: once further samples would hardly change who wins the vote.

The rule is the Beta criterion of Aggarwal et al. 2023, "Let's Sample Step by Step:
Adaptive-Consistency for Efficient Reasoning and Coding with LLMs": the two most frequent answers
are held against each other, and it is asked how probable it is that the leader really is the more
frequent one. docs/decisions/0013-sampling.md says why it is this rule.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from shared.examples import Answer
from shared.normalise import value_key

MOST_SAMPLES = 8
"""The most that serving.samples can be, as one request gives so many candidates at most."""


def lead_probability(first: int, second: int) -> float:
    """Return how probable it is that the leader of two answers is the more frequent one.

    That is P(x > 1/2) for x of Beta(first + 1, second + 1), which every share was equally probable
    for before the votes were counted. With whole numbers it is a sum over tosses of a coin.

    Args:
        first: The leader's votes.
        second: The runner-up's votes.
    """
    tosses = first + second + 1
    ways = sum(math.comb(tosses, heads) for heads in range(first + 1))
    return math.ldexp(ways, -tosses)


def still_needed(samples: Sequence[Answer | None], stop_at: float, most: int) -> int:
    """Return how many more samples it takes at least; 0 when sampling stops.

    Several labels and fields are settled one by one, and it stops when all of them are. A sample
    that is no answer counts as a vote for an answer of its own.

    Args:
        samples: The parsed samples so far; None for one that is not an answer.
        stop_at: How probable it has to be that the leader is the more frequent answer; 1 for never.
        most: How many samples are the most that are taken.
    """
    left = most - len(samples)
    if left <= 0:
        return 0
    return min(left, max(_further(first, second, stop_at) for first, second in _races(samples)))


def counted(samples: Sequence[Answer | None], stop_at: float, most: int) -> Sequence[Answer | None]:
    """Return the samples that count, those up to where sampling stops, however many there are."""
    number = 0
    while number < len(samples) and (more := still_needed(samples[:number], stop_at, most)):
        number += more
    return samples[:number]


@lru_cache(maxsize=1024)
def _further(first: int, second: int, stop_at: float) -> int:
    """Return how many votes in a row the leader lacks; as many as there can be, if it lacks more.

    For anybody else to win it takes more of them.
    """
    for more in range(MOST_SAMPLES):
        if stop_at < 1 and lead_probability(first + more, second) >= stop_at:
            return more
    return MOST_SAMPLES


def _races(samples: Sequence[Answer | None]) -> list[tuple[int, int]]:
    """Return the votes of the first two in each race: for the label, for each label or field."""
    read = [sample for sample in samples if sample is not None]
    invalid = len(samples) - len(read)
    records = [sample for sample in read if isinstance(sample, Mapping)]
    if records:
        values = [[value_key(record.get(name)) for record in records] for name in records[0]]
        return [_first_two(Counter(said), invalid) for said in values] or [(len(records), invalid)]
    lists = [sample for sample in read if isinstance(sample, list)]
    if lists:
        total, counts = len(lists), Counter(name for names in lists for name in set(names))
        sides = [Counter(yes=count, no=total - count) for count in counts.values()]
        # About a label that no list has, all of them agree.
        return [(total, invalid), *(_first_two(side, invalid) for side in sides)]
    return [_first_two(Counter(map(str, read)), invalid)]


def _first_two(votes: Mapping[Any, int], invalid: int) -> tuple[int, int]:
    """Return the two largest of the votes, those that are no answer being one of them."""
    first, second, *_ = sorted((*votes.values(), invalid, 0, 0), reverse=True)
    return first, second
