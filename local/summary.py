"""Reads what a deployment has come to out of its buckets, as plain data.

What it returns is the JSON of `python -m local run --json` and `status --json`.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from local.folders import TASK_FILE
from shared import paths
from shared.current import standing
from shared.ports import Bucket, Buckets, StoredObject
from shared.record_store import read
from shared.records import (
    ChampionRecord,
    DatasetRecord,
    DriftRecord,
    EvaluationRecord,
    JobRecord,
    Record,
    ResultRecord,
    RunRecord,
    TaskRecord,
    VerdictRecord,
)

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Records:
    """Everything that is recorded about one task."""

    name: str
    task: TaskRecord | None
    datasets: list[DatasetRecord]
    runs: list[RunRecord]
    jobs: list[JobRecord]
    evaluations: list[EvaluationRecord]
    verdicts: dict[str, VerdictRecord]
    champion: ChampionRecord | None

    def dataset_of(self, object_name: str, generation: int) -> DatasetRecord | None:
        """Find the dataset that an upload became."""
        return next(
            (
                item
                for item in self.datasets
                if (item.source_object, item.source_generation) == (object_name, generation)
            ),
            None,
        )

    def verdict_of(self, dataset: str) -> tuple[str, VerdictRecord] | None:
        """Find the last verdict on a dataset, and its path."""
        found = [(path, item) for path, item in self.verdicts.items() if item.dataset == dataset]
        return max(found, key=lambda item: item[1].created, default=None)

    def has_ended(self, dataset: str) -> bool:
        """Whether a dataset has its verdict, and what the verdict leads to."""
        found = self.verdict_of(dataset)
        if found is None or self.champion is not None:
            return found is not None
        gate = self.task.task.evaluation.promote if self.task else "automatically"
        return gate == "by_hand" or (gate == "when_target_met" and not found[1].target_met)


def read_task(artifacts: Bucket, name: str) -> Records:
    """Read everything about one task."""
    names = [found.name for found in artifacts.list(f"tasks/{name}/")]

    def every(ending: str, kind: type[R]) -> dict[str, R]:
        found = {path: read(artifacts, path, kind) for path in names if path.endswith(ending)}
        return {path: record for path, record in found.items() if record is not None}

    datasets = every("/dataset.json", DatasetRecord).values()
    runs = every("/run.json", RunRecord).values()
    jobs = [
        read(artifacts, paths.job_record(name, run.id, job), JobRecord)
        for run in runs
        for job in run.jobs
    ]
    return Records(
        name=name,
        task=read(artifacts, paths.task_record(name), TaskRecord),
        datasets=sorted(datasets, key=standing),
        runs=sorted(runs, key=lambda item: item.created),
        jobs=[job for job in jobs if job is not None],
        evaluations=list(every("/evaluation.json", EvaluationRecord).values()),
        verdicts=every("/verdict.json", VerdictRecord),
        champion=read(artifacts, paths.champion(name), ChampionRecord),
    )


def task_names(buckets: Buckets) -> list[str]:
    """List the tasks that something is recorded about, or that documents came for."""
    recorded = {found.name.split("/")[1] for found in buckets.artifacts.list("tasks/")}
    return sorted(recorded | {found.name.split("/")[0] for found in buckets.results.list("")})


def labelled_files(datasets: Bucket, task: str) -> list[StoredObject]:
    """List a task's labelled files: no task.yaml, no corrections, nothing that is ignored."""
    return [
        found
        for found in datasets.list(f"{task}/")
        if found.name not in {f"{task}/", f"{task}/{TASK_FILE}"}
        and not found.name.startswith(paths.corrections(task))
        and not any(part[:1] in {".", "_"} for part in found.name.split("/")[1:])
    ]


def results_of(results: Bucket, task: str) -> list[ResultRecord]:
    """List a task's answers, by document."""
    return [
        item
        for found in results.list(f"{task}/")
        if found.name.endswith(".json") and (item := read(results, found.name, ResultRecord))
    ]


