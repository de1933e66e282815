"""The demo's last step: doubtful answers are corrected, dropped back, and learnt from."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from local.drive import Driver
from local.review_files import Correction, Waiting, waiting, write_corrections
from shared import paths
from shared.prompts import example_of_line
from shared.records import DatasetRecord

TASK = "event_invitations"
RIGHT: dict[str, Correction] = {
    "compost-course.txt": {"place": "City Nursery, Greenhouse 3"},
    "conference-on-small-rivers.html": {"place": "Waterworks Hall, Sedgewater"},
    "loom-demonstration.txt": {"place": "Weavers' Museum, Room 2"},
    "moonlit-swim.txt": {"place": "stone steps at Otter Bay"},
    "no-place-yet.txt": {"place": None},
    "retirement-of-the-organist.txt": {"event": "Organist's Farewell Recital"},
}
"""What a person would answer, of those that are doubtful at times; see examples/README.md."""


def review_loop(driver: Driver, seconds: float) -> dict[str, Any]:
    """Correct the doubtful answers whose right ones are known, and wait for the next dataset.

    Returns:
        The new dataset's id, and each corrected document with the split that it is in.

    Raises:
        NothingArrived: It took too long.
    """
    with tempfile.TemporaryDirectory(prefix="tunedrop-") as name:
        folder = Path(name)
        driver.wait_for_reviews(TASK, folder / "results", seconds)
        queue = waiting(folder / "results", folder / "datasets", TASK)
        known = [item for item in queue if item.document in RIGHT]
        lines = [item.line.model_copy(update={"correction": RIGHT[item.document]})
                 for item in known]  # fmt: skip
        if not lines:
            return {"task": TASK, "dataset": None, "documents": []}
        path = write_corrections(folder / "datasets", TASK, lines, datetime.now(UTC))
        record = driver.drop_corrections(TASK, path, seconds)
    splits = _splits(driver, record)
    return {
        "task": TASK,
        "dataset": record.id,
        "documents": [_shown(item, splits) for item in known],
    }


def show_loop(console: Console, loop: dict[str, Any]) -> None:
    """Print what became of the corrections."""
    console.rule("Reviewed and corrected")
    for item in loop["documents"]:
        console.print(
            f"{item['name']}: {escape(json.dumps(item['correction'], ensure_ascii=False))}, "
            f"answered with confidence {item['confidence']:.2f}; now in {item['split']} of dataset "
            f"{loop['dataset']}",
            highlight=False,
            soft_wrap=True,
        )
    if not loop["documents"]:
        console.print("No answer was doubtful.")


def _shown(item: Waiting, splits: dict[str, str]) -> dict[str, Any]:
    return {
        "name": item.document,
        "confidence": item.line.confidence,
        "correction": RIGHT[item.document],
        "split": splits.get(item.line.text, ""),
    }


def _splits(driver: Driver, record: DatasetRecord) -> dict[str, str]:
    """Read which split each text of a dataset is in."""
    found: dict[str, str] = {}
    for split in record.counts:
        path = paths.split_file(record.task_name, record.id, split)
        content, _ = driver.buckets.artifacts.read(path)
        for line in content.splitlines():
            found[example_of_line(record.task, json.loads(line)).text] = split
    return found
