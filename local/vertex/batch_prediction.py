"""One batch prediction job's work: read its lines from Cloud Storage, answer them, write."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import aiplatform_v1, storage
from google.protobuf import json_format
from requests.exceptions import RequestException

from local.vertex.generation import check_request, generate
from local.vertex.tuned import TunedModel
from local.vertex.wire import ApiError, parse

_TIMEOUT_SECONDS = 30


class BatchError(Exception):
    """The whole job cannot be done."""


def answer_lines(
    lines: list[bytes], model_name: str, tuned: TunedModel | None, stop: Callable[[], bool]
) -> tuple[list[str], int]:
    """Answer a file's lines.

    Args:
        lines: One JSON object each, with the key request.
        model_name: What the model version says after "local-stand-in/".
        tuned: The tuned model, or None for the base model.
        stop: Asked before each line; the rest is left when it says true.

    Returns:
        (Lines of predictions, in another order than that of the requests, as the service's are;
        how many of them hold an answer).
    """
    predictions: list[str] = []
    good = 0
    for line in reversed(lines):
        if stop():
            break
        said: dict[str, Any] = {"status": "", "processed_time": datetime.now(UTC).isoformat()}
        try:
            said |= _answer(line, model_name, tuned)
            good += 1
        except ApiError as error:
            said["status"] = f"Bad Request: {error.code} {error.status}: {error.message}"
            said |= {"request": _request(line), "response": {}}
        predictions.append(json.dumps(said, ensure_ascii=False))
    return predictions, good


def read_lines(client: storage.Client, uris: list[str]) -> list[bytes]:
    """Read the lines of the requests. Raises BatchError."""
    lines: list[bytes] = []
    for uri in uris:
        bucket, _, path = uri.removeprefix("gs://").partition("/")
        try:
            blob = client.bucket(bucket).blob(path)
            content: bytes = blob.download_as_bytes(timeout=_TIMEOUT_SECONDS)
        except (GoogleAPIError, GoogleAuthError, RequestException) as error:
            raise BatchError(f"cannot read {uri}: {type(error).__name__}") from error
        lines += [line for line in content.splitlines() if line.strip()]
    if not lines:
        raise BatchError("the input has no lines")
    return lines


def write_lines(client: storage.Client, folder: str, predictions: list[str]) -> None:
    """Write predictions.jsonl into a folder in Cloud Storage. Raises BatchError."""
    bucket, _, path = folder.removeprefix("gs://").partition("/")
    try:
        client.bucket(bucket).blob(f"{path}/predictions.jsonl").upload_from_string(
            "".join(f"{line}\n" for line in predictions).encode(),
            content_type="application/jsonl",
            timeout=_TIMEOUT_SECONDS,
        )
    except (GoogleAPIError, GoogleAuthError, RequestException) as error:
        raise BatchError(f"cannot write below {folder}: {type(error).__name__}") from error


def storage_client(project: str, endpoint: str | None) -> storage.Client:
    """Build a client of Cloud Storage.

    Args:
        project: The project.
        endpoint: Where it answers; None for the client's own default, which
            STORAGE_EMULATOR_HOST changes.
    """
    options = {"api_endpoint": endpoint} if endpoint else None
    return storage.Client(
        project=project, credentials=AnonymousCredentials(), client_options=options
    )


def _answer(line: bytes, model_name: str, tuned: TunedModel | None) -> dict[str, Any]:
    """Answer one line. Raises ApiError."""
    asked = _request(line)
    request = parse(json.dumps(asked).encode(), aiplatform_v1.GenerateContentRequest)
    check_request(request)
    response = generate(request, model_name, tuned)
    return {"request": asked, "response": json_format.MessageToDict(type(response).pb(response))}


def _request(line: bytes) -> Any:
    """Return a line's request; an empty one when the line has none."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said.get("request", {}) if isinstance(said, dict) else {}
