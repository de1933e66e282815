"""The confidence that a result shows: calibrated, or the agreement and why."""

from collections.abc import Mapping
from typing import Any

import pytest

from functions.process_document.process import process
from shared.records import Calibration
from shared.task import Task
from tests.fakes import FakeWorld, fake_world
from tests.unit.test_process import RESULT, REVIEWS, TASK, crown, drop, says

HALVES = Calibration(
    method="isotonic",
    knots=((0.0, 0.0), (1.0, 0.5)),
    n=100,
    samples=5,
    temperature=0.7,
    stop_at=0.95,
)
"""Any agreement is worth half of what it says."""

NONE = Calibration(
    method="none", n=12, samples=5, temperature=0.7, stop_at=0.95, reason="only 12 rows"
)
MOSTLY = ("owl", "owl", "owl", "crow", "owl")


def serving(**keys: Any) -> Task:
    return Task.model_validate({**TASK.model_dump(), "serving": keys})


def answered(
    calibration: Calibration | None,
    *texts: str,
    task: Task = TASK,
    content: bytes | str = "hoo hoo",
    base_model: str = "base",
) -> tuple[FakeWorld, Mapping[str, Any]]:
    fakes = fake_world()
    crown(fakes, task, calibration=calibration, base_model=base_model)
    drop(fakes, fakes.generator(says(*texts)), content)
    return fakes, fakes.results.json(RESULT)


def test_an_agreement_is_shown_as_what_the_champions_calibration_makes_of_it() -> None:
    _, result = answered(HALVES, *MOSTLY)
    assert (result["confidence"], result["agreement"]) == (0.4, 0.8)
    assert (result["calibrated"], result["calibration_note"]) == (True, "")


def test_what_is_held_against_the_task_is_the_confidence_that_is_shown() -> None:
    fakes, result = answered(HALVES, "owl")
    assert (result["confidence"], result["status"]) == (0.5, "review")
    assert len(fakes.artifacts.names(REVIEWS)) == 1
    _, lenient = answered(HALVES, "owl", task=serving(review_below=0.5))
    assert lenient["status"] == "accepted"
    (fact,) = fakes.publisher.facts("document-answered")
    assert fact["details"]["confidence"] == 0.5


@pytest.mark.parametrize(
    ("calibration", "why"),
    [
        (None, "promoted by a version that did not calibrate"),
        (NONE, "No calibration was fitted: only 12 rows."),
        (
            HALVES.model_copy(update={"samples": 3}),
            "fitted on 3 samples at temperature 0.7, stopping at 0.95; this document",
        ),
        (
            HALVES.model_copy(update={"samples": 1, "temperature": 0.0}),
            "fitted on 1 sample at temperature 0; this",
        ),
        (HALVES.model_copy(update={"temperature": 1.0}), "asked for 5 samples at temperature 0.7"),
        (HALVES.model_copy(update={"stop_at": 1.0}), "at temperature 0.7, stopping at 0.95."),
    ],
)
def test_an_answer_that_is_not_calibrated_shows_the_agreement_and_says_why(
    calibration: Calibration | None, why: str
) -> None:
    _, result = answered(calibration, *MOSTLY)
    assert (result["confidence"], result["agreement"], result["calibrated"]) == (0.8, 0.8, False)
    assert why in result["calibration_note"]


def test_a_text_that_was_asked_about_in_parts_is_not_calibrated() -> None:
    task = serving(long_documents="split", max_document_characters=100)
    _, result = answered(HALVES, "owl", task=task, content="hoo hoo. " * 20)
    assert (result["confidence"], result["calibrated"]) == (1.0, False)
    assert "asked about in 2 parts" in result["calibration_note"]


def test_a_file_that_the_model_reads_by_itself_is_not_calibrated() -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(20)
    _, result = answered(HALVES, "owl", content=picture, base_model="gemini-3.5-flash-lite")
    assert (result["confidence"], result["calibrated"]) == (1.0, False)
    assert "document's file" in result["calibration_note"]


def test_without_an_answer_there_is_no_confidence_to_calibrate() -> None:
    _, result = answered(HALVES.model_copy(update={"knots": ((0.0, 0.3), (1.0, 0.5))}), "who knows")
    assert (result["confidence"], result["calibrated"]) == (0.0, False)
    assert "no answer" in result["calibration_note"]


def test_the_fields_confidences_stay_agreements() -> None:
    task = Task.model_validate({"type": "extraction", "fields": ["place", "date"]})
    sure, unsure = '{"place":"mill","date":"May"}', '{"place":"mill","date":null}'
    _, result = answered(HALVES, sure, unsure, task=task)
    assert (result["confidence"], result["agreement"]) == (0.3, 0.6)
    assert result["field_confidences"] == {"place": 1.0, "date": 0.6}


def test_a_second_delivery_keeps_the_calibrated_answer_and_asks_nothing() -> None:
    fakes = fake_world()
    crown(fakes, calibration=HALVES)
    generator = fakes.generator(says("owl"))
    event = drop(fakes, generator)
    before = fakes.results.generation(RESULT)
    crown(fakes, calibration=NONE)
    process(event, fakes.world, generator)
    assert (len(generator.asked), fakes.results.generation(RESULT)) == (1, before)
