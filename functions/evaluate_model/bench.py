"""What a dataset's candidates are measured with, and whether they still need to be."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from functions.evaluate_model.shift import Shift
from shared import paths
from shared.current import current_dataset
from shared.errors import Rejected
from shared.ports import ExactMatch, Generator, World
from shared.record_store import read
from shared.records import DatasetRecord, TaskRecord
from shared.task import Task


@dataclass(frozen=True)
class Services:
    """The two services that candidates are measured with, and how one waits for them."""

    generator: Generator
    exact_match: ExactMatch
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Bench:
    """What a dataset's candidates are measured with, and the time there is for it.

    Attributes:
        world: The ports that every function has.
        services: The ports that measure.
        dataset: The dataset, with the task as it was when it was converted.
        policy: The task as it is now.
        shift: The delivery's time.
        run: The run that is looked at; empty when there is none.
    """

    world: World
    services: Services
    dataset: DatasetRecord
    policy: Task
    shift: Shift
    run: str = ""


def open_bench(
    world: World, services: Services, shift: Shift, task: str, dataset: str, run: str = ""
) -> Bench:
    """Read the dataset and the task's policy as it is now; a target is one of a type of task."""
    record = read(world.buckets.artifacts, paths.dataset_record(task, dataset), DatasetRecord)
    if record is None:
        raise Rejected(f"The task {task!r} has no dataset {dataset[:60]!r}.")
    current = read(world.buckets.artifacts, paths.task_record(task), TaskRecord)
    if current is None or current.task.type == record.task.type:
        policy = current.task if current else record.task
        return Bench(world, services, record, policy, shift, run)
    parts = ("prompting", "tuning", "evaluation", "serving")
    policy = record.task.model_copy(update={part: getattr(current.task, part) for part in parts})
    return Bench(world, services, record, policy, shift, run)


def is_superseded(bench: Bench) -> bool:
    """Whether another dataset of the task counts, or it has become another type of task.

    Only the dataset that counts is measured, tuned and promoted from by itself.
    """
    mine, artifacts = bench.dataset, bench.world.buckets.artifacts
    current = read(artifacts, paths.task_record(mine.task_name), TaskRecord)
    if current is not None and current.task.type != mine.task.type:
        return True
    latest = current_dataset(artifacts, mine.task_name)
    return latest is not None and latest.id != mine.id
