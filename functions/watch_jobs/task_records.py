"""Goes through one record of every task."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from shared import log
from shared.ports import World
from shared.record_store import BrokenRecord, read
from shared.records import Record

R = TypeVar("R", bound=Record)


def each_task(world: World, path_of: Callable[[str], str], kind: type[R]) -> Iterator[R]:
    """Go through the tasks by name; a record that cannot be read is told of and left out.

    Args:
        world: The ports.
        path_of: Says where a task's record is.
        kind: What it is.
    """
    artifacts = world.buckets.artifacts
    for item in list(artifacts.list("tasks/")):
        task = item.name.split("/")[1]
        if item.name != path_of(task):
            continue
        try:
            record = read(artifacts, item.name, kind)
        except BrokenRecord as trouble:
            log.failure("a record needs a person", trouble, task=task, record=kind.__name__)
            continue
        if record is not None:
            yield record
