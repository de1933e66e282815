"""Reads a dataset's splits: the held-out rows, and the examples that few-shot prompts show."""

import json
from collections import defaultdict
from collections.abc import Iterator

from shared import paths
from shared.examples import Example
from shared.paths import content_id
from shared.ports import Bucket
from shared.prompts import answer_text, example_of_line
from shared.records import DatasetRecord

MAX_SHOT_CHARACTERS = 2000
"""Longer examples are left out of few-shot prompts as long as there are others."""


def held_out_rows(
    bucket: Bucket, dataset: DatasetRecord, split: str, max_rows: int
) -> list[Example]:
    """Read the rows that every candidate is measured on, the same ones in the same order.

    Args:
        bucket: The artifacts bucket.
        dataset: The dataset.
        split: validation or test.
        max_rows: With more rows than this, those with the smallest hashes are taken.
    """
    rows = list(_examples(bucket, dataset, split))
    rows.sort(key=lambda row: content_id(row.text))
    return rows[:max_rows]


def choose_shots(bucket: Bucket, dataset: DatasetRecord, count: int) -> list[Example]:
    """Choose the examples of a few-shot prompt: balanced over the labels, by smallest hash."""
    by_stratum: dict[str, list[tuple[bool, str, Example]]] = defaultdict(list)
    for example in _examples(bucket, dataset, "train"):
        stratum = "" if isinstance(example.answer, dict) else answer_text(example.answer)
        too_long = len(example.text) > MAX_SHOT_CHARACTERS
        kept = by_stratum[stratum]
        kept.append((too_long, content_id(example.text), example))
        kept.sort(key=lambda item: item[:2])
        del kept[count:]
    queues = [by_stratum[stratum] for stratum in sorted(by_stratum, key=content_id)]
    shots: list[Example] = []
    for depth in range(count):
        for queue in queues:
            if depth < len(queue) and len(shots) < count:
                shots.append(queue[depth][2])
    return shots


def _examples(bucket: Bucket, dataset: DatasetRecord, split: str) -> Iterator[Example]:
    """Go through the examples of a split."""
    path = paths.split_file(dataset.task_name, dataset.id, split)
    with bucket.open_read(path) as stream:
        for line in stream:
            yield example_of_line(dataset.task, json.loads(line))
