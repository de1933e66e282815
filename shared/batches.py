"""Plans batches and reads their answers; watch_jobs starts their jobs and follows them.

Whoever needs answers asks for them here and waits for the message that he leaves: no job is created
by two. The answers are then given out by a generator that asks online about what a batch did not
answer, so that everything behind it is the same, batch or not.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from shared import log, open_work, paths
from shared.batch_lines import line_key, read_line, request_line
from shared.errors import TunedropError
from shared.ports import Generator, Needed, Reply, Sampling, World
from shared.prompts import Prompt
from shared.record_store import change, create, read
from shared.records import BatchRecord, Candidate, JobRecord, Wake

Requests = Callable[[], Iterable[tuple[Prompt, Sampling]]]
MEDIA_TYPE = "application/jsonl"


class AwaitsBatch(TunedropError):
    """The answers come from a batch that has not ended; then a message is published."""


@dataclass(frozen=True)
class Answered:
    """What a batch answered, by `line_key`, and why it did not answer everything; mostly empty."""

    replies: dict[str, Reply]
    note: str = ""


class BatchedGenerator:
    """Gives out a batch's answers, and asks about everything else online."""

    def __init__(self, answered: Answered, generator: Generator) -> None:
        self._replies = answered.replies
        self._generator = generator

    def generate(
        self, model: str, prompt: Prompt, sampling: Sampling, needed: Needed | None = None
    ) -> Reply:
        """Answer as the model does that the batch was asked of; see Generator."""
        reply = self._replies.get(line_key(prompt, sampling.seed))
        if reply is None or len(reply.texts) < sampling.samples:
            return self._generator.generate(model, prompt, sampling, needed)
        return replace(reply, texts=reply.texts[: sampling.samples])


def batch_model(world: World, task: str, candidate: Candidate) -> str:
    """Name what a batch asks for a candidate; empty when only its endpoint can be asked.

    A job of batch prediction takes a model, and no endpoint. Of a tuning job's checkpoints only
    the last one is known to be its model.
    """
    if candidate.kind == "prompting":
        return candidate.model
    path = paths.job_record(task, candidate.run, candidate.job)
    job = read(world.buckets.artifacts, path, JobRecord)
    return job.model if job and job.endpoint == candidate.model else ""


def answers_of(
    world: World, task: str, identifier: str, model: str, requests: Requests, wake: Wake
) -> Answered:
    """Return what a batch answered; the first who asks plans it.

    Args:
        world: The ports.
        task: The task.
        identifier: The batch's id, which follows from everything that shapes its requests.
        model: What is asked, as `batch_model` names it.
        requests: Makes the requests; they are the same each time.
        wake: What to publish once there are answers.

    Raises:
        AwaitsBatch: It has not ended; `wake` will be published when it has.
    """
    path = paths.batch_record(task, identifier)

    def wait(old: BatchRecord | None) -> BatchRecord | None:
        if old is None or old.state == "ended" or wake in old.wakes:
            return None
        return old.model_copy(update={"wakes": (*old.wakes, wake)})

    artifacts = world.buckets.artifacts
    if read(artifacts, path, BatchRecord) is None:
        _plan(world, path, task, identifier, model, requests, wake)
    record = change(artifacts, path, BatchRecord, wait)
    if record is None or record.state != "ended":
        # Also when it is planned already: a crash may have come between the record and its mark.
        open_work.begin(world, "batch", task, identifier)
        raise AwaitsBatch(f"the batch {identifier} has not ended")
    return _read_answers(world, record)


def forget_texts(world: World, task: str, beginning: str) -> None:
    """Delete the requests and predictions of batches that nobody needs any more; records stay.

    One that has not ended is left: whoever it wakes calls this again.

    Args:
        world: The ports.
        task: The task.
        beginning: What the batches' ids begin with.
    """
    artifacts = world.buckets.artifacts
    names = [item.name for item in artifacts.list(paths.batch_folder(task, beginning))]
    for record in [name for name in names if name.endswith("/batch.json")]:
        batch = read(artifacts, record, BatchRecord)
        if batch is not None and batch.state == "ended":
            folder = record.removesuffix("batch.json")
            for name in names:
                if name.startswith(folder) and name != record:
                    artifacts.delete(name)


def _plan(
    world: World,
    path: str,
    task: str,
    identifier: str,
    model: str,
    requests: Requests,
    wake: Wake,
) -> None:
    """Write the requests, then the intent; the same request is asked once."""
    artifacts = world.buckets.artifacts
    keys: set[str] = set()
    with artifacts.open_write(paths.batch_requests(task, identifier), MEDIA_TYPE) as stream:
        for prompt, sampling in requests():
            key = line_key(prompt, sampling.seed)
            if key not in keys:
                stream.write(request_line(prompt, sampling) + b"\n")
                keys.add(key)
    record = BatchRecord(
        id=identifier,
        task_name=task,
        model=model,
        lines=len(keys),
        wakes=(wake,),
        created=world.clock(),
    )
    create(artifacts, path, record)
    log.info("batch planned", task=task, batch=identifier, lines=len(keys))


def _read_answers(world: World, batch: BatchRecord) -> Answered:
    """Read what the service has written, also before a job failed."""
    replies: dict[str, Reply] = {}
    broken = 0
    for line in _lines(world, batch):
        try:
            key, reply = read_line(line)
        except ValueError:
            broken += 1
            continue
        if reply is not None:
            replies.setdefault(key, reply)
    missing = batch.lines - len(replies)
    if broken or missing > 0:
        log.warning(
            "a batch did not answer everything",
            task=batch.task_name,
            batch=batch.id,
            outcome=batch.outcome,
            lines=batch.lines,
            answered=len(replies),
            broken=broken,
        )
    return Answered(replies, _note(batch, missing))


def _lines(world: World, batch: BatchRecord) -> Iterator[bytes]:
    """Go through the lines of predictions, file by file in the order of their names."""
    artifacts = world.buckets.artifacts
    prefix = batch.output or f"{paths.batch_predictions(batch.task_name, batch.id)}/"
    for found in list(artifacts.list(prefix)):
        if found.name.endswith(".jsonl"):
            with artifacts.open_read(found.name) as stream:
                yield from (line for line in stream if line.strip())


def _note(batch: BatchRecord, missing: int) -> str:
    """Say in a sentence what a batch did not answer and why; empty when it answered everything."""
    if missing <= 0:
        return ""
    why = f"the batch {batch.outcome}: {batch.error}" if batch.error else f"it {batch.outcome}"
    return (
        f"The batch {batch.id} left {missing:,} of {batch.lines:,} requests unanswered ({why}); "
        "they were asked online."
    )
