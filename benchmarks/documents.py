"""Measures how fast documents are answered, and writes docs/documents-throughput.md.

Run it as `python -m benchmarks.documents`. A server on this machine answers each request after
300 ms; with 32 documents at a time, 107 a second are the most there can be. Each way runs in a
process of its own. Storage and Pub/Sub are in memory: what is measured is everything between the
HTTP request and the result.
"""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial

from benchmarks.documents_by_hand import (
    CANDIDATE,
    CONCURRENCY,
    ENDPOINT,
    TASK,
    five_threads,
    one_after_the_other,
    text_of,
)
from docs.generators.markdown import fenced, page, paragraph, table
from functions.process_document.process import process
from local.table import ROOT
from shared import paths
from shared.candidates import prompt_of, sampling_of
from shared.entry import answer
from shared.gcp.generation import Gemini
from shared.record_store import encode
from shared.records import ChampionRecord
from shared.settings import Settings
from shared.task import Serving
from tests.fakes import FakeWorld, fake_settings

LATENCY = 0.3
CEILING = CONCURRENCY / LATENCY
DOCUMENTS = 1280
PAGE = ROOT / "docs" / "documents-throughput.md"
COMMAND = "python -m benchmarks.documents"


@dataclass(frozen=True)
class Push:
    """An HTTP request of Pub/Sub's."""

    body: bytes

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers."""
        return {"Content-Type": "application/json"}

    def get_data(self) -> bytes:
        """Return the request's body."""
        return self.body


@cache
def port(settings: Settings) -> Gemini:
    """Build the model's port once a process, as the front door does."""
    return Gemini(settings)


def ours(settings: Settings, documents: int) -> None:
    """The function: from the push to the result, five samples in one request."""
    fakes = FakeWorld(settings)
    champion = ChampionRecord(
        task_name="parcels",
        candidate=CANDIDATE,
        task=TASK,
        dataset="dataset",
        run="run",
        at=fakes.clock(),
    )
    fakes.artifacts.put(paths.champion("parcels"), encode(champion))
    pushes = [_arrive(fakes, number) for number in range(documents)]
    gemini = port(settings)

    def handle(push: Push) -> int:
        return answer(
            push,
            function="process_document",
            topics=("document-arrived",),
            world=lambda: fakes.world,
            work=partial(process, world=fakes.world, generator=gemini),
        )[1]

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        statuses = set(pool.map(handle, pushes))
    results = fakes.results.names("parcels/")
    if statuses != {204} or len(results) != documents:
        raise RuntimeError(f"{len(results)} of {documents} documents were answered: {statuses}")


def _arrive(fakes: FakeWorld, number: int) -> Push:
    """Upload a document, and return the push that follows."""
    event = fakes.documents.put(f"parcels/{number}.txt", text_of(number))
    attributes = {
        "bucketId": event.bucket,
        "objectId": event.name,
        "objectGeneration": str(event.generation),
        "eventType": "OBJECT_FINALIZE",
    }
    content = {
        "message": {"attributes": attributes, "data": "", "messageId": str(number)},
        "subscription": "projects/p/subscriptions/process-document.document-arrived",
    }
    return Push(json.dumps(content).encode())


def asking_alone(settings: Settings, documents: int) -> None:
    """Five samples in one request, as the function makes it; nothing read and nothing kept."""
    gemini, artifacts = port(settings), FakeWorld(settings).artifacts

    def one(number: int) -> None:
        prompt = prompt_of(CANDIDATE, TASK, text_of(number), artifacts)
        gemini.generate(ENDPOINT, prompt, sampling_of(Serving(), str(number)))

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(one, range(documents)))


WAYS: dict[str, Callable[[Settings, int], None]] = {
    "one_after_the_other": one_after_the_other,
    "five_threads": five_threads,
    "asking_alone": asking_alone,
    "ours": ours,
}


@dataclass(frozen=True)
class Figures:
    """What one way reached.

    Attributes:
        a_second: Documents a second.
        milliseconds: CPU milliseconds a document.
        threads: The most threads that there were.
    """

    a_second: float
    milliseconds: float
    threads: int


def run_one(way: str, port: int, documents: int) -> Figures:
    """Run one way here: a few documents to warm up, then for its figures."""
    logging.disable(logging.WARNING)
    settings = fake_settings(vertex_endpoint=f"http://127.0.0.1:{port}")
    WAYS[way](settings, CONCURRENCY)
    threads, over = [0], threading.Event()

    def count() -> None:
        while not over.wait(0.05):
            threads[0] = max(threads[0], threading.active_count() - 1)

    watcher = threading.Thread(target=count)
    watcher.start()
    cpu, start = time.process_time(), time.perf_counter()
    WAYS[way](settings, documents)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    over.set()
    watcher.join()
    return Figures(documents / seconds, cpu / documents * 1000, threads[0])


def measure(way: str, documents: int) -> Figures:
    """Run one way in a process of its own, against a server of its own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.slow_server", str(LATENCY)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.documents", "--way", way,
             "--port", port, "--documents", str(documents)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        server.kill()
        server.wait()
    if done.returncode:
        raise RuntimeError(f"{way}: {done.stderr[-2000:]}")
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Measure everything, print it, and write the page."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="how many each way has")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--no-page", action="store_true", help="print only")
    options = parser.parse_args()
    if options.way:
        figures = run_one(options.way, options.port, options.documents)
        sys.stdout.write(json.dumps(asdict(figures)) + "\n")
        return 0
    text = _report(options.documents)
    sys.stdout.write(text)
    if not options.no_page:
        PAGE.write_text(text, encoding="utf-8")
    return 0


def _report(documents: int) -> str:
    """Measure, and write the page's text."""
    load = os.getloadavg()[0]
    lines = []
    for way, function in WAYS.items():
        sys.stderr.write(f"{way} …\n")
        found = measure(way, documents)
        about = (function.__doc__ or way).partition("\n")[0]
        shown = (f"{found.a_second:.0f}", f"{found.a_second / CEILING:.0%}")
        lines.append([about, *shown, f"{found.milliseconds:.1f}", str(found.threads)])
    return page(
        f"<!-- Written by `{COMMAND}`. -->",
        "# How fast documents are answered",
        paragraph(
            f"A server on the same machine answers after {LATENCY * 1000:.0f} ms. With "
            f"{CONCURRENCY} documents at a time, one request for each, {CEILING:.0f} a second are "
            f"the most there can be; the shares are of that, over {documents:,} documents of 40 "
            "words with five samples each. Storage and Pub/Sub are in "
            "memory: on Google Cloud, a document costs some calls of theirs as well."
        ),
        table(
            ["way", "documents a second", "share of the ceiling", "CPU ms a document", "threads"],
            lines,
        ),
        paragraph(
            f"Measured with Python {platform.python_version()} on {os.cpu_count()} cores, with "
            f"{load:.1f} processes running or waiting for them when it began. Anything else that "
            "runs lowers the shares and raises the CPU."
        ),
        fenced("sh", COMMAND),
    )


if __name__ == "__main__":
    sys.exit(main())
