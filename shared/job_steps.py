"""Moves one tuning job on: performs the effects that lifecycle.advance asks for."""

from dataclasses import dataclass

from shared import budget, lifecycle, log, paths
from shared.errors import QuotaExceeded, Rejected, Retry
from shared.facts import publish_fact
from shared.job_price import price_of
from shared.kill_switch import read_switch
from shared.ports import TuningRequest, TuningService, World
from shared.record_store import load, read, replace
from shared.records import DatasetRecord, JobRecord, RunRecord


@dataclass(frozen=True)
class OpenJob:
    """A job of an open run."""

    run: RunRecord
    id: str

    @property
    def path(self) -> str:
        """Where the job's record is."""
        return paths.job_record(self.run.task_name, self.run.id, self.id)


def advance_job(
    world: World, tuning: TuningService, job: OpenJob, *, cancel: bool = False
) -> JobRecord:
    """Alternate between the pure function and the world until nothing is left to do.

    Args:
        world: The ports.
        tuning: The tuning service.
        job: The job; its intent is recorded.
        cancel: Whether it is to be cancelled.

    Returns:
        The job's record as it now is.

    Raises:
        Conflict: Another delivery is moving this job.
        Retry: The service or storage is not to be had.
    """
    bucket, settings = world.buckets.artifacts, world.settings
    found = load(bucket, job.path, JobRecord)
    if found is None:
        raise Retry(f"{job.path} has just gone")
    record, generation = found
    seen: lifecycle.Seen = lifecycle.Tick()
    while True:
        new, effect = lifecycle.advance(
            record,
            seen,
            world.clock(),
            settings.lease_seconds,
            stuck_after_seconds=settings.stuck_after_seconds,
            cancel=cancel,
        )
        if new != record:
            _report(world, job.run, record, new)
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


def _report(world: World, run: RunRecord, old: JobRecord, new: JobRecord) -> None:
    """Tell of what a person should know, before it is recorded: rather twice than never."""
    if new.unknown_state and new.unknown_state != old.unknown_state:
        log.warning("the service says a state that is not known", job=new.id, now=new.unknown_state)
    if new.stuck and not old.stuck:
        hours = round(world.settings.stuck_after_seconds / 3600, 1)
        log.warning("a job shows no progress", task=new.task_name, job=new.id, hours=hours)
        publish_fact(
            world.publisher,
            "job-stuck",
            world.clock(),
            task=new.task_name,
            run=run.id,
            job=new.id,
            state=new.state,
            epochs_done=new.epochs_done,
        )


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
            return _create(world, tuning, run, job)
        case lifecycle.Cancel():
            for resource in effect.resources:
                log.warning("cancelling a job", job=job.id, double=resource != job.resource)
                tuning.cancel(resource)
            return None
        case lifecycle.Announce():
            return _announce(world, run, job)


def _announce(world: World, run: RunRecord, job: JobRecord) -> lifecycle.Seen:
    """Settle a job that has ended, then publish its end: the report that follows has the price."""
    if not lifecycle.in_doubt(job, world.clock()):
        budget.settle(world, run, job.id, price_of(job))
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


def _create(world: World, tuning: TuningService, run: RunRecord, job: JobRecord) -> lifecycle.Seen:
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
        all_checkpoints=run.checkpoints == "all",
    )
    reason = _why_not_now(world, run)
    if reason:
        log.info("a job is not created now", task=job.task_name, run=run.id, job=job.id)
        return lifecycle.Held(reason)
    try:
        return lifecycle.Created(tuning.create(request))
    except QuotaExceeded:
        return lifecycle.Busy()
    except Rejected as error:
        return lifecycle.Refused(error.reason)


def _why_not_now(world: World, run: RunRecord) -> str:
    """Say why no job of a run may be created at this moment; empty when one may."""
    path = paths.run_record(run.task_name, run.id)
    now = read(world.buckets.artifacts, path, RunRecord)
    if now is None or now.state != "open" or now.attempt != run.attempt or now.cancel_requested:
        return "The run is not open any more."
    unreserved = budget.hold(world, now)
    switch = read_switch(world)
    return switch.why if switch else unreserved
