"""Vertex AI's tuning jobs, and the endpoints they make, behind the TuningService port.

Sources: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.tuningJobs,
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints
"""

import threading
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from shared.errors import NotFound, QuotaExceeded, Rejected, Retry
from shared.gcp.addresses import service_address
from shared.gcp.errors import NotNow, vertex_errors, when_busy
from shared.ports import Checkpoint, TuningJob, TuningRequest
from shared.settings import Settings

KEY_LABEL = "tunedrop_job"
READ_TIMEOUT_SECONDS = 30
CREATE_TIMEOUT_SECONDS = 60
REMOVAL_SECONDS = 5.0
"""How long a removal is waited for; one that takes longer is gone on with at the next try."""
POLL_SECONDS = 0.25
_DELETE = "delete"


class VertexTuning:
    """Tuning jobs of one project and region. Clients are built at their first call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._endpoint_clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._parent = f"projects/{settings.project}/locations/{settings.location}"

    def create(self, request: TuningRequest) -> TuningJob:
        """Create a job, with no automatic retry: the call has no request id."""
        from google.cloud import aiplatform_v1 as vertex

        wanted = request.configuration
        sizes = vertex.SupervisedHyperParameters.AdapterSize
        job = vertex.TuningJob(
            base_model=request.base_model,
            tuned_model_display_name=request.display_name,
            labels={**request.labels, KEY_LABEL: request.key},
            supervised_tuning_spec=vertex.SupervisedTuningSpec(
                training_dataset_uri=request.training_uri,
                validation_dataset_uri=request.validation_uri,
                hyper_parameters=vertex.SupervisedHyperParameters(
                    epoch_count=wanted.epoch_count,
                    learning_rate_multiplier=wanted.learning_rate_multiplier,
                    adapter_size=sizes[_ADAPTER_SIZES[wanted.adapter_size]],
                ),
                export_last_checkpoint_only=not request.all_checkpoints,
            ),
        )
        try:
            with vertex_errors("Vertex AI", busy=QuotaExceeded):
                created = self._client.create_tuning_job(
                    parent=self._parent, tuning_job=job, retry=None, timeout=CREATE_TIMEOUT_SECONDS
                )
        except NotFound as error:
            raise Rejected(f"Vertex AI does not find what the job needs: {error}") from None
        return _describe(created)

    def find(self, key: str) -> Sequence[TuningJob]:
        """List the jobs that were created under a key, oldest first.

        The label is asked for by filter and matched again here: the real service's filtering is
        not documented to be complete at once.
        """
        try:
            jobs = self._list(f'labels.{KEY_LABEL}="{key}"')
        except Rejected:
            # Filtering by label is not documented for every region: then all jobs are looked at.
            jobs = self._list("")
        found = [job for job in jobs if job.key == key]
        return sorted(found, key=lambda job: (job.created, job.name))

    def _list(self, condition: str) -> list[TuningJob]:
        """List the region's jobs that meet a condition."""
        from google.cloud import aiplatform_v1 as vertex

        request = vertex.ListTuningJobsRequest(parent=self._parent, filter=condition, page_size=100)
        with vertex_errors("Vertex AI"):
            listed = self._client.list_tuning_jobs(
                request=request, retry=when_busy(), timeout=READ_TIMEOUT_SECONDS
            )
            return [_describe(job) for job in listed]

    def cancel(self, name: str) -> None:
        """Ask for a job to be cancelled; one that is gone or has ended is fine."""
        try:
            with vertex_errors("Vertex AI"):
                self._client.cancel_tuning_job(
                    name=name, retry=when_busy(), timeout=READ_TIMEOUT_SECONDS
                )
        except (NotFound, NotNow):
            # The service cancels what can be cancelled; a job that still runs is seen to.
            return

    def remove_endpoint(self, endpoint: str) -> None:
        """Undeploy and delete a tuned model's endpoint; one that is gone is fine.

        Raises:
            Retry: It is not gone yet; asking again goes on from where this came to.
        """
        client = self._endpoint_client(endpoint.split("/")[3])
        deadline = time.monotonic() + REMOVAL_SECONDS
        asked: set[str] = set()
        while (found := _look_up(client, endpoint)) is not None:
            # Not the operations are waited for but what they do, which also tells of those that
            # an earlier try had started.
            steps = {deployed.id for deployed in found.deployed_models} or {_DELETE}
            for step in steps - asked:
                _take_step(client, endpoint, step)
            asked |= steps
            if time.monotonic() >= deadline:
                raise Retry(f"{endpoint} is still being removed")
            time.sleep(POLL_SECONDS)

    def _endpoint_client(self, location: str) -> Any:
        """Return the client of a location, which for a tuned model is mostly a multi-region."""
        from google.cloud import aiplatform_v1 as vertex

        with self._lock:
            if location not in self._endpoint_clients:
                self._endpoint_clients[location] = vertex.EndpointServiceClient(
                    **self._client_arguments(location)
                )
            return self._endpoint_clients[location]

    @cached_property
    def _client(self) -> Any:
        from google.cloud import aiplatform_v1 as vertex

        return vertex.GenAiTuningServiceClient(**self._client_arguments(self._settings.location))

    def _client_arguments(self, location: str) -> dict[str, Any]:
        """Say how a client reaches a location."""
        from google.auth.credentials import AnonymousCredentials

        local = self._settings.vertex_endpoint
        return {
            "transport": "rest",
            "credentials": AnonymousCredentials() if local else None,
            "client_options": {"api_endpoint": local or service_address(location)},
        }


