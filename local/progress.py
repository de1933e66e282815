"""Shows what happens in a local cloud while it happens: one line a fact, from pipeline-events."""

import json
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from google.pubsub_v1 import types
from rich.console import Console
from rich.markup import escape

from local.clients import Clients
from local.rejections import split_subject
from local.show_report import plain
from shared.ports import Bucket
from shared.record_store import read
from shared.records import RejectionRecord
from shared.task import TASK_NAME

SUBSCRIPTION = "local-progress"
FACTS_TOPIC = "pipeline-events"
WAIT_SECONDS = 0.5


class Progress:
    """Prints facts as they arrive, as a context manager; plain lines when it is not a terminal.

    Args:
        clients: The local cloud's clients.
        artifacts: The bucket with the records of what was rejected.
        console: Where to print.
    """

    def __init__(self, clients: Clients, artifacts: Bucket, console: Console) -> None:
        self._clients = clients
        self._artifacts = artifacts
        self._console = console
        self._counts: Counter[str] = Counter()
        self._status = console.status(self._sum())
        clients.subscribe(SUBSCRIPTION, FACTS_TOPIC)

    def __enter__(self) -> Self:
        """Show a line that sums up, below the others, on a terminal."""
        self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take that line away."""
        self._status.stop()

    def look(self) -> None:
        """Print what has happened; wait a moment when nothing has."""
        self._clients.receive(SUBSCRIPTION, WAIT_SECONDS, self._show)

    def _show(self, message: types.PubsubMessage) -> None:
        fact = json.loads(message.data)
        self._counts[fact["fact"]] += 1
        self._status.update(self._sum())
        clock = fact["at"][11:19]
        task, sentence = fact["task"], describe_fact(fact["fact"], fact["details"], fact["task"])
        sentence = escape(plain(sentence))
        if fact["fact"] == "input-rejected":
            rejection = read(self._artifacts, fact["details"]["record"], RejectionRecord)
            if rejection is not None:
                task, sentence = describe_rejection(rejection)
                sentence = f"[red]rejected[/red] {escape(plain(sentence))}"
        self._console.print(
            f"[dim]{clock}[/dim] [bold]{task or '-':<20}[/bold] {sentence}",
            highlight=False,
            soft_wrap=True,
        )

    def _sum(self) -> str:
        """Say how far things are."""
        counts = self._counts
        shown = {
            "datasets": "dataset-converted",
            "tuning jobs": "job-ended",
            "verdicts": "verdict-reached",
            "answers": "document-answered",
            "rejected": "input-rejected",
        }
        return ", ".join(f"{words}: {counts[fact]}" for words, fact in shown.items())


WORDS: Mapping[str, str] = {
    "dataset-converted": "converted: {train} training, {validation} validation, {test} test "
    "examples; {quarantined} rows in quarantine",
    "prompting-measured": "prompting measured: {best} reaches {figure:.3f} on validation",
    "run-planned": "run planned: {jobs} tuning jobs, about ${estimated_usd:.2f}",
    "run-refused": "run refused: {jobs} tuning jobs would cost about ${estimated_usd:.2f}",
    "run-estimated": "run estimated: {jobs} tuning jobs would cost about ${estimated_usd:.2f}",
    "run-waiting": "run {run} waits for a person: {reason}",
    "run-cancelled": "run {run} is cancelled",
    "job-stuck": "tuning job {job} shows no progress; it is {state}",
    "job-ended": "tuning job {job}: {state}",
    "batch-ended": "batch {batch} of {lines} requests: {state}",
    "verdict-reached": "verdict: {decision}, {winner}",
    "champion-promoted": "champion: {candidate}",
    "document-answered": "{result} answered: {status}, confidence {confidence:.2f}",
    "document-divided": "{result}: {rows} rows are answered",
    "answers-drifted": "answers of {candidate} have drifted",
    "input-rejected": "rejected by {function}: {record}",
}
"""How each fact is said."""


def describe_fact(fact: str, details: Mapping[str, Any], task: str = "") -> str:
    """Put a fact into words; a result is called what its document is called."""
    result = str(details.get("result", "")).removeprefix(f"{task}/").removesuffix(".json")
    return WORDS[fact].format(**{**details, "result": result})


def describe_rejection(rejection: RejectionRecord) -> tuple[str, str]:
    """Put a rejection into words: (the task, empty where it is not known; what, why and what now).

    The reason and the remedy are left as they are: they may say where to upload something.
    """
    _, path = split_subject(rejection.subject)
    task, _, name = path.partition("/")
    known = bool(name) and TASK_NAME.fullmatch(task) is not None
    subject = (name if known else path) or rejection.subject
    sentence = f"{subject}: {rejection.reason} {rejection.remedy}".strip()
    return task if known else "", sentence
