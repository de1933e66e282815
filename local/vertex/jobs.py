"""Tuning jobs: their states, the quota, and the threads that train."""

import logging
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.cloud import aiplatform_v1

from local.vertex.checks import check_tuning_job
from local.vertex.endpoints import TunedEndpoints
from local.vertex.features import FeatureCache
from local.vertex.filters import read_filter
from local.vertex.job_pages import one_page
from local.vertex.job_store import JobStore, job_number
from local.vertex.training_run import TrainingResult, run_training
from local.vertex.tuning_data import DatasetError
from local.vertex.wire import ApiError, where
from local.vertex.workers import Workers

_State = aiplatform_v1.JobState
_ENDED = frozenset(
    (_State.JOB_STATE_SUCCEEDED, _State.JOB_STATE_FAILED, _State.JOB_STATE_CANCELLED)
)
_FIRST_ID = 1_000_000_000_000_000_001
_CANCELLED = 1
_INVALID_ARGUMENT = 3
_INTERNAL = 13
_POLL_SECONDS = 0.01
_SET_BY_THE_SERVICE = (
    "name", "state", "create_time", "start_time", "end_time", "update_time", "error",
    "experiment", "tuned_model", "tuning_data_stats",
)  # fmt: skip

log = logging.getLogger(__name__)


class TooManyJobsError(ApiError):
    """The quota of concurrent tuning jobs is used up."""

    def __init__(self, quota: int) -> None:
        super().__init__(
            "RESOURCE_EXHAUSTED",
            f"Quota exceeded: at most {quota} concurrent tuning job(s). Try again when one ends.",
        )


