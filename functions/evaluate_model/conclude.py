"""Brings an evaluation to its end: finalists on test, verdict, report, promotion, fact."""

from functions.evaluate_model.bench import Bench
from functions.evaluate_model.measure import measure
from functions.evaluate_model.promote import promote
from functions.evaluate_model.report import write_report
from functions.evaluate_model.tuned import Tuned, best_on_test, try_measure
from functions.evaluate_model.verdict import Finalists, best, decide
from shared import log, paths
from shared.facts import publish_fact
from shared.record_store import change, read
from shared.records import ChampionRecord, EvaluationRecord, JobRecord, RunRecord, VerdictRecord


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
    tuned_test, failed = best_on_test(bench, prompt, tuned)
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
    fresh = decide(
        policy, dataset, run, finalists, everything, jobs, world.clock(), why_not_tuned, failed
    )

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
    measured = try_measure(bench, champion.candidate, "test")
    metric = bench.policy.primary_metric
    # A champion that cannot be asked does not serve at all.
    return (
        isinstance(measured, EvaluationRecord)
        and measured.metrics[metric] >= winner.metrics[metric]
    )
