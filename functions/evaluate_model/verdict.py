"""Decides between the tuned model and the prompt. docs/verdict.md explains the rule.

Candidates were chosen on validation; both finalists were then measured once on the same test
rows. The tuned model wins when it is better by more than chance explains: an exact sign test over
the rows where the two differ (for labels this is McNemar's exact test).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.paths import content_id
from shared.records import (
    Comparison,
    DatasetRecord,
    Decision,
    EvaluationRecord,
    Figure,
    JobRecord,
    RunRecord,
    VerdictRecord,
)
from shared.task import Task

MIN_DIFFERING_ROWS = 6
"""With fewer rows that differ, a clean sweep is not significant at the usual 5 %: 2 x 0.5^5."""


@dataclass(frozen=True)
class Finalists:
    """The best prompt and the best tuned model, each measured on test."""

    prompting: EvaluationRecord
    tuned: EvaluationRecord | None


def best(evaluations: Sequence[EvaluationRecord], metric: str) -> EvaluationRecord:
    """Return the best evaluation; of equals the first, which is the cheapest to serve."""
    return max(evaluations, key=lambda evaluation: evaluation.metrics[metric])


def compare(prompting: EvaluationRecord, tuned: EvaluationRecord, metric: str) -> Comparison:
    """Compare two candidates on the same rows with an exact sign test (two-sided)."""
    from scipy.stats import binomtest

    pairs = list(zip(tuned.row_scores, prompting.row_scores, strict=True))
    wins = sum(mine > other for mine, other in pairs)
    losses = sum(mine < other for mine, other in pairs)
    p_value = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return Comparison(
        tuned=tuned.candidate.name,
        prompting=prompting.candidate.name,
        n=len(pairs),
        difference=tuned.metrics[metric] - prompting.metrics[metric],
        tuned_better=wins,
        prompting_better=losses,
        p_value=p_value,
    )


def decide(
    policy: Task,
    dataset: DatasetRecord,
    run: RunRecord | None,
    finalists: Finalists,
    evaluations: Sequence[EvaluationRecord],
    ended: Sequence[JobRecord],
    now: datetime,
    why_not_tuned: str = "",
    failed: Sequence[str] = (),
) -> VerdictRecord:
    """Reach the verdict.

    Args:
        policy: The task as it is now: its target and its significance level.
        dataset: The dataset.
        run: The run, if there was one.
        finalists: The best candidates, on test.
        evaluations: Everything that was measured, for the table.
        ended: The run's jobs.
        now: The time.
        why_not_tuned: Why there is no tuned candidate, when there is none.
        failed: Why tuned candidates could not be measured.
    """
    metric = policy.primary_metric
    comparison = None
    decision: Decision = "keep_prompting"
    winner = finalists.prompting
    if finalists.tuned is None:
        reason = why_not_tuned or "There is no tuned model to compare with."
    else:
        comparison = compare(finalists.prompting, finalists.tuned, metric)
        decision, reason = _rule(comparison, metric, policy.evaluation.significance)
        winner = finalists.tuned if decision == "promote_tuned" else finalists.prompting
    return VerdictRecord(
        task_name=dataset.task_name,
        dataset=dataset.id,
        run=run.id if run else "",
        basis=_basis(policy, evaluations, ended, why_not_tuned, failed),
        decision=decision,
        winner=winner.candidate.name,
        metric=metric,
        target=policy.target.value,
        target_met=winner.metrics[metric] >= policy.target.value,
        reason=reason,
        figures=tuple(_figure(evaluation) for evaluation in evaluations),
        comparison=comparison,
        failed_jobs=tuple(
            f"{job.id}: {job.state} {job.error}".strip()
            for job in ended
            if job.state != "succeeded"
        ),
        failed_candidates=tuple(failed),
        created=now,
    )


def _basis(
    policy: Task,
    evaluations: Sequence[EvaluationRecord],
    ended: Sequence[JobRecord],
    why_not_tuned: str,
    failed: Sequence[str],
) -> str:
    """Name everything that a verdict rests on: with the same basis, it is the same verdict."""
    return content_id(
        policy.target.model_dump(),
        policy.evaluation.model_dump(),
        [(item.candidate.name, item.split, item.n, item.row_scores) for item in evaluations],
        [(job.id, job.state) for job in ended],
        why_not_tuned,
        *failed,
    )


def _rule(comparison: Comparison, metric: str, significance: float) -> tuple[Decision, str]:
    """Choose the decision, and say why in a sentence."""
    points = f"{abs(comparison.difference) * 100:.1f} points"
    counted = (
        f"it does better on {comparison.tuned_better} of {comparison.n} test rows and worse on "
        f"{comparison.prompting_better} (p = {comparison.p_value:.2g})"
    )
    real = comparison.p_value <= significance
    if real and comparison.difference * (comparison.tuned_better - comparison.prompting_better) < 0:
        return "not_enough_data", (
            f"The figures disagree: {comparison.tuned} is {points} of {metric} "
            f"{'ahead of' if comparison.difference > 0 else 'behind'} {comparison.prompting}, but "
            f"{counted}. The prompt stays; look at the rarer labels or fields."
        )
    if real and comparison.difference > 0:
        return "promote_tuned", (
            f"{comparison.tuned} beats {comparison.prompting} by {points} of {metric}: {counted}."
        )
    if real and comparison.difference < 0:
        return "keep_prompting", (
            f"{comparison.tuned} is {points} of {metric} behind {comparison.prompting}: {counted}."
        )
    if comparison.difference <= 0:
        return "keep_prompting", (
            f"{comparison.tuned} is no better than {comparison.prompting} in {metric}: {counted}."
        )
    differing = comparison.tuned_better + comparison.prompting_better
    hint = " Too few rows differ to tell." if differing < MIN_DIFFERING_ROWS else ""
    return "not_enough_data", (
        f"{comparison.tuned} is {points} of {metric} ahead of {comparison.prompting}, which "
        f"chance can explain: {counted}.{hint} The prompt stays until more test rows tell."
    )


def _figure(evaluation: EvaluationRecord) -> Figure:
    return Figure(
        candidate=evaluation.candidate.name,
        kind=evaluation.candidate.kind,
        split=evaluation.split,
        n=evaluation.n,
        metrics=evaluation.metrics_with_service(),
    )
