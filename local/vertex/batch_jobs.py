"""Batch prediction jobs: their states, and the threads that answer."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from google.cloud import aiplatform_v1
from google.cloud.aiplatform_v1 import BatchPredictionJob, JobState

from local.vertex.batch_prediction import (
    BatchError,
    answer_lines,
    read_lines,
    storage_client,
    write_lines,
)
from local.vertex.checks import check_gcs_uri, check_labels
from local.vertex.filters import read_filter
from local.vertex.job_pages import one_page
from local.vertex.job_store import job_number
from local.vertex.tuned import TunedModel
from local.vertex.wire import ApiError, invalid, where
from local.vertex.workers import Workers

FindModel = Callable[[str], tuple[TunedModel | None, str]]
"""From a model's resource name to the tuned model, if it is one, and what to call it."""

_ENDED = frozenset(
    (JobState.JOB_STATE_SUCCEEDED, JobState.JOB_STATE_FAILED, JobState.JOB_STATE_CANCELLED)
)
_FIRST_ID = 3_000_000_000_000_000_001
_INVALID_ARGUMENT = 3
_INTERNAL = 13
_SET_BY_THE_SERVICE = (
    "name", "state", "create_time", "start_time", "end_time", "update_time", "error",
    "partial_failures", "output_info", "completion_stats", "resources_consumed",
)  # fmt: skip

log = logging.getLogger(__name__)


