"""Starts, watches and ends the local cloud's processes."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CHILD = Path(__file__).with_name("child.py")
START_SECONDS = 60.0
STOP_SECONDS = 10.0


class ProcessError(RuntimeError):
    """A process did not start."""


@dataclass
class ManagedProcess:
    """One process with a log file of its own, in a process group of its own.

    Attributes:
        name: What it is called in messages.
        command: Program and arguments.
        environment: Its whole environment.
        log: Where its output goes.
        port: The port on 127.0.0.1 that it listens on once it is up.
        folder: Where it runs.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    port: int
    folder: Path
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, with a fresh log the first time; `wait_until_up` says when it can be used."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb" if self._process is None else "ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the local cloud's own commands
                [sys.executable, str(CHILD), *self.command],
                env=dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise ProcessError(f"{self.name} was not started")
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def wait_until_up(self) -> None:
        """Wait until it listens.

        Raises:
            ProcessError: It ended, or took too long; the end of its log says why.
        """
        deadline = time.monotonic() + START_SECONDS
        while not is_listening(self.port):
            if not self.is_running() or time.monotonic() > deadline:
                raise ProcessError(f"{self.name} did not start:\n{self.log_end()}")
            time.sleep(0.02)

    def log_end(self, lines: int = 20) -> str:
        """Return the end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """End it and everything that it started, politely first."""
        process = self._process
        if process is None:
            return
        _signal(process, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        _signal(process, signal.SIGKILL)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        # Whoever supervises it may start it again at any moment: the new one is not waited for.
        process = self._process
        if process is not None:
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    """Signal a process's group; one that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def free_port() -> int:
    """Find a port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def is_listening(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
