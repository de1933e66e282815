"""The list of unfinished work: one small marker for each thing that is open.

A marker is written before the event that opened the work is acknowledged, and deleted once the
work is finished: whatever a crash or a lost event leaves behind is found by listing one prefix.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from shared import paths
from shared.ports import World
from shared.record_store import change, create, read_or_tell
from shared.records import OpenMarker

Kind = Literal["dataset", "run", "document", "endpoints", "batch", "review"]


def begin(
    world: World, kind: Kind, task: str, identifier: str, event: Mapping[str, str] | None = None
) -> None:
    """Mark work as open; marking it twice changes nothing.

    Args:
        world: The ports.
        kind: What is open.
        task: The task it belongs to.
        identifier: Its id.
        event: What the watcher publishes to revive it, when that does not follow from the id.
    """
    marker = OpenMarker(
        kind=kind, task_name=task, id=identifier, since=world.clock(), event=dict(event or {})
    )
    create(world.buckets.artifacts, paths.open_marker(kind, task, identifier), marker)


def finish(world: World, kind: Kind, task: str, identifier: str) -> None:
    """Unmark work; it is fine when it is not marked."""
    world.buckets.artifacts.delete(paths.open_marker(kind, task, identifier))


def tasks(world: World, kind: Kind) -> list[str]:
    """List the tasks that have open work of a kind, without reading any of it."""
    found = world.buckets.artifacts.list(f"open/{kind}/")
    return sorted({item.name.split("/")[2] for item in found})


def each(world: World, kind: Kind, task: str = "") -> Iterator[OpenMarker]:
    """Go through the open work of a kind, by name; of one task, or of all.

    A marker that cannot be read is told of, and keeps no other work from being looked at.
    """
    prefix = f"open/{kind}/{task}/" if task else f"open/{kind}/"
    for found in list(world.buckets.artifacts.list(prefix)):
        marker = read_or_tell(world.buckets.artifacts, found.name, OpenMarker, marker=found.name)
        if marker is not None:
            yield marker


def postpone(world: World, marker: OpenMarker, revived: int = 0) -> None:
    """Count a marker's age from now, and how often its work was published again."""
    _renew(world, marker.kind, marker.task_name, marker.id, {"revived": revived})


def touch(world: World, kind: Kind, task: str, identifier: str) -> None:
    """Count a marker's age from now: its work goes on; it is fine when it is not marked."""
    _renew(world, kind, task, identifier, {})


def _renew(
    world: World, kind: Kind, task: str, identifier: str, update: Mapping[str, object]
) -> None:
    def later(old: OpenMarker | None) -> OpenMarker | None:
        return old.model_copy(update={"since": world.clock(), **update}) if old else None

    path = paths.open_marker(kind, task, identifier)
    change(world.buckets.artifacts, path, OpenMarker, later)