def summarize(buckets: Buckets, name: str) -> dict[str, Any]:
    """Sum up a task: the dataset that counts, candidates, verdict, champion and answers."""
    records = read_task(buckets.artifacts, name)
    page = buckets.artifacts.find(paths.index_page(name))
    dataset = records.datasets[-1] if records.datasets else None
    return {
        "task": _task(records),
        "page": page and page.name,
        "labelled_file": dataset is not None or bool(labelled_files(buckets.datasets, name)),
        "dataset": dataset and _dataset(dataset),
        "candidates": _candidates(records, dataset),
        "runs": [_run(run) for run in records.runs],
        "jobs": [_job(job) for job in records.jobs],
        "verdict": dataset and _verdict(records, dataset),
        "champion": records.champion and _champion(records.champion),
        "drift": _drift(read(buckets.artifacts, paths.drift(name), DriftRecord)),
        "documents": [_document(item) for item in results_of(buckets.results, name)],
    }


def _task(records: Records) -> dict[str, Any]:
    task = records.task
    if task is None:
        return {"name": records.name}
    return {
        "name": records.name,
        "type": task.task.type,
        "source": task.source,
        "explanation": list(task.explanation),
    }


def _dataset(dataset: DatasetRecord) -> dict[str, Any]:
    return {
        "id": dataset.id,
        "source": dataset.source_object,
        "rows": dataset.rows,
        "counts": dataset.counts,
        "quarantined": dataset.quarantined,
        "quarantined_by_reason": dataset.quarantined_by_reason,
        "labels": len(dataset.labels),
        "explanation": list(dataset.explanation),
    }


def _candidates(records: Records, dataset: DatasetRecord | None) -> list[dict[str, Any]]:
    """Show what was measured: validation first, prompts before tuned models."""
    shown = [item for item in records.evaluations if dataset and item.dataset == dataset.id]
    shown.sort(key=lambda item: (item.split == "test", item.candidate.kind, item.candidate.name))
    return [
        {
            "name": item.candidate.name,
            "kind": item.candidate.kind,
            "split": item.split,
            "metrics": item.metrics_with_service(),
            "n": item.n,
        }
        for item in shown
    ]


def _run(run: RunRecord) -> dict[str, Any]:
    return {
        "id": run.id,
        "dataset": run.dataset,
        "state": run.state,
        "jobs": len(run.jobs),
        "plan_note": run.plan_note,
        "estimated_usd": run.estimated_usd,
        "estimated_range_usd": [run.estimated_low_usd, run.estimated_high_usd],
        "actual_usd": run.actual_usd,
        "reason": run.reason,
        "lineage": run.lineage,
        **(_approval(run) if run.state == "waiting" else {}),
    }


def _approval(run: RunRecord) -> dict[str, Any]:
    """Say which message lets a waiting run go on: its topic, and what to publish there."""
    message = {"task": run.task_name, "approve": run.id}
    return {"to_approve": {"topic": "tuning-requested", "message": message}}


def _job(job: JobRecord) -> dict[str, Any]:
    return {
        "id": job.id,
        "run": job.run,
        "configuration": job.configuration.model_dump(),
        "state": job.state,
        "epochs_done": job.epochs_done,
        "steps_done": job.steps_done,
        "stuck": job.stuck,
        "progress_at": job.progress_at and job.progress_at.isoformat(),
        "dropped_examples": list(job.dropped_examples),
        "truncated_examples": job.truncated_examples,
        "billable_tokens": job.billable_tokens,
        "error": job.error,
    }


def _verdict(records: Records, dataset: DatasetRecord) -> dict[str, Any] | None:
    found = records.verdict_of(dataset.id)
    if found is None:
        return None
    _, verdict = found
    return {
        "decision": verdict.decision,
        "winner": verdict.winner,
        "metric": verdict.metric,
        "target": verdict.target,
        "target_met": verdict.target_met,
        "reason": verdict.reason,
        "further_examples": verdict.further_examples,
        "comparison": verdict.comparison and verdict.comparison.model_dump(),
    }


def _champion(champion: ChampionRecord) -> dict[str, Any]:
    return {
        "name": champion.candidate.name,
        "kind": champion.candidate.kind,
        "model": champion.candidate.model,
        "dataset": champion.dataset,
        "run": champion.run,
        "by": champion.history[-1].by if champion.history else "verdict",
    }


def _drift(drift: DriftRecord | None) -> dict[str, Any] | None:
    """Show drift only while there is some."""
    return drift.model_dump(mode="json") if drift and drift.drifted else None


def _document(result: ResultRecord) -> dict[str, Any]:
    return {
        "name": result.document.partition("/")[2],
        "answer": result.answer,
        "confidence": result.confidence,
        "agreement": result.agreement,
        "calibrated": result.calibrated,
        "provisional": result.provisional,
        "status": result.status,
        **({"reason": result.reason} if result.reason else {}),
    }
