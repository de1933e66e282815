"""The local cloud: the five bundles, wired by infra/functions.yaml, on one machine.

Storage is the real fake-gcs-server, Pub/Sub the embedded server, Vertex AI the stand-in. The
functions do not know: Google's own clients find these through environment variables.
"""

import fcntl
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from local import clients
from local.background import Repeating
from local.bundles import stage_bundle
from local.notifications import STORAGE_TOPIC, NotificationBridge
from local.processes import ManagedProcess, free_port, is_listening
from local.pubsub import PubSubServer
from local.table import ROOT, Table, read_table, subscription
from local.typed import typed
from shared.settings import Settings

PROJECT = "local"
LOCATION = "us-central1"
BUCKETS = ("datasets", "documents", "results", "artifacts")
STATE_FOLDER = ".state"

_PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV"),
    *("TUNEDROP_BUDGET_USD_PER_MONTH", "TUNEDROP_STUCK_AFTER_SECONDS"),
)


class AlreadyRunning(RuntimeError):
    """Another local cloud uses the same folder."""


class PortTaken(RuntimeError):
    """Another program listens on a port that was asked for."""


@dataclass(frozen=True)
class Options:
    """How a local cloud behaves.

    Attributes:
        keep: Whether storage, messages and models outlive the process.
        tick_seconds: Time between two scheduler ticks.
        backoff_seconds: Time before a message that failed is delivered again.
        max_concurrent_jobs: Tuning jobs at a time, in the functions and in the stand-in.
        duplicate_deliveries: How often each message is delivered.
        ports: Fixed ports by name: pubsub, storage, vertex; a free one for those left out.
        environment: More environment variables for the functions.
        logs: Where the processes' logs go; below the state folder when left out.
    """

    keep: bool = False
    tick_seconds: float = 0.5
    backoff_seconds: tuple[float, float] = (0.5, 5.0)
    max_concurrent_jobs: int = 1
    duplicate_deliveries: int = 1
    ports: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    logs: Path | None = None


