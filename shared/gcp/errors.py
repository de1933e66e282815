"""Turns the errors of Vertex AI's REST clients into the ports' outcomes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.errors import NotFound, Rejected, Retry, TunedropError

RETRY_SECONDS = 60.0


class NotNow(Retry):
    """400 FAILED_PRECONDITION: what was asked for does not go with the resource's state."""


class NotAllowed(Retry):
    """403: the function's account lacks a role on the project, or the API is not enabled in it."""


def when_busy() -> Any:
    """Say how a call that changes nothing waits out a busy moment: with growing pauses."""
    from google.api_core import exceptions
    from google.api_core.retry import Retry as Again
    from google.api_core.retry import if_exception_type

    busy = if_exception_type(
        exceptions.TooManyRequests, exceptions.ServerError, exceptions.RetryError
    )
    return Again(predicate=busy, initial=0.5, maximum=16.0, timeout=RETRY_SECONDS)


@contextmanager
def vertex_errors(service: str, busy: type[TunedropError] = Retry) -> Iterator[None]:
    """Translate what is raised inside.

    Args:
        service: Whose errors they are, for messages.
        busy: What 429 RESOURCE_EXHAUSTED becomes.

    Raises:
        NotFound: 404.
        Rejected: 400 INVALID_ARGUMENT: asking again would not help.
        NotNow: 400 FAILED_PRECONDITION.
        NotAllowed: 403.
        Retry: Everything else: a role may still be missing, a service agent still be made, and
            it is not known whether the request was carried out.
    """
    import requests
    from google.api_core import exceptions
    from google.auth.exceptions import TransportError

    try:
        yield
    except exceptions.NotFound as error:
        raise NotFound(error.message) from None
    except (exceptions.TooManyRequests, exceptions.ResourceExhausted) as error:
        raise busy(error.message) from None
    except exceptions.BadRequest as error:
        if _status(error) == "FAILED_PRECONDITION":
            raise NotNow(f"{service}: {error.message}") from error
        raise Rejected(f"{service} refused: {error.message}") from None
    except exceptions.Forbidden as error:
        raise NotAllowed(
            f"{service}: the account of this function may not do this. It needs "
            "roles/aiplatform.user on the project, and the project the Vertex AI API."
        ) from error
    except (
        exceptions.GoogleAPICallError,
        exceptions.RetryError,
        requests.RequestException,
        TransportError,
    ) as error:
        raise Retry(f"{service}: {type(error).__name__}") from error


def _status(error: Any) -> str:
    """Return the canonical status of an HTTP error, such as INVALID_ARGUMENT; empty if unknown."""
    try:
        return str(error.response.json()["error"]["status"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""
