"""Vertex AI's batch prediction jobs behind the BatchService port.

Source: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs
"""

import threading
from collections.abc import Sequence
from typing import Any

from shared.errors import NotFound, QuotaExceeded, Rejected
from shared.gcp.addresses import service_address
from shared.gcp.errors import NotNow, vertex_errors, when_busy
from shared.gcp.tuning import CREATE_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS
from shared.ports import BatchJob, BatchRequest
from shared.settings import Settings

KEY_LABEL = "tunedrop_batch"


class VertexBatches:
    """Batch prediction jobs of one project. Clients are built at their first call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def create(self, request: BatchRequest) -> BatchJob:
        """Create a job, with no automatic retry: the call has no request id."""
        from google.cloud import aiplatform_v1 as vertex

        location, model = _split_model(request.model)
        job = vertex.BatchPredictionJob(
            display_name=f"tunedrop {request.key}",
            model=model,
            labels={**request.labels, KEY_LABEL: request.key},
            input_config=vertex.BatchPredictionJob.InputConfig(
                instances_format="jsonl",
                gcs_source=vertex.GcsSource(uris=[request.source_uri]),
            ),
            output_config=vertex.BatchPredictionJob.OutputConfig(
                predictions_format="jsonl",
                gcs_destination=vertex.GcsDestination(output_uri_prefix=request.target_uri),
            ),
        )
        try:
            with vertex_errors("Vertex AI", busy=QuotaExceeded):
                created = self._client(location).create_batch_prediction_job(
                    parent=self._parent(location),
                    batch_prediction_job=job,
                    retry=None,
                    timeout=CREATE_TIMEOUT_SECONDS,
                )
        except NotFound as error:
            raise Rejected(f"Vertex AI does not find what the batch needs: {error}") from None
        return _describe(created)

    def find(self, key: str, model: str) -> Sequence[BatchJob]:
        """List the jobs that were created under a key for a model, oldest first.

        As for tuning jobs, the label is asked for by filter and matched again here.
        """
        location, _ = _split_model(model)
        try:
            jobs = self._list(location, f'labels.{KEY_LABEL}="{key}"')
        except Rejected:
            # Filtering by label is not documented for every region: then all jobs are looked at.
            jobs = self._list(location, "")
        found = [job for job in jobs if job.key == key]
        return sorted(found, key=lambda job: (job.created, job.name))

    def cancel(self, name: str) -> None:
        """Ask for a job to be cancelled; one that is gone or has ended is fine."""
        try:
            with vertex_errors("Vertex AI"):
                self._client(name.split("/")[3]).cancel_batch_prediction_job(
                    name=name, retry=when_busy(), timeout=READ_TIMEOUT_SECONDS
                )
        except (NotFound, NotNow):
            return

    def _list(self, location: str, condition: str) -> list[BatchJob]:
        """List a location's jobs that meet a condition."""
        from google.cloud import aiplatform_v1 as vertex

        request = vertex.ListBatchPredictionJobsRequest(
            parent=self._parent(location), filter=condition, page_size=100
        )
        with vertex_errors("Vertex AI"):
            listed = self._client(location).list_batch_prediction_jobs(
                request=request, retry=when_busy(), timeout=READ_TIMEOUT_SECONDS
            )
            return [_describe(job) for job in listed]

    def _parent(self, location: str) -> str:
        return f"projects/{self._settings.project}/locations/{location}"

    def _client(self, location: str) -> Any:
        """Return the client of a location, which is the model's."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import aiplatform_v1 as vertex

        local = self._settings.vertex_endpoint
        with self._lock:
            if location not in self._clients:
                self._clients[location] = vertex.JobServiceClient(
                    transport="rest",
                    credentials=AnonymousCredentials() if local else None,
                    client_options={"api_endpoint": local or service_address(location)},
                )
            return self._clients[location]


def _split_model(model: str) -> tuple[str, str]:
    """Return a model's location, and the name that a job takes."""
    parts = model.split("/")
    place = parts.index("locations")
    return parts[place + 1], model if parts[0] == "projects" else "/".join(parts[place + 2 :])


def _describe(job: Any) -> BatchJob:
    """Take from the service's message what the port speaks of."""
    state = str(getattr(job.state, "name", job.state))
    return BatchJob(
        name=job.name,
        state=state.removeprefix("JOB_STATE_").lower(),
        key=dict(job.labels).get(KEY_LABEL, ""),
        created=job.create_time,
        output=job.output_info.gcs_output_directory,
        error=job.error.message,
    )
