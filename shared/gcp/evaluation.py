"""The Gen AI evaluation service behind the ExactMatch port.

Source: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations/evaluateInstances
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from shared.gcp.addresses import service_address
from shared.gcp.errors import vertex_errors, when_busy
from shared.settings import Settings

INSTANCES_PER_CALL = 100
TIMEOUT_SECONDS = 60


class VertexExactMatch:
    """exact_match as the evaluation service computes it. The client is built at the first call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score (prediction, reference) pairs: 1.0 where they are equal, else 0.0."""
        scores: list[float] = []
        for start in range(0, len(pairs), INSTANCES_PER_CALL):
            scores += self._score_batch(pairs[start : start + INSTANCES_PER_CALL])
        return scores

    def _score_batch(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        from google.cloud import aiplatform_v1 as vertex

        request = vertex.EvaluateInstancesRequest(
            location=f"projects/{self._settings.project}/locations/{self._settings.location}",
            exact_match_input=vertex.ExactMatchInput(
                metric_spec=vertex.ExactMatchSpec(),
                instances=[
                    vertex.ExactMatchInstance(prediction=prediction, reference=reference)
                    for prediction, reference in pairs
                ],
            ),
        )
        with vertex_errors("Evaluation service"):
            response = self._client.evaluate_instances(
                request=request, retry=when_busy(), timeout=TIMEOUT_SECONDS
            )
        values = response.exact_match_results.exact_match_metric_values
        return [float(value.score) for value in values]

    @cached_property
    def _client(self) -> Any:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import aiplatform_v1 as vertex

        endpoint = self._settings.vertex_endpoint
        return vertex.EvaluationServiceClient(
            transport="rest",
            credentials=AnonymousCredentials() if endpoint else None,
            client_options={"api_endpoint": endpoint or service_address(self._settings.location)},
        )
