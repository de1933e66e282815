"""Goes through the tasks, and keeps one task's broken record from the others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from shared import log
from shared.ports import World
from shared.record_store import BrokenRecord, read_or_tell
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
    names = (item.name for item in artifacts.list("tasks/"))
    for name in [name for name in names if name == path_of(_task_of(name))]:
        record = read_or_tell(artifacts, name, kind, task=_task_of(name))
        if record is not None:
            yield record


def _task_of(name: str) -> str:
    return name.split("/")[1]


@contextmanager
def by_itself(task: str, **about: object) -> Iterator[None]:
    """Tell of a task's record that cannot be read, and go on after what is done inside.

    Args:
        task: The task.
        about: What else the log is to say: ids, no texts.
    """
    try:
        yield
    except BrokenRecord as trouble:
        log.failure("a record needs a person", trouble, task=task, **about)
