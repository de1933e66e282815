"""The threads that jobs run in."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

_Job = TypeVar("_Job")


class Workers:
    """Threads that end when they are told to.

    Attributes:
        stopped: Set when the work is to be left.
    """

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, work: Callable[[_Job], None], job: _Job) -> None:
        """Work on a job in a thread of its own; the caller holds the lock of all jobs."""
        thread = threading.Thread(target=work, args=(job,), daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()]
        self._threads.append(thread)
        thread.start()

    def stop(self, timeout: float) -> None:
        """Let the threads end.

        Args:
            timeout: Seconds to wait for all of them.
        """
        self.stopped.set()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
