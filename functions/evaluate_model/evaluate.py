"""Looks at a dataset or a run, measures what is not measured yet, and goes on from there.

Level-triggered: what happens follows from the records, so an event that comes twice, late or out
of order leads to the same end.
"""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from functions.evaluate_model.candidates import prompting_candidate, tuned_candidate
from functions.evaluate_model.held_out import choose_shots
from functions.evaluate_model.measure import Services, measure
from functions.evaluate_model.promote import promote, promote_by_hand
from functions.evaluate_model.report import write_report
from functions.evaluate_model.verdict import Finalists, best, decide
from shared import log, open_work, paths
from shared.errors import Rejected
from shared.events import Event, Message
from shared.facts import publish_fact
from shared.lifecycle import TERMINAL
from shared.ports import World
from shared.records import (
    ChampionRecord,
    DatasetRecord,
    EvaluationRecord,
    JobRecord,
    RunRecord,
    TaskRecord,
    VerdictRecord,
    change,
    read,
)
from shared.task import Task
from shared.validation import explain

MIN_TRAINING_EXAMPLES = 100
"""Google's advice: with fewer examples than this, prompt."""


class _About(BaseModel):
    """What a message is about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    dataset: str = ""
    run: str = ""
    job: str = ""
    candidate: str = ""


@dataclass(frozen=True)
class Bench:
    """What a dataset's candidates are measured with."""

    world: World
    services: Services
    dataset: DatasetRecord
    policy: Task


def handle_event(event: Event, world: World, services: Services) -> None:
    """Measure, decide or promote, whatever the message is about.

    Raises:
        Rejected: The message names something that does not exist.
        Retry: A service is busy.
    """
    if not isinstance(event, Message):
        raise Rejected("The event is not a message.")
    try:
        about = _About.model_validate(event.data)
    except ValidationError as error:
        raise Rejected(
            f"The message on {event.topic} is wrong: {explain(error, _About)}.",
            "See docs/messages.md.",
        ) from None
    paths.check_task_name(about.task)
    if event.topic == "promotion-requested":
        at = event.published or world.clock()
        promote_by_hand(world, about.task, about.dataset, about.candidate, at)
    elif event.topic == "tuning-completed":
        _look_at_run(world, services, about)
    else:
        bench = _bench(world, services, about.task, about.dataset)
        try:
            _look_at_dataset(bench)
        except Rejected:
            open_work.finish(world, "dataset", about.task, about.dataset)
            raise


def _bench(world: World, services: Services, task: str, dataset: str) -> Bench:
    """Read the dataset and the task's policy as it is now, if it is still of the same type."""
    record = read(world.buckets.artifacts, paths.dataset_record(task, dataset), DatasetRecord)
    if record is None:
        raise Rejected(f"The task {task!r} has no dataset {dataset[:60]!r}.")
    current = read(world.buckets.artifacts, paths.task_record(task), TaskRecord)
    fits = current is not None and current.task.type == record.task.type
    return Bench(world, services, record, current.task if current and fits else record.task)


def _look_at_dataset(bench: Bench) -> None:
    """Measure the prompts, then tune if that is wanted, else decide."""
    dataset, policy = bench.dataset, bench.policy
    prompting = _measure_prompting(bench)
    leader = best(prompting, policy.primary_metric)
    figure = leader.metrics[policy.primary_metric]
    why_not = _why_not_tune(policy, dataset, figure)
    if why_not:
        _conclude(bench, None, prompting, [], [], why_not)
    else:
        message = {"task": dataset.task_name, "dataset": dataset.id}
        bench.world.publisher.publish("tuning-requested", message)
    publish_fact(
        bench.world.publisher,
        "prompting-measured",
        bench.world.clock(),
        task=dataset.task_name,
        dataset=dataset.id,
        best=leader.candidate.name,
        figure=figure,
        tuning=not why_not,
    )
    open_work.finish(bench.world, "dataset", dataset.task_name, dataset.id)


def _why_not_tune(policy: Task, dataset: DatasetRecord, figure: float) -> str:
    """Say why a dataset does not lead to tuning; empty when it does."""
    examples = dataset.counts["train"]
    if policy.tuning.when == "never":
        return "The task says never to tune."
    if policy.tuning.when == "always":
        return ""
    if figure >= policy.target.value:
        metric = policy.primary_metric
        return (
            f"Prompting reaches {figure:.3f} of {metric} on validation; "
            f"the target is {policy.target.value:g}."
        )
    if examples < MIN_TRAINING_EXAMPLES:
        return (
            f"There are {examples} training examples; below {MIN_TRAINING_EXAMPLES}, tuning is "
            "not worth it."
        )
    return ""


