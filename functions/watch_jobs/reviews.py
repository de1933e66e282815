"""Gathers the answers that a person should look at into one file a day and task.

An object takes about one write a second, and many instances answer at once. So each of them only
marks an answer, and the one watcher writes the day's file by compare-and-set, then takes the marks
away. docs/decisions/0014-review.md.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from shared import log, open_work, paths
from shared.errors import Conflict, NotFound, Retry
from shared.ports import Bucket, World
from shared.record_store import read
from shared.records import OpenMarker, ResultRecord, ReviewLine

MOST_A_TICK = 1000
"""So many answers are gathered in one tick; the next one goes on."""

AT_ONCE = 50
"""So many are held in memory; a long text has more than a megabyte."""

MAX_FILE_BYTES = 10_000_000
"""A day's file that would be larger is followed by another one."""

MAX_FILES = 5
"""No day has more than these. What is beyond has its result, which says that it is for review."""

BELOW = "Its confidence is below serving.review_below."

_READERS = 16


def gather_reviews(world: World) -> None:
    """Put the answers that are marked into their day's file, each document once.

    Raises:
        Retry: Storage is not to be had, or somebody else wrote the file; the next tick gathers
            what is still marked.
    """
    markers = list(islice(open_work.each(world, "review"), MOST_A_TICK))
    for first in range(0, len(markers), AT_ONCE):
        _gather(world, markers[first : first + AT_ONCE])


def _gather(world: World, markers: Sequence[OpenMarker]) -> None:
    """Put a few answers into their files, and take their marks away."""
    with ThreadPoolExecutor(_READERS) as pool:
        lines = list(pool.map(lambda marker: _line(world, marker), markers))
        days: dict[tuple[str, date], list[ReviewLine]] = defaultdict(list)
        for marker, line in zip(markers, lines, strict=True):
            if line is not None:
                days[marker.task_name, line.at.date()].append(line)
        for (task, day), found in days.items():
            try:
                added = merge(world.buckets.results, task, day, found)
            except Conflict:
                raise Retry(f"the review file of {day} was written by somebody else") from None
            log.info("answers gathered for review", task=task, day=day.isoformat(), added=added)
        list(pool.map(lambda marker: _finish(world, marker), markers))


def merge(
    results: Bucket,
    task: str,
    day: date,
    lines: Sequence[ReviewLine],
    max_bytes: int = MAX_FILE_BYTES,
) -> int:
    """Add lines to a day's file, unless they are in it already.

    A line gives way to one about a later generation of its document, or to the champion's answer
    where it is a provisional one; it stands where it stood.

    Returns:
        How many lines were added or replaced.
    """
    files = _files(results, task, day)
    places = {name: file for file in files for name in file.lines}
    changed: set[int] = set()
    added = 0
    for line in sorted(lines, key=lambda item: (item.at, item.document)):
        content = line.model_dump_json().encode()
        file = places.get(line.document)
        if file is not None and not _is_newer(line, file.lines[line.document]):
            continue
        if file is None and files[-1].lines and files[-1].size + len(content) > max_bytes:
            if len(files) == MAX_FILES:
                log.warning("a day has no room for more answers to review", task=task)
                break
            files.append(_File(len(files) + 1))
        file = file or files[-1]
        file.lines[line.document] = content
        places[line.document] = file
        changed.add(file.part)
        added += 1
    for file in files:
        if file.part in changed:
            name = paths.review_file(task, day, file.part)
            content = b"".join(item + b"\n" for item in file.lines.values())
            results.write(name, content, file.generation, "application/jsonl")
    return added


@dataclass
class _File:
    """One file of a day: its lines by document, in their order."""

    part: int
    generation: int = 0
    lines: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.lines.values()))


def _files(results: Bucket, task: str, day: date) -> list[_File]:
    """Read a day's files; there is at least the first one."""
    files: list[_File] = []
    for part in range(1, MAX_FILES + 1):
        try:
            content, generation = results.read(paths.review_file(task, day, part))
        except NotFound:
            break
        lines = {json.loads(line)["document"]: line for line in content.splitlines()}
        files.append(_File(part, generation, lines))
    return files or [_File(1)]


def _is_newer(line: ReviewLine, known: bytes) -> bool:
    """Whether a line takes the place of one about the same document."""
    old = json.loads(known)
    rank = (line.generation, not line.provisional)
    return rank > (old["generation"], not old["provisional"])


def _line(world: World, marker: OpenMarker) -> ReviewLine | None:
    """Make the line of a marked answer; None when it is not to be reviewed any more."""
    path = paths.result(marker.event["document"])
    result = read(world.buckets.results, path, ResultRecord)
    chosen = "chosen" in marker.event
    if result is None or result.provenance is None:
        return None
    if result.status != "review" and not (chosen and result.status == "accepted"):
        return None
    doubt = "It is one of the least sure answers of its day." if chosen else BELOW
    return ReviewLine(
        document=result.document,
        location=result.provenance.document,
        generation=result.generation,
        row=result.row,
        text=result.text,
        answer=result.answer,
        confidence=result.confidence,
        alternatives=result.alternatives,
        reason=result.reason or doubt,
        provisional=result.provisional,
        at=result.at,
    )


def _finish(world: World, marker: OpenMarker) -> None:
    open_work.finish(world, "review", marker.task_name, marker.id)
