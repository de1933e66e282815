"""Reads a dataset's splits, and the rows that every candidate is measured on."""

import json
from collections.abc import Iterator

from functions.evaluate_model.strata import stratified
from shared import paths
from shared.examples import Example
from shared.paths import content_id
from shared.ports import Bucket
from shared.prompts import example_of_line
from shared.records import DatasetRecord


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
    rows = stratified(lambda: read_split(bucket, dataset, split), max_rows)
    return sorted(rows, key=lambda row: content_id(row.text))


def read_split(bucket: Bucket, dataset: DatasetRecord, split: str) -> Iterator[Example]:
    """Go through the examples of a split."""
    path = paths.split_file(dataset.task_name, dataset.id, split)
    with bucket.open_read(path) as stream:
        for line in stream:
            yield example_of_line(dataset.task, json.loads(line))