def _measure_prompting(bench: Bench) -> list[EvaluationRecord]:
    """Measure every prompting strategy of the task on validation."""
    policy, dataset = bench.policy, bench.dataset
    shots = choose_shots(bench.world.buckets.artifacts, dataset, policy.prompting.examples)
    region = bench.world.settings.location
    return [
        measure(
            bench.world,
            bench.services,
            dataset,
            prompting_candidate(strategy, policy.tuning.base_model, region, shots),
            "validation",
            policy.evaluation.max_rows,
        )
        for strategy in policy.prompting.strategies
    ]


def _look_at_run(world: World, services: Services, about: _About) -> None:
    """Measure the tuned model that the message is about; after the last one, all, and decide.

    The jobs of a run end one after the other: were every message to measure all that is there,
    two that overlap would ask the same candidate twice.
    """
    task = about.task
    path = paths.run_record(task, about.run)
    run = read(world.buckets.artifacts, path, RunRecord)
    if run is None:
        raise Rejected(f"The task {task!r} has no run {about.run[:60]!r}.")
    champion = read(world.buckets.artifacts, paths.champion(task), ChampionRecord)
    if run.state == "refused" and champion is not None:
        # Nothing was tuned and something serves: a refusal is no reason for another verdict.
        open_work.finish(world, "run", task, run.id)
        return
    bench = _bench(world, services, task, run.dataset)
    jobs = [
        job
        for name in run.jobs
        if (job := read(world.buckets.artifacts, paths.job_record(task, run.id, name), JobRecord))
    ]
    ended = run.state == "refused" or (
        len(jobs) == len(run.jobs) and all(job.state in TERMINAL for job in jobs)
    )
    tuned = [
        measure(
            world,
            services,
            bench.dataset,
            tuned_candidate(job),
            "validation",
            bench.policy.evaluation.max_rows,
        )
        for job in jobs
        if job.state == "succeeded" and job.endpoint and (ended or job.id == about.job)
    ]
    if not ended:
        return
    why_not = f"The run was refused. {run.reason}" if run.reason else "No tuning job succeeded."
    _conclude(bench, run, _measure_prompting(bench), tuned, jobs, why_not)

    def close(old: RunRecord | None) -> RunRecord | None:
        return old.model_copy(update={"state": "closed"}) if old and old.state == "open" else None

    change(world.buckets.artifacts, path, RunRecord, close)
    open_work.finish(world, "run", task, run.id)


def _conclude(
    bench: Bench,
    run: RunRecord | None,
    prompting: list[EvaluationRecord],
    tuned: list[EvaluationRecord],
    jobs: list[JobRecord],
    why_not_tuned: str,
) -> None:
    """Measure the finalists on test, decide, report and promote; each step can be repeated."""
    world, dataset, policy = bench.world, bench.dataset, bench.policy
    metric = policy.primary_metric

    def on_test(evaluation: EvaluationRecord) -> EvaluationRecord:
        return measure(
            world,
            bench.services,
            dataset,
            evaluation.candidate,
            "test",
            policy.evaluation.max_rows,
        )

    finalists = Finalists(
        prompting=on_test(best(prompting, metric)),
        tuned=on_test(best(tuned, metric)) if tuned else None,
    )
    tests = [finalists.prompting, *([finalists.tuned] if finalists.tuned else [])]
    everything = [*prompting, *tuned, *tests]
    folder = (
        paths.run_folder(dataset.task_name, run.id)
        if run
        else paths.dataset_folder(dataset.task_name, dataset.id)
    )
    path = f"{folder}/verdict.json"
    fresh = decide(policy, dataset, run, finalists, everything, jobs, world.clock(), why_not_tuned)

    def renew(old: VerdictRecord | None) -> VerdictRecord | None:
        return fresh if old is None or old.basis != fresh.basis else None

    verdict = change(world.buckets.artifacts, path, VerdictRecord, renew) or fresh
    winner = next(item for item in tests if item.candidate.name == verdict.winner)
    cloud = world.settings.cloud
    write_report(world.buckets.artifacts, cloud, folder, dataset, verdict, winner, jobs, run)
    log.info("verdict", task=dataset.task_name, dataset=dataset.id, decision=verdict.decision)
    publish_fact(
        world.publisher,
        "verdict-reached",
        world.clock(),
        task=dataset.task_name,
        dataset=dataset.id,
        run=verdict.run,
        decision=verdict.decision,
        winner=verdict.winner,
    )
    if policy.evaluation.promote == "automatically":
        tuned_won = verdict.decision == "promote_tuned"
        promote(world, dataset, winner.candidate, verdict.created, displaces_tuned=tuned_won)
