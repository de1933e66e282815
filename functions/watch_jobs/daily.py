"""What is done with a day's answers once the day (UTC) is over, each task once.

The least sure answers go to review, the day is exported, and the latest answers are compared with
those of the evaluation. Each only where its task asks for it.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date, timedelta
from typing import BinaryIO

from functions.watch_jobs.drift import RECENT, look_at_drift
from functions.watch_jobs.export import MEDIA_TYPES, csv_header, csv_lines, json_lines
from functions.watch_jobs.task_records import by_itself, each_task
from shared import log, open_work, paths
from shared.ports import StoredObject, World
from shared.record_store import BrokenRecord, change, read
from shared.records import ChampionRecord, ResultRecord, TaskRecord, WatchRecord
from shared.task import Task

MOST_ANSWERS = 200_000
"""So many answers of a day and task are gathered; a function has nine minutes."""

SECONDS_A_TICK = 120.0
"""No task is begun later than this in one tick; jobs wait meanwhile."""

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
    drift_alert, exports = serving.drift_alert, serving.daily_export != "off"
    if drift_alert == "off" and not exports and not serving.review_share:
        return
    champion = read(world.buckets.artifacts, paths.champion(record.name), ChampionRecord)
    task = champion.task if champion else record.task
    found = list(_results(world, record.name))
    if exports or serving.review_share:
        # A result that was written at midnight is of the day before.
        near = {day, day + timedelta(days=1)}
        of_day = [item.name for item in found if item.updated.date() in near]
        if len(of_day) > MOST_ANSWERS:
            log.warning("a day has more answers than are gathered", task=record.name)
        _gather(world, record, task, day, of_day[:MOST_ANSWERS])
    if drift_alert != "off" and champion is not None:
        latest = heapq.nlargest(RECENT, found, key=lambda item: (item.updated, item.name))
        recent = [
            item.model_copy(update={"text": ""})
            for part in _read(world, [stored.name for stored in latest])
            for item in part
        ]
        look_at_drift(world, champion, recent, drift_alert)


def _results(world: World, task: str) -> Iterator[StoredObject]:
    """List a task's results, and nothing else that is beside them."""
    for item in world.buckets.results.list(f"{task}/"):
        if item.name.endswith(".json"):
            yield item


def _read(world: World, names: Sequence[str]) -> Iterator[list[ResultRecord]]:
    """Read results, some at a time."""
    with ThreadPoolExecutor(_READERS) as pool:
        for first in range(0, len(names), AT_ONCE):
            part = names[first : first + AT_ONCE]
            found = pool.map(lambda name: _read_one(world, name), part)
            yield [item for item in found if item is not None]


def _read_one(world: World, name: str) -> ResultRecord | None:
    """Read a result; one that cannot be read must not keep the others from being gathered."""
    try:
        return read(world.buckets.results, name, ResultRecord)
    except BrokenRecord as trouble:
        log.failure("a result needs a person", trouble)
        return None


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
