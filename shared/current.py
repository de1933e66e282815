"""Which of a task's datasets counts: the one that is measured, tuned on and shown."""

from datetime import datetime

from shared.ports import Bucket
from shared.record_store import read
from shared.records import DatasetRecord


def current_dataset(artifacts: Bucket, task: str) -> DatasetRecord | None:
    """Read the dataset of a task that counts; None when it has none. Raises BrokenRecord."""
    return max(datasets_of(artifacts, task), key=standing, default=None)


def datasets_of(artifacts: Bucket, task: str) -> list[DatasetRecord]:
    """Read all datasets of a task. Raises BrokenRecord."""
    return [
        record
        for stored in artifacts.list(f"tasks/{task}/datasets/")
        if stored.name.endswith("/dataset.json")
        and (record := read(artifacts, stored.name, DatasetRecord))
    ]


def standing(record: DatasetRecord) -> tuple[int, int, datetime, str]:
    """Return what datasets of one task are ordered by; the last one counts.

    The latest upload, of a file, task.yaml or corrections, chose it. When it was made says little:
    a new task.yaml converts all files again, and may find an earlier dataset to be the right one.
    """
    return record.chosen_by or 0, record.source_generation, record.created, record.id
