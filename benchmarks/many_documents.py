"""Drops many documents at once while the model is busy and the function dies, and counts answers.

Run it as `python -m benchmarks.many_documents`. The local cloud runs on this machine; its model
answers 429 to 5 % of the requests and 503 to 2 %, and process_document is killed every 10 seconds;
later only where a machine is so busy that it has not answered anything by then.

Every write of a result is counted by the notification that the storage emulator publishes about it,
so that an answer that is written twice is seen as well as one that is missing. The figures are
printed and written to docs/many-documents.md.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests

from benchmarks.disturbance import Killer, Listener, Usage, announcements, writes
from docs.generators.markdown import fenced, page, paragraph, table
from local.cloud import LOCATION, PROJECT, LocalCloud, Options
from local.notifications import STORAGE_TOPIC
from local.open_buckets import open_local_buckets
from local.table import ROOT, dead_letter_topic
from shared import paths
from shared.candidates import base_candidate
from shared.facts import TOPIC
from shared.ports import Buckets
from shared.record_store import create
from shared.records import ChampionRecord, ResultRecord
from shared.task import parse_task

COMMAND = "python -m benchmarks.many_documents"
PAGE = ROOT / "docs" / "many-documents.md"
DOCUMENTS = 10_000
KILL_SECONDS = 10.0
FAULTS = {"quota_share": 0.05, "error_share": 0.02}
BACKOFF = (0.5, 30.0)
UPLOADS_AT_A_TIME = 16
FUNCTION = "process_document"
SUBSCRIPTION = "process-document.document-arrived"
SHOW_SECONDS = 10
POLL_SECONDS = 0.2
TASK = "parcel_questions"
MODEL = "gemini-3.5-flash-lite"
TEXTS = (
    "my parcel has not come yet, and it is {number} days late",
    "parcel {number} arrived wet and torn open",
    "please deliver parcel {number} on another day",
    "the address on parcel {number} is not mine any more",
    "why do I pay {number} euros of customs duty",
    "the courier who brought parcel {number} was rude",
)
SECONDS_A_DOCUMENT = 1.0
"""A run that takes longer than this for each document is given up."""


@dataclass(frozen=True)
class Run:
    """What a run has come to.

    Attributes:
        documents: How many were dropped.
        seconds: From the first upload to the last result.
        kill_seconds: How long the function is left alone between two kills.
        killed: How often it was killed.
        statuses: How many results have which status.
        wrong: Results of documents that were not dropped, and documents without a result.
        written: How many results were written so often.
        announced: How many documents were announced as answered so often.
        billed: The requests that the model answered.
        refused: How many requests it refused with which status.
        dead_lettered: Messages that were given up.
        usage: What the function has used.
        load: Processes that ran or waited for a processor when it began.
    """

    documents: int
    seconds: float
    kill_seconds: float
    killed: int
    statuses: Counter[str]
    wrong: int
    written: Counter[int]
    announced: Counter[int]
    billed: int
    refused: Counter[str]
    dead_lettered: int
    usage: Usage
    load: float

    @property
    def is_whole(self) -> bool:
        """Whether every document has one result, which was written once."""
        return not self.wrong and not self.dead_lettered and set(self.written) == {1}


def run(documents: int, kill_seconds: float) -> Run:
    """Drop so many documents, wait for the answers, and count."""
    load = os.getloadavg()[0]
    # Nothing here is for the watcher, whose ticks cost as much as documents do.
    options = Options(backoff_seconds=BACKOFF, tick_seconds=10)
    with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), options) as cloud:
        address = cloud.environment["STORAGE_EMULATOR_HOST"]
        buckets = open_local_buckets(address, PROJECT, cloud.bucket_names())
        vertex = cloud.environment["TUNEDROP_VERTEX_ENDPOINT"]
        crown(buckets)
        requests.post(f"{vertex}/_faults", json=FAULTS, timeout=10).raise_for_status()
        names = [f"{TASK}/{number:05}.txt" for number in range(documents)]
        with (
            Listener(cloud, STORAGE_TOPIC, "written-objects") as objects,
            Listener(cloud, TOPIC, "happenings") as facts,
            Killer(cloud.functions[FUNCTION], kill_seconds, lambda: len(facts.messages)) as killer,
        ):
            began = time.monotonic()
            upload(cloud, names)
            wait(cloud, documents, SECONDS_A_DOCUMENT * documents + 60)
            seconds = time.monotonic() - began
            time.sleep(2)
        state = requests.get(f"{vertex}/_state", timeout=10).json()
        waiting = cloud.waiting()
        results = [
            ResultRecord.model_validate_json(buckets.results.read(paths.result(name))[0])
            for name in names
            if buckets.results.find(paths.result(name))
        ]
        review = f"{TASK}/{paths.REVIEW_FOLDER}/"
        stored = {
            item.name for item in buckets.results.list("") if not item.name.startswith(review)
        }
    written = writes(objects.messages, f"{PROJECT}-results", skipping=review)
    announced = announcements(facts.messages)
    wanted = {paths.result(name) for name in names}
    return Run(
        documents=documents,
        seconds=seconds,
        kill_seconds=kill_seconds,
        killed=killer.killed,
        statuses=Counter(result.status for result in results),
        wrong=len(wanted - stored) + len(stored - wanted) + len(wanted ^ set(written)),
        written=Counter(written.values()),
        announced=Counter(announced[name] for name in wanted),
        billed=state["answers"].get("200", 0),
        refused=Counter({key: state["answers"].get(key, 0) for key in ("429", "503")}),
        dead_lettered=waiting[dead_letter_topic(FUNCTION)],
        usage=killer.usage,
        load=load,
    )


def crown(buckets: Buckets) -> None:
    """Make the base model the champion, so that nothing has to be trained."""
    text = (ROOT / "examples" / TASK / "task.yaml").read_text(encoding="utf-8")
    champion = ChampionRecord(
        task_name=TASK,
        candidate=base_candidate("zero-shot", MODEL, LOCATION),
        task=parse_task(text),
        dataset="none",
        run="none",
        at=datetime.now(UTC),
    )
    create(buckets.artifacts, paths.champion(TASK), champion)


def upload(cloud: LocalCloud, names: Iterable[str]) -> None:
    """Upload a text under each name, as fast as this machine can."""
    bucket = cloud.clients.storage.bucket(cloud.bucket_names()["documents"])

    def upload_one(item: tuple[int, str]) -> None:
        number, name = item
        text = TEXTS[number % len(TEXTS)].format(number=number)
        bucket.blob(name).upload_from_string(text)

    with ThreadPoolExecutor(UPLOADS_AT_A_TIME) as pool:
        list(pool.map(upload_one, enumerate(names)))


def wait(cloud: LocalCloud, documents: int, seconds: float) -> None:
    """Wait until no message waits for a function, or one was given up."""
    deadline = time.monotonic() + seconds
    shown = time.monotonic()
    while not cloud.is_quiet():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{documents} documents took more than {seconds:.0f} seconds")
        if time.monotonic() - shown > SHOW_SECONDS:
            shown = time.monotonic()
            sys.stderr.write(f"{cloud.waiting()[SUBSCRIPTION]:,} wait\n")
        time.sleep(POLL_SECONDS)


def report(done: Run) -> str:
    """Write the page."""
    cpu = sum(done.usage.seconds.values())
    again = done.billed - done.documents
    rows = [
        ["documents", f"{done.documents:,}"],
        ["results", f"{sum(done.statuses.values()):,} ({_listed(done.statuses)})"],
        ["results that are missing, or of no document", f"{done.wrong:,}"],
        ["results by how often they were written", _listed(done.written)],
        ["documents by how often they were announced", _listed(done.announced)],
        ["messages given up", f"{done.dead_lettered:,}"],
        ["times that the function was killed", f"{done.killed:,}"],
        ["requests that the model refused, by status", _listed(done.refused)],
        ["requests that it answered", f"{done.billed:,}"],
        ["… of which were asked before, when the function was killed", f"{again:,}"],
        ["seconds", f"{done.seconds:,.0f}"],
        ["documents a second", f"{done.documents / done.seconds:.1f}"],
        [
            "CPU ms a document in the function, its restarts included",
            f"{cpu / done.documents * 1000:.0f}",
        ],
        ["most memory of one process of the function", f"{done.usage.peak / 1024:.0f} MiB"],
    ]
    return page(
        f"<!-- Written by `{COMMAND}`. -->",
        "# Many documents at once",
        paragraph(
            "Small texts are dropped as fast as one machine uploads them, into the local cloud "
            "with its own Pub/Sub, storage and models. Of the requests to the model, "
            f"{FAULTS['quota_share']:.0%} are answered 429 and {FAULTS['error_share']:.0%} 503, "
            f"and process_document is killed every {done.kill_seconds:.0f} seconds (later, where "
            "the machine is so busy that it has not answered anything since)."
        ),
        table(["what", "figure"], rows),
        paragraph(
            "A document that the model had answered when the function was killed is asked about "
            "again, unless its result was written: that costs one answer, for at most as many "
            "documents as an instance has under way. Its result is written once all the same, as "
            "it is created by compare-and-set. A fact may be published twice: between publishing "
            "it and acknowledging the document, too, a function can die."
        ),
        paragraph(
            f"Measured with Python {platform.python_version()} on {os.cpu_count()} cores that the "
            f"whole local cloud shares, with {done.load:.1f} processes running or waiting for them "
            "when it began. Anything else that runs makes it slower, and restarts above all."
        ),
        fenced(
            "sh", f"{COMMAND} --documents {done.documents} --kill-seconds {done.kill_seconds:g}"
        ),
    )


def _listed(counts: Counter[str] | Counter[int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in sorted(counts.items(), key=str))


def main() -> int:
    """Run it, print the figures, and fail when anything was lost or written twice."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--kill-seconds", type=float, default=KILL_SECONDS)
    parser.add_argument("--no-page", action="store_true", help="print only")
    options = parser.parse_args()
    done = run(options.documents, options.kill_seconds)
    text = report(done)
    sys.stdout.write(text)
    if not options.no_page:
        PAGE.write_text(text, encoding="utf-8")
    return 0 if done.is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
