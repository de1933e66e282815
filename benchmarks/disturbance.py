"""What goes wrong on purpose while a local cloud is at work, and what is seen from outside."""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from google.api_core.exceptions import DeadlineExceeded

from local.cloud import LocalCloud
from local.processes import ManagedProcess

if TYPE_CHECKING:
    from google.pubsub_v1 import types

POLL_SECONDS = 0.2


@dataclass
class Usage:
    """What the function's processes have used, those that were killed included.

    Attributes:
        seconds: Processor time, by process id.
        peak: The most memory that one process had, in KiB.
    """

    seconds: dict[int, float] = field(default_factory=dict)
    peak: int = 0

    def look(self, group: int) -> None:
        """Look at every process of a process group."""
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                status = (folder / "status").read_text()
            except OSError:
                continue
            if int(fields[2]) != group:
                continue
            ticks = int(fields[11]) + int(fields[12])
            self.seconds[int(folder.name)] = ticks / os.sysconf("SC_CLK_TCK")
            peak = status.partition("VmHWM:")[2].split()
            self.peak = max(self.peak, int(peak[0]) if peak else 0)


class Killer:
    """Kills a function every so often, and looks at what it has used before that."""

    def __init__(
        self, process: ManagedProcess, seconds: float, answered: Callable[[], int]
    ) -> None:
        self._process = process
        self._answered = answered
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.killed = 0
        self.usage = Usage()

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()
        self.usage.look(self._process.pid)

    def _run(self) -> None:
        answered, since = 0, time.monotonic()
        while not self._stop.wait(POLL_SECONDS):
            is_due = time.monotonic() - since > self._seconds
            if is_due and self._answered() > answered:
                self.usage.look(self._process.pid)
                self._process.kill()
                self.killed += 1
                answered, since = self._answered(), time.monotonic()


class Listener:
    """Takes and keeps every message of a topic, from when it is made on."""

    def __init__(self, cloud: LocalCloud, topic: str, name: str) -> None:
        self._clients = cloud.clients
        self._name = cloud.clients.subscription(name)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.messages: list[types.PubsubMessage] = []
        cloud.clients.subscribe(name, topic)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                pulled = self._clients.subscriber.pull(
                    subscription=self._name, max_messages=1000, timeout=1.0, retry=None
                )
            except DeadlineExceeded:
                continue
            if pulled.received_messages:
                ids = [received.ack_id for received in pulled.received_messages]
                self._clients.subscriber.acknowledge(subscription=self._name, ack_ids=ids)
                self.messages += [received.message for received in pulled.received_messages]


def writes(messages: Iterable["types.PubsubMessage"], bucket: str, skipping: str) -> Counter[str]:
    """Count how often each object of a bucket was written.

    Args:
        messages: What the storage emulator published.
        bucket: The bucket.
        skipping: Objects whose names begin so do not count.
    """
    named = [(item.attributes["bucketId"], item.attributes["objectId"]) for item in messages]
    return Counter(
        name for where, name in named if where == bucket and not name.startswith(skipping)
    )


def announcements(messages: Iterable["types.PubsubMessage"]) -> Counter[str]:
    """Count how often each result was announced on pipeline-events."""
    facts = [json.loads(message.data) for message in messages]
    return Counter(
        fact["details"]["result"] for fact in facts if fact["fact"] == "document-answered"
    )
