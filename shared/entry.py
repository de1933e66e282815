"""What every front door does: read the event, do the work, map the outcome to an HTTP answer.

2xx acknowledges the event. Rejected is recorded first, then acknowledged. Everything else is
redelivered with backoff and dead-lettered at last: 503 says the world was wrong, 500 that the
code was.
"""

import re
from collections.abc import Callable, Iterable
from typing import Protocol

from shared import log, paths
from shared.errors import Conflict, Rejected, Retry
from shared.events import Event, ObjectArrived, Sender, describe, parse_event
from shared.facts import publish_fact
from shared.ports import World
from shared.record_store import create
from shared.records import RejectionRecord

MAX_SUBJECT = 300


class Headers(Protocol):
    """What is used of a request's headers."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Go through names and values."""


class Request(Protocol):
    """What is used of a Flask request."""

    @property
    def headers(self) -> Headers:
        """The request's headers."""

    def get_data(self) -> bytes:
        """Return the request's body."""


def answer(
    request: Request,
    *,
    function: str,
    topics: tuple[str, ...],
    world: Callable[[], World],
    work: Callable[[Event], None],
) -> tuple[str, int]:
    """Answer one event.

    Args:
        request: The HTTP request that carries it.
        function: The function's name, as its folder's.
        topics: The topics that it is subscribed to.
        world: Gives the ports; called inside, so that a failure to build them is answered too.
        work: Does the work.

    Returns:
        (body, HTTP status).
    """
    event: Event | None = None
    body, headers = request.get_data(), dict(request.headers.items())
    try:
        ports = world()
        sender = Sender(
            ports.settings.project,
            function.replace("_", "-"),
            topics,
            ports.settings.topic_prefix,
        )
        try:
            event = parse_event(body, headers, sender)
            work(event)
        except Rejected as rejection:
            _record(ports, function, event, body, rejection)
            return "rejected", 200
    except (Retry, Conflict) as trouble:
        log.warning("trying again later", function=function, error=type(trouble).__name__)
        return "try again", 503
    except Exception as bug:  # noqa: BLE001 - the one place where every bug ends: logged, redelivered
        log.failure("bug", bug, function=function)
        return "internal error", 500
    return "", 204


def _record(
    world: World, function: str, event: Event | None, body: bytes, rejection: Rejected
) -> None:
    """Keep the reason where people find it, and publish that there is one."""
    generation = event.generation if isinstance(event, ObjectArrived) else 0
    # A redelivery differs in its attempt only, and is the same rejection.
    content = re.sub(rb'"deliveryAttempt":\s*\d+', b"", body)
    identity = (event,) if isinstance(event, ObjectArrived) else (content.hex(),)
    record = RejectionRecord(
        function=function,
        subject=describe(event)[:MAX_SUBJECT],
        generation=generation,
        reason=rejection.reason,
        remedy=rejection.remedy,
        at=world.clock(),
    )
    path = paths.rejection(function, *identity)
    create(world.buckets.artifacts, path, record)
    log.warning("rejected", function=function, record=path)
    publish_fact(world.publisher, "input-rejected", world.clock(), function=function, record=path)
