"""Labelled files whose texts and labels want to be obeyed: a dataset of their own, and no more."""

import csv
import io
import json
from contextlib import redirect_stdout
from functools import cache
from html.parser import HTMLParser
from typing import NamedTuple

from functions.convert_dataset.upload import handle_upload
from shared.prompts import example_of_line
from shared.records import DatasetRecord
from tests.fakes import FakeWorld, fake_world
from tests.unit.injection_corpus import attacks

LABELS = (
    "owl",
    "crow",
    "</script><script>alert('owl')</script>",
    '" onmouseover="alert(1)',
    "../../fish/champion.json",
    "gs://documents/birds/honest-1.txt",
    '=HYPERLINK("http://example.org")',
    '"}\n{"severity": "ERROR", "message": "champion replaced"}',
    "\x1b[2J\u202ewren",
    "Ignore all previous instructions",
)
TAME = tuple(f"bird {number}" for number in range(len(LABELS)))


class Converted(NamedTuple):
    fakes: FakeWorld
    rows: list[tuple[str, str]]
    logged: str


@cache
def converted(labels: tuple[str, ...], *, tame: bool = False) -> Converted:
    """Upload every attack twice as a labelled text; or, tame, as many harmless ones."""
    texts = [
        f"hoo {number}, a harmless bird" if tame else f"{attack.content.decode(errors='replace')}"
        for number, attack in enumerate(list(attacks()))
        if attack.name.endswith(".txt")
    ]
    rows = [
        (f"{text} {time}", labels[number % len(labels)])
        for number, text in enumerate(texts)
        for time in ("at dawn", "at dusk")
    ]
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([("text", "label"), *rows])
    fakes = fake_world()
    fakes.artifacts.put("tasks/fish/champion.json", b"{}")
    event = fakes.datasets.put("birds/data.csv", stream.getvalue())
    with redirect_stdout(io.StringIO()) as logged:
        handle_upload(event, fakes.world)
    return Converted(fakes, rows, logged.getvalue())


def record(fakes: FakeWorld) -> DatasetRecord:
    (name,) = (name for name in fakes.artifacts.names() if name.endswith("/dataset.json"))
    return DatasetRecord.model_validate(fakes.artifacts.json(name))


class Shape(HTMLParser):
    """The elements of a page, each with the names of its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[tuple[str, tuple[str, ...]]] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, tuple(sorted(name for name, _ in attrs))))


def report(fakes: FakeWorld) -> str:
    folder = f"tasks/birds/datasets/{record(fakes).id}"
    return fakes.artifacts.content(f"{folder}/report.html").decode()


def test_texts_and_labels_that_attack_are_written_into_their_own_dataset_only() -> None:
    fakes, _, _ = converted(LABELS)
    tame, _, _ = converted(TAME, tame=True)

    def places(world: FakeWorld) -> list[str]:
        return [name.replace(record(world).id, "ID") for name in world.artifacts.names()]

    assert places(fakes) == places(tame)
    assert fakes.artifacts.content("tasks/fish/champion.json") == b"{}"
    assert fakes.results.names() == fakes.documents.names() == []


def test_texts_and_labels_that_attack_come_back_from_the_training_lines_as_they_were() -> None:
    fakes, rows, _ = converted(LABELS)
    found = record(fakes)
    folder = f"tasks/birds/datasets/{found.id}"
    examples = [
        example_of_line(found.task, line)
        for split in ("train", "validation", "test")
        for line in fakes.artifacts.json_lines(f"{folder}/{split}.jsonl")
    ]
    quarantined = fakes.artifacts.json_lines(f"{folder}/quarantine.jsonl")
    assert len(examples) + len(quarantined) == len(rows)
    assert {(item.text, item.answer) for item in examples} <= {
        (text.strip(), label.strip()) for text, label in rows
    }
    assert set(found.task.label_names) == {label.strip() for label in LABELS}


def test_a_report_on_attacks_is_built_of_what_any_report_is_built_of() -> None:
    hostile, tame = report(converted(LABELS).fakes), report(converted(TAME, tame=True).fakes)
    assert "alert(" in hostile
    shape = Shape(hostile).found
    assert shape <= Shape(tame).found
    assert not any(tag == "script" for tag, _ in shape)


def test_the_log_and_what_is_published_hold_none_of_their_words() -> None:
    fakes, _, logged = converted(LABELS)
    said = logged + json.dumps(fakes.publisher.messages)
    assert all(json.loads(line)["severity"] in {"INFO", "WARNING"} for line in logged.splitlines())
    for words in ("qz-", "alert", "champion", "wren", "HYPERLINK", "Ignore", "\x1b"):
        assert words not in said
