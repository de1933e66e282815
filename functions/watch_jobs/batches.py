"""Starts the jobs of planned batches, follows them, and wakes whoever waits for their answers.

Only this creates a batch job. As for tuning jobs: the intent is recorded first, one delivery holds
the lease, looks for a job with the intent's label, and only creates one when there is none; when
the answer is lost, the intent stays, and after the lease it is looked for again.
"""

from collections.abc import Sequence
from datetime import timedelta

from shared import log, open_work, paths
from shared.errors import Conflict, QuotaExceeded, Rejected, Retry, TunedropError
from shared.facts import publish_fact
from shared.kill_switch import read_switch
from shared.ports import BatchJob, BatchRequest, BatchService, World
from shared.record_store import load, replace
from shared.records import BatchRecord

ENDED = frozenset({"succeeded", "failed", "cancelled", "expired", "partially_succeeded"})
PATIENCE = timedelta(days=4)
"""A job may be queued for three days, and is to end within one more; then it is given up."""

TOO_LONG = "it did not end in four days"


def follow_batches(world: World, service: BatchService) -> None:
    """Move every open batch on; one batch's trouble does not keep the others from it.

    Raises:
        Retry: Some of them could not be looked at; the next tick does.
    """
    markers = list(open_work.each(world, "batch"))
    if not markers:
        return
    stopped = read_switch(world) is not None
    troubles: list[str] = []
    for marker in markers:
        try:
            _follow(world, service, marker.task_name, marker.id, stopped=stopped)
        except Conflict:
            log.info("another delivery is moving this batch", batch=marker.id)
        except TunedropError as trouble:
            log.failure("a batch could not be moved on", trouble, batch=marker.id)
            troubles.append(f"{marker.id}: {trouble}")
    if troubles:
        raise Retry(f"{len(troubles)} batches could not be looked at: {'; '.join(troubles[:3])}")


def _follow(
    world: World, service: BatchService, task: str, identifier: str, *, stopped: bool
) -> None:
    """Move one batch on as far as it goes; while creations are stopped, one that waits stays."""
    artifacts = world.buckets.artifacts
    found = load(artifacts, paths.batch_record(task, identifier), BatchRecord)
    if found is None:
        open_work.finish(world, "batch", task, identifier)
        return
    batch, generation = found
    if batch.state == "ended":
        _wake(world, batch)
    elif batch.state == "running":
        _look(world, service, batch, generation)
    elif not stopped:
        _start(world, service, batch, generation)


def _start(world: World, service: BatchService, batch: BatchRecord, generation: int) -> None:
    """Take the lease, adopt the batch's job, or create one."""
    now = world.clock()
    if batch.lease_until is not None and batch.lease_until > now:
        return
    lease = now + timedelta(seconds=world.settings.lease_seconds)
    batch = batch.model_copy(update={"state": "submitting", "lease_until": lease})
    generation = _keep(world, batch, generation)
    found = service.find(batch.id, batch.model)
    if found:
        _compare(world, service, batch, generation, found)
        return
    try:
        created = service.create(_request(world, batch))
    except QuotaExceeded:
        log.info("there is no room for a batch now", task=batch.task_name, batch=batch.id)
        planned = batch.model_copy(update={"state": "planned", "lease_until": None})
        _keep(world, planned, generation)
    except Rejected as refusal:
        _end(world, batch, generation, "refused", refusal.reason)
    else:
        _take(world, batch, generation, created)


def _request(world: World, batch: BatchRecord) -> BatchRequest:
    bucket = f"gs://{world.buckets.artifacts.name}"
    return BatchRequest(
        key=batch.id,
        model=batch.model,
        source_uri=f"{bucket}/{paths.batch_requests(batch.task_name, batch.id)}",
        target_uri=f"{bucket}/{paths.batch_predictions(batch.task_name, batch.id)}",
        labels={"tunedrop_task": batch.task_name},
    )


def _look(world: World, service: BatchService, batch: BatchRecord, generation: int) -> None:
    """See what has become of a batch's job; one that takes too long is given up."""
    if batch.started is not None and world.clock() - batch.started > PATIENCE:
        service.cancel(batch.resource)
        _end(world, batch, generation, "cancelled", TOO_LONG)
        return
    jobs = service.find(batch.id, batch.model)
    # A job that is recorded but not listed is a listing that lags: it is held on to.
    if jobs:
        _compare(world, service, batch, generation, jobs)


def _compare(
    world: World,
    service: BatchService,
    batch: BatchRecord,
    generation: int,
    jobs: Sequence[BatchJob],
) -> None:
    """Of the jobs with a batch's label, keep the oldest, and cancel the others that are alive."""
    kept, *others = jobs
    for job in others:
        if job.state not in ENDED:
            log.warning("cancelling a double batch", task=batch.task_name, batch=batch.id)
            service.cancel(job.name)
    _take(world, batch, generation, kept)


def _take(world: World, batch: BatchRecord, generation: int, job: BatchJob) -> None:
    """Take over what the service says of a batch's job."""
    prefix = f"gs://{world.buckets.artifacts.name}/"
    output = job.output.removeprefix(prefix) if job.output.startswith(prefix) else ""
    update = {
        "resource": job.name,
        "output": output,
        "started": job.created,
        "lease_until": None,
    }
    taken = batch.model_copy(update=update)
    if job.state in ENDED:
        _end(world, taken, generation, job.state, job.error)
        return
    running = taken.model_copy(update={"state": "running"})
    if running != batch:
        _keep(world, running, generation)
        log.info("batch started", task=batch.task_name, batch=batch.id, lines=batch.lines)


def _end(world: World, batch: BatchRecord, generation: int, outcome: str, error: str) -> None:
    """Record a batch's end, then wake whoever waits: the list of them is final now."""
    update = {"state": "ended", "outcome": outcome, "error": error, "lease_until": None}
    ended = batch.model_copy(update=update)
    _keep(world, ended, generation)
    _wake(world, ended)


def _wake(world: World, batch: BatchRecord) -> None:
    """Publish what waits for a batch that has ended; a crash in between publishes it again."""
    publish_fact(
        world.publisher,
        "batch-ended",
        world.clock(),
        task=batch.task_name,
        batch=batch.id,
        state=batch.outcome,
        lines=batch.lines,
    )
    for wake in batch.wakes:
        world.publisher.publish(wake.topic, wake.message)
    open_work.finish(world, "batch", batch.task_name, batch.id)


def _keep(world: World, batch: BatchRecord, generation: int) -> int:
    """Write a batch's record over the one that was read. Raises Conflict."""
    path = paths.batch_record(batch.task_name, batch.id)
    return replace(world.buckets.artifacts, path, batch, generation)
