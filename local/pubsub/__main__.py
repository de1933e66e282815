"""Run the server by itself: python -m local.pubsub --port 8085 [--state FILE]."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from local.pubsub.server import PubSubServer


def main() -> int:
    """Serve until SIGINT or SIGTERM; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.pubsub", description=__doc__)
    parser.add_argument("--port", type=int, default=8085, help="0 takes a free one")
    parser.add_argument("--state", type=Path, help="file that survives a restart")
    parser.add_argument("--duplicate-deliveries", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: asked_to_stop.set())
    server = PubSubServer(arguments.state, arguments.port, arguments.duplicate_deliveries)
    with server:
        sys.stdout.write(f"export PUBSUB_EMULATOR_HOST={server.address}\n")
        sys.stdout.flush()
        asked_to_stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