class BatchJobs:
    """All batch prediction jobs of one state directory; safe in several threads."""

    def __init__(
        self,
        directory: Path,
        find_model: FindModel,
        *,
        queue_seconds: float = 0.05,
        storage_endpoint: str | None = None,
    ) -> None:
        """Open a state directory and run again what was running when it was left.

        Args:
            directory: Holds batches/; made when absent.
            find_model: Finds a model by its resource name.
            queue_seconds: The time that a job stays PENDING.
            storage_endpoint: Where Cloud Storage answers; None for the client's own default.
        """
        self._directory = directory / "batches"
        self._directory.mkdir(parents=True, exist_ok=True)
        self._find_model = find_model
        self._queue_seconds = queue_seconds
        self._storage_endpoint = storage_endpoint
        self._lock = threading.RLock()
        self._workers = Workers()
        kept = [
            BatchPredictionJob.from_json(path.read_text("utf-8"))
            for path in self._directory.glob("*.json")
        ]
        self._jobs = {job.name: job for job in kept}
        for job in kept:
            if job.state not in _ENDED:
                self._workers.start(self._run, job)

    def close(self, timeout: float = 10.0) -> None:
        """Let the threads end; a job that was running will run again later.

        Args:
            timeout: Seconds to wait for them.
        """
        self._workers.stop(timeout)

    def create(self, parent: str, job: BatchPredictionJob) -> BatchPredictionJob:
        """Create a job.

        Args:
            parent: projects/P/locations/L.
            job: What is asked for.

        Returns:
            The job with its name, state and time.

        Raises:
            ApiError: The request is refused.
        """
        self._check(job)
        created = _copy(job)
        for field in _SET_BY_THE_SERVICE:
            BatchPredictionJob.pb(created).ClearField(field)
        created.state = JobState.JOB_STATE_PENDING
        created.create_time = datetime.now(UTC)
        with self._lock:
            number = max((job_number(name) for name in self._jobs), default=_FIRST_ID - 1) + 1
            created.name = f"{parent}/batchPredictionJobs/{number}"
            self._jobs[created.name] = created
            self._keep(created)
            answer = _copy(created)
            self._workers.start(self._run, created)
        return answer

    def get(self, name: str) -> BatchPredictionJob:
        """Return a job. Raises ApiError."""
        with self._lock:
            job = self._jobs.get(name)
            if job is None:
                raise ApiError("NOT_FOUND", f"BatchPredictionJob {name} is not found.")
            return _copy(job)

    def page(
        self, parent: str, text: str, size: int, token: str
    ) -> aiplatform_v1.ListBatchPredictionJobsResponse:
        """List jobs, the newest first.

        Args:
            parent: projects/P/locations/L.
            text: A filter as `read_filter` takes it.
            size: Jobs a page, at most 100; 0 for 100.
            token: The next_page_token of the page before, or an empty string.

        Raises:
            ApiError: The filter, size or token is not valid.
        """
        passes = read_filter(text)
        with self._lock:
            found = [
                _copy(job)
                for name, job in self._jobs.items()
                if name.startswith(f"{parent}/batchPredictionJobs/")
                and passes(dict(job.labels), job.state.name)
            ]
        jobs, following = one_page(found, size, token)
        return aiplatform_v1.ListBatchPredictionJobsResponse(
            batch_prediction_jobs=jobs, next_page_token=following
        )

    def cancel(self, name: str) -> None:
        """Ask a job to stop. Raises ApiError when there is none, or it has ended."""
        with self._lock:
            job = self._jobs.get(self.get(name).name)
            if job is None or job.state in _ENDED:
                raise ApiError("FAILED_PRECONDITION", f"{name} has ended and cannot be cancelled.")
            job.state = JobState.JOB_STATE_CANCELLING
            self._keep(job)

    def _check(self, job: BatchPredictionJob) -> None:
        """Refuse a job that the service refuses."""
        if not job.display_name or not job.model:
            raise invalid("display_name and model are required.")
        self._find_model(job.model)
        given, wanted = job.input_config, job.output_config
        if (given.instances_format, wanted.predictions_format) != ("jsonl", "jsonl"):
            raise invalid("The local stand-in takes instances_format and predictions_format jsonl.")
        if not given.gcs_source.uris:
            raise invalid("input_config.gcs_source.uris is required.")
        for uri in given.gcs_source.uris:
            check_gcs_uri("input_config.gcs_source.uris", uri)
        prefix = wanted.gcs_destination.output_uri_prefix
        check_gcs_uri("output_config.gcs_destination.output_uri_prefix", prefix)
        check_labels(job.labels)

    def _run(self, job: BatchPredictionJob) -> None:
        if self._workers.stopped.wait(self._queue_seconds):
            return
        with self._lock:
            if job.state != JobState.JOB_STATE_CANCELLING:
                job.state = JobState.JOB_STATE_RUNNING
                job.start_time = datetime.now(UTC)
                self._keep(job)
        try:
            self._work(job)
        except (BatchError, ApiError) as error:
            self._end(job, JobState.JOB_STATE_FAILED, _INVALID_ARGUMENT, str(error))
        except Exception as error:  # noqa: BLE001 - a job must end whatever happens in it
            log.error("%s failed: %s", job.name, where(error))  # noqa: TRY400 - no text in logs
            self._end(job, JobState.JOB_STATE_FAILED, _INTERNAL, f"internal: {where(error)}")
        else:
            self._end(job, JobState.JOB_STATE_SUCCEEDED)

    def _work(self, job: BatchPredictionJob) -> None:
        """Answer a job's lines; those answered before it was cancelled are written as well."""
        tuned, name = self._find_model(job.model)
        client = storage_client(job.name.split("/")[1], self._storage_endpoint)
        try:
            lines = read_lines(client, list(job.input_config.gcs_source.uris))
            predictions, good = answer_lines(lines, name, tuned, lambda: self._leaves(job))
            if self._workers.stopped.is_set():
                return
            prefix = job.output_config.gcs_destination.output_uri_prefix.rstrip("/")
            folder = f"{prefix}/prediction-model-{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
            write_lines(client, folder, predictions)
        finally:
            client.close()
        with self._lock:
            job.output_info = BatchPredictionJob.OutputInfo(gcs_output_directory=folder)
            job.completion_stats = aiplatform_v1.CompletionStats(
                successful_count=good,
                failed_count=len(predictions) - good,
                incomplete_count=len(lines) - len(predictions),
            )

    def _leaves(self, job: BatchPredictionJob) -> bool:
        return self._workers.stopped.is_set() or job.state == JobState.JOB_STATE_CANCELLING

    def _end(
        self, job: BatchPredictionJob, state: JobState, code: int = 0, message: str = ""
    ) -> None:
        with self._lock:
            if self._workers.stopped.is_set():
                # Left open on purpose: the next start runs it again.
                return
            cancelled = job.state == JobState.JOB_STATE_CANCELLING
            job.state = JobState.JOB_STATE_CANCELLED if cancelled else state
            job.end_time = datetime.now(UTC)
            if code and not cancelled:
                job.error = {"code": code, "message": message}
            self._keep(job)

    def _keep(self, job: BatchPredictionJob) -> None:
        job.update_time = datetime.now(UTC)
        path = self._directory / f"{job_number(job.name)}.json"
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(BatchPredictionJob.to_json(job, indent=None), "utf-8")
        unfinished.replace(path)


def _copy(job: BatchPredictionJob) -> BatchPredictionJob:
    same = BatchPredictionJob.pb(BatchPredictionJob())
    same.CopyFrom(BatchPredictionJob.pb(job))
    copied: BatchPredictionJob = BatchPredictionJob.wrap(same)
    return copied
