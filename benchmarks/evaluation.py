"""Measures how far a slow model's server is used, and writes docs/throughput.md.

Run it as `python -m benchmarks.evaluation`. A server on this machine answers each request after
300 ms; with 64 requests under way, 213 a second are the most there can be. Each way of asking runs
in a process of its own, and is held against that. What keeps a way from it
is the CPU that a request costs: a busy machine shows less, so the load is printed as well.
"""

import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.google_genai import arguments, build_client
from benchmarks.ways import LATENCY, Figures, about, conditions, run
from docs.generators.markdown import fenced, page, paragraph, table
from functions.evaluate_model.asking import ask_all
from functions.evaluate_model.shards import Said, Shards
from functions.evaluate_model.shift import Shift
from local.folder_bucket import FolderBucket
from local.table import ROOT
from shared.gcp.generation import Gemini
from shared.nearest import Nearest
from shared.ports import Sampling
from shared.prompts import Prompt
from shared.settings import Settings

LOAD = os.getloadavg()[0]
CONCURRENCY = 64
CEILING = CONCURRENCY / LATENCY
ROWS = 1920
BASE_MODEL = "gemini-3.5-flash-lite"
MODEL = f"locations/us/publishers/google/models/{BASE_MODEL}"
SAMPLING = Sampling(5, 0.7, 1)
LABELS = [f"label_{number}" for number in range(12)]
PAGE = ROOT / "docs" / "throughput.md"
COMMAND = "python -m benchmarks.evaluation"


def prompt(row: int) -> Prompt:
    """Ask about a text of some 40 words, with a schema."""
    listed = "\n".join(f"- {name}" for name in LABELS)
    schema = {"type": "STRING", "enum": LABELS}
    text = f"{row} " + "my parcel has not come yet and nobody answers " * 4
    return Prompt(f"Sort the message.\n{listed}", (("user", text),), schema, "text/x.enum")


def shard_by_shard(settings: Settings, rows: int) -> None:
    """The function's requests, 64 of them, and the next 64 once all are answered."""
    gemini = Gemini(settings, paced=True)
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        for start in range(0, rows, CONCURRENCY):
            numbers = range(start, start + CONCURRENCY)
            list(pool.map(lambda row: gemini.generate(MODEL, prompt(row), SAMPLING), numbers))


def one_pool(settings: Settings, rows: int) -> None:
    """google-genai, in as many threads."""
    client = build_client(settings)

    def ask(row: int) -> Any:
        return client.models.generate_content(**arguments(BASE_MODEL, prompt(row), SAMPLING))

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(ask, range(rows)))


def asynchronous(settings: Settings, rows: int) -> None:
    """google-genai's asynchronous half, with a semaphore."""

    async def run() -> None:
        client = build_client(settings)
        room = asyncio.Semaphore(CONCURRENCY)

        async def ask(row: int) -> None:
            async with room:
                request = arguments(BASE_MODEL, prompt(row), SAMPLING)
                await client.aio.models.generate_content(**request)

        await asyncio.gather(*(ask(row) for row in range(rows)))
        await client.aio.aclose()

    asyncio.run(run())


def ours(settings: Settings, rows: int) -> None:
    """The function's code: threads, a pace, and shards that are stored."""
    gemini = Gemini(settings, paced=True)

    def ask(row: int) -> Said:
        reply = gemini.generate(MODEL, prompt(row), SAMPLING)
        return Said(row=row, said=reply.texts, seconds=reply.seconds)

    with tempfile.TemporaryDirectory() as folder:
        shards = Shards(FolderBucket("artifacts", Path(folder)), "answers")
        shift = Shift(lambda: datetime.now(UTC), datetime.max.replace(tzinfo=UTC))
        answers = ask_all(rows, ask, shards, shift, CONCURRENCY)
    if len(answers) != rows:
        raise RuntimeError(f"{len(answers)} of {rows} rows were answered")


WAYS: dict[str, Callable[[Settings, int], None]] = {
    "shard_by_shard": shard_by_shard,
    "one_pool": one_pool,
    "asynchronous": asynchronous,
    "ours": ours,
}


def measure(way: str, port: int, rows: int) -> Figures:
    """Run one way here: once to warm up, then for its share of the ceiling and its CPU."""
    logging.disable(logging.WARNING)
    settings = Settings(
        "local", "p", "us", "d", "d", "r", "a", vertex_endpoint=f"http://127.0.0.1:{port}"
    )
    Gemini(settings).generate(MODEL, prompt(0), SAMPLING)
    cpu, start = time.process_time(), time.perf_counter()
    WAYS[way](settings, rows)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"share": rows / seconds / CEILING, "milliseconds": cpu / rows * 1000}


def nearest_milliseconds(examples: int, words: int) -> float:
    """Measure what finding 12 of so many examples costs, for a text of so many words."""
    import random

    chance = random.Random(1)
    known = [
        "".join(chance.choices("abcdefghijklmno", k=chance.randint(2, 9))) for _ in range(4000)
    ]

    def text(size: int) -> str:
        # Few words are frequent and most are rare, as in a language.
        return " ".join(known[int(len(known) * chance.random() ** 3)] for _ in range(size))

    index = Nearest([text(30) for _ in range(examples)])
    asked = [text(words) for _ in range(100)]
    start = time.process_time()
    for item in asked:
        index.find(item, 12)
    return (time.process_time() - start) / len(asked) * 1000


def report(found: Mapping[str, Figures], rows: int) -> str:
    """Write the page's text."""
    lines = [
        [about(WAYS, way), f"{figures['share']:.0%}", f"{figures['milliseconds']:.1f}"]
        for way, figures in found.items()
    ]
    near = [[f"{words}", f"{nearest_milliseconds(2000, words):.1f}"] for words in (12, 40, 400)]
    return page(
        f"<!-- Written by `{COMMAND}`. -->",
        "# How fast candidates are asked",
        paragraph(
            f"A server on the same machine answers after {LATENCY * 1000:.0f} ms. With "
            f"{CONCURRENCY} requests under way it can answer {CEILING:.0f} a second; the shares "
            f"are of that, over {rows:,} rows with five samples each. A way reaches as much of it "
            "as the CPU of a request leaves: one core has "
            f"{1000 / CEILING:.1f} ms for each."
        ),
        table(["way", "share of the ceiling", "CPU ms a request"], lines),
        conditions(LOAD),
        "## Finding the nearest examples",
        paragraph(
            "What picking 12 of 2,000 examples of 30 words costs, which is done for every text "
            "that nearest-examples is asked about."
        ),
        table(["words in the text", "CPU ms"], near),
        fenced("sh", COMMAND),
    )


if __name__ == "__main__":
    sys.exit(run("benchmarks.evaluation", list(WAYS), ROWS, measure, report, PAGE))
