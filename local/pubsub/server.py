"""The embedded server's life: started on the loopback address, stopped without loose ends."""

import threading
import time
from concurrent import futures
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc  # type: ignore[import-untyped]

from local.pubsub.broker import Broker
from local.pubsub.journal import Journal
from local.pubsub.push import Pusher
from local.pubsub.service import Service

# A waiting pull or an open stream holds a thread; threads are made only when needed.
_MAX_CALLS = 200
_OPTIONS = (
    # Cloud Pub/Sub takes publish requests of 10 MB; gRPC's own limit is 4 MiB.
    ("grpc.max_receive_message_length", 20 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    # Two servers on one port would each get half of the calls.
    ("grpc.so_reuseport", 0),
    # Google's clients ping an idle stream every 30 seconds.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
)


class PubSubServer:
    """Pub/Sub on 127.0.0.1; clients find it through PUBSUB_EMULATOR_HOST.

    Args:
        state: A file that keeps topics, subscriptions and unacknowledged messages over a
            restart. None keeps them in memory.
        port: 0 takes a free one.
        duplicate_deliveries: How often each message is delivered to each subscription.
        max_outstanding_pushes: The most push requests at once to one subscription.
        redelivery_delay_seconds: Wait before redelivery where there is no retry policy.
        pull_wait_seconds: The longest a Pull waits for a message.
    """

    def __init__(
        self,
        state: Path | None = None,
        port: int = 0,
        duplicate_deliveries: int = 1,
        *,
        max_outstanding_pushes: int = 16,
        redelivery_delay_seconds: float = 0.1,
        pull_wait_seconds: float = 10.0,
    ) -> None:
        self._state = state
        self._port = port
        self._duplicate_deliveries = duplicate_deliveries
        self._max_outstanding_pushes = max_outstanding_pushes
        self._redelivery_delay = redelivery_delay_seconds
        self._pull_wait_seconds = pull_wait_seconds
        self._running: _Running | None = None

    @property
    def address(self) -> str:
        """Host and port, as PUBSUB_EMULATOR_HOST wants them."""
        return f"127.0.0.1:{self._started().port}"

    def start(self) -> Self:
        """Serve, and take up what the state file holds.

        Raises:
            RuntimeError: It runs already, or the port is taken.
            sqlite3.Error: The state file is damaged or in use.
        """
        if self._running is not None:
            raise RuntimeError("the Pub/Sub server runs already")
        journal = Journal(self._state)
        try:
            broker = Broker(
                journal,
                duplicate_deliveries=self._duplicate_deliveries,
                redelivery_delay=self._redelivery_delay,
            )
            pusher = Pusher(broker, self._max_outstanding_pushes)
            self._running = _Running(broker, pusher, self._port, self._pull_wait_seconds)
        except BaseException:
            journal.close()
            raise
        return self

    def stop(self, grace: float = 1.0) -> None:
        """Stop serving; calls and pushes under way have `grace` seconds to finish."""
        if self._running is not None:
            running, self._running = self._running, None
            running.stop(grace)

    def outstanding(self) -> dict[str, int]:
        """How many deliveries each subscription (full name) has not acknowledged yet."""
        return self._started().broker.outstanding()

    def _started(self) -> "_Running":
        if self._running is None:
            raise RuntimeError("the Pub/Sub server is not running")
        return self._running

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Running:
    """A server between start and stop."""

    def __init__(self, broker: Broker, pusher: Pusher, port: int, pull_wait: float) -> None:
        self.broker = broker
        self._pusher = pusher
        calls = futures.ThreadPoolExecutor(_MAX_CALLS, thread_name_prefix="pubsub call")
        self._grpc = grpc.server(calls, options=_OPTIONS)
        service = Service(broker, pusher, pull_wait)
        self._grpc.add_generic_rpc_handlers(service.handlers())
        self.port: int = self._grpc.add_insecure_port(f"127.0.0.1:{port}")
        self._calls = calls
        self._keeper = threading.Thread(
            target=broker.keep_deadlines, name="pubsub deadlines", daemon=True
        )
        self._keeper.start()
        self._grpc.start()
        for name in broker.push_subscriptions():
            pusher.serve(name)

    def stop(self, grace: float) -> None:
        until = time.monotonic() + grace
        self.broker.stop_waiting()
        stopped = self._grpc.stop(grace)
        self._pusher.stop(grace)
        stopped.wait(max(until - time.monotonic(), 0) + 1)
        self._keeper.join(1)
        self.broker.close()
        self._calls.shutdown(wait=False)
