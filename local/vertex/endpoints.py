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
_MOST_CHECKPOINTS = 10
DEPLOYED_ID = "1"
"""Each endpoint has one deployed model, with this id."""


@dataclass(frozen=True)
class Served:
    """What a tuned endpoint serves.

    Attributes:
        job: The name of the tuning job it came from.
        checkpoint: Which epoch, counted from zero, or -1 for the final model.
    """

    job: str
    checkpoint: int


def checkpoint_epochs(epochs: int) -> list[int]:
    """List the epochs after which a checkpoint is kept: about ten at most, the last one always.

    Args:
        epochs: Passes over the data.
    """
    kept = min(epochs, _MOST_CHECKPOINTS)
    return [-(-number * epochs // kept) for number in range(1, kept + 1)]


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
    last_only = job.supervised_tuning_spec.export_last_checkpoint_only
    exported = [epochs] if last_only else checkpoint_epochs(epochs)
    first = job_number(job.name) * _NUMBERS_A_JOB % _NUMBERS
    checkpoints = [
        aiplatform_v1.TunedModelCheckpoint(
            checkpoint_id=str(number),
            epoch=epoch,
            step=epoch * steps_an_epoch,
            endpoint=f"{parent}/endpoints/{first + number}",
        )
        for number, epoch in enumerate(exported, 1)
    ]
    return aiplatform_v1.TunedModel(
        model=f"{parent}/models/{job_number(job.name)}@1",
        endpoint=checkpoints[-1].endpoint,
        checkpoints=checkpoints,
    )


class TunedEndpoints:
    """All tuned endpoints of one state directory; safe in several threads."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._served: dict[str, Served] = {}
        self._jobs_of_models: dict[str, str] = {}
        self._deleted = store.endpoint_names("deleted")
        self._undeployed = store.endpoint_names("undeployed")
        self._loaded: OrderedDict[str, TunedModel] = OrderedDict()

    def add(self, job: aiplatform_v1.TuningJob) -> None:
        """Serve what a job has made so far; a job without a checkpoint adds nothing.

        Args:
            job: The job.
        """
        with self._lock:
            for checkpoint in job.tuned_model.checkpoints:
                self._served[checkpoint.endpoint] = Served(job.name, int(checkpoint.epoch) - 1)
            if job.tuned_model.endpoint:
                self._served[job.tuned_model.endpoint] = Served(job.name, -1)
                self._jobs_of_models[_unversioned(job.tuned_model.model)] = job.name

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

    def tuned_model(self, name: str) -> TunedModel:
        """Return a tuned model, which stays when its endpoint is deleted.

        Args:
            name: projects/P/locations/L/models/M, with a version or without.

        Raises:
            ApiError: There is no such model.
        """
        with self._lock:
            job = self._jobs_of_models.get(_unversioned(name))
        if job is None:
            raise ApiError("NOT_FOUND", f"Model `{name}` is not found.")
        return self.model(job)

    def names(self, parent: str) -> list[str]:
        """List the endpoints of a location, by name.

        Args:
            parent: projects/P/locations/L.
        """
        with self._lock:
            found = [name for name in self._served if name.startswith(f"{parent}/endpoints/")]
            return sorted(name for name in found if name not in self._deleted)

    def is_deployed(self, name: str) -> bool:
        """Say whether a model is deployed to an endpoint.

        Args:
            name: The endpoint's full name.
        """
        with self._lock:
            return name not in self._undeployed

    def undeploy(self, name: str, deployed_model: str) -> None:
        """Take the model off an endpoint.

        Args:
            name: The endpoint's full name.
            deployed_model: The deployed model's id.

        Raises:
            ApiError: There is no such endpoint, or no such model on it.
        """
        self.find(name)
        with self._lock:
            if deployed_model != DEPLOYED_ID or name in self._undeployed:
                raise ApiError(
                    "NOT_FOUND", f"Deployed model {deployed_model!r} is not on endpoint `{name}`."
                )
            self._undeployed.add(name)
            self._store.keep_endpoint_names("undeployed", self._undeployed)

    def delete(self, name: str) -> None:
        """Delete an endpoint that nothing is deployed to.

        Args:
            name: Its full name.

        Raises:
            ApiError: There is no such endpoint, or its model is still deployed.
        """
        self.find(name)
        with self._lock:
            if name not in self._undeployed:
                raise ApiError(
                    "FAILED_PRECONDITION",
                    f"Endpoint `{name}` has deployed models. Undeploy them before deleting it.",
                )
            self._deleted.add(name)
            self._store.keep_endpoint_names("deleted", self._deleted)


def _unversioned(model: str) -> str:
    return model.split("@", maxsplit=1)[0]


def describe(
    name: str, job: aiplatform_v1.TuningJob, *, is_deployed: bool = True
) -> aiplatform_v1.Endpoint:
    """Describe a tuned endpoint.

    Args:
        name: Its full name.
        job: The job it came from.
        is_deployed: Whether its model is still deployed.

    Returns:
        The endpoint with its deployed model.
    """
    number = job_number(job.name)
    model = f"{name.rsplit('/', 2)[0]}/models/{number}@1"
    deployed = [aiplatform_v1.DeployedModel(id=DEPLOYED_ID, model=model)] if is_deployed else []
    return aiplatform_v1.Endpoint(
        name=name,
        display_name=job.tuned_model_display_name,
        deployed_models=deployed,
        traffic_split={item.id: 100 for item in deployed},
        labels=dict(job.labels),
        create_time=job.end_time or job.start_time,
    )
