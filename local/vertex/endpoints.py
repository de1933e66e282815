"""Tuned endpoints: which model and checkpoint each one serves."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from google.cloud import aiplatform_v1

from local.vertex.base_models import BASE_MODELS
from local.vertex.job_store import JobStore, job_number
from local.vertex.tuned import TunedModel
from local.vertex.wire import ApiError

_MODELS_IN_MEMORY = 8
# Endpoint numbers of one job stand a thousand apart from those of the next.
_NUMBERS_A_JOB = 1_000
_NUMBERS = 9_000_000_000_000_000_000


@dataclass(frozen=True)
class Served:
    """What a tuned endpoint serves.

    Attributes:
        job: The name of the tuning job it came from.
        checkpoint: Which epoch, counted from zero, or -1 for the final model.
    """

    job: str
    checkpoint: int


def name_tuned_model(
    job: aiplatform_v1.TuningJob, epochs: int, steps_an_epoch: int
) -> aiplatform_v1.TunedModel:
    """Name a finished job's model, endpoint and checkpoints.

    Args:
        job: The job.
        epochs: Passes over its data.
        steps_an_epoch: Training steps in each.

    Returns:
        The tuned model; the last checkpoint's endpoint is the model's.
    """
    _, project, _, location, *_ = job.name.split("/")
    served_from = BASE_MODELS[job.base_model].serving_locations[location]
    parent = f"projects/{project}/locations/{served_from}"
    exported = 1 if job.supervised_tuning_spec.export_last_checkpoint_only else epochs
    first = job_number(job.name) * _NUMBERS_A_JOB % _NUMBERS
    endpoints = [f"{parent}/endpoints/{first + number}" for number in range(exported)]
    return aiplatform_v1.TunedModel(
        model=f"{parent}/models/{job_number(job.name)}@1",
        endpoint=endpoints[-1],
        checkpoints=[
            {
                "checkpoint_id": str(number),
                "epoch": epochs - exported + number,
                "step": (epochs - exported + number) * steps_an_epoch,
                "endpoint": endpoint,
            }
            for number, endpoint in enumerate(endpoints, 1)
        ],
    )


class TunedEndpoints:
    """All tuned endpoints of one state directory; safe in several threads."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._served: dict[str, Served] = {}
        self._deleted = store.deleted_endpoints()
        self._loaded: OrderedDict[str, TunedModel] = OrderedDict()

    def add(self, job: aiplatform_v1.TuningJob) -> None:
        """Serve what a finished job made; a job without a model adds nothing.

        Args:
            job: The job.
        """
        with self._lock:
            for checkpoint in job.tuned_model.checkpoints:
                self._served[checkpoint.endpoint] = Served(job.name, int(checkpoint.epoch) - 1)
            if job.tuned_model.endpoint:
                self._served[job.tuned_model.endpoint] = Served(job.name, -1)

    def find(self, name: str) -> Served:
        """Say what an endpoint serves.

        Args:
            name: projects/P/locations/L/endpoints/E.

        Returns:
            The job and checkpoint behind it.

        Raises:
            ApiError: There is no such endpoint.
        """
        with self._lock:
            served = self._served.get(name)
            if served is None or name in self._deleted:
                raise ApiError("NOT_FOUND", f"Endpoint `{name}` not found.")
            return served

    def model(self, job_name: str) -> TunedModel:
        """Return a job's model, from memory when it was used lately.

        Args:
            job_name: The name of a job that succeeded.

        Returns:
            The model.
        """
        with self._lock:
            model = self._loaded.get(job_name)
            if model is None:
                model = TunedModel.load(self._store.model_file(job_name))
                self._loaded[job_name] = model
            self._loaded.move_to_end(job_name)
            while len(self._loaded) > _MODELS_IN_MEMORY:
                self._loaded.popitem(last=False)
            return model

    def delete(self, name: str) -> None:
        """Delete an endpoint.

        Args:
            name: Its full name.

        Raises:
            ApiError: There is no such endpoint.
        """
        self.find(name)
        with self._lock:
            self._deleted.add(name)
            self._store.keep_deleted_endpoints(self._deleted)


def describe(name: str, job: aiplatform_v1.TuningJob) -> aiplatform_v1.Endpoint:
    """Describe a tuned endpoint.

    Args:
        name: Its full name.
        job: The job it came from.

    Returns:
        The endpoint with its one deployed model.
    """
    return aiplatform_v1.Endpoint(
        name=name,
        display_name=job.tuned_model_display_name,
        deployed_models=[aiplatform_v1.DeployedModel(id="1", model=job.tuned_model.model)],
        traffic_split={"1": 100},
        labels=dict(job.labels),
        create_time=job.end_time,
    )
