"""Tuning jobs: their states, the quota, the threads that train, and the files that keep them."""

import json
import logging
import threading
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import aiplatform_v1, storage
from requests.exceptions import RequestException

from local.vertex.base_models import BASE_MODELS
from local.vertex.checks import check_tuning_job, read_filter, read_hyper_parameters
from local.vertex.features import FeatureCache
from local.vertex.linear import HyperParameters
from local.vertex.tuned import TunedModel, train
from local.vertex.tuning_data import DatasetError, TuningExample, data_stats, read_examples
from local.vertex.wire import ApiError, invalid

_State = aiplatform_v1.JobState
_ENDED = frozenset(
    (_State.JOB_STATE_SUCCEEDED, _State.JOB_STATE_FAILED, _State.JOB_STATE_CANCELLED)
)
_FIRST_ID = 1_000_000_000_000_000_001
_MOST_VALIDATION = 5_000
_MODELS_IN_MEMORY = 8
_INVALID_ARGUMENT = 3
_INTERNAL = 13
_STEP_ROWS = 32

log = logging.getLogger(__name__)


class TooManyJobsError(ApiError):
    """The quota of concurrent tuning jobs is used up."""

    def __init__(self, quota: int) -> None:
        super().__init__(
            "RESOURCE_EXHAUSTED",
            f"Quota exceeded: at most {quota} concurrent tuning job(s). Try again when one ends.",
        )


