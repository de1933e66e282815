"""Vertex AI's tuning jobs behind the TuningService port.

Source: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.tuningJobs
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from shared.errors import NotFound, QuotaExceeded, Rejected
from shared.gcp.errors import vertex_errors, when_busy
from shared.ports import TuningJob, TuningRequest
from shared.settings import Settings

KEY_LABEL = "tunedrop_job"
READ_TIMEOUT_SECONDS = 30
CREATE_TIMEOUT_SECONDS = 60


class VertexTuning:
    """Tuning jobs of one project and region. The client is built at the first call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
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
                export_last_checkpoint_only=True,
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
        """Ask for a job to be cancelled; one that is gone is fine."""
        try:
            with vertex_errors("Vertex AI"):
                self._client.cancel_tuning_job(name=name, timeout=READ_TIMEOUT_SECONDS)
        except NotFound:
            return

    @cached_property
    def _client(self) -> Any:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import aiplatform_v1 as vertex

        endpoint = self._settings.vertex_endpoint
        return vertex.GenAiTuningServiceClient(
            transport="rest",
            credentials=AnonymousCredentials() if endpoint else None,
            client_options={
                "api_endpoint": endpoint or f"{self._settings.location}-aiplatform.googleapis.com"
            },
        )


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
    )


def _state_name(state: Any) -> str:
    """Return a state's bare name in lower case."""
    return str(getattr(state, "name", state)).removeprefix("JOB_STATE_").lower()
