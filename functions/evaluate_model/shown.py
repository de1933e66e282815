"""What prompts show of the training split: examples, and which fields hold lists."""

from collections import Counter
from dataclasses import dataclass

from functions.evaluate_model.held_out import read_split
from functions.evaluate_model.strata import Strata, balanced, proportional, stratum_of
from shared.examples import Answer, Example, ListKind
from shared.ports import Bucket
from shared.records import DatasetRecord

POOL_EXAMPLES = 2000
"""So many examples are there to be picked from; comparing a text with them takes a few ms."""


@dataclass(frozen=True)
class Shown:
    """What prompts show.

    Attributes:
        shots: The examples of a few-shot prompt, balanced over the labels.
        pool: The examples that the nearest are picked from: each label has its share of them.
        list_fields: Which fields hold lists.
    """

    shots: tuple[Example, ...]
    pool: tuple[Example, ...]
    list_fields: dict[str, ListKind]


def choose_shown(bucket: Bucket, dataset: DatasetRecord, count: int) -> Shown:
    """Go through the training examples twice and choose: count them, then keep those chosen.

    Args:
        bucket: The artifacts bucket.
        dataset: The dataset.
        count: How many examples a few-shot prompt holds.
    """
    sizes = Counter[str]()
    lists = dict.fromkeys(dataset.task.field_names, False)
    texts = dict.fromkeys(dataset.task.field_names, False)
    for example in read_split(bucket, dataset, "train"):
        sizes[stratum_of(example)] += 1
        for name in lists:
            value = _value(example.answer, name)
            lists[name] |= isinstance(value, list)
            texts[name] |= isinstance(value, str)
    shots, pool = balanced(sizes, count), proportional(sizes, POOL_EXAMPLES)
    kept = {name: max(shots.get(name, 0), pool.get(name, 0)) for name in {**shots, **pool}}
    strata = Strata(kept, prefer_short=True)
    for example in read_split(bucket, dataset, "train"):
        strata.add(example)
    return Shown(
        tuple(strata.in_turns(count)),
        tuple(strata.first(pool)),
        {name: "sometimes" if texts[name] else "always" for name in lists if lists[name]},
    )


def _value(answer: Answer, name: str) -> object:
    return None if isinstance(answer, str | list) else answer.get(name)