class TuningJobs:
    """All tuning jobs and tuned endpoints of one state directory; safe in several threads."""

    def __init__(
        self,
        directory: Path,
        *,
        quota: int = 1,
        training_seconds: float = 0.3,
        queue_seconds: float = 0.05,
        storage_endpoint: str | None = None,
    ) -> None:
        """Open a state directory and run again what was running when it was left.

        Args:
            directory: Holds jobs/ and models/; made when absent.
            quota: How many jobs may be open at a time.
            training_seconds: The least time that a job stays RUNNING.
            queue_seconds: The time that a job stays PENDING.
            storage_endpoint: Where Cloud Storage answers; None for the client's own default,
                which STORAGE_EMULATOR_HOST changes.
        """
        self._store = JobStore(directory)
        self._quota = quota
        self._training_seconds = training_seconds
        self._queue_seconds = queue_seconds
        self._storage_endpoint = storage_endpoint
        self._lock = threading.RLock()
        self._features = FeatureCache()
        self._workers = Workers()
        self.endpoints = TunedEndpoints(self._store)
        self._jobs = {job.name: job for job in self._store.jobs()}
        for job in list(self._jobs.values()):
            self.endpoints.add(job)
            if job.state == _State.JOB_STATE_CANCELLING:
                self._end(job, _State.JOB_STATE_CANCELLED)
            elif job.state not in _ENDED:
                self._workers.start(self._run, job)

    def close(self, timeout: float = 10.0) -> None:
        """Let the training threads end; a job that was running will run again later.

        Args:
            timeout: Seconds to wait for them.
        """
        self._workers.stop(timeout)

    def create(self, parent: str, job: aiplatform_v1.TuningJob) -> aiplatform_v1.TuningJob:
        """Create a tuning job.

        Args:
            parent: projects/P/locations/L.
            job: What is asked for.

        Returns:
            The job with its name, state and time.

        Raises:
            ApiError: The request is refused, or the quota is used up.
        """
        location = parent.rsplit("/", 1)[1]
        model = check_tuning_job(job, location)
        created = _copy(job)
        for field in _SET_BY_THE_SERVICE:
            aiplatform_v1.TuningJob.pb(created).ClearField(field)
        created.base_model = model.name
        created.state = _State.JOB_STATE_PENDING
        created.create_time = datetime.now(UTC)
        with self._lock:
            project = parent.split("/")[1]
            open_jobs = [
                name
                for name, other in self._jobs.items()
                if other.state not in _ENDED and name.split("/")[1] == project
            ]
            if len(open_jobs) >= self._quota:
                raise TooManyJobsError(self._quota)
            taken = [job_number(name) for name in self._jobs]
            created.name = f"{parent}/tuningJobs/{max(taken, default=_FIRST_ID - 1) + 1}"
            self._jobs[created.name] = created
            self._keep(created)
            answer = _copy(created)
            self._workers.start(self._run, created)
        return answer

    def get(self, name: str) -> aiplatform_v1.TuningJob:
        """Return a job.

        Args:
            name: Its full name.

        Raises:
            ApiError: There is no such job.
        """
        with self._lock:
            job = self._jobs.get(name)
            if job is None:
                raise ApiError("NOT_FOUND", f"TuningJob {name} is not found.")
            return _copy(job)

    def page(
        self, parent: str, text: str, size: int, token: str
    ) -> aiplatform_v1.ListTuningJobsResponse:
        """List jobs, the newest first.

        Args:
            parent: projects/P/locations/L.
            text: A filter as `read_filter` takes it.
            size: Jobs a page, at most 100; 0 for 100.
            token: The next_page_token of the page before, or an empty string.

        Returns:
            One page.

        Raises:
            ApiError: The filter, size or token is not valid.
        """
        passes = read_filter(text)
        with self._lock:
            found = [
                _copy(job)
                for name, job in self._jobs.items()
                if name.startswith(f"{parent}/tuningJobs/")
                and passes(dict(job.labels), job.state.name)
            ]
        jobs, following = one_page(found, size, token)
        return aiplatform_v1.ListTuningJobsResponse(tuning_jobs=jobs, next_page_token=following)

    def cancel(self, name: str) -> None:
        """Ask a job to stop; what it has deployed by then stays.

        Args:
            name: The job's full name.

        Raises:
            ApiError: There is no such job, or it has ended.
        """
        with self._lock:
            self.get(name)
            job = self._jobs[name]
            if job.state in _ENDED:
                raise ApiError(
                    "FAILED_PRECONDITION",
                    f"TuningJob {name} is in state {job.state.name} and cannot be cancelled.",
                )
            job.state = _State.JOB_STATE_CANCELLING
            self._keep(job)

    def counts(self) -> dict[str, int]:
        """Count the jobs by state."""
        with self._lock:
            return dict(Counter(job.state.name for job in self._jobs.values()))

    def _run(self, job: aiplatform_v1.TuningJob) -> None:
        if self._workers.stopped.wait(self._queue_seconds):
            return
        with self._lock:
            if job.state != _State.JOB_STATE_CANCELLING:
                job.state = _State.JOB_STATE_RUNNING
                job.start_time = datetime.now(UTC)
                self._keep(job)
        started = time.monotonic()
        try:
            result = run_training(
                job, self._storage_endpoint, self._features, lambda: self._leaves(job)
            )
        except DatasetError as error:
            self._end(job, _State.JOB_STATE_FAILED, _INVALID_ARGUMENT, str(error))
        except Exception as error:  # noqa: BLE001 - a job must end whatever happens in it
            log.error("%s failed: %s", job.name, where(error))  # noqa: TRY400 - no text in logs
            self._end(job, _State.JOB_STATE_FAILED, _INTERNAL, f"internal: {where(error)}")
        else:
            self._show_progress(job, result, started)
            self._finish(job, result)

    def _show_progress(
        self, job: aiplatform_v1.TuningJob, result: TrainingResult, started: float
    ) -> None:
        """Deploy the checkpoints one after the other over the time that training takes.

        The learners are faster than training is to be; a checkpoint shown has its own weights.
        """
        model = self._store.model_file(job.name)
        *earlier, _ = result.named.checkpoints
        share = self._training_seconds / (len(earlier) + 1)
        for number, _ in enumerate([*earlier, None], 1):
            while not self._leaves(job) and time.monotonic() - started < number * share:
                self._workers.stopped.wait(_POLL_SECONDS)
            with self._lock:
                if self._leaves(job):
                    return
                if number == 1:
                    # The model first: a checkpoint that is shown can be asked.
                    result.model.save(model)
                shown = earlier[:number]
                if len(shown) > len(job.tuned_model.checkpoints):
                    job.tuned_model = aiplatform_v1.TunedModel(checkpoints=shown)
                    self.endpoints.add(job)
                    self._keep(job)

    def _leaves(self, job: aiplatform_v1.TuningJob) -> bool:
        """Say whether the work on a job is to be left."""
        return self._workers.stopped.is_set() or job.state == _State.JOB_STATE_CANCELLING

    def _finish(self, job: aiplatform_v1.TuningJob, result: TrainingResult) -> None:
        with self._lock:
            if not self._leaves(job):
                job.tuning_data_stats = result.stats
                job.tuned_model = result.named
                self.endpoints.add(job)
            self._end(job, _State.JOB_STATE_SUCCEEDED)

    def _end(
        self, job: aiplatform_v1.TuningJob, state: Any, code: int = 0, message: str = ""
    ) -> None:
        with self._lock:
            if job.state == _State.JOB_STATE_CANCELLING:
                state = _State.JOB_STATE_CANCELLED
                code, message = _CANCELLED, "The tuning job was cancelled."
            elif self._workers.stopped.is_set():
                # Left open on purpose: the next start runs it again.
                return
            job.state = state
            job.end_time = datetime.now(UTC)
            if code:
                job.error = {"code": code, "message": message}
            self._keep(job)

    def _keep(self, job: aiplatform_v1.TuningJob) -> None:
        job.update_time = datetime.now(UTC)
        self._store.keep(job)


def _copy(job: aiplatform_v1.TuningJob) -> aiplatform_v1.TuningJob:
    same = aiplatform_v1.TuningJob.pb(aiplatform_v1.TuningJob())
    same.CopyFrom(aiplatform_v1.TuningJob.pb(job))
    return aiplatform_v1.TuningJob.wrap(same)
