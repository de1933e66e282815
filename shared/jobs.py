"""Moves tuning jobs on, all of them, in a fair order.

launch_tuning calls this once its run is recorded, watch_jobs at every tick; both go the same way,
and any number of them may do so at the same time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from shared import lifecycle, log, open_work, paths
from shared.errors import Conflict, Retry, TunedropError
from shared.job_steps import OpenJob, advance_job
from shared.kill_switch import read_switch
from shared.ports import TuningService, World
from shared.record_store import BrokenRecord, create, read, read_or_tell
from shared.records import JobRecord, RunRecord


def advance_jobs(world: World, tuning: TuningService) -> None:
    """Follow every live job of every open run, then start what fits into the quota.

    One job's trouble does not keep the others from being looked at.

    Raises:
        Retry: The service could not be asked about some of them.
    """
    jobs = list(open_jobs(world))
    if not jobs:
        return
    switch = read_switch(world)
    troubles: list[str] = []
    waiting: list[OpenJob] = []
    live: list[OpenJob] = []
    for job in jobs:
        waits = _is_waiting(world, job)
        if waits and not job.run.cancel_requested:
            waiting.append(job)
            continue
        cancel = job.run.cancel_requested or (switch is not None and switch.cancel_running)
        if _is_live(_move(world, tuning, job, troubles, cancel=cancel)):
            live.append(job)
    if switch is None:
        _start(world, tuning, waiting, live, troubles)
    elif waiting:
        log.warning("the kill switch is on, so no job is created", waiting=len(waiting))
    if troubles:
        raise Retry(f"{len(troubles)} jobs could not be looked at: {'; '.join(troubles[:3])}")


def _start(
    world: World,
    tuning: TuningService,
    waiting: Sequence[OpenJob],
    live: Sequence[OpenJob],
    troubles: list[str],
) -> None:
    """Start what fits: of the task that has the fewest live jobs, the one that waits longest."""
    left, of_task = list(waiting), Counter(job.run.task_name for job in live)
    while of_task.total() < world.settings.max_concurrent_jobs:
        fits = [job for job in left if of_task[job.run.task_name] < job.run.max_concurrent_jobs]
        if not fits:
            return
        job = min(fits, key=lambda job: of_task[job.run.task_name])
        left.remove(job)
        record = _move(world, tuning, job, troubles)
        if record is not None and (record.state, record.error) == ("queued", lifecycle.NO_ROOM):
            return
        if _is_live(record):
            of_task[job.run.task_name] += 1


def open_jobs(world: World) -> Iterator[OpenJob]:
    """List the jobs of the open runs, oldest run first and in the order of its plan."""
    runs: list[RunRecord] = []
    for marker in open_work.each(world, "run"):
        path = paths.run_record(marker.task_name, marker.id)
        run = read_or_tell(world.buckets.artifacts, path, RunRecord, run=path)
        if run is not None and run.state == "open":
            runs.append(run)
    for run in sorted(runs, key=lambda item: (item.created, item.id)):
        for job in run.jobs:
            yield OpenJob(run, job)


def _is_waiting(world: World, job: OpenJob) -> bool:
    """Whether a job waits to be started; one that cannot be read does not."""
    try:
        return _record(world, job).state in lifecycle.WAITING
    except BrokenRecord:
        return False


def _is_live(record: JobRecord | None) -> bool:
    """Whether a job takes up room; one that cannot be read or asked about may."""
    return record is None or record.state in lifecycle.LIVE


def _record(world: World, job: OpenJob) -> JobRecord:
    """Read a job's record; one that a crash left unwritten is written now."""
    record = read(world.buckets.artifacts, job.path, JobRecord)
    if record is None:
        record_jobs(world, job.run)
        record = read(world.buckets.artifacts, job.path, JobRecord)
    if record is None:
        raise Retry(f"{job.path} could not be written")
    return record


def _move(
    world: World, tuning: TuningService, job: OpenJob, troubles: list[str], *, cancel: bool = False
) -> JobRecord | None:
    """Move one job on as far as it goes, and return its record; troubles are noted.

    There is none for a job that needs a person.
    """
    try:
        return advance_job(world, tuning, job, cancel=cancel)
    except Conflict:
        log.info("another delivery is moving this job", job=job.path)
    except Retry as trouble:
        log.warning("a job could not be moved on", job=job.path, error=type(trouble).__name__)
        troubles.append(str(trouble))
    except TunedropError as trouble:
        log.failure("a job needs a person", trouble, job=job.path)
        troubles.append(str(trouble))
        return None
    return _record(world, job)


def record_jobs(world: World, run: RunRecord) -> None:
    """Record the intent of every job of a run; those that are recorded already stay as they are."""
    for identifier, configuration in zip(run.jobs, run.plan, strict=True):
        job = JobRecord(
            id=identifier,
            run=run.id,
            task_name=run.task_name,
            dataset=run.dataset,
            base_model=run.base_model,
            configuration=configuration,
            created=world.clock(),
        )
        path = paths.job_record(run.task_name, run.id, identifier)
        create(world.buckets.artifacts, path, job)
