"""Turns a request into a recorded run, and starts it.

A run's id follows from its dataset, base model and plan, so the same request delivered again
finds its run and changes nothing.
"""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared import log, open_work, paths
from shared.errors import Rejected, Retry
from shared.events import Event, Message
from shared.facts import publish_fact
from shared.jobs import advance_jobs, record_jobs
from shared.models import find_base_model, warn_of_retirement
from shared.ports import TuningService, World
from shared.record_store import change, read
from shared.records import DatasetRecord, JobRecord, RunRecord, TaskRecord
from shared.sweep import Estimate, estimate_price, plan_sweep
from shared.task import Configuration, Configurations, Tuning
from shared.validation import explain


class TuningRequested(BaseModel):
    """A message on tuning-requested. `{"task": "…"}` is enough; the rest overrides task.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    task: str = Field(description="The task's name.")
    dataset: str | None = Field(None, description="The dataset's id; left out, the latest one.")
    base_model: str | None = Field(None, description="The model to tune.")
    sweep: str | Configurations | None = Field(
        None, description="recommended, single, or a list of configurations."
    )
    budget_usd: float | None = Field(None, gt=0, description="What the run may cost.")


def launch(event: Event, world: World, tuning: TuningService) -> None:
    """Plan, price and record a run, then start the jobs that the quota lets start.

    Raises:
        Rejected: The request is wrong.
        Retry: Storage, Pub/Sub or Vertex AI is not to be had.
    """
    request = _parse(event)
    dataset = _find_dataset(world, request)
    current = read(world.buckets.artifacts, paths.task_record(request.task), TaskRecord)
    policy = _policy(request, (current.task if current else dataset.task).tuning)
    model = find_base_model(policy.base_model, world.settings.location)
    warn_of_retirement(policy.base_model, world.clock().date(), request.task)
    plan = plan_sweep(policy.sweep, model)
    estimate = estimate_price(dataset.training_tokens, plan, model)
    run = _record_run(world, dataset, policy, plan, estimate)
    if run.state == "refused":
        # evaluate_model closes the run: without tuned models, the verdict is about the prompts.
        message = {"task": run.task_name, "run": run.id}
        world.publisher.publish("tuning-completed", message)
    if run.state == "open":
        # Once more, now that the run is recorded: a verdict on its refusal may have removed it.
        open_work.begin(world, "run", run.task_name, run.id)
        record_jobs(world, run)
        try:
            advance_jobs(world, tuning)
        except Retry:
            log.info("the watcher goes on with the jobs", task=run.task_name, run=run.id)


def _parse(event: Event) -> TuningRequested:
    """Read the request; a wrong field is named."""
    if not isinstance(event, Message):
        raise Rejected("The event is not a message on tuning-requested.")
    try:
        request = TuningRequested.model_validate(event.data)
        if isinstance(request.sweep, str):
            Tuning.model_validate({"sweep": request.sweep})
    except ValidationError as error:
        raise Rejected(
            f"The tuning request is wrong: {explain(error, TuningRequested)}.",
            'The least that is needed is {"task": "…"}; see docs/messages.md.',
        ) from None
    paths.check_task_name(request.task)
    return request


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
    folder = f"tasks/{request.task}/datasets/"
    names = [item.name for item in artifacts.list(folder) if item.name.endswith("/dataset.json")]
    records = [record for name in names if (record := read(artifacts, name, DatasetRecord))]
    if not records:
        raise Rejected(
            f"The task {request.task!r} has no dataset.",
            f"Upload a labelled file to the datasets bucket as {request.task}/<file> first.",
        )
    return max(records, key=lambda record: (record.created, record.id))


def _policy(request: TuningRequested, policy: Tuning) -> Tuning:
    """Apply what the request overrides."""
    wanted = {"base_model": request.base_model, "sweep": request.sweep,
              "budget_usd": request.budget_usd}  # fmt: skip
    return policy.model_copy(
        update={key: value for key, value in wanted.items() if value is not None}
    )


def _came_to_nothing(world: World, run: RunRecord) -> bool:
    """Whether a run is over without any model, so that asking again means trying again."""
    paths_of_jobs = [paths.job_record(run.task_name, run.id, job) for job in run.jobs]
    jobs = [read(world.buckets.artifacts, path, JobRecord) for path in paths_of_jobs]
    return run.state == "closed" and not any(job and job.state == "succeeded" for job in jobs)


def _record_run(
    world: World,
    dataset: DatasetRecord,
    policy: Tuning,
    plan: list[Configuration],
    estimate: Estimate,
) -> RunRecord:
    """Record the run, open or refused; a run that was refused may be asked for again."""
    task = dataset.task_name
    identifier = paths.run_id(dataset.id, policy.base_model, plan)
    over = estimate.usd > policy.budget_usd
    run = RunRecord(
        id=identifier,
        task_name=task,
        dataset=dataset.id,
        base_model=policy.base_model,
        plan=tuple(plan),
        jobs=tuple(f"{identifier}-{paths.configuration_name(item)}" for item in plan),
        state="refused" if over else "open",
        reason=f"It would cost about ${estimate.usd:.2f}; the budget is ${policy.budget_usd:.2f}."
        if over
        else "",
        estimated_usd=estimate.usd,
        price_note=estimate.note,
        max_concurrent_jobs=policy.max_concurrent_jobs,
        created=world.clock(),
    )
    open_work.begin(world, "run", task, identifier)

    def first(old: RunRecord | None) -> RunRecord | None:
        if old is not None and _came_to_nothing(world, old):
            attempt = old.attempt + 1
            again = tuple(f"{job}-try{attempt}" for job in run.jobs)
            return run.model_copy(update={"attempt": attempt, "jobs": again})
        return run if old is None or old.state == "refused" else None

    path = paths.run_record(task, identifier)
    recorded = change(world.buckets.artifacts, path, RunRecord, first) or run
    if recorded.created == run.created:
        log.info(
            "run recorded",
            task=task,
            run=identifier,
            state=run.state,
            jobs=len(plan),
            estimated_usd=estimate.usd,
            budget_share=round(estimate.usd / policy.budget_usd, 4),
        )
        publish_fact(
            world.publisher,
            "run-refused" if over else "run-planned",
            world.clock(),
            task=task,
            run=identifier,
            jobs=len(plan),
            estimated_usd=estimate.usd,
        )
    if recorded.state == "closed":
        open_work.finish(world, "run", task, identifier)
    return recorded