@dataclass(frozen=True)
class Served:
    """What a tuned endpoint serves.

    Attributes:
        job: The name of the tuning job it came from.
        checkpoint: Which epoch, counted from zero, or -1 for the final model.
    """

    job: str
    checkpoint: int


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
        self._jobs_directory = directory / "jobs"
        self._models_directory = directory / "models"
        self._jobs_directory.mkdir(parents=True, exist_ok=True)
        self._models_directory.mkdir(parents=True, exist_ok=True)
        self._quota = quota
        self._training_seconds = training_seconds
        self._queue_seconds = queue_seconds
        self._storage_endpoint = storage_endpoint
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._features = FeatureCache()
        self._jobs: dict[str, aiplatform_v1.TuningJob] = {}
        self._endpoints: dict[str, Served] = {}
        self._deleted: set[str] = set()
        self._loaded: OrderedDict[str, TunedModel] = OrderedDict()
        self._threads: list[threading.Thread] = []
        self._deleted_file = directory / "deleted_endpoints.json"
        if self._deleted_file.exists():
            self._deleted.update(json.loads(self._deleted_file.read_text("utf-8")))
        for path in sorted(self._jobs_directory.glob("*.json")):
            job = aiplatform_v1.TuningJob.from_json(path.read_text("utf-8"))
            self._jobs[job.name] = job
            self._index_endpoints(job)
        for job in list(self._jobs.values()):
            if job.state == _State.JOB_STATE_CANCELLING:
                self._end(job, _State.JOB_STATE_CANCELLED)
            elif job.state not in _ENDED:
                self._start(job)

    def close(self, timeout: float = 10.0) -> None:
        """Let the training threads end; a job that was running will run again later.

        Args:
            timeout: Seconds to wait for them.
        """
        self._stopped.set()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

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
        now = datetime.now(UTC)
        created = aiplatform_v1.TuningJob(
            base_model=model.name,
            supervised_tuning_spec=job.supervised_tuning_spec,
            tuned_model_display_name=job.tuned_model_display_name,
            description=job.description,
            labels=dict(job.labels),
            state=_State.JOB_STATE_PENDING,
            create_time=now,
            update_time=now,
            experiment=job.experiment,
            service_account=job.service_account,
        )
        with self._lock:
            project = parent.split("/")[1]
            open_jobs = [
                name
                for name, other in self._jobs.items()
                if other.state not in _ENDED and name.split("/")[1] == project
            ]
            if len(open_jobs) >= self._quota:
                raise TooManyJobsError(self._quota)
            taken = [int(name.rsplit("/", 1)[1]) for name in self._jobs]
            created.name = f"{parent}/tuningJobs/{max(taken, default=_FIRST_ID - 1) + 1}"
            self._jobs[created.name] = created
            self._keep(created)
            answer = _copy(created)
            self._start(created)
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
        if size < 0:
            raise invalid("page_size must not be negative.")
        if token and not token.isdecimal():
            raise invalid("page_token is not valid.")
        size = min(size or 100, 100)
        with self._lock:
            found = [
                _copy(job)
                for name, job in self._jobs.items()
                if name.startswith(f"{parent}/tuningJobs/") and passes(job)
            ]
        found.sort(key=_number, reverse=True)
        # The token is the last job given, so jobs that are created meanwhile shift nothing.
        rest = [job for job in found if not token or _number(job) < int(token)]
        page = rest[:size]
        return aiplatform_v1.ListTuningJobsResponse(
            tuning_jobs=page, next_page_token=str(_number(page[-1])) if len(rest) > size else ""
        )

    def cancel(self, name: str) -> None:
        """Ask a job to stop; a job that has ended stays as it is.

        Args:
            name: The job's full name.

        Raises:
            ApiError: There is no such job.
        """
        with self._lock:
            self.get(name)
            job = self._jobs[name]
            if job.state in _ENDED:
                return
            job.state = _State.JOB_STATE_CANCELLING
            self._keep(job)

    def served(self, endpoint: str) -> tuple[TunedModel, Served]:
        """Return the model behind a tuned endpoint.

        Args:
            endpoint: projects/P/locations/L/endpoints/E.

        Returns:
            The model, and which checkpoint of it is served.

        Raises:
            ApiError: There is no such endpoint.
        """
        with self._lock:
            served = self._endpoints.get(endpoint)
            if served is None or endpoint in self._deleted:
                raise ApiError("NOT_FOUND", f"Endpoint `{endpoint}` not found.")
            model = self._loaded.get(served.job)
            if model is None:
                model = TunedModel.load(self._model_file(served.job))
                self._loaded[served.job] = model
            self._loaded.move_to_end(served.job)
            while len(self._loaded) > _MODELS_IN_MEMORY:
                self._loaded.popitem(last=False)
            return model, served

    def endpoint(self, name: str) -> aiplatform_v1.Endpoint:
        """Describe a tuned endpoint.

        Args:
            name: Its full name.

        Returns:
            The endpoint with its one deployed model.

        Raises:
            ApiError: There is no such endpoint.
        """
        _, served = self.served(name)
        job = self.get(served.job)
        return aiplatform_v1.Endpoint(
            name=name,
            display_name=job.tuned_model_display_name,
            deployed_models=[aiplatform_v1.DeployedModel(id="1", model=job.tuned_model.model)],
            traffic_split={"1": 100},
            labels=dict(job.labels),
            create_time=job.end_time,
        )

    def delete_endpoint(self, name: str) -> None:
        """Delete a tuned endpoint.

        Args:
            name: Its full name.

        Raises:
            ApiError: There is no such endpoint.
        """
        with self._lock:
            self.served(name)
            self._deleted.add(name)
            _write(self._deleted_file, json.dumps(sorted(self._deleted)))

    def counts(self) -> dict[str, int]:
        """Count the jobs by state."""
        with self._lock:
            return dict(Counter(job.state.name for job in self._jobs.values()))

    def _start(self, job: aiplatform_v1.TuningJob) -> None:
        thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _run(self, job: aiplatform_v1.TuningJob) -> None:
        if self._stopped.wait(self._queue_seconds):
            return
        with self._lock:
            if job.state != _State.JOB_STATE_CANCELLING:
                job.state = _State.JOB_STATE_RUNNING
                job.start_time = datetime.now(UTC)
                self._keep(job)
        started = time.monotonic()
        try:
            self._train(job, started)
        except DatasetError as error:
            self._end(job, _State.JOB_STATE_FAILED, _INVALID_ARGUMENT, str(error))
        except Exception as error:
            # A job must end whatever happens in it; the log keeps where it went wrong.
            log.exception("tuning job %s failed", job.name)
            self._end(job, _State.JOB_STATE_FAILED, _INTERNAL, f"internal: {type(error).__name__}")

    def _train(self, job: aiplatform_v1.TuningJob, started: float) -> None:
        def stop() -> bool:
            return self._stopped.is_set() or job.state == _State.JOB_STATE_CANCELLING

        spec = job.supervised_tuning_spec
        examples = self._read(job.name, spec.training_dataset_uri)
        if spec.validation_dataset_uri:
            held_out = self._read(job.name, spec.validation_dataset_uri)
            if len(held_out) > _MOST_VALIDATION:
                raise DatasetError(
                    f"the validation dataset has more than {_MOST_VALIDATION} examples"
                )
        plain = aiplatform_v1.SupervisedTuningSpec.pb(spec)
        asked = HyperParameters()
        if plain.HasField("hyper_parameters"):
            asked = read_hyper_parameters(spec.hyper_parameters, BASE_MODELS[job.base_model])
        model = train(job.base_model, examples, asked, self._features, stop)
        while not stop() and time.monotonic() - started < self._training_seconds:
            self._stopped.wait(0.01)
        if self._stopped.is_set():
            return
        model.save(self._model_file(job.name))
        steps_an_epoch = -(-len(examples) // _STEP_ROWS)
        stats = data_stats(examples, asked.epoch_count, steps_an_epoch * asked.epoch_count)
        with self._lock:
            if job.state == _State.JOB_STATE_CANCELLING:
                self._model_file(job.name).unlink()
                self._end(job, _State.JOB_STATE_CANCELLED)
                return
            job.tuning_data_stats = stats
            job.tuned_model = _tuned_model(job, asked.epoch_count, steps_an_epoch)
            self._end(job, _State.JOB_STATE_SUCCEEDED)
            self._index_endpoints(job)

    def _read(self, job_name: str, uri: str) -> list[TuningExample]:
        bucket, _, path = uri.removeprefix("gs://").partition("/")
        options = {"api_endpoint": self._storage_endpoint} if self._storage_endpoint else None
        client = storage.Client(
            project=job_name.split("/")[1],
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options=options,
        )
        try:
            content: bytes = client.bucket(bucket).blob(path).download_as_bytes(timeout=30)
        except (GoogleAPIError, GoogleAuthError, RequestException) as error:
            raise DatasetError(f"cannot read {uri}: {type(error).__name__}") from error
        finally:
            client.close()
        return read_examples(content, uri)

    def _end(
        self, job: aiplatform_v1.TuningJob, state: Any, code: int = 0, message: str = ""
    ) -> None:
        with self._lock:
            if self._stopped.is_set() and state != _State.JOB_STATE_CANCELLED:
                return
            if job.state == _State.JOB_STATE_CANCELLING:
                state, code, message = _State.JOB_STATE_CANCELLED, 0, ""
            job.state = state
            job.end_time = datetime.now(UTC)
            if code:
                job.error = {"code": code, "message": message}
            self._keep(job)

    def _keep(self, job: aiplatform_v1.TuningJob) -> None:
        job.update_time = datetime.now(UTC)
        path = self._jobs_directory / f"{_number(job)}.json"
        _write(path, aiplatform_v1.TuningJob.to_json(job, indent=None))

    def _model_file(self, job_name: str) -> Path:
        return self._models_directory / f"{job_name.rsplit('/', 1)[1]}.joblib"

    def _index_endpoints(self, job: aiplatform_v1.TuningJob) -> None:
        for checkpoint in job.tuned_model.checkpoints:
            if checkpoint.endpoint:
                epoch = int(checkpoint.epoch) - 1
                self._endpoints[checkpoint.endpoint] = Served(job.name, epoch)
        if job.tuned_model.endpoint:
            self._endpoints[job.tuned_model.endpoint] = Served(job.name, -1)


def _number(job: aiplatform_v1.TuningJob) -> int:
    return int(job.name.rsplit("/", 1)[1])


def _copy(job: aiplatform_v1.TuningJob) -> aiplatform_v1.TuningJob:
    same = aiplatform_v1.TuningJob.pb(aiplatform_v1.TuningJob())
    same.CopyFrom(aiplatform_v1.TuningJob.pb(job))
    return aiplatform_v1.TuningJob.wrap(same)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)


def _tuned_model(
    job: aiplatform_v1.TuningJob, epochs: int, steps_an_epoch: int
) -> aiplatform_v1.TunedModel:
    """Name the tuned model, its endpoint and its checkpoints."""
    _, project, _, location, *_ = job.name.split("/")
    served_from = BASE_MODELS[job.base_model].serving_locations[location]
    last = epochs if not job.supervised_tuning_spec.export_last_checkpoint_only else 1
    base = _number(job) * 1_000 % 9_000_000_000_000_000_000
    endpoints = [
        f"projects/{project}/locations/{served_from}/endpoints/{base + number}"
        for number in range(last)
    ]
    return aiplatform_v1.TunedModel(
        model=f"projects/{project}/locations/{served_from}/models/{_number(job)}@1",
        endpoint=endpoints[-1],
        checkpoints=[
            {
                "checkpoint_id": str(number),
                "epoch": epochs - last + number,
                "step": (epochs - last + number) * steps_an_epoch,
                "endpoint": endpoint,
            }
            for number, endpoint in enumerate(endpoints, 1)
        ],
    )
