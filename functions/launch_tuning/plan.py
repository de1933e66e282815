"""Plans and prices a run, without writing anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from functions.launch_tuning.request import TuningRequested
from shared import paths
from shared.current import current_dataset
from shared.errors import Rejected
from shared.models import BaseModelSpec, find_base_model, warn_of_retirement
from shared.ports import World
from shared.record_store import read
from shared.records import DatasetRecord, RunRecord, TaskRecord
from shared.sweep import Estimate, Plan, estimate_price, plan_sweep
from shared.task import Task, Tuning


@dataclass(frozen=True)
class Proposal:
    """A run as it would be, were nothing in its way.

    Attributes:
        run: The run's record, open and in its first attempt.
        policy: The task's policy, with what the request overrides.
        estimate: What it is expected to cost.
    """

    run: RunRecord
    policy: Tuning
    estimate: Estimate


def propose(world: World, request: TuningRequested) -> Proposal:
    """Say which run a request asks for.

    Raises:
        Rejected: There is no such dataset or model, or the model does not take the plan or data.
    """
    dataset = _find_dataset(world, request)
    policy = _override(task_now(world, dataset).tuning, request)
    today = world.clock().date()
    model = find_base_model(policy.base_model, world.settings.location, today)
    warn_of_retirement(policy.base_model, today, request.task)
    plan = plan_sweep(policy.sweep, model, dataset.counts["train"])
    _check_limits(world, dataset, policy.base_model, model)
    estimate = estimate_price(dataset.training_tokens, plan.configurations, model)
    return Proposal(_run(world, dataset, policy, plan, estimate, request.lineage), policy, estimate)


def task_now(world: World, dataset: DatasetRecord) -> Task:
    """Return the task as it is now; the dataset's own where it is not recorded."""
    path = paths.task_record(dataset.task_name)
    current = read(world.buckets.artifacts, path, TaskRecord)
    return current.task if current else dataset.task


def price_per_job(world: World, run: RunRecord) -> Mapping[str, float]:
    """Say the most that each of a run's jobs is likely to cost, in US dollars.

    Raises:
        Rejected: The run's dataset is gone, or its base model retired.
    """
    path = paths.dataset_record(run.task_name, run.dataset)
    dataset = read(world.buckets.artifacts, path, DatasetRecord)
    if dataset is None:
        raise Rejected(f"The dataset {run.dataset} is gone.", "Upload its file again.")
    model = find_base_model(run.base_model, world.settings.location, world.clock().date())
    return {
        job: estimate_price(dataset.training_tokens, [configuration], model).high
        for job, configuration in zip(run.jobs, run.plan, strict=True)
    }


def _find_dataset(world: World, request: TuningRequested) -> DatasetRecord:
    """Find the dataset that was asked for, or the task's latest one."""
    artifacts = world.buckets.artifacts
    if request.dataset is not None:
        path = paths.dataset_record(request.task, request.dataset)
        found = read(artifacts, path, DatasetRecord)
        if found is None:
            raise Rejected(
                f"The task {request.task!r} has no dataset {request.dataset[:60]!r}.",
                "Leave `dataset` out to take the latest one.",
            )
        return found
    latest = current_dataset(artifacts, request.task)
    if latest is None:
        raise Rejected(
            f"The task {request.task!r} has no dataset.",
            f"Upload a labelled file to the datasets bucket as {request.task}/<file> first.",
        )
    return latest


def _override(policy: Tuning, request: TuningRequested) -> Tuning:
    """Apply what the request overrides."""
    wanted = {
        "base_model": request.base_model,
        "sweep": request.sweep,
        "checkpoints": request.checkpoints,
        "budget_usd": request.budget_usd,
    }
    return policy.model_copy(
        update={key: value for key, value in wanted.items() if value is not None}
    )


def _check_limits(world: World, dataset: DatasetRecord, name: str, model: BaseModelSpec) -> None:
    """Hold the data against what the model is tuned on at most. Raises Rejected."""
    path = paths.split_file(dataset.task_name, dataset.id, "train")
    file = world.buckets.artifacts.find(path)
    limits = (
        ("training examples", dataset.counts["train"], model.max_training_examples),
        ("validation examples", dataset.counts["validation"], model.max_validation_examples),
        ("bytes of training lines", file.size if file else 0, model.max_training_bytes),
    )
    for what, there, most in limits:
        if there > most:
            raise Rejected(
                f"The dataset {dataset.id} has {there:,} {what}; {name} takes {most:,}.",
                "Upload fewer rows, or tune another base model.",
            )


def _run(
    world: World,
    dataset: DatasetRecord,
    policy: Tuning,
    plan: Plan,
    estimate: Estimate,
    lineage: str,
) -> RunRecord:
    """Write the run down as it would be."""
    configurations = plan.configurations
    identifier = paths.run_id(dataset.id, policy.base_model, configurations, policy.checkpoints)
    return RunRecord(
        id=identifier,
        task_name=dataset.task_name,
        dataset=dataset.id,
        base_model=policy.base_model,
        plan=configurations,
        jobs=tuple(f"{identifier}-{paths.configuration_name(item)}" for item in configurations),
        plan_note=plan.note,
        checkpoints=policy.checkpoints,
        estimated_usd=estimate.usd,
        estimated_low_usd=estimate.low,
        estimated_high_usd=estimate.high,
        price_note=estimate.note,
        max_concurrent_jobs=policy.max_concurrent_jobs,
        lineage=lineage,
        created=world.clock(),
    )
