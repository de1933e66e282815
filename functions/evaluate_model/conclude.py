"""Brings an evaluation to its end: finalists on test, verdict, report, promotion, fact."""

from functions.evaluate_model.bench import Bench
from functions.evaluate_model.measure import measure
from functions.evaluate_model.promote import promote
from functions.evaluate_model.report import write_report
from functions.evaluate_model.verdict import Finalists, best, decide
from shared import log, paths
from shared.facts import publish_fact
from shared.record_store import change, read
from shared.records import ChampionRecord, EvaluationRecord, JobRecord, RunRecord, VerdictRecord


def conclude(
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
    if policy.evaluation.promote == "automatically" and not _serves_better(bench, winner):
        tuned_won = verdict.decision == "promote_tuned"
        promote(world, dataset, winner.candidate, verdict.created, displaces_tuned=tuned_won)


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
    rows = bench.policy.evaluation.max_rows
    measured = measure(bench.world, bench.services, bench.dataset, champion.candidate, "test", rows)
    metric = bench.policy.primary_metric
    return measured.metrics[metric] >= winner.metrics[metric]
