"""Answering a table of documents: a result a row."""

import json
from collections.abc import Sequence

import pytest

from functions.process_document.process import process
from functions.process_document.table import MAX_ROWS
from shared import paths
from shared.errors import Rejected, Retry
from shared.events import ObjectArrived
from shared.ports import Sampling
from shared.prompts import Prompt
from shared.record_store import create
from shared.records import TaskRecord
from shared.task import Task
from tests.fakes import Crash, FakeGenerator, FakeWorld, fake_world
from tests.unit.test_process import TASK, crown

TABLE = "id,text\n1,hoo hoo\n2,caw\n3,\n"
OWN = "birds/letters.csv.json"


def hears(_model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
    return ["owl" if "hoo" in prompt.turns[-1][1] else "crow"] * sampling.samples


def stage() -> tuple[FakeWorld, FakeGenerator]:
    fakes = fake_world()
    crown(fakes)
    return fakes, fakes.generator(hears)


def test_a_table_with_the_labelled_files_own_column_is_answered_row_by_row() -> None:
    fakes, generator = stage()
    champion = json.loads(fakes.artifacts.content(paths.champion("birds")))
    fakes.artifacts.put(
        paths.champion("birds"), json.dumps({**champion, "text_column": "What was heard"})
    )
    drop(fakes, generator, "Who,What was heard\nme,hoo hoo\nyou,caw\n")
    assert fakes.results.json(OWN)["status"] == "divided"
    assert fakes.results.json("birds/letters.csv/2.json")["answer"] == "crow"


def drop(
    fakes: FakeWorld, generator: FakeGenerator, content: str, name: str = "birds/letters.csv"
) -> ObjectArrived:
    event = fakes.documents.put(name, content)
    process(event, fakes.world, generator)
    return event


def test_each_row_has_a_result_of_its_own() -> None:
    fakes, generator = stage()
    event = drop(fakes, generator, TABLE)
    rows = [fakes.results.json(f"birds/letters.csv/{number}.json") for number in (1, 2, 3)]
    assert [row["status"] for row in rows] == ["accepted", "accepted", "rejected"]
    assert [row["answer"] for row in rows] == ["owl", "crow", None]
    assert [row["row"] for row in rows] == [1, 2, 3]
    assert rows[0]["document"] == "birds/letters.csv/1"
    assert rows[0]["provenance"]["document"] == "gs://documents/birds/letters.csv"
    assert rows[0]["provenance"]["reader"] == "table, text, utf-8"
    assert rows[2]["reason"] == "Row 3 of birds/letters.csv cannot be answered: it has no text."
    assert {row["generation"] for row in rows} == {event.generation}


def test_the_table_has_a_result_that_counts_them() -> None:
    fakes, generator = stage()
    drop(fakes, generator, TABLE)
    own = fakes.results.json(OWN)
    assert (own["status"], own["rows"]) == ("divided", 3)
    assert own["reason"] == "It has 3 documents, a row each; 1 rejected."
    (fact,) = fakes.publisher.facts("document-divided")
    assert fact["details"] == {"result": OWN, "rows": 3}
    assert len(fakes.publisher.facts("document-answered")) == 2


def test_a_second_delivery_of_a_table_asks_nothing() -> None:
    fakes, generator = stage()
    event = drop(fakes, generator, TABLE)
    process(event, fakes.world, generator)
    assert sorted(generator.texts()) == ["caw", "hoo hoo"]


def test_a_busy_model_keeps_what_was_answered_and_goes_on_with_the_rest() -> None:
    fakes, generator = stage()
    fakes.faults.fail("generate", Retry("busy"))
    event = fakes.documents.put("birds/letters.csv", TABLE)
    with pytest.raises(Retry):
        process(event, fakes.world, generator)
    assert OWN not in fakes.results.names()
    process(event, fakes.world, generator)
    assert sorted(generator.texts()) == ["caw", "hoo hoo"]
    assert fakes.results.json(OWN)["status"] == "divided"


@pytest.mark.slow
def test_a_crash_at_any_call_ends_in_a_result_a_row_when_delivered_again() -> None:
    for point in range(1, 200):
        fakes, generator = stage()
        event = fakes.documents.put("birds/letters.csv", TABLE)
        fakes.faults.crash_at = point
        try:
            process(event, fakes.world, generator)
        except Crash:
            process(event, fakes.world, generator)
        else:
            break
        assert len(fakes.results.names("birds/letters.csv/")) == 3
        assert fakes.results.json(OWN)["rows"] == 3
    assert 20 < point < 199


def test_doubtful_rows_are_marked_for_review() -> None:
    fakes, _ = stage()
    generator = fakes.generator(lambda *_: ["owl", "crow", "owl or crow", "crow", "owl"])
    drop(fakes, generator, "id,text\n1,hoo\n")
    (marker,) = fakes.artifacts.names("open/review/birds/")
    assert fakes.artifacts.json(marker)["event"] == {"document": "birds/letters.csv/1"}


def test_rows_that_a_new_table_has_no_more_lose_their_results() -> None:
    fakes, generator = stage()
    drop(fakes, generator, TABLE)
    drop(fakes, generator, "id,text\n1,caw caw\n")
    assert fakes.results.names("birds/letters.csv/") == ["birds/letters.csv/1.json"]
    assert fakes.results.json("birds/letters.csv/1.json")["answer"] == "crow"
    drop(fakes, generator, "hoo, and no table any more")
    assert fakes.results.names() == [OWN]
    assert fakes.results.json(OWN)["answer"] == "owl"


def test_a_table_that_is_replaced_by_what_cannot_be_read_loses_its_rows() -> None:
    fakes, generator = stage()
    drop(fakes, generator, TABLE)
    with pytest.raises(Rejected):
        drop(fakes, generator, " ")
    assert fakes.results.names() == [OWN]
    assert fakes.results.json(OWN)["status"] == "rejected"


def test_a_document_in_a_folder_of_the_tables_name_keeps_its_result() -> None:
    fakes, generator = stage()
    drop(fakes, generator, "hoo", "birds/letters.csv/1")
    with pytest.raises(Rejected, match="have the same name"):
        drop(fakes, generator, TABLE)
    assert fakes.results.json("birds/letters.csv/1.json")["row"] is None
    assert fakes.results.json(OWN)["status"] == "rejected"


def test_a_row_keeps_its_result_when_such_a_folder_comes_later() -> None:
    fakes, generator = stage()
    drop(fakes, generator, TABLE)
    with pytest.raises(Rejected, match="have the same name"):
        drop(fakes, generator, "hoo", "birds/letters.csv/2")
    assert fakes.results.json("birds/letters.csv/2.json")["row"] == 2


def test_a_table_of_too_many_rows_is_rejected_unasked() -> None:
    fakes, generator = stage()
    with pytest.raises(Rejected, match="1,001 rows; 1,000 are taken"):
        drop(fakes, generator, "id,text\n" + "1,hoo\n" * (MAX_ROWS + 1))
    assert generator.asked == []


def test_the_columns_and_the_policy_of_task_yaml_hold_for_documents() -> None:
    fakes, generator = stage()
    serving = {"long_documents": "truncate", "max_document_characters": 100}
    now = Task.model_validate(
        {**TASK.model_dump(), "columns": {"text": ["subject", "letter"]}, "serving": serving}
    )
    record = TaskRecord(name="birds", task=now, source="task.yaml", source_generation=1)
    create(fakes.artifacts, paths.task_record("birds"), record)
    lines = [{"subject": "owls", "letter": "hoo"}, {"subject": "x", "letter": "caw " * 50}]
    drop(fakes, generator, "\n".join(map(json.dumps, lines)))
    assert "owls\nhoo" in generator.texts()
    provenance = fakes.results.json("birds/letters.csv/2.json")["provenance"]
    assert provenance["characters"] < 100
    assert provenance["notes"] == ["the model was given the first 97 of 201 characters"]


def test_a_scan_goes_to_the_model_as_a_file_unless_the_task_forbids_it() -> None:
    fakes, generator = stage()
    champion = json.loads(fakes.artifacts.content(paths.champion("birds")))
    champion["candidate"]["base_model"] = "gemini-3.5-flash-lite"
    fakes.artifacts.put(paths.champion("birds"), json.dumps(champion))
    event = fakes.documents.put("birds/scan.png", b"\x89PNG\r\n\x1a\n")
    process(event, fakes.world, generator)
    ((_, prompt, _),) = generator.asked
    assert prompt.file == ("gs://documents/birds/scan.png", "image/png")
    assert prompt.turns == (("user", ""),)
    result = fakes.results.json("birds/scan.png.json")
    assert result["status"] == "accepted"
    assert result["provenance"]["reader"] == "picture"
    assert "the file itself" in result["provenance"]["notes"][0]
    now = Task.model_validate({**TASK.model_dump(), "serving": {"read_pictures": False}})
    record = TaskRecord(name="birds", task=now, source="task.yaml", source_generation=1)
    create(fakes.artifacts, paths.task_record("birds"), record)
    event = fakes.documents.put("birds/scan.png", b"\x89PNG\r\n\x1a\n")
    with pytest.raises(Rejected, match="a PNG picture, which is not read"):
        process(event, fakes.world, generator)


def test_a_long_document_is_asked_about_in_parts_and_answered_once() -> None:
    fakes, generator = stage()
    serving = {"long_documents": "split", "max_document_characters": 100, "samples": 3}
    now = Task.model_validate({**TASK.model_dump(), "serving": serving})
    record = TaskRecord(name="birds", task=now, source="task.yaml", source_generation=1)
    create(fakes.artifacts, paths.task_record("birds"), record)
    drop(fakes, generator, ("hoo " * 20 + "\n\n") * 2 + "caw " * 20, "birds/long.txt")
    result = fakes.results.json("birds/long.txt.json")
    assert (result["answer"], result["tally"]) == ("owl", {"owl": 6, "crow": 3})
    assert result["provenance"]["parts"] == 3
    assert result["provenance"]["samples"] == 9
    assert "in 3 parts" in result["provenance"]["notes"][0]
