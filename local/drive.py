"""Drives a local cloud through its front door: uploads, waits, and fetches what came out."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from local.cloud import LocalCloud
from local.folders import DownloadFolder
from local.rejections import rejections
from local.review_files import waiting
from local.summary import Records, read_task, results_of, summarize
from local.table import dead_letter_topic
from shared import paths
from shared.ports import Bucket, Buckets
from shared.records import DatasetRecord, RejectionRecord, VerdictRecord

POLL_SECONDS = 0.25

T = TypeVar("T")


class NothingArrived(RuntimeError):
    """Something that was waited for did not come: the pipeline broke, or it is too slow."""


class InputRejected(RuntimeError):
    """What was uploaded was rejected; the message holds the reason and the remedy."""


@dataclass(frozen=True)
class Uploaded:
    """An object that was uploaded."""

    name: str
    generation: int


class Driver:
    """Uses one local cloud as a person would.

    Args:
        cloud: The local cloud.
        buckets: Its buckets.
    """

    def __init__(self, cloud: LocalCloud, buckets: Buckets) -> None:
        self._cloud = cloud
        self.buckets = buckets

    def upload_dataset(self, task: str, path: Path, task_file: Path | None) -> Uploaded:
        """Upload a labelled file, after its task.yaml."""
        if task_file is not None:
            self._upload("datasets", f"{task}/task.yaml", task_file)
        return self._upload("datasets", f"{task}/{path.name}", path)

    def upload_documents(self, task: str, given: Path) -> list[Uploaded]:
        """Upload every file of a folder, or one file."""
        return [
            self._upload("documents", f"{task}/{name}", path)
            for name, path in documents_in(given).items()
        ]

    def _upload(self, bucket: str, name: str, path: Path) -> Uploaded:
        blob = self._cloud.clients.storage.bucket(self._cloud.bucket_names()[bucket]).blob(name)
        blob.upload_from_filename(str(path))
        return Uploaded(name, int(blob.generation))

    def wait_for_verdict(self, task: str, upload: Uploaded, seconds: float) -> Records:
        """Wait until an upload has its verdict.

        Raises:
            InputRejected: The upload, or the task, was rejected.
            NothingArrived: It took too long, or a message could not be delivered.
        """

        def reached() -> Records | None:
            records = read_task(self.buckets.artifacts, task)
            dataset = records.dataset_of(upload.name, upload.generation)
            found = dataset and records.has_ended(dataset.id) and records.verdict_of(dataset.id)
            if found and is_linked(self.buckets.artifacts, task, found[1]):
                return records
            self._raise_if_rejected(upload, converted=dataset is not None)
            return None

        return self._wait(reached, f"a verdict on {upload.name}", seconds)

    def wait_for_answers(
        self, task: str, documents: Iterable[Uploaded], seconds: float, *, champion: bool = True
    ) -> None:
        """Wait until every document has an answer or a rejection; without a champion, a result.

        Raises:
            NothingArrived: It took too long, or a message could not be delivered.
        """
        wanted = {(item.name, item.generation) for item in documents}

        def answered() -> bool | None:
            got = {
                (item.document, item.generation)
                for item in results_of(self.buckets.results, task)
                if not champion or (item.status != "waiting" and not item.provisional)
            }
            return wanted <= got or None

        self._wait(answered, f"answers to {len(wanted)} documents of {task}", seconds)

    def wait_for_reviews(self, task: str, folder: Path, seconds: float) -> None:
        """Copy the results into a folder once every answer to be reviewed is in a review file.

        Raises:
            NothingArrived: It took too long.
        """
        names = self._cloud.bucket_names()
        copy = DownloadFolder(self._cloud.clients.storage, folder, names["results"])

        def gathered() -> bool | None:
            copy.look()
            there = {item.line.document for item in waiting(folder, folder, task)}
            wanted = {
                item.document
                for item in results_of(self.buckets.results, task)
                if item.status == "review"
            }
            return wanted <= there or None

        self._wait(gathered, f"the review file of {task}", seconds)

    def drop_corrections(self, task: str, path: Path, seconds: float) -> DatasetRecord:
        """Upload a file of corrections, and wait for the dataset that they are in.

        Raises:
            InputRejected: The file was rejected.
            NothingArrived: It took too long.
        """
        upload = self._upload("datasets", f"{paths.corrections(task)}{path.name}", path)

        def converted() -> DatasetRecord | None:
            self._raise_if_rejected(upload, converted=False)
            records = read_task(self.buckets.artifacts, task)
            return next((item for item in records.datasets if item.corrections), None)

        return self._wait(converted, f"a dataset with the corrections of {task}", seconds)

    def wait_until_quiet(self, seconds: float) -> None:
        """Wait until no message waits for a function. Raises NothingArrived."""
        self._wait(lambda: self._cloud.is_quiet() or None, "all messages to be handled", seconds)

    def export(self, folder: Path) -> list[str]:
        """Copy results and artifacts into a folder; return what of them is worth looking at."""
        names = self._cloud.bucket_names()
        copied: list[Path] = []
        for bucket in ("artifacts", "results"):
            copy = DownloadFolder(self._cloud.clients.storage, folder / bucket, names[bucket])
            copy.look()
            copied += copy.files()
        pages = worth_looking_at(copied)
        results = {folder / "results" / path.relative_to(folder / "results").parts[0]
                   for path in copied if path.is_relative_to(folder / "results")}  # fmt: skip
        return [str(path) for path in (*pages, *sorted(results))]

    def summarize(self, task: str) -> dict[str, Any]:
        """Sum up a task as plain data."""
        return summarize(self.buckets, task)

    def _raise_if_rejected(self, upload: Uploaded, *, converted: bool) -> None:
        """Raise the rejection that ended this upload's way, if there is one."""
        for rejection in rejections(self.buckets.artifacts):
            # What could not even be read as an event may have been another local cloud's.
            about_a_message = rejection.subject.startswith("message on ")
            if _concerns(rejection, upload) or (converted and about_a_message):
                raise InputRejected(f"{rejection.reason} {rejection.remedy}".strip())

    def _wait(self, look: Callable[[], T | None], what: str, seconds: float) -> T:
        """Look again and again until there is something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = look()
            if found is not None:
                return found
            self._raise_on_dead_letters()
            time.sleep(POLL_SECONDS)
        logs = self._cloud.log("*")
        raise NothingArrived(f"Waited {seconds:.0f} s in vain for {what}. See {logs}.")

    def _raise_on_dead_letters(self) -> None:
        """Raise when a message could not be delivered.

        A tick that is given up is no loss: the next one looks at everything again.
        """
        table = self._cloud.table
        ticking = {
            name for name, item in table.functions.items() if item.topics == (table.schedule.topic,)
        }
        for name, count in self._cloud.waiting().items():
            functions = [
                function
                for function in self._cloud.functions
                if name == dead_letter_topic(function) and function not in ticking
            ]
            if count and functions:
                log = self._cloud.log(functions[0])
                raise NothingArrived(f"{functions[0]} failed {count} messages for good. See {log}.")


def documents_in(given: Path) -> dict[str, Path]:
    """Name the documents of a folder, hidden ones left out, or the one document that is given."""
    if given.is_file():
        return {given.name: given}
    files = sorted(path for path in given.rglob("*") if path.is_file())
    return {
        path.relative_to(given).as_posix(): path for path in files if not path.name.startswith(".")
    }


def worth_looking_at(files: Iterable[Path]) -> list[Path]:
    """Pick the pages and decisions out of what was made; first the pages that link the others."""
    wanted = ("report.html", "evaluation.html", "verdict.json", "champion.json")
    found = list(files)
    first = [path for path in found if path.name == "index.html"]
    return [*first, *(path for path in found if path.name in wanted)]


def is_linked(artifacts: Bucket, task: str, verdict: VerdictRecord) -> bool:
    """Whether the task's page was written since a verdict; that is the last thing to be done."""
    page = artifacts.find(paths.index_page(task))
    return page is not None and page.updated >= verdict.created


def _concerns(rejection: RejectionRecord, upload: Uploaded) -> bool:
    """Whether a rejection is about this upload, or about the task.yaml beside it."""
    task = upload.name.partition("/")[0]
    same = rejection.subject.endswith(f"/{upload.name}")
    task_file = rejection.subject.endswith(f"/{task}/task.yaml")
    return task_file or (same and rejection.generation == upload.generation)
