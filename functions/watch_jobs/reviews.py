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
from typing import NamedTuple

from functions.watch_jobs.task_records import by_itself
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

    One file's trouble does not keep the others from being written. An answer whose result cannot
    be read stays marked, until a person restores or deletes the result.

    Raises:
        Retry: Storage is not to be had, or somebody else wrote a file; the next tick gathers
            what is still marked.
    """
    markers = list(islice(open_work.each(world, "review"), MOST_A_TICK))
    taken: list[str] = []
    for first in range(0, len(markers), AT_ONCE):
        taken += _gather(world, markers[first : first + AT_ONCE])
    if taken:
        raise Retry(f"somebody else wrote {len(taken)} review files, such as {taken[0]}")


def _gather(world: World, markers: Sequence[OpenMarker]) -> list[str]:
    """Put a few answers into their files, and take their marks away.

    Returns:
        The files that somebody else wrote meanwhile, whose answers stay marked.
    """
    days: dict[tuple[str, date], list[_Marked]] = defaultdict(list)
    done: list[OpenMarker] = []
    taken: list[str] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for marked in pool.map(lambda marker: _look_up(world, marker), markers):
            if marked is None:
                continue
            if marked.line is None:
                done.append(marked.marker)
            else:
                days[marked.marker.task_name, marked.line.at.date()].append(marked)
        for (task, day), found in days.items():
            lines = [item.line for item in found if item.line is not None]
            try:
                added = merge(world.buckets.results, task, day, lines)
            except Conflict:
                taken.append(paths.review_file(task, day))
                continue
            done += [item.marker for item in found]
            log.info("answers gathered for review", task=task, day=day.isoformat(), added=added)
        list(pool.map(lambda marker: _finish(world, marker), done))
    return taken


def merge(
    results: Bucket,
    task: str,
    day: date,
    lines: Sequence[ReviewLine],
    max_bytes: int = MAX_FILE_BYTES,
) -> int:
    """Add lines to a day's file, unless they are in it already.

    A line gives way to one about a later generation of its document, or to the champion's answer
    where it is a provisional one; it stands where it stood. What a person left in the file that is
    no such line, an empty one too, stays as it is.

    Returns:
        How many lines were added or replaced.
    """
    files = _files(results, task, day)
    places = {name: file for file in files for name in file.lines}
    changed: set[int] = set()
    added = beyond = 0
    for line in sorted(lines, key=lambda item: (item.at, item.document)):
        content = line.model_dump_json().encode()
        file = places.get(line.document)
        if file is not None and not _is_newer(line, file.lines[line.document]):
            continue
        if file is None and files[-1].lines and files[-1].size + len(content) > max_bytes:
            if len(files) == MAX_FILES:
                beyond += 1
                continue
            files.append(_File(len(files) + 1))
        file = file or files[-1]
        file.lines[line.document] = content
        places[line.document] = file
        changed.add(file.part)
        added += 1
    if beyond:
        log.warning("a day has no room for more answers to review", task=task, beyond=beyond)
    for file in files:
        if file.part in changed:
            name = paths.review_file(task, day, file.part)
            content = b"".join(item + b"\n" for item in file.lines.values())
            results.write(name, content, file.generation, "application/jsonl")
    return added


@dataclass
class _File:
    """One file of a day: its lines by document, or by number where they are none of ours."""

    part: int
    generation: int = 0
    lines: dict[str | int, bytes] = field(default_factory=dict)

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
        file = _File(part, generation)
        for number, line in enumerate(content.splitlines()):
            known = _known(line)
            file.lines[known.document if known else number] = line
        files.append(file)
    return files or [_File(1)]


class _Known(NamedTuple):
    """What a line is about; of two about one document, the higher rank stays."""

    document: str
    rank: tuple[int, bool]


def _known(line: bytes) -> _Known | None:
    """Read a line of a file that people open in editors; None for what is no line of ours."""
    try:
        said = json.loads(line)
        return _Known(str(said["document"]), (int(said["generation"]), not said["provisional"]))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _is_newer(line: ReviewLine, old: bytes) -> bool:
    """Whether a line takes the place of one about the same document."""
    known = _known(old)
    return known is None or (line.generation, not line.provisional) > known.rank


class _Marked(NamedTuple):
    """A marked answer; its line is None when it is not to be reviewed any more."""

    marker: OpenMarker
    line: ReviewLine | None


def _look_up(world: World, marker: OpenMarker) -> _Marked | None:
    """Read a marked answer; None when its result needs a person first."""
    with by_itself(marker.task_name, review=marker.id):
        return _Marked(marker, _line(world, marker))
    return None


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
