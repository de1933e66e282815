"""Documents that come before there is a champion, in a task that wants them answered."""

from typing import Any

import pytest

from functions.process_document.process import process
from functions.watch_jobs.watch import watch
from shared import paths
from shared.errors import Rejected
from shared.events import ObjectArrived
from shared.record_store import create
from shared.records import TaskRecord
from shared.task import Task
from tests.fakes import Crash, FakeGenerator, FakeWorld, fake_world, message
from tests.unit.test_process import DOUBT, ENDPOINT, RESULT, REVIEWS, TASK, crown, drop, says

OPEN = "open/document/birds/"
TABLE = "id,text\n1,hoo hoo\n2,caw\n3,\n"


def wanted(before_champion: str = "answer", **keys: Any) -> Task:
    serving = {"before_champion": before_champion}
    return Task.model_validate({**TASK.model_dump(), "serving": serving, **keys})


def declare(fakes: FakeWorld, task: Task) -> None:
    record = TaskRecord(name="birds", task=task, source="task.yaml", source_generation=1)
    create(fakes.artifacts, paths.task_record("birds"), record)


def stage(*texts: str, task: Task | None = None) -> tuple[FakeWorld, FakeGenerator]:
    fakes = fake_world()
    declare(fakes, task or wanted())
    return fakes, fakes.generator(says(*texts))


def tick(fakes: FakeWorld, generator: FakeGenerator) -> int:
    """Let the watcher look, and deliver what it publishes; return how much that was."""
    before = len(fakes.publisher.on("document-arrived"))
    watch(fakes.world, fakes.tuning)
    published = fakes.publisher.on("document-arrived")[before:]
    for data in published:
        process(message("document-arrived", **data), fakes.world, generator)
    return len(published)


def test_the_base_model_answers_zero_shot_and_the_result_says_so() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator)
    result = fakes.results.json(RESULT)
    assert (result["status"], result["answer"], result["provisional"]) == ("accepted", "owl", True)
    assert result["provenance"]["champion"] == "zero-shot (no champion yet)"
    assert result["provenance"]["dataset"] == ""
    assert result["provenance"]["usd"] > 0
    ((model, prompt, _),) = generator.asked
    assert model == "locations/us/publishers/google/models/gemini-3.5-flash-lite"
    assert prompt.turns == (("user", "hoo hoo"),)
    assert prompt.schema == {"type": "STRING", "enum": ["owl", "crow"]}
    (fact,) = fakes.publisher.facts("document-answered")
    assert fact["details"]["provisional"]
    assert fakes.artifacts.names("tasks/birds/champion") == []


def test_its_confidence_is_the_agreement_because_nothing_was_measured() -> None:
    fakes, generator = stage("owl", "owl", "owl", "crow", "owl")
    drop(fakes, generator)
    result = fakes.results.json(RESULT)
    assert (result["confidence"], result["calibrated"]) == (0.8, False)
    assert "nothing is measured" in result["calibration_note"]


def test_fields_are_answered_zero_shot_too() -> None:
    task = Task.model_validate(
        {
            "type": "extraction",
            "fields": ["place"],
            "serving": {"before_champion": "answer"},
        }
    )
    fakes, generator = stage('{"place":"mill"}', task=task)
    drop(fakes, generator)
    assert fakes.results.json(RESULT)["answer"] == {"place": "mill"}


def test_the_champions_answer_replaces_it_at_the_tick_after_the_promotion() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator)
    assert len(fakes.artifacts.names(OPEN)) == 1
    assert tick(fakes, generator) == 0
    crown(fakes)
    assert tick(fakes, fakes.generator(says("crow"))) == 1
    result = fakes.results.json(RESULT)
    assert (result["answer"], result["provisional"]) == ("crow", False)
    assert result["provenance"]["model"] == ENDPOINT
    assert fakes.artifacts.names(OPEN) == []
    assert tick(fakes, generator) == 0
    assert len(generator.asked) == 1


def test_a_provisional_and_a_final_answer_are_marked_for_review_each() -> None:
    fakes, generator = stage(*DOUBT)
    drop(fakes, generator)
    before = fakes.artifacts.names(REVIEWS)
    crown(fakes)
    tick(fakes, generator)
    after = fakes.artifacts.names(REVIEWS)
    assert len(before) == len(after) == 1
    assert before != after


def test_a_second_delivery_before_the_champion_asks_and_changes_nothing() -> None:
    fakes, generator = stage("owl")
    event = drop(fakes, generator)
    before = fakes.results.generation(RESULT)
    for _ in range(3):
        process(event, fakes.world, generator)
    assert len(generator.asked) == 1
    assert fakes.results.generation(RESULT) == before
    assert len(fakes.artifacts.names(OPEN)) == 1


