"""Moves tuning jobs on: performs the effects that lifecycle.advance asks for.

launch_tuning calls this once its run is recorded, watch_jobs at every tick; both go the same way,
and any number of them may do so at the same time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shared import lifecycle, log, open_work, paths
from shared.errors import Conflict, QuotaExceeded, Rejected, Retry, TunedropError
from shared.facts import publish_fact
from shared.ports import TuningRequest, TuningService, World
from shared.record_store import BrokenRecord, create, load, read, replace
from shared.records import DatasetRecord, JobRecord, RunRecord


@dataclass(frozen=True)
class OpenJob:
    """A job of an open run."""

    run: RunRecord
    path: str


def advance_jobs(world: World, tuning: TuningService) -> None:
    """Follow every live job of every open run, then start what fits into the quota.

    One job's trouble does not keep the others from being looked at.

    Raises:
        Retry: The service could not be asked about some of them.
    """
    troubles: list[str] = []
    waiting: list[OpenJob] = []
    live: list[OpenJob] = []
    for job in open_jobs(world):
        if _is_waiting(world, job):
            waiting.append(job)
            continue
        state = _move(world, tuning, job, troubles)
        if state in lifecycle.LIVE:
            live.append(job)
    for job in waiting:
        of_task = sum(other.run.task_name == job.run.task_name for other in live)
        if len(live) >= world.settings.max_concurrent_jobs:
            break
        if of_task < job.run.max_concurrent_jobs:
            state = _move(world, tuning, job, troubles)
            if state == "queued":
                break
            if state in lifecycle.LIVE:
                live.append(job)
    if troubles:
        raise Retry(f"{len(troubles)} jobs could not be looked at: {'; '.join(troubles[:3])}")


def open_jobs(world: World) -> Iterator[OpenJob]:
    """List the jobs of the open runs, oldest run first and in the order of its plan."""
    runs: list[RunRecord] = []
    for marker in open_work.each(world, "run"):
        path = paths.run_record(marker.task_name, marker.id)
        try:
            run = read(world.buckets.artifacts, path, RunRecord)
        except BrokenRecord as trouble:
            log.failure("a run needs a person", trouble, run=path)
            continue
        if run is not None and run.state == "open":
            runs.append(run)
    for run in sorted(runs, key=lambda item: (item.created, item.id)):
        for job in run.jobs:
            yield OpenJob(run, paths.job_record(run.task_name, run.id, job))


def _is_waiting(world: World, job: OpenJob) -> bool:
    """Whether a job waits to be started; one that cannot be read does not."""
    try:
        return _record(world, job).state in lifecycle.WAITING
    except BrokenRecord:
        return False


def _record(world: World, job: OpenJob) -> JobRecord:
    """Read a job's record; one that a crash left unwritten is written now."""
    record = read(world.buckets.artifacts, job.path, JobRecord)
    if record is None:
        record_jobs(world, job.run)
        record = read(world.buckets.artifacts, job.path, JobRecord)
    if record is None:
        raise Retry(f"{job.path} could not be written")
    return record


def _move(world: World, tuning: TuningService, job: OpenJob, troubles: list[str]) -> str:
    """Move one job on as far as it goes, and return its state; troubles are noted.

    A job that cannot be read or asked about is counted as running: it may be.
    """
    try:
        return _advance(world, tuning, job).state
    except Conflict:
        log.info("another delivery is moving this job", job=job.path)
    except Retry as trouble:
        log.warning("a job could not be moved on", job=job.path, error=type(trouble).__name__)
        troubles.append(str(trouble))
    except TunedropError as trouble:
        log.failure("a job needs a person", trouble, job=job.path)
        troubles.append(str(trouble))
        return "running"
    return _record(world, job).state


def _advance(world: World, tuning: TuningService, job: OpenJob) -> JobRecord:
    """Alternate between the pure function and the world until nothing is left to do."""
    bucket = world.buckets.artifacts
    found = load(bucket, job.path, JobRecord)
    if found is None:
        raise Retry(f"{job.path} has just gone")
    record, generation = found
    seen: lifecycle.Seen = lifecycle.Tick()
    while True:
        new, effect = lifecycle.advance(record, seen, world.clock(), world.settings.lease_seconds)
        if new != record:
            generation = replace(bucket, job.path, new, generation)
            if new.state != record.state:
                log.info("job moved", job=new.id, before=record.state, now=new.state)
            record = new
        if effect is None:
            return record
        after = _perform(world, tuning, job.run, record, effect)
        if after is None:
            return record
        seen = after


def _perform(
    world: World,
    tuning: TuningService,
    run: RunRecord,
    job: JobRecord,
    effect: lifecycle.Effect,
) -> lifecycle.Seen | None:
    """Do what was asked for, and return what was seen."""
    match effect:
        case lifecycle.Find():
            return lifecycle.Found(tuning.find(job.id))
        case lifecycle.Create():
            return _create(world, tuning, job)
        case lifecycle.Cancel():
            for resource in effect.resources:
                log.warning("cancelling a job that was created twice", job=job.id)
                tuning.cancel(resource)
            return None
        case lifecycle.Announce():
            publish_fact(
                world.publisher,
                "job-ended",
                world.clock(),
                task=job.task_name,
                run=run.id,
                job=job.id,
                state=job.state,
            )
            message = {"task": job.task_name, "run": run.id, "job": job.id}
            world.publisher.publish("tuning-completed", message)
            return lifecycle.Announced()


def _create(world: World, tuning: TuningService, job: JobRecord) -> lifecycle.Seen:
    """Create the job; what is not known to have failed is left to be found later."""
    artifacts = world.buckets.artifacts
    dataset = read(artifacts, paths.dataset_record(job.task_name, job.dataset), DatasetRecord)
    if dataset is None:
        return lifecycle.Refused(f"The dataset {job.dataset} is gone.")
    folder = f"gs://{artifacts.name}/{paths.dataset_folder(job.task_name, job.dataset)}"
    has_validation = dataset.counts.get("validation", 0) > 0
    request = TuningRequest(
        key=job.id,
        base_model=job.base_model,
        training_uri=f"{folder}/train.jsonl",
        validation_uri=f"{folder}/validation.jsonl" if has_validation else "",
        configuration=job.configuration,
        display_name=f"tunedrop {job.task_name} {job.id}",
        labels={"tunedrop_task": job.task_name, "tunedrop_run": job.run},
    )
    try:
        return lifecycle.Created(tuning.create(request))
    except QuotaExceeded:
        return lifecycle.Busy()
    except Rejected as error:
        return lifecycle.Refused(error.reason)


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
