"""Brings an evaluation to its end: finalists on test, verdict, report, promotion, fact."""

from functions.evaluate_model.bench import Bench, is_superseded
from functions.evaluate_model.growth import other_sizes
from functions.evaluate_model.measure import measure
from functions.evaluate_model.opening import met_before
from functions.evaluate_model.promote import promote
from functions.evaluate_model.report import write_report
from functions.evaluate_model.tuned import Tuned, best_on_test, try_measure
from functions.evaluate_model.verdict import Finalists, best, decide
from shared import log, paths
from shared.batches import AwaitsBatch
from shared.facts import publish_fact
from shared.record_store import change, read
from shared.records import ChampionRecord, EvaluationRecord, JobRecord, RunRecord, VerdictRecord
from shared.task import Task

SUPERSEDED = (
    "The task has gone on to another dataset, so this winner serves only if a person promotes it."
)


def conclude(
    bench: Bench,
    run: RunRecord | None,
    prompting: list[EvaluationRecord],
    tuned: Tuned,
    jobs: list[JobRecord],
    why_not_tuned: str,
) -> None:
    """Measure the finalists on test, decide, report and promote; each step can be repeated."""
    world, dataset, policy = bench.world, bench.dataset, bench.policy
    prompt = best(prompting, policy.primary_metric).candidate
    try:
        tuned_test, failed = best_on_test(bench, prompt, tuned)
    except AwaitsBatch:
        # The prompt's batch, if it has one, runs meanwhile.
        measure(bench, prompt, "test")
        raise
    prompt_test = measure(bench, prompt, "test")
    finalists = Finalists(prompt_test, tuned_test)
    tests = [prompt_test, *([tuned_test] if tuned_test else [])]
    if failed and tuned_test is None:
        why_not_tuned = "No tuned model could be measured."
    everything = [*prompting, *tuned.evaluations, *tests]
    folder = (
        paths.run_folder(dataset.task_name, run.id)
        if run
        else paths.dataset_folder(dataset.task_name, dataset.id)
    )
    path = f"{folder}/verdict.json"
    earlier = met_before(bench) if run else 0
    others = other_sizes(
        world.buckets.artifacts, dataset.task_name, dataset.id, policy.primary_metric
    )
    fresh = decide(
        policy,
        dataset,
        run,
        finalists,
        everything,
        jobs,
        world.clock(),
        why_not_tuned,
        failed,
        earlier,
        others,
    )

    superseded = is_superseded(bench)
    if superseded:
        fresh = fresh.model_copy(update={"reason": f"{fresh.reason} {SUPERSEDED}"})

    def renew(old: VerdictRecord | None) -> VerdictRecord | None:
        if old is None or old.basis != fresh.basis:
            return fresh
        # It stands. Figures that decide nothing, such as those of an order, may have come since.
        return old.model_copy(update={"figures": fresh.figures})

    verdict = change(world.buckets.artifacts, path, VerdictRecord, renew) or fresh
    winner = next(item for item in tests if item.candidate.name == verdict.winner)
    cloud = world.settings.cloud
    write_report(world.buckets.artifacts, cloud, folder, dataset, policy, verdict, tests, jobs, run)
    task = dataset.task_name
    log.info("verdict", task=task, dataset=dataset.id, decision=verdict.decision)
    publish_fact(
        world.publisher,
        "verdict-reached",
        world.clock(),
        task=dataset.task_name,
        dataset=dataset.id,
        run=verdict.run,
        decision=verdict.decision,
        winner=verdict.winner,
        superseded=superseded,
    )
    if superseded:
        log.warning(
            "a dataset that does not count any more promotes nothing", task=task, dataset=dataset.id
        )
    elif _may_promote(policy, verdict) and not _serves_better(bench, winner):
        shown = next(item for item in reversed(verdict.figures) if item.candidate == verdict.winner)
        promote(
            world,
            dataset,
            winner.candidate,
            verdict.created,
            displaces_tuned=verdict.decision == "promote_tuned",
            calibration=shown.calibration,
        )


def _may_promote(policy: Task, verdict: VerdictRecord) -> bool:
    """Whether the task lets a verdict's winner become the champion by itself."""
    gate = policy.evaluation.promote
    return gate == "automatically" or (gate == "when_target_met" and verdict.target_met)


def _serves_better(bench: Bench, winner: EvaluationRecord) -> bool:
    """Whether the champion is a model of another run that did better on the same test rows."""
    path = paths.champion(bench.dataset.task_name)
    champion = read(bench.world.buckets.artifacts, path, ChampionRecord)
    if (
        champion is None
        or champion.candidate.kind != "tuned"
        or champion.dataset != bench.dataset.id
        or champion.candidate == winner.candidate
    ):
        return False
    measured = try_measure(bench, champion.candidate, "test")
    metric = bench.policy.primary_metric
    # A champion that cannot be asked does not serve at all.
    return (
        isinstance(measured, EvaluationRecord)
        and measured.metrics[metric] >= winner.metrics[metric]
    )