def test_a_second_delivery_after_the_promotion_is_answered_by_the_champion() -> None:
    fakes, generator = stage("owl")
    event = drop(fakes, generator)
    crown(fakes)
    for _ in range(2):
        process(event, fakes.world, generator)
    assert tick(fakes, generator) == 1
    assert fakes.results.json(RESULT)["provisional"] is False
    assert len(generator.asked) == 2


def test_a_provisional_answer_that_comes_late_never_replaces_the_champions() -> None:
    fakes, quick = stage("crow")

    def slow(model: str, prompt: Any, sampling: Any) -> list[str]:
        crown(fakes)
        process(ObjectArrived("documents", "birds/letter.txt", 1), fakes.world, quick)
        return ["owl"] * sampling.samples

    drop(fakes, FakeGenerator(slow))
    result = fakes.results.json(RESULT)
    assert (result["answer"], result["provisional"]) == ("crow", False)
    assert tick(fakes, quick) == 1
    assert len(quick.asked) == 1


@pytest.mark.parametrize(
    ("task", "why"),
    [
        (wanted("wait"), "There is no model for this task yet."),
        (TASK, "There is no model for this task yet."),
        (
            Task.model_validate(
                {"type": "classification", "serving": {"before_champion": "answer"}}
            ),
            "names no labels or fields",
        ),
        (wanted(tuning={"base_model": "gemini-9"}), "base model 'gemini-9'"),
    ],
)
def test_a_document_waits_when_it_is_not_wanted_or_cannot_be_answered(task: Task, why: str) -> None:
    fakes, generator = stage("owl", task=task)
    drop(fakes, generator)
    result = fakes.results.json(RESULT)
    assert (result["status"], result["provisional"]) == ("waiting", False)
    assert why in result["reason"]
    assert generator.asked == []
    crown(fakes, TASK)
    assert tick(fakes, generator) == 1
    assert fakes.results.json(RESULT)["status"] == "accepted"


def test_a_document_that_cannot_be_read_is_rejected_for_good_before_the_champion_too() -> None:
    fakes, generator = stage("owl")
    with pytest.raises(Rejected):
        drop(fakes, generator, b"%PDF-1.7")
    crown(fakes)
    assert tick(fakes, generator) == 0
    assert fakes.results.json(RESULT)["status"] == "rejected"


def test_what_the_champion_refuses_loses_its_provisional_answer() -> None:
    fakes, generator = stage("owl")
    event = drop(fakes, generator)
    crown(fakes)
    fakes.faults.fail("generate", Rejected("blocked by a filter"))
    with pytest.raises(Rejected):
        process(event, fakes.world, generator)
    result = fakes.results.json(RESULT)
    assert (result["status"], result["provisional"]) == ("rejected", False)


def test_the_rows_of_a_table_are_answered_again_by_the_champion_and_rejected_ones_stay() -> None:
    fakes, generator = stage("owl")
    event = drop(fakes, generator, TABLE, "birds/letters.csv")
    process(event, fakes.world, generator)
    assert len(generator.asked) == 2
    rows = [f"birds/letters.csv/{number}.json" for number in (1, 2, 3)]
    own = fakes.results.json("birds/letters.csv.json")
    assert (own["status"], own["provisional"]) == ("divided", True)
    assert [fakes.results.json(row)["provisional"] for row in rows] == [True, True, False]
    crown(fakes)
    assert tick(fakes, fakes.generator(says("crow"))) == 1
    assert [fakes.results.json(row)["answer"] for row in rows] == ["crow", "crow", None]
    assert not any(fakes.results.json(row)["provisional"] for row in rows)
    assert fakes.results.json("birds/letters.csv.json")["provisional"] is False
    assert tick(fakes, generator) == 0


def test_a_crash_at_any_call_ends_in_a_provisional_answer_that_is_revisited() -> None:
    crashed, point = True, 0
    while crashed:
        point, crashed = point + 1, False
        fakes, generator = stage("owl")
        event = fakes.documents.put("birds/letter.txt", "hoo")
        fakes.faults.crash_at = fakes.faults.points + point
        for _ in range(2):
            try:
                process(event, fakes.world, generator)
            except Crash:
                crashed = True
        fakes.faults.crash_at = None
        assert fakes.results.json(RESULT)["provisional"] is True
        crown(fakes)
        assert tick(fakes, generator) == 1
        assert fakes.results.json(RESULT)["provisional"] is False
    assert point > 10
