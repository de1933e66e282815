"""Reads what was rejected, and whether that still stands."""

from shared.ports import Bucket, Buckets
from shared.record_store import read
from shared.records import RejectionRecord


def rejections(artifacts: Bucket) -> list[RejectionRecord]:
    """List what was rejected, oldest first."""
    found = [
        item
        for stored in artifacts.list("rejected/")
        if (item := read(artifacts, stored.name, RejectionRecord))
    ]
    return sorted(found, key=lambda item: item.at)


def current_rejections(buckets: Buckets) -> list[RejectionRecord]:
    """List the rejections of what is still there as it was: not replaced, and not deleted."""
    by_name = {bucket.name: bucket for bucket in (buckets.datasets, buckets.documents)}

    def is_current(rejection: RejectionRecord) -> bool:
        name, _, path = rejection.subject.removeprefix("gs://").partition("/")
        if name not in by_name:
            return True
        found = by_name[name].find(path)
        return found is not None and found.generation == rejection.generation

    return [item for item in rejections(buckets.artifacts) if is_current(item)]
