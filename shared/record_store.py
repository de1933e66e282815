"""Reads and writes records; they are changed only by compare-and-set on their generation."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from shared import log
from shared.errors import Conflict, NotFound, TunedropError
from shared.ports import Bucket
from shared.records import Record

R = TypeVar("R", bound=Record)


class BrokenRecord(TunedropError):
    """A record cannot be read: somebody changed it by hand, or a newer version wrote it."""


def load(bucket: Bucket, path: str, kind: type[R]) -> tuple[R, int] | None:
    """Read a record and its generation; None when there is none.

    Raises:
        BrokenRecord: The object there is not such a record.
    """
    try:
        content, generation = bucket.read(path)
    except NotFound:
        return None
    try:
        return kind.model_validate_json(content), generation
    except ValidationError as error:
        raise BrokenRecord(
            f"gs://{bucket.name}/{path} is not a {kind.__name__}: {error.error_count()} problems, "
            f"first at {error.errors()[0]['loc']}. Restore it, or delete it to have it made anew."
        ) from None


def read(bucket: Bucket, path: str, kind: type[R]) -> R | None:
    """Read a record; None when there is none. Raises BrokenRecord."""
    found = load(bucket, path, kind)
    return found[0] if found else None


def read_or_tell(bucket: Bucket, path: str, kind: type[R], **about: object) -> R | None:
    """Read a record; one that cannot be read is told of, and keeps nothing else from being done.

    Args:
        bucket: The bucket.
        path: Where the record is.
        kind: What it is.
        about: What the log is to say of it: ids, no texts.

    Returns:
        The record; None when there is none, or none that can be read.
    """
    try:
        return read(bucket, path, kind)
    except BrokenRecord as trouble:
        log.failure("a record needs a person", trouble, record=kind.__name__, **about)
        return None


def create(bucket: Bucket, path: str, record: Record) -> bool:
    """Write a record unless there is one already; say whether it was written."""
    try:
        bucket.write(path, encode(record), if_generation=0)
    except Conflict:
        return False
    return True


def replace(bucket: Bucket, path: str, record: Record, generation: int) -> int:
    """Write over the generation that was read and return the new one. Raises Conflict."""
    return bucket.write(path, encode(record), if_generation=generation)


def change(
    bucket: Bucket, path: str, kind: type[R], edit: Callable[[R | None], R | None], tries: int = 8
) -> R | None:
    """Change a record by compare-and-set, reading again when another writer was faster.

    Args:
        bucket: Where the record is.
        path: Its name.
        kind: Its model.
        edit: From the record as it is (None when there is none) to the record as it should be,
            or None to leave it alone. It may be called several times.
        tries: How often to try.

    Returns:
        The record as it now is.

    Raises:
        Conflict: Others were faster every time.
    """
    for attempt in range(tries):
        found = load(bucket, path, kind)
        old, generation = found or (None, 0)
        new = edit(old)
        if new is None or new == old:
            return old
        try:
            replace(bucket, path, new, generation)
        except Conflict:
            if attempt + 1 == tries:
                raise
        else:
            return new
    return None


def encode(record: Record) -> bytes:
    """Write a record as JSON that people can read."""
    return record.model_dump_json(indent=1).encode()
