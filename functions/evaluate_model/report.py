"""The report on a verdict: one self-contained page."""

from collections.abc import Sequence
from pathlib import Path

from functions.evaluate_model.page.view import page_values
from shared import paths
from shared.page import render
from shared.ports import Bucket
from shared.records import DatasetRecord, EvaluationRecord, JobRecord, RunRecord, VerdictRecord
from shared.task import Task

TEMPLATE = Path(__file__).with_name("page") / "report.html.j2"


def write_report(
    bucket: Bucket,
    cloud: str,
    folder: str,
    dataset: DatasetRecord,
    policy: Task,
    verdict: VerdictRecord,
    finalists: Sequence[EvaluationRecord],
    jobs: Sequence[JobRecord],
    run: RunRecord | None,
) -> None:
    """Write the verdict's page into its folder: report.html for a run, else evaluation.html.

    Args:
        bucket: The artifacts bucket.
        cloud: local or google; a page from the local cloud says that it is about the stand-in.
        folder: The run's folder, or the dataset's.
        dataset: The dataset.
        policy: The task as it is now.
        verdict: The verdict.
        finalists: The winner's evaluation on test, and what it was compared with.
        jobs: The run's jobs.
        run: The run, if there was one.
    """
    data_report = f"{paths.dataset_folder(dataset.task_name, dataset.id)}/report.html"
    there = bucket.find(data_report) is not None
    link = (f"../../datasets/{dataset.id}/report.html" if run else "report.html") if there else ""
    page = render(
        TEMPLATE, **page_values(bucket, cloud, dataset, policy, verdict, finalists, jobs, run, link)
    )
    name = "report.html" if run else "evaluation.html"
    bucket.write(f"{folder}/{name}", page, content_type="text/html; charset=utf-8")
