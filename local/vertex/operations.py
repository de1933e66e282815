"""Long-running operations: answered at once as under way, and done a moment later."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud import aiplatform_v1
from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty

from local.vertex.wire import ApiError

_FIRST_NUMBER = 7_000_000_000_000_000_001


@dataclass(frozen=True)
class _Started:
    """An operation, and when it is done."""

    metadata: Any
    response: Any
    done_at: float


class Operations:
    """The operations of one process; what they do has been done when they are answered."""

    def __init__(self, seconds: float) -> None:
        """Begin without any.

        Args:
            seconds: How long an operation is said to take.
        """
        self._seconds = seconds
        self._lock = threading.Lock()
        self._started: dict[str, _Started] = {}

    def undeploy(self, endpoint: str) -> Operation:
        """Start the operation that undeploys a model from an endpoint."""
        metadata = aiplatform_v1.UndeployModelOperationMetadata(generic_metadata=_now())
        response = aiplatform_v1.UndeployModelResponse()
        return self._start(
            endpoint, type(metadata).pb(metadata), aiplatform_v1.UndeployModelResponse.pb(response)
        )

    def delete(self, resource: str) -> Operation:
        """Start the operation that deletes a resource."""
        metadata = aiplatform_v1.DeleteOperationMetadata(generic_metadata=_now())
        return self._start(resource, type(metadata).pb(metadata), Empty())

    def get(self, name: str) -> Operation:
        """Return an operation as it is now.

        Raises:
            ApiError: There is no such operation.
        """
        with self._lock:
            started = self._started.get(name)
        if started is None:
            raise ApiError("NOT_FOUND", f"Operation {name} is not found.")
        operation = Operation(name=name, done=time.monotonic() >= started.done_at)
        operation.metadata.Pack(started.metadata)
        if operation.done:
            operation.response.Pack(started.response)
        return operation

    def _start(self, resource: str, metadata: Any, response: Any) -> Operation:
        with self._lock:
            name = f"{resource}/operations/{_FIRST_NUMBER + len(self._started)}"
            done_at = time.monotonic() + self._seconds
            self._started[name] = _Started(metadata, response, done_at)
        return self.get(name)


def _now() -> aiplatform_v1.GenericOperationMetadata:
    now = datetime.now(UTC)
    return aiplatform_v1.GenericOperationMetadata(create_time=now, update_time=now)
