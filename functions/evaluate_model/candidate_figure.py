"""Makes what a verdict shows of a candidate out of its evaluation."""

from functions.evaluate_model.calibration import calibration_of
from functions.evaluate_model.figures.confidence import confidence_figures
from functions.evaluate_model.figures.labels import confusion_matrix
from functions.evaluate_model.statistics.intervals import metric_interval
from shared.calibration import apply
from shared.records import Calibration, EvaluationRecord, Figure
from shared.task import Metric, Task

MAX_MISTAKES = 20
"""So many of a finalist's mistakes are shown, those it was surest of first."""


def figure_of(evaluation: EvaluationRecord, task: Task, metric: Metric) -> Figure:
    """Show a candidate's figures on a split.

    Args:
        evaluation: The candidate's evaluation.
        task: The task with its labels or fields.
        metric: The metric that the interval is of.
    """
    right = [score == 1.0 for score in evaluation.row_scores]
    return Figure(
        candidate=evaluation.candidate.name,
        kind=evaluation.candidate.kind,
        split=evaluation.split,
        n=evaluation.n,
        metrics=evaluation.metrics_with_service(),
        interval=metric_interval(evaluation, metric, parts_of(task)),
        confidence=confidence_figures(evaluation.row_agreements, right)
        if evaluation.row_agreements
        else None,
        seconds_p50=evaluation.seconds_p50,
        seconds_p95=evaluation.seconds_p95,
        usd_per_thousand=evaluation.usd_per_thousand,
        invalid=evaluation.invalid,
    )


def finalist_figure(
    evaluation: EvaluationRecord,
    validation: EvaluationRecord | None,
    task: Task,
    metric: Metric,
) -> Figure:
    """Show a finalist on test: its confidence also as calibrated, its labels and its mistakes.

    Args:
        evaluation: The finalist's evaluation on test.
        validation: The same candidate's evaluation on validation, which calibrates it.
        task: The task with its labels or fields.
        metric: The metric that the interval is of.
    """
    shown = figure_of(evaluation, task, metric)
    calibration = calibration_of(validation) if validation else None
    surest = sorted(evaluation.mistakes, key=lambda mistake: (-mistake.confidence, mistake.row))
    return shown.model_copy(
        update={
            **_calibrated(evaluation, calibration),
            "per_label": evaluation.per_label,
            "confusions": evaluation.confusions,
            "confusion_matrix": confusion_matrix(len(task.labels), evaluation.row_answers),
            "mistakes": tuple(surest[:MAX_MISTAKES]),
        }
    )


def parts_of(task: Task) -> int:
    """Return how many labels or fields a task has."""
    return len(task.fields if task.type == "extraction" else task.labels)


def _calibrated(evaluation: EvaluationRecord, calibration: Calibration | None) -> dict[str, object]:
    if calibration is None or calibration.method == "none" or not evaluation.row_agreements:
        return {"calibration": calibration}
    ratings = evaluation.row_ratings or [""] * evaluation.n
    rows = zip(evaluation.row_agreements, ratings, strict=True)
    confidences = [apply(calibration, agreement, rating) for agreement, rating in rows]
    right = [score == 1.0 for score in evaluation.row_scores]
    return {"calibration": calibration, "calibrated": confidence_figures(confidences, right)}
