"""Reads what was rejected, and whether that still stands."""

from functools import cache

from local.folders import TASK_FILE
from local.summary import labelled_files
from shared.current import datasets_of
from shared.ports import Bucket, Buckets, StoredObject
from shared.record_store import read
from shared.records import DatasetRecord, RejectionRecord


def rejections(artifacts: Bucket) -> list[RejectionRecord]:
    """List what was rejected, oldest first."""
    found = [
        item
        for stored in artifacts.list("rejected/")
        if (item := read(artifacts, stored.name, RejectionRecord))
    ]
    return sorted(found, key=lambda item: item.at)


def current_rejections(buckets: Buckets) -> list[RejectionRecord]:
    """List the rejections of what is still there as it was, and was not converted since."""
    by_name = {bucket.name: bucket for bucket in (buckets.datasets, buckets.documents)}

    @cache
    def converted(task: str) -> list[DatasetRecord]:
        return datasets_of(buckets.artifacts, task)

    def is_current(rejection: RejectionRecord) -> bool:
        bucket, path = split_subject(rejection.subject)
        if bucket not in by_name:
            return True
        found = by_name[bucket].find(path)
        if found is None or found.generation != rejection.generation:
            return False
        if bucket != buckets.datasets.name:
            return True
        task = path.partition("/")[0]
        if path == f"{task}/{TASK_FILE}":
            return not _all_converted(buckets.datasets, task, found, converted(task))
        return not any(
            (item.source_object, item.source_generation) == (path, found.generation)
            and item.created > rejection.at
            for item in converted(task)
        )

    return [item for item in rejections(buckets.artifacts) if is_current(item)]


def split_subject(subject: str) -> tuple[str, str]:
    """Divide what a rejection is about into a bucket and an object's name; both may be empty."""
    if not subject.startswith("gs://"):
        return "", ""
    bucket, _, path = subject.removeprefix("gs://").partition("/")
    return bucket, path


def _all_converted(
    bucket: Bucket, task: str, task_file: StoredObject, datasets: list[DatasetRecord]
) -> bool:
    """Whether every labelled file of a task was converted since its task.yaml was uploaded.

    A task.yaml is also rejected when a file beside it is, whose successor settles that.
    """
    converted = {
        (item.source_object, item.source_generation)
        for item in datasets
        if item.created > task_file.updated
    }
    files = labelled_files(bucket, task)
    return bool(files) and all((file.name, file.generation) in converted for file in files)
