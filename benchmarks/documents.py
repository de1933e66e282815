"""Measures how fast documents are answered, and writes docs/documents-throughput.md.

Run it as `python -m benchmarks.documents`. A server on this machine answers each request after
300 ms; with 32 documents at a time, 107 a second are the most there can be. Each way runs in a
process of its own. Storage and Pub/Sub are in memory: what is measured is everything between the
HTTP request and the result.
"""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
from benchmarks.ways import LATENCY, Figures, about, conditions, run
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

LOAD = os.getloadavg()[0]
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


def measure(way: str, port: int, documents: int) -> Figures:
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
    return {
        "a_second": documents / seconds,
        "milliseconds": cpu / documents * 1000,
        "threads": threads[0],
    }


def report(found: Mapping[str, Figures], documents: int) -> str:
    """Write the page's text."""
    lines = [
        [
            about(WAYS, way),
            f"{figures['a_second']:.0f}",
            f"{figures['a_second'] / CEILING:.0%}",
            f"{figures['milliseconds']:.1f}",
            f"{figures['threads']:.0f}",
        ]
        for way, figures in found.items()
    ]
    return page(
        f"<!-- Written by `{COMMAND}`. -->",
        "# How fast documents are answered",
        paragraph(
            f"A server on the same machine answers after {LATENCY * 1000:.0f} ms. With "
            f"{CONCURRENCY} documents at a time, one request for each, {CEILING:.0f} a second are "
            f"the most there can be; the shares are of that, over {documents:,} documents of 40 "
            "words with five samples each. Storage and Pub/Sub are in memory: on Google Cloud, a "
            "document costs some calls of theirs as well."
        ),
        table(
            ["way", "documents a second", "share of the ceiling", "CPU ms a document", "threads"],
            lines,
        ),
        conditions(LOAD),
        fenced("sh", COMMAND),
    )


if __name__ == "__main__":
    sys.exit(run("benchmarks.documents", list(WAYS), DOCUMENTS, measure, report, PAGE))
