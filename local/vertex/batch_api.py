"""What the stand-in answers to the methods of batch prediction jobs."""

from collections.abc import Callable

from google.cloud import aiplatform_v1
from google.protobuf.empty_pb2 import Empty
from starlette.responses import Response

from local.vertex.batch_jobs import BatchJobs
from local.vertex.calls import PARENT, Call, Route, paging
from local.vertex.wire import ApiError, answer, parse

_BATCHES = "/batchPredictionJobs"
_BATCH = rf"{PARENT}{_BATCHES}/\d+"


class BatchApi:
    """The methods; `is_lost` says whether the answer to a creation is lost."""

    def __init__(self, jobs: BatchJobs, is_lost: Callable[[], bool]) -> None:
        self._jobs = jobs
        self._is_lost = is_lost

    def routes(self) -> list[Route]:
        """List the methods with their paths."""
        return [
            ("POST", PARENT, _BATCHES, "createBatchPredictionJob", self._create),
            ("GET", PARENT, _BATCHES, "listBatchPredictionJobs", self._list),
            ("GET", _BATCH, "", "getBatchPredictionJob", self._get),
            ("POST", _BATCH, ":cancel", "cancelBatchPredictionJob", self._cancel),
        ]

    def _create(self, call: Call) -> Response:
        job = self._jobs.create(call.resource, parse(call.body, aiplatform_v1.BatchPredictionJob))
        if self._is_lost():
            raise ApiError("UNAVAILABLE", "The response was lost (injected).")
        return answer(job, call.query)

    def _list(self, call: Call) -> Response:
        size, token = paging(call.query)
        page = self._jobs.page(call.resource, call.query.get("filter", ""), size, token)
        return answer(page, call.query)

    def _get(self, call: Call) -> Response:
        return answer(self._jobs.get(call.resource), call.query)

    def _cancel(self, call: Call) -> Response:
        parse(call.body, aiplatform_v1.CancelBatchPredictionJobRequest, allow_empty=True)
        self._jobs.cancel(call.resource)
        return answer(Empty(), call.query)
