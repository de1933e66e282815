"""Decides between the tuned model and the prompt, and puts everything about it into one record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.evaluate_model.candidate_figure import figure_of, finalist_figure, parts_of
from functions.evaluate_model.candidates import candidate_key
from functions.evaluate_model.comparison import compare
from functions.evaluate_model.growth import Size, growth
from functions.evaluate_model.next_steps import next_steps
from functions.evaluate_model.rule import Standing, rule
from shared.paths import content_id
from shared.records import (
    DatasetRecord,
    EvaluationRecord,
    Figure,
    JobRecord,
    RunRecord,
    VerdictRecord,
)
from shared.task import Task


@dataclass(frozen=True)
class Finalists:
    """The best prompt and the best tuned model, each measured on test."""

    prompting: EvaluationRecord
    tuned: EvaluationRecord | None

    def is_one(self, evaluation: EvaluationRecord) -> bool:
        """Whether an evaluation is that of a finalist on test."""
        return evaluation is self.prompting or evaluation is self.tuned


def best(evaluations: Sequence[EvaluationRecord], metric: str) -> EvaluationRecord:
    """Return the best evaluation; of equals the first, in the order of task.yaml or the plan."""
    return max(evaluations, key=lambda evaluation: evaluation.metrics[metric])


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
    earlier: int = 0,
    others: Sequence[Size] = (),
) -> VerdictRecord:
    """Reach the verdict.

    Args:
        policy: The task as it is now: its target and its gate.
        dataset: The dataset.
        run: The run, if there was one.
        finalists: The best candidates, on test.
        evaluations: Everything that was measured, on validation and, of the finalists, on test.
        ended: The run's jobs.
        now: The time.
        why_not_tuned: Why there is no tuned candidate, when there is none.
        failed: Why tuned candidates could not be measured.
        earlier: How many tuned models of other runs had met the same test rows before.
        others: What runs on the task's other datasets have reached.
    """
    metric, task = policy.primary_metric, dataset.task
    validation = {item.candidate.name: item for item in evaluations if item.split == "validation"}
    figures = {
        id(item): finalist_figure(item, validation.get(item.candidate.name), task, metric)
        if finalists.is_one(item)
        else figure_of(item, task, metric)
        for item in (*evaluations, finalists.prompting, finalists.tuned)
        if item is not None
    }
    outcome = tuned = None
    if finalists.tuned is not None:
        tuned = _standing(finalists.tuned, figures[id(finalists.tuned)], metric)
        outcome = compare(finalists.prompting, finalists.tuned, policy, parts_of(task), 1 + earlier)
    ruling = rule(
        policy,
        _standing(finalists.prompting, figures[id(finalists.prompting)], metric),
        tuned,
        outcome,
        max(0, dataset.counts["test"] - finalists.prompting.n),
        why_not_tuned,
    )
    grown = None
    if finalists.tuned is not None and tuned is not None and tuned.interval is not None:
        grown = growth([*others, Size(dataset.counts["train"], tuned.value, tuned.interval)])
    winner = finalists.prompting
    if ruling.decision == "promote_tuned" and finalists.tuned is not None:
        winner = finalists.tuned
    return VerdictRecord(
        task_name=dataset.task_name,
        dataset=dataset.id,
        run=run.id if run else "",
        basis=_basis(policy, dataset, evaluations, ended, why_not_tuned, failed, earlier),
        decision=ruling.decision,
        winner=winner.candidate.name,
        metric=metric,
        target=policy.target.value,
        target_met=winner.metrics[metric] >= policy.target.value,
        reason=ruling.reason,
        figures=tuple(figures[id(item)] for item in evaluations),
        comparison=outcome.comparison if outcome else None,
        further_examples=ruling.further,
        next_steps=next_steps(
            dataset, policy, winner.candidate, tuple(validation.values()), run, grown, winner
        ),
        failed_jobs=tuple(
            f"{job.id}: {job.state} {job.error}".strip()
            for job in ended
            if job.state != "succeeded"
        ),
        failed_candidates=tuple(failed),
        created=now,
    )


def _standing(evaluation: EvaluationRecord, figure: Figure, metric: str) -> Standing:
    return Standing(evaluation.candidate.name, evaluation.metrics[metric], figure.interval)


def _basis(
    policy: Task,
    dataset: DatasetRecord,
    evaluations: Sequence[EvaluationRecord],
    ended: Sequence[JobRecord],
    why_not_tuned: str,
    failed: Sequence[str],
    earlier: int,
) -> str:
    """Name everything that a verdict rests on: with the same basis, it is the same verdict.

    What was asked and how belongs to it, since the champion and its calibration follow from that,
    and another model can score the same on every row.
    """
    return content_id(
        policy.target.model_dump(),
        policy.evaluation.model_dump(),
        [
            (
                candidate_key(item.candidate, dataset),
                (item.samples, item.temperature, item.stop_at),
                (item.split, item.n),
                (item.row_scores, item.row_agreements, item.row_ratings),
            )
            for item in evaluations
        ],
        [(job.id, job.state) for job in ended],
        why_not_tuned,
        earlier,
        *failed,
    )
