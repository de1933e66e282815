"""Push delivery: an HTTP POST for each message, and what its answer means."""

import http.client
import json
import logging
import socket
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from local.pubsub.backlog import Lease
from local.pubsub.broker import Broker
from local.pubsub.errors import NotFoundError, StoppedError, WrongKindError

_log = logging.getLogger(__name__)

_ACKNOWLEDGED = frozenset(
    {
        HTTPStatus.PROCESSING,
        HTTPStatus.OK,
        HTTPStatus.CREATED,
        HTTPStatus.ACCEPTED,
        HTTPStatus.NO_CONTENT,
    }
)
_IDLE_SECONDS = 30.0
_FIRST_WINDOW = 4
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0


@dataclass(slots=True)
class _Crew:
    """The threads that push for one subscription, and how many there may be.

    An endpoint that is down must not use up the attempts of all messages in a moment. As in the
    cloud, where the pauses grow to a minute, the window of requests under way at once grows with
    what is acknowledged and shrinks with what is not, and pauses grow while nothing is.
    https://cloud.google.com/pubsub/docs/push#push_delivery_rate
    """

    size: int = 0
    idle: int = 0
    window: int = _FIRST_WINDOW
    failures: int = 0
    resume_at: float = 0.0

    def succeeded(self, largest: int) -> None:
        """Widen the window."""
        self.window = min(self.window * 2, largest)
        self.failures = 0

    def failed(self, now: float) -> None:
        """Narrow the window; pause, too, when that did not help."""
        if self.window == 1:
            pause = min(_FIRST_PAUSE * 2.0 ** min(self.failures, 10), _LONGEST_PAUSE)
            self.resume_at = now + pause
            self.failures += 1
        self.window = max(self.window // 2, 1)


class Pusher:
    """Pushes what the broker holds for push subscriptions.

    Each subscription has its own threads: one that waits, and more while endpoints are slow,
    at most `max_outstanding` requests at once, and fewer while requests fail.
    """

    def __init__(self, broker: Broker, max_outstanding: int) -> None:
        if max_outstanding < 1:
            raise ValueError("the number of outstanding pushes must be 1 or more")
        self._broker = broker
        self._max_outstanding = max_outstanding
        self._lock = threading.Lock()
        self._crews: dict[str, _Crew] = {}
        self._threads: set[threading.Thread] = set()
        self._requests: set[http.client.HTTPConnection] = set()
        self._stopping = threading.Event()

    def serve(self, subscription: str) -> None:
        """Push for this subscription from now on; it may be called again at any time."""
        with self._lock:
            crew = self._crews.setdefault(subscription, _Crew())
            if crew.size == 0:
                self._hire(subscription, crew)

    def stop(self, grace: float) -> None:
        """Let running requests finish for `grace` seconds, then cut them off.

        The broker must hand nothing out any more by then.
        """
        until = time.monotonic() + grace
        with self._lock:
            self._stopping.set()
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))
        with self._lock:
            for connection in self._requests:
                _cut_off(connection)
        for thread in threads:
            thread.join(1)
            if thread.is_alive():
                _log.warning("%s is still connecting; its delivery comes again", thread.name)

    def _hire(self, subscription: str, crew: _Crew) -> None:
        if self._stopping.is_set() or crew.size >= min(crew.window, self._max_outstanding):
            return
        crew.size += 1
        # Daemon: a request that hangs must not keep the interpreter from exiting.
        thread = threading.Thread(
            target=self._work, args=(subscription, crew), name=f"push {subscription}", daemon=True
        )
        self._threads.add(thread)
        thread.start()

    def _work(self, subscription: str, crew: _Crew) -> None:
        try:
            while self._push_next(subscription, crew):
                pass
        except (NotFoundError, WrongKindError, StoppedError) as reason:
            _log.debug("no more pushes for %s: %s", subscription, reason)
        finally:
            with self._lock:
                crew.size -= 1
                self._threads.discard(threading.current_thread())
        self._look_again(subscription)

    def _push_next(self, subscription: str, crew: _Crew) -> bool:
        """Push one delivery; False when this thread is one too many."""
        with self._lock:
            pause = crew.resume_at - time.monotonic()
        if pause > 0:
            self._stopping.wait(pause)
        with self._lock:
            if crew.size > crew.window:
                return False
            crew.idle += 1
        try:
            leases = self._broker.lease(subscription, 1, _IDLE_SECONDS, for_push=True)
        finally:
            with self._lock:
                crew.idle -= 1
        with self._lock:
            if not leases:
                return crew.idle == 0
            if crew.idle == 0:
                self._hire(subscription, crew)
        for lease in leases:
            delivered = self._deliver(subscription, lease)
            with self._lock:
                if delivered:
                    crew.succeeded(self._max_outstanding)
                else:
                    crew.failed(time.monotonic())
        return True

    def _look_again(self, subscription: str) -> None:
        """Serve a subscription that was made again while its last thread was leaving."""
        try:
            if subscription in self._broker.push_subscriptions():
                self.serve(subscription)
        except StoppedError:
            return

    def _deliver(self, subscription: str, lease: Lease) -> bool:
        """Push a delivery; say whether it was acknowledged."""
        config = self._broker.subscription(subscription)
        attempt = lease.attempt if config.HasField("dead_letter_policy") else None
        body = lease.delivery.message.push_body(subscription, attempt)
        outcome = self._post(config, json.dumps(body).encode())
        if outcome in _ACKNOWLEDGED:
            self._broker.acknowledge(subscription, [lease.ack_id])
            return True
        _log.info(
            "push of message %d to %s failed, attempt %d: %s",
            lease.delivery.message.message_id,
            subscription,
            lease.attempt,
            outcome,
        )
        self._broker.modify_ack_deadline(subscription, [lease.ack_id], 0)
        return False

    def _post(self, config: Any, body: bytes) -> int | str:
        """Send the request; return the status, or the name of what went wrong."""
        push = config.push_config
        address = urlsplit(push.push_endpoint)
        headers = {"Content-Type": "application/json", "User-Agent": "local-pubsub"}
        if push.HasField("oidc_token"):
            # No signature: the word says that nobody vouches for it outside this machine.
            headers["Authorization"] = f"Bearer local-{push.oidc_token.service_account_email}"
        kind = (
            http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        )
        target = f"{address.path or '/'}{'?' + address.query if address.query else ''}"
        # A connection each: a kept one that the endpoint has closed would look like a failure.
        connection = kind(address.hostname or "", address.port, timeout=config.ack_deadline_seconds)
        with self._lock:
            self._requests.add(connection)
        try:
            connection.request("POST", target, body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            with self._lock:
                self._requests.discard(connection)
            connection.close()


def _cut_off(connection: http.client.HTTPConnection) -> None:
    if connection.sock is None:
        return
    try:
        connection.sock.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        _log.debug("a push had ended by itself: %s", error)