def _look_up(client: Any, endpoint: str) -> Any:
    """Return an endpoint; None when it is gone."""
    try:
        with vertex_errors("Vertex AI"):
            return client.get_endpoint(
                name=endpoint, retry=when_busy(), timeout=READ_TIMEOUT_SECONDS
            )
    except NotFound:
        return None


def _take_step(client: Any, endpoint: str, step: str) -> None:
    """Start one step of a removal; one that is done already is fine.

    Args:
        client: The endpoint's client.
        endpoint: The endpoint.
        step: The id of a deployed model to undeploy, or _DELETE.
    """
    try:
        with vertex_errors("Vertex AI"):
            if step == _DELETE:
                client.delete_endpoint(name=endpoint, timeout=READ_TIMEOUT_SECONDS)
            else:
                client.undeploy_model(
                    endpoint=endpoint, deployed_model_id=step, timeout=READ_TIMEOUT_SECONDS
                )
    except NotFound:
        return


_ADAPTER_SIZES = {
    1: "ADAPTER_SIZE_ONE",
    2: "ADAPTER_SIZE_TWO",
    4: "ADAPTER_SIZE_FOUR",
    8: "ADAPTER_SIZE_EIGHT",
    16: "ADAPTER_SIZE_SIXTEEN",
}


def _describe(job: Any) -> TuningJob:
    """Take from the service's message what the port speaks of."""
    stats = job.tuning_data_stats.supervised_tuning_data_stats
    return TuningJob(
        name=job.name,
        state=_state_name(job.state),
        key=dict(job.labels).get(KEY_LABEL, ""),
        created=job.create_time,
        endpoint=job.tuned_model.endpoint,
        model=job.tuned_model.model,
        error=job.error.message,
        example_count=int(stats.tuning_dataset_example_count),
        billable_tokens=int(stats.total_billable_token_count),
        dropped_examples=tuple(stats.dropped_example_reasons),
        truncated_examples=int(stats.total_truncated_example_count),
        checkpoints=_checkpoints(job.tuned_model.checkpoints),
    )


def _checkpoints(shown: Any) -> tuple[Checkpoint, ...]:
    """Take over the checkpoints, the earliest first."""
    found = [
        Checkpoint(str(item.checkpoint_id), int(item.epoch), int(item.step), item.endpoint)
        for item in shown
    ]
    return tuple(sorted(found, key=lambda item: (item.step, item.epoch)))


def _state_name(state: Any) -> str:
    """Return a state's bare name in lower case."""
    return str(getattr(state, "name", state)).removeprefix("JOB_STATE_").lower()