class LocalCloud:
    """The local cloud in a folder, as a context manager.

    Args:
        folder: Where its state is kept, below .state/.
        options: How it behaves.
    """

    def __init__(self, folder: Path, options: Options | None = None) -> None:
        self.folder = folder.resolve()
        self.options = options or Options()
        self.table: Table = read_table()
        self.functions: dict[str, ManagedProcess] = {}
        self.environment: dict[str, str] = {}
        self._stack = ExitStack()
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        """Start everything; what was started is ended again when something fails."""
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End everything."""
        self._stack.close()

    @property
    def state(self) -> Path:
        """The folder of everything that people need not look at."""
        return self.folder / STATE_FOLDER

    @property
    def settings(self) -> Settings:
        """The deployment's settings, as the functions read them."""
        return Settings.from_environment(self.environment)

    def log(self, name: str) -> Path:
        """The log file of a process."""
        folder = self.options.logs or self.state / "logs"
        return folder.resolve() / f"{name}.log"

    def waiting(self) -> dict[str, int]:
        """Count the unacknowledged messages of each subscription, by its bare name."""
        return {
            name.rpartition("/")[2]: count for name, count in self._pubsub.outstanding().items()
        }

    def is_quiet(self) -> bool:
        """Whether no message waits for a function, ticks left aside."""
        waiting = self.waiting()
        return not waiting.get(STORAGE_TOPIC) and not any(
            waiting.get(subscription(name, topic))
            for name, function in self.table.functions.items()
            for topic in function.topics
            if topic != self.table.schedule.topic
        )

    def _start(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        for name, port in self.options.ports.items():
            if is_listening(port):
                raise PortTaken(
                    f"The port {port} (for {name}) is taken. End what listens there, or take free "
                    f"ports: {typed('up --free-ports', self.folder)}"
                )
        keep = self.options.keep
        self._pubsub = self._stack.enter_context(
            PubSubServer(
                state=self.state / "pubsub.sqlite" if keep else None,
                port=self.options.ports.get("pubsub", 0),
                duplicate_deliveries=self.options.duplicate_deliveries,
            )
        )
        ports = {
            name: self.options.ports.get(name) or free_port() for name in ("storage", "vertex")
        }
        self.environment = self._environment(ports)
        self.clients = self._stack.enter_context(clients.Clients(self.environment, PROJECT))
        self.clients.create_topics(self.table, STORAGE_TOPIC)
        self._run(self._storage(ports["storage"])).wait_until_up()
        vertex = self._run(self._vertex(ports["vertex"]))
        self.clients.create_buckets(self.bucket_names())
        for name in self.table.functions:
            self.functions[name] = self._run(self._function(name))
        for process in (vertex, *self.functions.values()):
            process.wait_until_up()
        addresses = {name: f"http://127.0.0.1:{item.port}" for name, item in self.functions.items()}
        self.clients.subscribe_functions(self.table, addresses, self.options.backoff_seconds)
        bridge = NotificationBridge(self.clients, self._topic_of_bucket())
        self._stack.enter_context(Repeating("notifications", 0.0, bridge.forward))
        self._stack.enter_context(Repeating("scheduler", self.options.tick_seconds, self._tick))
        self._stack.enter_context(Repeating("supervisor", 0.2, self._supervise))

    def _take_lock(self) -> None:
        """Make sure that nobody else runs a local cloud in this folder."""
        self._lock = self._stack.enter_context((self.state / "lock").open("w", encoding="utf-8"))
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(
                f"A local cloud already runs in {self.folder}. End it first, or use another folder."
            ) from None

    def _run(self, process: ManagedProcess) -> ManagedProcess:
        process.start()
        self._stack.callback(process.stop)
        return process

    def bucket_names(self) -> dict[str, str]:
        """Which bucket has which name."""
        return {bucket: f"{PROJECT}-{bucket}" for bucket in BUCKETS}

    def _topic_of_bucket(self) -> dict[str, str]:
        names = self.bucket_names()
        return {names[bucket]: topic for bucket, topic in self.table.notifications.items()}

    def _environment(self, ports: Mapping[str, int]) -> dict[str, str]:
        """The environment of every process: emulators, settings, and nothing of Google's."""
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        buckets = {
            f"TUNEDROP_{bucket.upper()}_BUCKET": name
            for bucket, name in self.bucket_names().items()
        }
        return {
            **passed,
            **buckets,
            "TUNEDROP_CLOUD": "local",
            "TUNEDROP_PROJECT": PROJECT,
            "TUNEDROP_LOCATION": LOCATION,
            "TUNEDROP_VERTEX_ENDPOINT": f"http://127.0.0.1:{ports['vertex']}",
            "TUNEDROP_MAX_CONCURRENT_JOBS": str(self.options.max_concurrent_jobs),
            "TUNEDROP_LEASE_SECONDS": "10",
            "TUNEDROP_REVIVE_AFTER_SECONDS": "30",
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{ports['storage']}",
            "PUBSUB_EMULATOR_HOST": self._pubsub.address,
            "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "*",
            **self.options.environment,
        }

    def _storage(self, port: int) -> ManagedProcess:
        """The storage emulator; it publishes the new objects of all buckets to one topic."""
        keep = ("-backend", "filesystem", "-filesystem-root", str(self.state / "storage"))
        command = [
            clients.storage_emulator_binary(),
            *("-scheme", "http", "-host", "127.0.0.1", "-port", str(port)),
            *("-external-url", f"http://127.0.0.1:{port}", "-public-host", f"127.0.0.1:{port}"),
            *(keep if self.options.keep else ("-backend", "memory")),
            *("-event.pubsub-project-id", PROJECT, "-event.pubsub-topic", STORAGE_TOPIC),
            *("-event.list", "finalize", "-log-level", "warn"),
        ]
        return ManagedProcess("storage", command, self.environment, self.log("storage"), port, ROOT)

    def _vertex(self, port: int) -> ManagedProcess:
        command = [sys.executable, "-m", "local.vertex", "--port", str(port)]
        command += ["--state", str(self.state / "vertex")]
        command += ["--concurrent-jobs", str(self.options.max_concurrent_jobs)]
        return ManagedProcess("vertex", command, self.environment, self.log("vertex"), port, ROOT)

    def _function(self, name: str) -> ManagedProcess:
        """A function under functions-framework, from its own bundle and nothing else."""
        function = self.table.functions[name]
        bundle = stage_bundle(name, function, self.state / "bundles" / name)
        port = free_port()
        environment = {
            **self.environment,
            **function.environment,
            "THREADS": str(function.concurrency),
            "CLOUD_RUN_TIMEOUT_SECONDS": str(function.timeout_seconds),
            "K_SERVICE": name,
        }
        command = [sys.executable, "-m", "functions_framework"]
        command += ["--source", str(bundle / "main.py"), "--target", function.entry_point]
        command += ["--signature-type", "http", "--host", "127.0.0.1", "--port", str(port)]
        return ManagedProcess(name, command, environment, self.log(name), port, bundle)

    def _tick(self) -> None:
        """Publish a tick, unless the last one is still being worked on."""
        topic = self.table.schedule.topic
        if not any(count for name, count in self.waiting().items() if name.endswith(f".{topic}")):
            self.clients.publish(topic, {})

    def _supervise(self) -> None:
        """Start functions again that ended, as Cloud Run does."""
        for process in self.functions.values():
            if not process.is_running():
                process.kill()
                process.start()
