"""Looks at all open work. An event that was lost is made up for here."""

from collections.abc import Callable
from datetime import timedelta

from functions.watch_jobs.batches import follow_batches
from functions.watch_jobs.daily import end_days
from functions.watch_jobs.money import reconcile
from functions.watch_jobs.retirement import look_at_champions
from functions.watch_jobs.reviews import gather_reviews
from functions.watch_jobs.task_records import by_itself
from shared import log, open_work, paths
from shared.endpoints import remove_given_up
from shared.errors import Retry
from shared.jobs import advance_jobs
from shared.lifecycle import TERMINAL
from shared.ports import BatchService, TuningService, World
from shared.record_store import read, read_or_tell
from shared.records import ChampionRecord, JobRecord, OpenMarker, RunRecord

_MOST_DOUBLINGS = 20
_LONGEST_WAIT = timedelta(days=1)


def tick(world: World, tuning: TuningService, batches: BatchService) -> None:
    """Follow batches, then look at all other work, whatever became of the batches.

    Raises:
        Retry: Some of it could not be looked at; the next tick does.
        BrokenRecord: A record cannot be read, and needs a person.
    """
    try:
        follow_batches(world, batches)
    finally:
        watch(world, tuning)


def watch(world: World, tuning: TuningService) -> None:
    """Move jobs on, then publish again what was waited for too long.

    The parts are independent: what fails in one does not keep the others from being done.

    Raises:
        Retry: Some of it could not be looked at; the next tick does.
        BrokenRecord: A record cannot be read, and needs a person.
        Exception: A bug in one of the parts.
    """
    failed: list[Exception] = []
    for step in STEPS:
        try:
            step(world, tuning)
        except Retry as error:
            log.warning("a part of the tick is tried again")
            failed.append(error)
        except Exception as error:  # noqa: BLE001 - raised below, once the other parts are done
            log.failure("a part of the tick needs a person", error)
            failed.append(error)
    if failed:
        raise failed[0]


def _is_overdue(world: World, marker: OpenMarker) -> bool:
    """Whether work has been open for so long that its event must have been lost.

    Reviving what fails each time costs model calls, so each time it waits twice as long.
    """
    first = timedelta(seconds=world.settings.revive_after_seconds)
    doublings = min(marker.revived, _MOST_DOUBLINGS)
    patience = min(first * (1 << doublings), max(first, _LONGEST_WAIT))
    return world.clock() - marker.since > patience


def _wake_documents(world: World) -> None:
    """Publish the documents that waited for a champion, once there is one."""
    for task in open_work.tasks(world, "document"):
        path = paths.champion(task)
        if read_or_tell(world.buckets.artifacts, path, ChampionRecord, task=task) is None:
            continue
        for marker in open_work.each(world, "document", task):
            world.publisher.publish("document-arrived", marker.event)
            open_work.finish(world, "document", task, marker.id)


def _revive_datasets(world: World) -> None:
    """Publish datasets again that nobody has measured."""
    for marker in open_work.each(world, "dataset"):
        if _is_overdue(world, marker):
            log.warning("reviving a dataset", task=marker.task_name, dataset=marker.id)
            message = {"task": marker.task_name, "dataset": marker.id}
            world.publisher.publish("dataset-converted", message)
            open_work.postpone(world, marker, marker.revived + 1)


def _revive_runs(world: World) -> None:
    """Publish runs again whose jobs have all ended but that have no verdict."""
    for marker in open_work.each(world, "run"):
        if _is_overdue(world, marker):
            with by_itself(marker.task_name, run=marker.id):
                _revive_run(world, marker)


def _revive_run(world: World, marker: OpenMarker) -> None:
    """Publish one run again if it waits for its verdict."""
    path = paths.run_record(marker.task_name, marker.id)
    run = read(world.buckets.artifacts, path, RunRecord)
    if run is None or run.state == "closed":
        open_work.finish(world, "run", marker.task_name, marker.id)
        return
    jobs = [paths.job_record(run.task_name, run.id, job) for job in run.jobs]
    records = [read(world.buckets.artifacts, job, JobRecord) for job in jobs]
    ended = all(record and record.state in TERMINAL for record in records)
    revived = 0
    if ended or run.state == "refused":
        log.warning("reviving a run", task=run.task_name, run=run.id)
        message = {"task": run.task_name, "run": run.id}
        world.publisher.publish("tuning-completed", message)
        revived = marker.revived + 1
    open_work.postpone(world, marker, revived)


STEPS: tuple[Callable[[World, TuningService], None], ...] = (
    advance_jobs,
    reconcile,
    lambda world, _: _wake_documents(world),
    lambda world, _: _revive_datasets(world),
    lambda world, _: _revive_runs(world),
    lambda world, _: look_at_champions(world),
    lambda world, _: gather_reviews(world),
    remove_given_up,
    lambda world, _: end_days(world),
)
"""What a tick does, in this order; no step needs what an earlier one has come to.

The day's end comes last: it can take minutes, and what cuts it short cuts short nothing else.
"""
