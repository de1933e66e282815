"""The report on a verdict: one self-contained page."""

from collections.abc import Sequence
from math import isclose
from pathlib import Path

from shared.page import render
from shared.ports import Bucket
from shared.prompts import system_instruction
from shared.records import DatasetRecord, EvaluationRecord, JobRecord, RunRecord, VerdictRecord

HEADLINES = {
    "promote_tuned": "Serve the tuned model",
    "keep_prompting": "Keep prompting",
    "not_enough_data": "Not enough data to tell",
    "below_target": "Nothing is good enough",
}


def write_report(
    bucket: Bucket,
    cloud: str,
    folder: str,
    dataset: DatasetRecord,
    verdict: VerdictRecord,
    winner: EvaluationRecord,
    jobs: Sequence[JobRecord],
    run: RunRecord | None,
) -> None:
    """Write the verdict's page into its folder: report.html for a run, else evaluation.html.

    A page from the local cloud says that it is about the stand-in.
    """
    worst_first = sorted(winner.per_label.items(), key=lambda item: (item[1]["f1"], item[0]))
    page = render(
        Path(__file__).with_name("report.html.j2"),
        stand_in=cloud == "local",
        headline=HEADLINES[verdict.decision],
        verdict=verdict,
        dataset=dataset,
        winner=winner,
        parts=worst_first,
        jobs=jobs,
        remarks={job.id: _remarks(job) for job in jobs},
        run=run,
        prompt=system_instruction(dataset.task),
        disagree=[
            figure
            for figure in verdict.figures
            if not isclose(
                figure.metrics["exact_match"],
                figure.metrics.get("service_exact_match", figure.metrics["exact_match"]),
            )
        ],
    )
    name = "report.html" if run else "evaluation.html"
    bucket.write(f"{folder}/{name}", page, content_type="text/html; charset=utf-8")


def _remarks(job: JobRecord) -> str:
    """Say what is worth knowing of a job, in sentences and the service's own words."""
    parts = [job.error, *job.dropped_examples]
    if job.steps_done:
        parts.append(f"{job.steps_done:,} steps")
    if job.stuck:
        parts.append("showed no progress for long")
    return "; ".join(part for part in parts if part)
