"""`python -m local review`: the queue on a terminal, and the corrections that come of it."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from functions.convert_dataset.corrections import read_corrections
from local.__main__ import main
from local.review import ask_about, show_queue
from local.review_files import WrongAnswer, parse_correction, read_task, waiting
from shared.examples import Answer
from shared.records import Alternative, ResultRecord, ReviewLine, TaskRecord
from shared.task import Task
from tests.fakes import START, fake_world

BIRDS = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
EVENTS = Task.model_validate({"type": "extraction", "fields": ["date", "place"]})


def line(name: str = "a.txt", answer: Answer | None = "owl", **more: Any) -> ReviewLine:
    values = {
        "document": f"birds/{name}",
        "location": f"gs://documents/birds/{name}",
        "generation": 1,
        "text": f"the text of {name}",
        "answer": answer,
        "confidence": 0.4,
        "alternatives": (Alternative(answer="crow", share=0.4),),
        "reason": "",
        "at": START,
        **more,
    }
    return ReviewLine.model_validate(values)


def store(folder: Path, *lines: ReviewLine, day: str = "2026-11-01") -> None:
    place = folder / "results" / "birds" / "review"
    place.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{item.model_dump_json()}\n" for item in lines)
    (place / f"{day}.jsonl").write_text(text, encoding="utf-8")
    record = TaskRecord(name="birds", task=BIRDS, source="task.yaml", source_generation=1)
    task = folder / "artifacts" / "tasks" / "birds" / "task.json"
    task.parent.mkdir(parents=True, exist_ok=True)
    task.write_text(record.model_dump_json(), encoding="utf-8")


def queue(folder: Path, task: str = "") -> list[str]:
    found = waiting(folder / "results", folder / "datasets", task)
    return [item.document for item in found]


def written(folder: Path) -> list[dict[str, Any]]:
    paths = sorted((folder / "datasets" / "birds" / "corrections").iterdir())
    return [json.loads(text) for path in paths for text in path.read_text().splitlines()]


def review(folder: Path, *arguments: str) -> int:
    return main(["review", "--folder", str(folder), *arguments])


def test_each_document_waits_once_the_oldest_first_until_it_is_corrected(tmp_path: Path) -> None:
    later = START + timedelta(days=1)
    store(tmp_path, line("b.txt"), line("a.txt"))
    store(
        tmp_path, line("b.txt", generation=2, at=later), line("c.txt", at=later), day="2026-11-02"
    )
    assert queue(tmp_path) == ["a.txt", "b.txt", "c.txt"]
    assert queue(tmp_path, "other") == []
    assert review(tmp_path, "--set", "b.txt=crow") == 0
    assert queue(tmp_path) == ["a.txt", "c.txt"]


def test_what_is_said_on_the_command_line_becomes_a_file_that_is_read_as_corrections(
    tmp_path: Path,
) -> None:
    store(tmp_path, line("a.txt"), line("b.txt"), line("c.txt"))
    assert review(tmp_path, "--set", "birds/a.txt=crow", "--accept", "b.txt") == 0
    assert [(item["document"], item["correction"]) for item in written(tmp_path)] == [
        ("birds/a.txt", "crow"),
        ("birds/b.txt", "owl"),
    ]
    fakes = fake_world()
    for path in (tmp_path / "datasets" / "birds" / "corrections").iterdir():
        fakes.datasets.put(f"birds/corrections/{path.name}", path.read_bytes())
    found = read_corrections(fakes.datasets, "birds", lambda _: False)
    assert [item.answer for item in found.corrections] == ["crow", "owl"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("--set=a.txt=eagle", "'eagle' is no label; they are owl, crow"),
        ("--set=z.txt=owl", "names no document that waits; those that wait: birds/a.txt"),
        ("--accept=none.txt", "none.txt has no answer that could be right"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str, why: str
) -> None:
    store(tmp_path, line("a.txt"), line("none.txt", None))
    assert review(tmp_path, said) == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "datasets").exists()


@pytest.mark.parametrize("said", ["--set=birds/easy.txt=crow", "--set=easy.txt=crow"])
def test_an_accepted_answer_that_is_wrong_is_told_how_to_be_corrected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    store(tmp_path, line("a.txt"))
    result = ResultRecord(
        document="birds/easy.txt",
        task_name="birds",
        status="accepted",
        answer="owl",
        generation=1,
        at=START,
    )
    (tmp_path / "results" / "birds" / "easy.txt.json").write_text(result.model_dump_json())
    assert review(tmp_path, said) == 2
    told = capsys.readouterr().err
    assert "birds/easy.txt does not wait for review: its answer was accepted" in told
    assert f"into {tmp_path}/datasets/birds/corrections/ as any.jsonl: " in told
    filled_in = json.loads(told[told.index("{") :]) | {"text": "hoo"}
    fakes = fake_world()
    fakes.datasets.put("birds/corrections/any.jsonl", json.dumps(filled_in))
    (found,) = read_corrections(fakes.datasets, "birds", lambda _: False).corrections
    assert (found.text, found.answer) == ("hoo", "crow")
    assert review(tmp_path, "--set=easy.txt=eagle") == 2
    assert "'eagle' is no label" in capsys.readouterr().err


def test_a_name_with_an_equals_sign_in_it_is_understood(tmp_path: Path) -> None:
    store(tmp_path, line("a"), line("a=b"))
    assert review(tmp_path, "--set", "a=b=crow") == 0
    assert [item["document"] for item in written(tmp_path)] == ["birds/a=b"]


def test_a_folder_without_a_local_cloud_is_told_apart_from_an_empty_queue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert review(tmp_path / "nowhere", "--list") == 2
    assert f"There is no local cloud in {tmp_path}/nowhere" in capsys.readouterr().err
    (tmp_path / "results").mkdir()
    assert review(tmp_path, "--list") == 0
    assert "Nothing waits for review" in capsys.readouterr().out


def test_a_file_that_was_spoilt_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path, line())
    (tmp_path / "results" / "birds" / "review" / "x.jsonl").write_text("{}\n")
    assert review(tmp_path, "--list") == 2
    assert "x.jsonl line 1 is not a line of a review file" in capsys.readouterr().err


def test_the_list_shows_answer_confidence_alternatives_and_text_and_nothing_that_acts(
    tmp_path: Path,
) -> None:
    store(tmp_path, line(text="evil \x1b[31m[bold]red[/bold]\nnext"))
    page = io.StringIO()
    found = waiting(tmp_path / "results", tmp_path / "datasets")
    show_queue(Console(file=page, width=200), found, tmp_path)
    assert "birds a.txt: owl, confidence 0.40; else crow 0.40" in page.getvalue()
    assert "[bold]red[/bold] next" in page.getvalue()
    assert "\x1b" not in page.getvalue()


def test_the_queue_is_printed_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path, line())
    assert review(tmp_path, "--json") == 0
    (item,) = json.loads(capsys.readouterr().out)
    assert (item["document"], item["correction"]) == ("birds/a.txt", "")


def answers(*typed: str) -> Iterator[str]:
    yield from typed


def test_a_person_types_a_number_a_label_or_that_it_is_right_and_may_stop(tmp_path: Path) -> None:
    store(tmp_path, *(line(f"{number}.txt") for number in range(6)))
    found = waiting(tmp_path / "results", tmp_path / "datasets")
    tasks = {"birds": read_task(tmp_path / "artifacts", "birds")}
    page, typed = io.StringIO(), answers("2", "eagle", "crow", "=", "", ".")
    said = ask_about(found, tasks, Console(file=page), lambda _: next(typed))
    assert [(item.document, correction) for item, correction in said] == [
        ("0.txt", "crow"),
        ("1.txt", "crow"),
        ("2.txt", "owl"),
    ]
    assert "'eagle' is no label" in page.getvalue()


def test_fields_are_said_as_json_and_several_labels_with_commas() -> None:
    fields = line(answer={"date": "May", "place": None})
    assert parse_correction('{"place": "barn"}', fields, EVENTS) == {"place": "barn"}
    for wrong in ("barn", "{}", '{"plaice": "barn"}', '{"place": 3}'):
        with pytest.raises(WrongAnswer):
            parse_correction(wrong, fields, EVENTS)
    several = line(answer=["owl"])
    assert parse_correction("owl, crow", several, None) == ["owl", "crow"]
    assert parse_correction("[]", several, None) == []
