"""One generateContent request over the wire, through google-auth.

Decision 15 says why not through google-genai. Source:
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/generateContent
"""

import json
import threading
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from shared.errors import Busy, ModelGone, Rejected, Retry
from shared.gcp.addresses import service_address
from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.auth.transport.urllib3 import AuthorizedHttp

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
HEADERS = {"Content-Type": "application/json", "User-Agent": "tunedrop"}
CONNECT_SECONDS = 10
ANSWER_SECONDS = 60
MOST_CONNECTIONS = 512
"""So many are kept; what is under way beyond that has a connection that is closed after use."""

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 16.0
PATIENCE_SECONDS = 15.0
NO_ROOM = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
PASSING = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.GATEWAY_TIMEOUT,
)


class _Passing(Retry):
    """Trouble that may be over in a moment."""


class GenerateContent:
    """Asks models of any location. Safe to call from several threads.

    Args:
        settings: The deployment.
        patient: Whether a busy moment is waited out here: asking changes nothing, so a request can
            be made again.
    """

    def __init__(self, settings: Settings, *, patient: bool) -> None:
        self._settings = settings
        self._patient = patient
        self._lock = threading.Lock()
        self._sender: Callable[[str, bytes], Any] | None = None

    def __call__(self, model: str, request: dict[str, Any]) -> dict[str, Any]:
        """Ask a model.

        Args:
            model: As the Generator port names it.
            request: A GenerateContentRequest.

        Returns:
            The GenerateContentResponse.

        Raises:
            Rejected: The service refuses the request: asking again would not help.
            ModelGone: The model is not there, or its endpoint serves nothing.
            Busy: There is no room for the request.
            Retry: Anything else: the service is out of order, or a role is still missing.
        """
        if not model.startswith("projects/"):
            model = f"projects/{self._settings.project}/{model}"
        location = model.split("/")[3]
        root = self._settings.vertex_endpoint or f"https://{service_address(location)}"
        said: dict[str, Any] = self._send(
            f"{root}/v1/{model}:generateContent", json.dumps(request).encode()
        )
        return said

    def _send(self, address: str, body: bytes) -> Any:
        with self._lock:
            if self._sender is None:
                post = partial(_post, _connect(self._settings))
                self._sender = _patiently(post) if self._patient else post
        return self._sender(address, body)


def _patiently(post: "Callable[[str, bytes], Any]") -> "Callable[[str, bytes], Any]":
    """Wait out a busy moment, with growing pauses."""
    from google.api_core.exceptions import RetryError
    from google.api_core.retry import Retry as Again
    from google.api_core.retry import if_exception_type

    again = Again(
        predicate=if_exception_type(Busy, _Passing),
        initial=FIRST_DELAY_SECONDS,
        maximum=LONGEST_DELAY_SECONDS,
        timeout=PATIENCE_SECONDS,
    )

    def send(address: str, body: bytes) -> Any:
        try:
            return again(post)(address, body)
        except RetryError as error:
            raise error.cause or error from None

    return send


def _connect(settings: Settings) -> "AuthorizedHttp":
    import ssl

    import certifi
    import google.auth
    import urllib3
    from google.auth.transport.urllib3 import AuthorizedHttp
    from google.oauth2.credentials import Credentials

    credentials: Any
    if settings.vertex_endpoint:
        credentials = Credentials(token="local")  # noqa: S106 - no secret
    else:
        credentials, _ = google.auth.default(scopes=SCOPES)
    connections = urllib3.PoolManager(
        maxsize=MOST_CONNECTIONS,
        retries=False,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
        # Reading the certificates takes longer than a request: once for all connections.
        ssl_context=ssl.create_default_context(cafile=certifi.where()),
    )
    return AuthorizedHttp(credentials, http=connections)


def _post(http: "AuthorizedHttp", address: str, body: bytes) -> dict[str, Any]:
    """Make one request."""
    from google.auth.exceptions import GoogleAuthError
    from urllib3.exceptions import HTTPError

    try:
        response = http.urlopen("POST", address, body=body, headers=HEADERS)
    except (HTTPError, GoogleAuthError) as error:
        raise _Passing(f"Gemini: {type(error).__name__}") from error
    try:
        said = json.loads(response.data)
    except ValueError:
        said = None
    if response.status == HTTPStatus.OK and isinstance(said, dict):
        return said
    raise _trouble(response.status, said)


def _trouble(code: int, said: Any) -> Exception:
    """Turn an error of the service's into the port's."""
    error = said.get("error") if isinstance(said, dict) else None
    if not isinstance(error, dict):
        # A proxy's page, or an answer of something that is not the service.
        error = {}
    status, message = error.get("status", ""), error.get("message", "")
    text = f"Gemini: {code} {status}".rstrip()
    # A missing role or endpoint says nothing about this text: it must not count as an answer.
    if code == HTTPStatus.NOT_FOUND or status == "FAILED_PRECONDITION":
        return ModelGone(text)
    if code == HTTPStatus.BAD_REQUEST:
        return Rejected(f"Gemini refused: {message}")
    if code in NO_ROOM:
        return Busy(text)
    return (_Passing if code in PASSING else Retry)(text)
