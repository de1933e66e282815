"""What the stand-in answers to each method: routes, faults and counting."""

import json
import logging
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from google.cloud import aiplatform_v1
from google.protobuf.empty_pb2 import Empty
from starlette.responses import JSONResponse, Response

from local.vertex.base_models import BASE_MODELS
from local.vertex.batch_api import BatchApi
from local.vertex.batch_jobs import BatchJobs
from local.vertex.calls import PARENT, Call, Method, paging
from local.vertex.endpoints import describe
from local.vertex.faults import Faults, FaultSettings
from local.vertex.filters import read_filter
from local.vertex.generation import check_request, count, exact_match, generate
from local.vertex.jobs import TuningJobs
from local.vertex.operations import Operations
from local.vertex.tuned import TunedModel
from local.vertex.wire import ApiError, answer, parse, refuse, where

# Google's REST clients poll operations below ui/.
_VERSION = r"(?:v1|v1beta1|ui)"
_JOB = rf"{PARENT}/tuningJobs/\d+"
_ENDPOINT = rf"{PARENT}/endpoints/\d+"
_OPERATION = rf"{_ENDPOINT}/operations/\d+"
_MODEL = rf"(?:{PARENT}/)?publishers/google/models/[^/:]+"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VertexSettings:
    """How the stand-in behaves.

    Attributes:
        concurrent_jobs: How many tuning jobs of one project may be open at a time.
        training_seconds: The least time that a tuning job stays RUNNING.
        queue_seconds: The time that a tuning job stays PENDING.
        operation_seconds: How long removing an endpoint takes.
        storage_endpoint: Where Cloud Storage answers; None for the client's own default, which
            STORAGE_EMULATOR_HOST changes.
        faults: What goes wrong, and how often.
        fault_seed: Makes the faults repeatable.
    """

    concurrent_jobs: int = 1
    training_seconds: float = 0.3
    queue_seconds: float = 0.05
    operation_seconds: float = 0.1
    storage_endpoint: str | None = None
    faults: FaultSettings = field(default_factory=FaultSettings)
    fault_seed: int = 0


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
        self.batches = BatchJobs(
            state,
            self._batch_model,
            queue_seconds=settings.queue_seconds,
            storage_endpoint=settings.storage_endpoint,
        )
        self._operations = Operations(settings.operation_seconds)
        batches = BatchApi(
            self.batches, lambda: self._faults.strikes(self._faults.settings.lose_create_share)
        )
        self._methods: list[tuple[str, re.Pattern[str], str, Method]] = [
            (verb, re.compile(rf"{_VERSION}/({resource}){suffix}"), name, method)
            for verb, resource, suffix, name, method in (
                *batches.routes(),
                ("POST", PARENT, "/tuningJobs", "createTuningJob", self._create),
                ("GET", PARENT, "/tuningJobs", "listTuningJobs", self._list),
                ("GET", _JOB, "", "getTuningJob", self._get),
                ("POST", _JOB, ":cancel", "cancelTuningJob", self._cancel),
                ("POST", PARENT, ":evaluateInstances", "evaluateInstances", self._evaluate),
                ("POST", _MODEL, ":generateContent", "generateContent", self._generate),
                ("POST", _ENDPOINT, ":generateContent", "generateContent", self._generate),
                ("POST", _MODEL, ":countTokens", "countTokens", self._count_tokens),
                ("POST", _ENDPOINT, ":countTokens", "countTokens", self._count_tokens),
                ("GET", _ENDPOINT, "", "getEndpoint", self._get_endpoint),
                ("GET", PARENT, "/endpoints", "listEndpoints", self._list_endpoints),
                ("POST", _ENDPOINT, ":undeployModel", "undeployModel", self._undeploy),
                ("DELETE", _ENDPOINT, "", "deleteEndpoint", self._delete_endpoint),
                ("GET", _OPERATION, "", "getOperation", self._get_operation),
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
            name, method, resource = self._find(verb, path)
            self._apply_faults()
            response = method(Call(resource, body, query))
        except ApiError as error:
            response = refuse(error)
        except Exception as error:  # noqa: BLE001 - answered 500, and named in the log
            log.error("%s failed: %s", name, where(error))  # noqa: TRY400 - no text in logs
            response = refuse(ApiError("INTERNAL", "The local stand-in failed; see its log."))
        with self._count_lock:
            self._requests[name] += 1
            self._answers[str(response.status_code)] += 1
        return response

    def _find(self, verb: str, path: str) -> tuple[str, Method, str]:
        """Find the method that a path names, and the resource in it."""
        for wanted, pattern, name, method in self._methods:
            match = pattern.fullmatch(path)
            if match and wanted == verb:
                return name, method, match.group(1)
        raise ApiError("NOT_FOUND", f"The local stand-in has no method {verb} there.")

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

    def _create(self, call: Call) -> Response:
        job = self.jobs.create(call.resource, parse(call.body, aiplatform_v1.TuningJob))
        if self._faults.strikes(self._faults.settings.lose_create_share):
            raise ApiError("UNAVAILABLE", "The response was lost (injected).")
        return answer(job, call.query)

    def _list(self, call: Call) -> Response:
        size, token = paging(call.query)
        page = self.jobs.page(call.resource, call.query.get("filter", ""), size, token)
        return answer(page, call.query)

    def _get(self, call: Call) -> Response:
        return answer(self.jobs.get(call.resource), call.query)

    def _cancel(self, call: Call) -> Response:
        parse(call.body, aiplatform_v1.CancelTuningJobRequest, allow_empty=True)
        self.jobs.cancel(call.resource)
        return answer(Empty(), call.query)

    def _evaluate(self, call: Call) -> Response:
        request = parse(call.body, aiplatform_v1.EvaluateInstancesRequest)
        return answer(exact_match(request), call.query)

    def _generate(self, call: Call) -> Response:
        request = parse(call.body, aiplatform_v1.GenerateContentRequest)
        tuned, name, checkpoint = self._model(call.resource)
        check_request(request)
        return answer(generate(request, name, tuned, checkpoint), call.query)

    def _count_tokens(self, call: Call) -> Response:
        request = parse(call.body, aiplatform_v1.CountTokensRequest)
        self._model(call.resource)
        return answer(count(request), call.query)

    def _get_endpoint(self, call: Call) -> Response:
        return answer(self._describe(call.resource), call.query)

    def _list_endpoints(self, call: Call) -> Response:
        size, token = paging(call.query)
        passes = read_filter(call.query.get("filter", ""), has_state=False)
        names = [name for name in self.jobs.endpoints.names(call.resource) if name > token]
        found = [item for name in names if passes(dict((item := self._describe(name)).labels), "")]
        page = found[: size or len(found)]
        rest = len(found) > len(page)
        listed = aiplatform_v1.ListEndpointsResponse(
            endpoints=page, next_page_token=page[-1].name if page and rest else ""
        )
        return answer(listed, call.query)

    def _undeploy(self, call: Call) -> Response:
        request = parse(call.body, aiplatform_v1.UndeployModelRequest)
        self.jobs.endpoints.undeploy(call.resource, request.deployed_model_id)
        return answer(self._operations.undeploy(call.resource), call.query)

    def _delete_endpoint(self, call: Call) -> Response:
        self.jobs.endpoints.delete(call.resource)
        return answer(self._operations.delete(call.resource), call.query)

    def _get_operation(self, call: Call) -> Response:
        return answer(self._operations.get(call.resource), call.query)

    def _describe(self, name: str) -> aiplatform_v1.Endpoint:
        served = self.jobs.endpoints.find(name)
        job = self.jobs.get(served.job)
        return describe(name, job, is_deployed=self.jobs.endpoints.is_deployed(name))

    def _model(self, resource: str) -> tuple[TunedModel | None, str, int]:
        """Return the tuned model, if it is one, what to call it, and its checkpoint."""
        if "/endpoints/" in resource:
            served = self.jobs.endpoints.find(resource)
            if not self.jobs.endpoints.is_deployed(resource):
                raise ApiError("FAILED_PRECONDITION", f"Endpoint `{resource}` serves no model.")
            model = self.jobs.endpoints.model(served.job)
            return model, f"{model.name}/endpoints/{resource.rsplit('/', 1)[1]}", served.checkpoint
        return self._base_model(resource)

    def _batch_model(self, resource: str) -> tuple[TunedModel | None, str]:
        """Return the tuned model that a batch names, if it is one, and what to call it."""
        if resource.startswith("publishers/"):
            base, name, _ = self._base_model(resource)
            return base, name
        model = self.jobs.endpoints.tuned_model(resource)
        return model, f"{model.name}/{resource.split('/', 4)[-1]}"

    def _base_model(self, resource: str) -> tuple[None, str, int]:
        name = resource.rsplit("/", 1)[1]
        if name not in BASE_MODELS:
            raise ApiError("NOT_FOUND", f"Publisher Model `{resource}` was not found.")
        return None, name, -1
