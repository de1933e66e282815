"""What is done with a day's answers once the day (UTC) is over, each task once.

The least sure answers go to review, the day is exported, and the latest answers are compared with
those of the evaluation. Each only where its task asks for it.

Storage lists by name and not by time, so all of a task's results are listed for that, once a day.
"""

import heapq
import math
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from typing import BinaryIO, NamedTuple

from functions.watch_jobs.drift import RECENT, is_comparable, look_at_drift
from functions.watch_jobs.export import MEDIA_TYPES, csv_header, csv_lines, json_lines
from functions.watch_jobs.task_records import by_itself, each_task
from shared import log, open_work, paths
from shared.ports import World
from shared.record_store import change, read, read_or_tell
from shared.records import ChampionRecord, ResultRecord, TaskRecord, WatchRecord
from shared.task import Task

MOST_ANSWERS = 200_000
"""So many answers of a day and task are gathered; a function has nine minutes."""

SECONDS_A_TICK = 120.0
"""No task is begun later than this in one tick; jobs wait meanwhile."""

LISTING_SECONDS = 180.0
"""A task whose results take longer to be listed is left out; a page of 1,000 is a request."""

MOST_LISTED = 2000
"""So many of a task's latest results are gone through for the answers that drift looks at."""

MOST_DAYS = 7
"""Days further back are not made up for, when nobody watched."""

AT_ONCE = 50
"""So many results are held in memory; one with a long text has more than a megabyte."""

SHOWN = frozenset({"accepted", "review", "rejected"})
"""What a day's export holds: no document that waits, and no table, but each of its rows."""

_READERS = 16


def end_days(world: World) -> None:
    """Do what is to be done for the days that have ended, if it was not done before.

    A task with a record that cannot be read is told of, and left out for the day.

    Raises:
        Retry: Storage or Pub/Sub is not to be had; the next tick goes on with that task.
    """
    artifacts, began = world.buckets.artifacts, world.clock()
    yesterday = began.date() - timedelta(days=1)
    seen = read(artifacts, paths.WATCH, WatchRecord) or WatchRecord()
    if seen.answers_day is None:
        _note(world, yesterday, None)
        return
    if seen.answers_day >= yesterday and seen.answers_tasks is None:
        return
    day = _day(seen, yesterday)
    done = seen.answers_tasks or ()
    for task in each_task(world, paths.task_record, TaskRecord):
        if task.name in done:
            continue
        if (world.clock() - began).total_seconds() > SECONDS_A_TICK:
            return
        with by_itself(task.name, day=day.isoformat()):
            _end_day(world, task, day)
        done = (*done, task.name)
        _note(world, day, done)
    _note(world, day, None)


def _day(seen: WatchRecord, yesterday: date) -> date:
    """Return the day that is to be done: one that was begun, else the one after the last."""
    last = seen.answers_day or yesterday
    if seen.answers_tasks is not None:
        return last
    return max(last + timedelta(days=1), yesterday - timedelta(days=MOST_DAYS - 1))


def _note(world: World, day: date, tasks: tuple[str, ...] | None) -> None:
    """Note how far things are: the tasks of a day that are done, or None when all are."""

    def noted(old: WatchRecord | None) -> WatchRecord:
        update = {"answers_day": day, "answers_tasks": tasks}
        return (old or WatchRecord()).model_copy(update=update)

    change(world.buckets.artifacts, paths.WATCH, WatchRecord, noted)


def _end_day(world: World, record: TaskRecord, day: date) -> None:
    """Do for one task what it asks for."""
    serving = record.task.serving
    champion = read(world.buckets.artifacts, paths.champion(record.name), ChampionRecord)
    gathers = serving.daily_export != "off" or serving.review_share > 0
    drift_alert = "off" if champion is None else serving.drift_alert
    if not gathers and drift_alert == "off":
        return
    # A result that was written at midnight is of the day before.
    near = {day, day + timedelta(days=1)} if gathers else set()
    listed = _list_results(world, record.name, near)
    if listed is None:
        log.warning("a task has more results than are listed in time", task=record.name)
        return
    if gathers:
        task = champion.task if champion else record.task
        _gather(world, record, task, day, listed.of_days)
    if champion is not None and drift_alert != "off":
        recent = _recent(world, champion, listed.latest)
        look_at_drift(world, champion, recent, drift_alert)


