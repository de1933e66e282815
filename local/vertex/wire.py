"""Between HTTP and Google's messages: strict parsing, serialising, and Google's error form."""

import json
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.responses import Response

_HTTP_CODES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}

ProtoPlus = TypeVar("ProtoPlus")


class ApiError(Exception):
    """A refusal in Google's terms.

    Attributes:
        status: The canonical status name, such as INVALID_ARGUMENT.
        message: What is wrong and what would be right.
    """

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    @property
    def code(self) -> int:
        """The HTTP status that goes with it."""
        return _HTTP_CODES[self.status]


def invalid(message: str) -> ApiError:
    """Make the commonest refusal.

    Args:
        message: What is wrong and what would be right.

    Returns:
        An INVALID_ARGUMENT error, to be raised.
    """
    return ApiError("INVALID_ARGUMENT", message)


def parse(body: bytes, message_type: type[ProtoPlus], *, allow_empty: bool = False) -> ProtoPlus:
    """Parse a request's body into the real message.

    Args:
        body: JSON with camelCase or snake_case names, enums by name or number.
        message_type: The proto-plus class from aiplatform_v1.
        allow_empty: Whether no body at all stands for an empty message.

    Returns:
        The message.

    Raises:
        ApiError: The body is not JSON, or does not fit the message.
    """
    raw_type: Any = message_type
    message = raw_type.pb(raw_type())
    if allow_empty and not body.strip():
        return message_type(message)  # type: ignore[call-arg]
    try:
        json_format.Parse(body, message)
    except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"Invalid JSON payload received. {_without_values(error)}") from error
    wrapped: ProtoPlus = raw_type.wrap(message)
    return wrapped


def _without_values(error: Exception) -> str:
    """Shorten a parser's message, which may quote what was sent."""
    return str(error).split("\n", 1)[0][:300]


def where(error: BaseException) -> str:
    """Name an unexpected error and its place for the log, without its words.

    Args:
        error: The error; its message may quote somebody's text.

    Returns:
        For example "KeyError at extractor.py:120".
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def answer(message: Any, query: Mapping[str, str]) -> Response:
    """Serialise a message as the service does.

    Args:
        message: A proto-plus or plain protobuf message.
        query: The request's query; `$alt=json;enum-encoding=int` asks for enums as numbers.

    Returns:
        The HTTP response.
    """
    plain = message if isinstance(message, Message) else type(message).pb(message)
    body = json_format.MessageToJson(
        plain, use_integers_for_enums="enum-encoding=int" in query.get("$alt", ""), indent=None
    )
    return Response(body, media_type="application/json; charset=UTF-8")


def refuse(error: ApiError) -> Response:
    """Serialise a refusal as the service does.

    Args:
        error: The refusal.

    Returns:
        The HTTP response.
    """
    payload = {"error": {"code": error.code, "message": error.message, "status": error.status}}
    return Response(
        json.dumps(payload), status_code=error.code, media_type="application/json; charset=UTF-8"
    )
