"""The review queue as files: what waits for a person, and what a person has said.

The files are those of the buckets: <results>/<task>/review/*.jsonl is read, and
<datasets>/<task>/corrections/*.jsonl is written. Copies of the buckets of a deployment will do.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from shared.examples import FieldValue
from shared.records import ChampionRecord, ResultRecord, ReviewLine, TaskRecord
from shared.task import Task

Correction = str | list[str] | dict[str, FieldValue]


class WrongAnswer(ValueError):
    """What a person said is no answer to the task; the message says why."""


class Waiting(NamedTuple):
    """An answer that waits for a person.

    Attributes:
        task: The task's name.
        line: Its line in the review file.
    """

    task: str
    line: ReviewLine

    @property
    def document(self) -> str:
        """The document's name, without the task."""
        return self.line.document.partition("/")[2]


def waiting(results: Path, datasets: Path, only: str = "") -> list[Waiting]:
    """List what waits, the oldest first; each document once, the latest generation.

    Args:
        results: A copy of the results bucket.
        datasets: A copy of the datasets bucket; what has a correction there does not wait.
        only: A task; empty for all.

    Raises:
        ValueError: A file is not a review file; the message names the file and the line.
    """
    found: list[Waiting] = []
    for folder in sorted(results.glob("*/review")):
        task = folder.parent.name
        if only not in {"", task}:
            continue
        latest: dict[str, ReviewLine] = {}
        for path in sorted(folder.glob("*.jsonl")):
            for line in _lines(path):
                known = latest.get(line.document)
                if known is None or _rank(line) >= _rank(known):
                    latest[line.document] = line
        done = corrected(datasets, task)
        found += [
            Waiting(task, line)
            for line in sorted(latest.values(), key=lambda line: line.at)
            if (line.document, line.generation) not in done
        ]
    return found


def corrected(datasets: Path, task: str) -> set[tuple[str, int]]:
    """Name the documents that have a correction, with their generations."""
    found: set[tuple[str, int]] = set()
    for path in sorted((datasets / task / "corrections").glob("*.jsonl")):
        for line in _lines(path):
            if line.correction not in (None, ""):
                found.add((line.document, line.generation))
    return found


def why_it_does_not_wait(given: str, folder: Path) -> str:
    """Say why a document that has a result does not wait, and how to correct it all the same.

    Args:
        given: The document's name, with or without its task; = and an answer may follow.
        folder: Where results/ and datasets/ are.

    Returns:
        What is to be said; empty when no document of that name has a result.

    Raises:
        WrongAnswer: What follows is no answer to the task.
    """
    parts = given.split("=")
    names = ["=".join(parts[:count]) for count in range(len(parts), 0, -1)]
    for name in names:
        for task in sorted(path.name for path in (folder / "results").iterdir() if path.is_dir()):
            result = _result(folder / "results" / task, name.removeprefix(f"{task}/"))
            if result is None:
                continue
            if result.status not in {"accepted", "review"}:
                return f"{result.document} does not wait for review: its result is {result.status}."
            said = given.removeprefix(name).removeprefix("=")
            known = read_task(folder / "artifacts", task)
            line = {
                "document": result.document,
                "text": "",
                "answer": result.answer,
                "correction": parse_correction(said, result, known) if said else result.answer,
            }
            return (
                f"{result.document} does not wait for review: its answer was accepted, was "
                "corrected before, or is not in a review file yet. To correct it, put a file with "
                f"this line, and the document's text in it, into {folder / 'datasets' / task}/"
                f"corrections/ as any.jsonl: {json.dumps(line, ensure_ascii=False)}"
            )
    return ""


def _result(folder: Path, document: str) -> ResultRecord | None:
    """Read the result of a document of a task; None when there is none."""
    path = folder / f"{document}.json"
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        return None
    return ResultRecord.model_validate_json(path.read_bytes())


def write_corrections(
    datasets: Path, task: str, lines: Sequence[ReviewLine], now: datetime
) -> Path:
    """Write the file of corrections that is to be dropped, and return its path."""
    folder = datasets / task / "corrections"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"review-{now:%Y-%m-%d-%H%M%S-%f}.jsonl"
    # Whoever watches the folder sees the file whole or not at all.
    unfinished = path.with_name(f".{path.name}")
    content = "".join(f"{line.model_dump_json()}\n" for line in lines)
    unfinished.write_text(content, encoding="utf-8")
    unfinished.replace(path)
    return path


def read_task(artifacts: Path, name: str) -> Task | None:
    """Read a task as its champion knows it, with all labels or fields; None when there is none."""
    folder = artifacts / "tasks" / name
    for path, kind in (("champion.json", ChampionRecord), ("task.json", TaskRecord)):
        if (folder / path).exists():
            return kind.model_validate_json((folder / path).read_bytes()).task
    return None


def parse_correction(said: str, line: ReviewLine | ResultRecord, task: Task | None) -> Correction:
    """Read what a person says is right.

    Args:
        said: A label; several labels with commas between them, or as JSON; a JSON object of fields.
        line: What it is said of.
        task: The task, to hold labels and fields against; None when it is not known.

    Raises:
        WrongAnswer: It is none.
    """
    several = isinstance(line.answer, list) or (task is not None and task.multi_label)
    if isinstance(line.answer, dict) or (task is not None and task.type == "extraction"):
        return _fields(said, task)
    if not several:
        return _label(said.strip(), task)
    if said.strip().startswith("["):
        value = _json(said)
        names = value if isinstance(value, list) else [value]
    else:
        names = said.split(",")
    return [_label(str(name).strip(), task) for name in names if str(name).strip()]


def _label(name: str, task: Task | None) -> str:
    if not name:
        raise WrongAnswer("An empty label is none.")
    if task is not None and task.labels and name not in task.label_names:
        raise WrongAnswer(f"{name!r} is no label; they are {', '.join(task.label_names)}.")
    return name


def _fields(said: str, task: Task | None) -> dict[str, FieldValue]:
    value = _json(said)
    if not isinstance(value, dict) or not value:
        raise WrongAnswer('Fields are written as JSON: {"date": "9 May", "place": null}.')
    for name, item in value.items():
        if task is not None and task.fields and name not in task.field_names:
            raise WrongAnswer(f"{name!r} is no field; they are {', '.join(task.field_names)}.")
        texts = item if isinstance(item, list) else [item]
        if not all(text is None or isinstance(text, str) for text in texts):
            raise WrongAnswer(f"{name!r} must be a text, a list of texts, or null.")
    return value


def _json(said: str) -> object:
    try:
        return json.loads(said)
    except ValueError:
        raise WrongAnswer(f"{said!r} is not JSON.") from None


def _rank(line: ReviewLine) -> tuple[int, bool]:
    return line.generation, not line.provisional


def _lines(path: Path) -> list[ReviewLine]:
    """Read a review file, or one that came of it."""
    found: list[ReviewLine] = []
    for number, text in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), 1):
        if not text.strip():
            continue
        try:
            found.append(ReviewLine.model_validate_json(text))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise ValueError(
                f"{path} line {number} is not a line of a review file: {where}: {first['msg']}. "
                "Correct it, or take the line out."
            ) from None
    return found
