"""A task's index page: its datasets, runs and verdicts, and the champion's history.

It is derived from the records, so it is written anew as a whole, and by compare-and-set, so that
whoever read the records last writes it last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from functions.evaluate_model.page import words
from shared import paths
from shared.current import standing
from shared.errors import Conflict
from shared.page import render
from shared.ports import Bucket, World
from shared.record_store import BrokenRecord, read
from shared.records import (
    ChampionRecord,
    DatasetRecord,
    Promotion,
    Record,
    RunRecord,
    VerdictRecord,
)

TRIES = 8
TEMPLATE = Path(__file__).with_name("index.html.j2")

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Shelf:
    """What is stored of a task: the names below its folder, and what of it cannot be read."""

    bucket: Bucket
    home: str
    names: tuple[str, ...]
    broken: list[str] = field(default_factory=list)

    def read(self, name: str, kind: type[R]) -> list[R]:
        """Read every record of that name; one that cannot be read is noted, to be shown."""
        found = []
        for path in self.names:
            if path.endswith(f"/{name}"):
                try:
                    record = read(self.bucket, f"{self.home}{path}", kind)
                except BrokenRecord as error:
                    self.broken.append(str(error))
                else:
                    found += [record] if record else []
        return found

    def page(self, *candidates: str) -> str:
        """Return the first of some pages that is there; empty when none is."""
        return next((path for path in candidates if path in self.names), "")


@dataclass(frozen=True)
class Linked:
    """A record and its page, from the index; `value` is the winner's figure of a verdict."""

    record: DatasetRecord | RunRecord | VerdictRecord | Promotion
    page: str
    value: float | None = None


def write_index(world: World, task: str) -> None:
    """Write tasks/<task>/index.html from the records as they are now.

    Raises:
        Conflict: Others were faster every time.
    """
    artifacts, path = world.buckets.artifacts, paths.index_page(task)
    for attempt in range(TRIES):
        # Before the records: a page that was written after this may know what these do not say.
        there = artifacts.find(path)
        page = _draw(world, task)
        try:
            artifacts.write(
                path, page, there.generation if there else 0, "text/html; charset=utf-8"
            )
        except Conflict:
            if attempt + 1 == TRIES:
                raise
        else:
            return


def _draw(world: World, task: str) -> bytes:
    """Draw the page from the records."""
    artifacts, home = world.buckets.artifacts, f"tasks/{task}/"
    names = [
        stored.name.removeprefix(home)
        for folder in ("datasets", "runs")
        for stored in artifacts.list(f"{home}{folder}/")
    ]
    shelf = Shelf(artifacts, home, tuple(names))
    champion = read(artifacts, paths.champion(task), ChampionRecord)
    return render(
        TEMPLATE,
        percent=words.percent,
        usd=words.usd,
        metric_name=words.metric_name,
        headlines=words.HEADLINES,
        stand_in=world.settings.cloud == "local",
        task=task,
        champion=champion,
        history=_history(shelf, champion.history if champion else ()),
        verdicts=_verdicts(shelf),
        runs=_runs(shelf),
        datasets=_datasets(shelf),
        broken=shelf.broken,
    )


def _history(shelf: Shelf, history: Sequence[Promotion]) -> list[Linked]:
    """Link what served to the verdict's page, the latest first."""
    return [
        Linked(line, shelf.page(*_verdict_pages(line.run, line.dataset)))
        for line in reversed(history)
    ]


def _verdicts(shelf: Shelf) -> list[Linked]:
    records = shelf.read("verdict.json", VerdictRecord)
    records.sort(key=lambda record: record.created, reverse=True)
    return [
        Linked(record, shelf.page(*_verdict_pages(record.run, record.dataset)), _winners(record))
        for record in records
    ]


def _winners(verdict: VerdictRecord) -> float | None:
    """Return the winner's figure on test."""
    tests = [item for item in verdict.figures if item.split == "test"]
    won = [item.metrics for item in tests if item.candidate == verdict.winner]
    return won[0].get(verdict.metric) if won else None


def _runs(shelf: Shelf) -> list[Linked]:
    records = shelf.read("run.json", RunRecord)
    records.sort(key=lambda record: record.created, reverse=True)
    return [Linked(record, shelf.page(f"runs/{record.id}/report.html")) for record in records]


def _datasets(shelf: Shelf) -> list[Linked]:
    records = shelf.read("dataset.json", DatasetRecord)
    records.sort(key=standing, reverse=True)
    return [Linked(record, shelf.page(f"datasets/{record.id}/report.html")) for record in records]


def _verdict_pages(run: str, dataset: str) -> tuple[str, str]:
    """Say where the page of a verdict is: with its run, or with the dataset when there is none."""
    return f"runs/{run}/report.html", f"datasets/{dataset}/evaluation.html"