class _Listed(NamedTuple):
    """Names of a task's results: those of some days, and the latest, the last one first."""

    of_days: Sequence[str]
    latest: Sequence[str]


def _list_results(world: World, task: str, days: Collection[date]) -> _Listed | None:
    """List a task's results, but hold on to few of them; None when that takes too long."""
    began = world.clock()
    of_days: list[str] = []
    latest: list[tuple[datetime, str]] = []
    for item in world.buckets.results.list(f"{task}/"):
        if (world.clock() - began).total_seconds() > LISTING_SECONDS:
            return None
        if not item.name.endswith(".json"):
            continue
        if item.updated.date() in days and len(of_days) <= MOST_ANSWERS:
            of_days.append(item.name)
        heapq.heappush(latest, (item.updated, item.name))
        if len(latest) > MOST_LISTED:
            heapq.heappop(latest)
    if len(of_days) > MOST_ANSWERS:
        log.warning("a day has more answers than are gathered", task=task)
    return _Listed(of_days[:MOST_ANSWERS], [name for _, name in sorted(latest, reverse=True)])


def _recent(world: World, champion: ChampionRecord, names: Sequence[str]) -> list[ResultRecord]:
    """Read the latest answers that drift can look at, without their texts."""
    recent: list[ResultRecord] = []
    for part in _read(world, names):
        found = [item for item in part if is_comparable(item, champion)]
        recent += [item.model_copy(update={"text": ""}) for item in found]
        if len(recent) >= RECENT:
            break
    return recent[:RECENT]


def _read(world: World, names: Sequence[str]) -> Iterator[list[ResultRecord]]:
    """Read results, some at a time."""
    with ThreadPoolExecutor(_READERS) as pool:
        for first in range(0, len(names), AT_ONCE):
            part = names[first : first + AT_ONCE]
            found = pool.map(lambda name: _read_one(world, name), part)
            yield [item for item in found if item is not None]


def _read_one(world: World, name: str) -> ResultRecord | None:
    """Read a result; the log does not name it, as its name is a document's."""
    return read_or_tell(world.buckets.results, name, ResultRecord)


def _gather(world: World, record: TaskRecord, task: Task, day: date, names: Sequence[str]) -> None:
    """Go through a day's answers once: export them, and send the least sure ones to review."""
    kind, share = record.task.serving.daily_export, record.task.serving.review_share
    accepted: list[tuple[float, str, int]] = []
    answers = 0
    with ExitStack() as stack:
        file: BinaryIO | None = None
        for part in _read(world, names):
            of_day = [item for item in part if item.at.date() == day and item.status in SHOWN]
            if kind != "off" and of_day:
                if file is None:
                    path = paths.daily_export(record.name, day, kind)
                    writing = world.buckets.results.open_write(path, MEDIA_TYPES[kind])
                    file = stack.enter_context(writing)
                    file.write(csv_header(task) if kind == "csv" else b"")
                lines = csv_lines(of_day, task) if kind == "csv" else json_lines(of_day)
                file.write(b"".join(lines))
            answered = [item for item in of_day if item.status in {"accepted", "review"}]
            answers += len(answered)
            accepted += [
                (item.confidence or 0.0, item.document, item.generation)
                for item in answered
                if item.status == "accepted" and item.text
            ]
    worst = heapq.nsmallest(math.ceil(share * answers), accepted)
    for _, document, generation in worst:
        identifier = paths.content_id(document, generation, "least sure of its day")
        event = {"document": document, "chosen": day.isoformat()}
        open_work.begin(world, "review", record.name, identifier, event)
    log.info("day gathered", task=record.name, day=day.isoformat(), answers=answers)
