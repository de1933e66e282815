"""The stand-in's HTTP side: routes, faults, counting, and the server in a thread."""

import json
import logging
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import uvicorn
from google.cloud import aiplatform_v1
from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.vertex.base_models import BASE_MODELS
from local.vertex.faults import Faults, FaultSettings
from local.vertex.generation import check_request, count, exact_match, generate
from local.vertex.jobs import TuningJobs
from local.vertex.tuned import TunedModel
from local.vertex.wire import ApiError, answer, parse, refuse

_MAXIMUM_BODY = 20_000_000
_START_SECONDS = 15.0
_PARENT = r"projects/[^/:]+/locations/[^/:]+"
_JOB = rf"{_PARENT}/tuningJobs/\d+"
_ENDPOINT = rf"{_PARENT}/endpoints/\d+"
_MODEL = rf"(?:{_PARENT}/)?publishers/google/models/[^/:]+"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VertexSettings:
    """How the stand-in behaves.

    Attributes:
        concurrent_jobs: How many tuning jobs of one project may be open at a time.
        training_seconds: The least time that a tuning job stays RUNNING.
        queue_seconds: The time that a tuning job stays PENDING.
        storage_endpoint: Where Cloud Storage answers; None for the client's own default, which
            STORAGE_EMULATOR_HOST changes.
        faults: What goes wrong, and how often.
        fault_seed: Makes the faults repeatable.
    """

    concurrent_jobs: int = 1
    training_seconds: float = 0.3
    queue_seconds: float = 0.05
    storage_endpoint: str | None = None
    faults: FaultSettings = field(default_factory=FaultSettings)
    fault_seed: int = 0


@dataclass(frozen=True)
class _Call:
    """One request, read: the resource in its path, its body and its query."""

    resource: str
    body: bytes
    query: dict[str, str]


class VertexApi:
    """What is answered to each method; safe in several threads."""

    def __init__(self, state: Path, settings: VertexSettings) -> None:
        self._faults = Faults(settings.faults, settings.fault_seed)
        self._requests: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self._count_lock = threading.Lock()
        self.jobs = TuningJobs(
            state,
            quota=settings.concurrent_jobs,
            training_seconds=settings.training_seconds,
            queue_seconds=settings.queue_seconds,
            storage_endpoint=settings.storage_endpoint,
        )
        self._methods: list[tuple[str, re.Pattern[str], str, Callable[[_Call], Response]]] = [
            (verb, re.compile(rf"v1(?:beta1)?/({resource}){suffix}"), name, method)
            for verb, resource, suffix, name, method in (
                ("POST", _PARENT, "/tuningJobs", "createTuningJob", self._create),
                ("GET", _PARENT, "/tuningJobs", "listTuningJobs", self._list),
                ("GET", _JOB, "", "getTuningJob", self._get),
                ("POST", _JOB, ":cancel", "cancelTuningJob", self._cancel),
                ("POST", _PARENT, ":evaluateInstances", "evaluateInstances", self._evaluate),
                ("POST", _MODEL, ":generateContent", "generateContent", self._generate),
                ("POST", _ENDPOINT, ":generateContent", "generateContent", self._generate),
                ("POST", _MODEL, ":countTokens", "countTokens", self._count_tokens),
                ("POST", _ENDPOINT, ":countTokens", "countTokens", self._count_tokens),
                ("GET", _ENDPOINT, "", "getEndpoint", self._get_endpoint),
                ("DELETE", _ENDPOINT, "", "deleteEndpoint", self._delete_endpoint),
            )
        ]

    def call(self, verb: str, path: str, query: dict[str, str], body: bytes) -> Response:
        """Answer one request.

        Args:
            verb: The HTTP method.
            path: The path without its first slash, decoded.
            query: The query's last value by name.
            body: The request's body.

        Returns:
            The response; refusals are in Google's error form.
        """
        name = "unknown"
        try:
            for wanted, pattern, method_name, method in self._methods:
                match = pattern.fullmatch(path)
                if match and wanted == verb:
                    name = method_name
                    self._apply_faults()
                    response = method(_Call(match.group(1), body, query))
                    break
            else:
                raise ApiError("NOT_FOUND", f"The local stand-in has no method {verb} there.")
        except ApiError as error:
            response = refuse(error)
        except Exception:
            log.exception("%s failed", name)
            response = refuse(ApiError("INTERNAL", "The local stand-in failed; see its log."))
        with self._count_lock:
            self._requests[name] += 1
            self._answers[str(response.status_code)] += 1
        return response

    def faults(self, verb: str, body: bytes) -> Response:
        """Show the faults in force, or change them.

        Args:
            verb: GET or POST.
            body: For POST, a JSON object of settings.

        Returns:
            The settings now in force, or a refusal.
        """
        if verb == "POST":
            try:
                self._faults.change(json.loads(body))
            except ValueError as error:
                return refuse(ApiError("INVALID_ARGUMENT", str(error)))
        return JSONResponse(self._faults.as_dict())

    def state(self) -> Response:
        """Count jobs by state, requests by method and answers by HTTP status."""
        with self._count_lock:
            counted = {"requests": dict(self._requests), "answers": dict(self._answers)}
        return JSONResponse({"jobs": self.jobs.counts(), **counted})

    def _apply_faults(self) -> None:
        settings = self._faults.settings
        if settings.latency_seconds:
            time.sleep(settings.latency_seconds)
        if self._faults.strikes(settings.error_share):
            raise ApiError("UNAVAILABLE", "The service is currently unavailable (injected).")
        if self._faults.strikes(settings.quota_share):
            raise ApiError("RESOURCE_EXHAUSTED", "Resource exhausted (injected).")

    def _create(self, call: _Call) -> Response:
        job = self.jobs.create(call.resource, parse(call.body, aiplatform_v1.TuningJob))
        if self._faults.strikes(self._faults.settings.lose_create_share):
            raise ApiError("UNAVAILABLE", "The response was lost (injected).")
        return answer(job, call.query)

    def _list(self, call: _Call) -> Response:
        size = call.query.get("pageSize", "0")
        if not size.lstrip("-").isdecimal():
            raise ApiError("INVALID_ARGUMENT", "pageSize must be a number.")
        token = call.query.get("pageToken", "")
        page = self.jobs.page(call.resource, call.query.get("filter", ""), int(size), token)
        return answer(page, call.query)

    def _get(self, call: _Call) -> Response:
        return answer(self.jobs.get(call.resource), call.query)

    def _cancel(self, call: _Call) -> Response:
        parse(call.body, aiplatform_v1.CancelTuningJobRequest, allow_empty=True)
        self.jobs.cancel(call.resource)
        return answer(Empty(), call.query)

    def _evaluate(self, call: _Call) -> Response:
        request = parse(call.body, aiplatform_v1.EvaluateInstancesRequest)
        return answer(exact_match(request), call.query)

    def _generate(self, call: _Call) -> Response:
        request = parse(call.body, aiplatform_v1.GenerateContentRequest)
        tuned, name, checkpoint = self._model(call.resource)
        check_request(request)
        return answer(generate(request, name, tuned, checkpoint), call.query)

    def _count_tokens(self, call: _Call) -> Response:
        request = parse(call.body, aiplatform_v1.CountTokensRequest)
        self._model(call.resource)
        return answer(count(request), call.query)

    def _get_endpoint(self, call: _Call) -> Response:
        return answer(self.jobs.endpoint(call.resource), call.query)

    def _delete_endpoint(self, call: _Call) -> Response:
        self.jobs.delete_endpoint(call.resource)
        parent = call.resource.rsplit("/", 2)[0]
        operation = Operation(name=f"{parent}/operations/{time.time_ns()}", done=True)
        operation.response.Pack(Empty())
        return answer(operation, call.query)

    def _model(self, resource: str) -> tuple[TunedModel | None, str, int]:
        """Return the tuned model, if it is one, what to call it, and its checkpoint."""
        if "/endpoints/" in resource:
            model, served = self.jobs.served(resource)
            return model, f"{model.name}/endpoints/{resource.rsplit('/', 1)[1]}", served.checkpoint
        name = resource.rsplit("/", 1)[1]
        if name not in BASE_MODELS:
            raise ApiError("NOT_FOUND", f"Publisher Model `{resource}` was not found.")
        return None, name, -1


