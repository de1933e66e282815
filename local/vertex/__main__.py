"""Runs the stand-in: python -m local.vertex --port 0 --state DIR [--announce FILE]."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from local.vertex.api import VertexSettings
from local.vertex.server import VertexServer


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        arguments: The command line; the process's own by default.
    """
    defaults = VertexSettings()
    parser = argparse.ArgumentParser(prog="python -m local.vertex", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for any free port")
    parser.add_argument("--state", type=Path, required=True, help="directory for jobs and models")
    parser.add_argument("--announce", type=Path, help="file that gets the address when it listens")
    parser.add_argument("--concurrent-jobs", type=int, default=defaults.concurrent_jobs)
    parser.add_argument("--training-seconds", type=float, default=defaults.training_seconds)
    parser.add_argument("--storage-endpoint", help="default: STORAGE_EMULATOR_HOST")
    asked = parser.parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    settings = VertexSettings(
        concurrent_jobs=asked.concurrent_jobs,
        training_seconds=asked.training_seconds,
        storage_endpoint=asked.storage_endpoint,
    )
    with VertexServer(asked.state, asked.port, settings) as server:
        if asked.announce is not None:
            unfinished = asked.announce.with_suffix(".unfinished")
            unfinished.write_text(server.address, "utf-8")
            unfinished.replace(asked.announce)
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
