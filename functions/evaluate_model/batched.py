"""Has a candidate with many rows answered by a batch, which costs half and takes its time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from functions.evaluate_model.bench import Bench
from shared.batches import AwaitsBatch, BatchedGenerator, answers_of, batch_model
from shared.candidates import prompt_of, sampling_of
from shared.examples import Example
from shared.paths import content_id
from shared.ports import Generator, Sampling
from shared.prompts import Prompt
from shared.records import Candidate, Wake

T = TypeVar("T")


def generator_for(
    bench: Bench, candidate: Candidate, rows: Sequence[Example], folder: str
) -> tuple[Generator, str]:
    """Return what answers a candidate's rows: a batch that has ended, if it may, or the model.

    Args:
        bench: What is measured with.
        candidate: The candidate.
        rows: The rows of the split that are asked about.
        folder: Where the answers go; it follows from everything that shapes them.

    Returns:
        (The generator, why some rows are asked online although there was a batch).

    Raises:
        AwaitsBatch: There will be a batch; a message comes once it has ended.
    """
    world, online = bench.world, bench.services.generator
    above = bench.policy.evaluation.batch_above
    if above is None or len(rows) <= above:
        return online, ""
    name = bench.dataset.task_name
    model = batch_model(world, name, candidate)
    if not model:
        return online, "This checkpoint has no model that a batch could ask; it was asked online."
    task, serving = bench.dataset.task, bench.policy.serving

    def requests() -> Iterator[tuple[Prompt, Sampling]]:
        for row in rows:
            prompt = prompt_of(candidate, task, row.text, world.buckets.artifacts)
            yield prompt, sampling_of(serving, row.text)

    batch = content_id(folder, model)
    answered = answers_of(world, name, batch, model, requests, _wake(bench, candidate))
    return BatchedGenerator(answered, online), answered.note


def side_by_side(steps: Iterable[Callable[[], T]]) -> list[T]:
    """Take every step, also when one has to wait for its batch: so their batches run together.

    Raises:
        AwaitsBatch: One of them waits; the others are done, or wait as well.
    """
    done: list[T] = []
    waits: AwaitsBatch | None = None
    for step in steps:
        try:
            done.append(step())
        except AwaitsBatch as reason:
            waits = reason
    if waits is not None:
        raise waits
    return done


def _wake(bench: Bench, candidate: Candidate) -> Wake:
    """Make the message that has this looked at again."""
    task = bench.dataset.task_name
    if not bench.run:
        return Wake(topic="dataset-converted", message={"task": task, "dataset": bench.dataset.id})
    about = {"task": task, "run": bench.run}
    if candidate.job and candidate.run == bench.run:
        about["job"] = candidate.job
    return Wake(topic="tuning-completed", message=about)
