"""Looks at a dataset or a run, measures what is not measured yet, and goes on from there.

Level-triggered: what happens follows from the records, so an event that comes twice, late or out
of order leads to the same end.
"""

from functools import partial

from pydantic import BaseModel, ConfigDict, ValidationError

from functions.evaluate_model.batched import side_by_side
from functions.evaluate_model.bench import Bench, Services, is_superseded, open_bench
from functions.evaluate_model.candidates import prompting_candidates
from functions.evaluate_model.conclude import conclude
from functions.evaluate_model.measure import measure
from functions.evaluate_model.page.index import write_index
from functions.evaluate_model.rollback import promote_on_request
from functions.evaluate_model.shift import OutOfTime, Shift, begin_shift
from functions.evaluate_model.tuned import Tuned, measure_tuned
from functions.evaluate_model.verdict import best
from shared import log, open_work, paths
from shared.batches import AwaitsBatch
from shared.candidates import tuned_candidates
from shared.endpoints import give_up_losers
from shared.errors import Rejected
from shared.events import Event, Message
from shared.examples import ENOUGH_FOR_TUNING
from shared.facts import publish_fact
from shared.lifecycle import TERMINAL
from shared.ports import World
from shared.record_store import change, read
from shared.records import ChampionRecord, DatasetRecord, EvaluationRecord, JobRecord, RunRecord
from shared.task import Task
from shared.validation import explain


class _About(BaseModel):
    """What a message is about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    dataset: str = ""
    run: str = ""
    job: str = ""
    candidate: str = ""
    rollback: bool = False


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
        named = (about.dataset, about.candidate, about.run)
        promote_on_request(world, about.task, *named, at, rollback=about.rollback)
        write_index(world, about.task)
        return
    shift = begin_shift(world)
    try:
        if event.topic == "tuning-completed":
            _look_at_run(world, services, shift, about)
        else:
            _look_at_dataset(world, services, shift, about)
    except OutOfTime:
        if not shift.answers:
            # Nothing was done in all the time: a failure, to be tried again later and later.
            raise
        _hand_over(world, event, about)
        log.info("handed over", task=about.task, topic=event.topic, answers=shift.answers)
    except AwaitsBatch:
        _let_rest(world, event, about)
        log.info("batches answer the rest", task=about.task, topic=event.topic)
    write_index(world, about.task)


def _hand_over(world: World, event: Message, about: _About) -> None:
    """Have the rest done by a message of its own: a delivery again would count as a failure."""
    _let_rest(world, event, about)
    if event.topic == "tuning-completed":
        world.publisher.publish("tuning-completed", event.data)
    else:
        world.publisher.publish("dataset-converted", event.data)


def _let_rest(world: World, event: Message, about: _About) -> None:
    """Have nobody revive the work for a while: it is not lost."""
    if event.topic == "tuning-completed":
        open_work.touch(world, "run", about.task, about.run)
    else:
        open_work.touch(world, "dataset", about.task, about.dataset)


def _look_at_dataset(world: World, services: Services, shift: Shift, about: _About) -> None:
    """Go on with a dataset, unless a later one has taken its place."""
    bench = open_bench(world, services, shift, about.task, about.dataset)
    if is_superseded(bench):
        log.info("a later dataset has taken its place", task=about.task, dataset=about.dataset)
        open_work.finish(world, "dataset", about.task, about.dataset)
        return
    try:
        _compare_prompts(bench)
    except Rejected:
        open_work.finish(world, "dataset", about.task, about.dataset)
        raise


def _compare_prompts(bench: Bench) -> None:
    """Measure the prompts, then tune if that is wanted, else decide."""
    dataset, policy = bench.dataset, bench.policy
    prompting = _measure_prompting(bench)
    leader = best(prompting, policy.primary_metric)
    figure = leader.metrics[policy.primary_metric]
    why_not = _why_not_tune(policy, dataset, figure)
    if why_not:
        conclude(bench, None, prompting, Tuned(), [], why_not)
        give_up_losers(bench.world, dataset.task_name, policy)
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
    if examples < ENOUGH_FOR_TUNING:
        return (
            f"There are {examples} training examples; below {ENOUGH_FOR_TUNING}, tuning is "
            "not worth it."
        )
    return ""


def _measure_prompting(bench: Bench) -> list[EvaluationRecord]:
    """Measure every prompting strategy of the task on validation."""
    return side_by_side(
        partial(measure, bench, candidate, "validation")
        for candidate in prompting_candidates(bench)
    )


def _look_at_run(world: World, services: Services, shift: Shift, about: _About) -> None:
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
    jobs = [
        job
        for name in run.jobs
        if (job := read(world.buckets.artifacts, paths.job_record(task, run.id, name), JobRecord))
    ]
    ended = run.state == "refused" or (
        len(jobs) == len(run.jobs) and all(job.state in TERMINAL for job in jobs)
    )
    candidates = [
        candidate
        for job in jobs
        if job.state == "succeeded" and (ended or job.id == about.job)
        for candidate in tuned_candidates(job)
    ]
    try:
        bench = open_bench(world, services, shift, task, run.dataset, run.id)
        tuned = measure_tuned(bench, candidates)
        if not ended:
            return
        prompting = _measure_prompting(bench)
        conclude(bench, run, prompting, tuned, jobs, _why_nothing_was_tuned(run))
    except Rejected:
        # Recorded, and never to be tried again. Jobs that still run are followed by the marker.
        if ended:
            open_work.finish(world, "run", task, run.id)
        raise

    def close(old: RunRecord | None) -> RunRecord | None:
        same = old is not None and (old.state, old.attempt) == (run.state, run.attempt)
        return old.model_copy(update={"state": "closed"}) if old and same else None

    if run.state == "open":
        change(world.buckets.artifacts, path, RunRecord, close)
    give_up_losers(world, task, bench.policy)
    # A refused run may have been asked for again, with more budget, while this was measured.
    now = read(world.buckets.artifacts, path, RunRecord)
    if now is not None and now.state in ("closed", "refused"):
        open_work.finish(world, "run", task, run.id)


def _why_nothing_was_tuned(run: RunRecord) -> str:
    """Say why a run has no tuned model, in case that it has none."""
    if run.state == "refused":
        return f"The run was refused. {run.reason}"
    if run.cancel_requested:
        return "The run was cancelled, and no tuning job succeeded."
    return "No tuning job succeeded."