def make_app(api: VertexApi) -> Starlette:
    """Make the web application.

    Args:
        api: What answers the requests.

    Returns:
        An ASGI application.
    """

    async def handle(request: Request) -> Response:
        body = await request.body()
        if len(body) > _MAXIMUM_BODY:
            return refuse(ApiError("INVALID_ARGUMENT", "Request payload size exceeds the limit."))
        # Clients may send ":" as %3A, which some servers leave encoded.
        path = unquote(request.scope["path"]).lstrip("/")
        if path == "_faults":
            return api.faults(request.method, body)
        if path == "_state":
            return api.state()
        query = dict(request.query_params)
        return await run_in_threadpool(api.call, request.method, path, query, body)

    return Starlette(
        routes=[Route("/{path:path}", handle, methods=["GET", "POST", "DELETE", "PATCH", "PUT"])]
    )


class VertexServer:
    """The stand-in on a port of 127.0.0.1, in a thread of this process; a context manager."""

    def __init__(self, state: Path, port: int = 0, settings: VertexSettings | None = None) -> None:
        """Prepare a server; `start` opens it.

        Args:
            state: The directory that keeps jobs and models.
            port: The port, or 0 for any free one.
            settings: How the stand-in behaves.
        """
        self._state = state
        self._port = port
        self._settings = settings or VertexSettings()
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._api: VertexApi | None = None

    @property
    def address(self) -> str:
        """Where it listens, as http://127.0.0.1:PORT.

        Raises:
            RuntimeError: The server is not started.
        """
        if self._socket is None:
            raise RuntimeError("the server is not started")
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> "VertexServer":
        """Listen and answer.

        Returns:
            The server itself.

        Raises:
            OSError: The port is taken.
            RuntimeError: The server does not come up.
        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self._port))
            self._api = VertexApi(self._state, self._settings)
        except BaseException:
            listener.close()
            raise
        self._socket = listener
        config = uvicorn.Config(
            make_app(self._api), log_level="warning", access_log=False, lifespan="off", ws="none"
        )
        server = uvicorn.Server(config)
        self._server = server
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop answering; jobs that were running will run again at the next start."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_START_SECONDS)
        if self._api is not None:
            self._api.jobs.close()
        if self._socket is not None:
            self._socket.close()
        self._socket = self._server = self._thread = self._api = None

    def __enter__(self) -> "VertexServer":
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.stop()
