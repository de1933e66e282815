"""Something that is done again and again in a thread."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_log = logging.getLogger(__name__)


class Repeating:
    """Calls a function, waits, and calls it again, until the context ends.

    A call that fails is logged and tried again: one bad moment must not end the local cloud.

    Args:
        name: The thread's name.
        seconds: Time between the end of one call and the next.
        work: What to call.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[], None]) -> None:
        self._seconds = seconds
        self._work = work
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, after the call that is under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._work()
            except Exception:  # noqa: BLE001 - logged whole, and tried again
                _log.exception("%s failed; trying again", self._thread.name)
            self._stop.wait(self._seconds)
