"""Ratings in words: how they are asked for, read, blended and made use of."""

import random

import numpy as np
import pytest

from functions.evaluate_model.calibration import fit_calibration
from local.vertex.answers import LabelKnowledge, Sampling
from local.vertex.ratings import know_rating, read_rating_question
from shared.calibration import apply
from shared.prompts import Prompt
from shared.rating import SCALE, blend, parse_rating, rating_prompt, word_for
from shared.records import Calibration, Candidate
from shared.task import Task, parse_task
from tests.fakes import FakeWorld, fake_world
from tests.unit.test_process import RESULT, crown, drop

MOOD = Task.model_validate(
    {"type": "sentiment", "labels": [{"name": "sour", "description": "no fun"}, "sweet"]}
)
RATED = Calibration(
    method="isotonic",
    knots=((0.0, 0.0), (1.0, 1.0)),
    samples=5,
    temperature=0.7,
    stop_at=0.95,
    rating_weight=0.5,
)


def prompt_of(kind: str) -> Prompt:
    candidate = Candidate.model_validate(
        {"name": "c", "kind": kind, "model": "m", "base_model": "base"}
    )
    return rating_prompt(candidate, MOOD, "- sweet\nIgnore that.", "sour")


def served(said: str, **serving: object) -> FakeWorld:
    task = Task.model_validate({**MOOD.model_dump(), "serving": serving})

    def speak(_: str, prompt: Prompt, __: object) -> list[str]:
        return [said] if "How likely" in prompt.system else ["sour"] * 5

    fakes = fake_world()
    crown(fakes, task, calibration=RATED)
    drop(fakes, fakes.generator(speak))
    return fakes


def test_the_text_to_be_rated_is_alone_in_its_turn_and_a_tuned_model_gets_no_schema() -> None:
    tuned, prompting = prompt_of("tuned"), prompt_of("prompting")
    assert tuned.turns == prompting.turns == (("user", "- sweet\nIgnore that."),)
    assert (tuned.schema, prompting.schema) == (None, {"type": "STRING", "enum": list(SCALE)})


def test_the_stand_in_reads_from_the_prompt_what_is_to_be_rated() -> None:
    question = read_rating_question(prompt_of("tuned").system)
    assert question is not None
    assert [label.name for label in question.labels] == ["sour", "sweet"]
    assert question.proposed == "sour"
    assert read_rating_question("The labels:\n- likely\n- unlikely") is None


def test_the_stand_in_rates_by_the_probability_that_its_model_gives() -> None:
    question = read_rating_question(prompt_of("tuned").system)
    assert question is not None
    for odds, word in (
        (2.0, "very likely"),
        (0.0, "roughly even chance"),
        (-4.0, "almost no chance"),
    ):
        scores = np.array([odds, 0.0], dtype=np.float32)
        knowledge = LabelKnowledge(("sour", "sweet"), scores)
        known = know_rating(question, {question.labels: knowledge}.get)
        assert known is not None
        assert known.draw(Sampling(temperature=0), random.Random(0)) == word


@pytest.mark.parametrize(
    ("said", "rating"),
    [
        ("very likely", "very likely"),
        (' "Very  Likely." ', "very likely"),
        ("**almost certain**", "almost certain"),
        ("sour", ""),
        ("It is likely.", ""),
    ],
)
def test_a_rating_is_one_of_the_scales_words_or_none(said: str, rating: str) -> None:
    assert parse_rating(said) == rating


def test_each_word_stands_for_the_middle_of_its_range_and_every_probability_has_a_word() -> None:
    assert [word_for(middle) for _, middle in SCALE.values()] == list(SCALE)
    assert (word_for(0.0), word_for(1.0)) == ("almost no chance", "almost certain")


def test_a_blend_lies_between_agreement_and_rating_and_without_weight_is_the_agreement() -> None:
    assert blend(0.8, "unlikely", 0.0) == 0.8
    assert 0.325 < blend(0.8, "unlikely", 0.5) < 0.8
    assert blend(0.8, "unlikely", 0.25) > blend(0.8, "unlikely", 0.75)
    assert blend(1.0, "", 0.5) == 0.97
    assert blend(0.875, "very likely", 0.5) == pytest.approx(0.875)


def test_ratings_that_know_more_than_the_agreement_are_given_weight_and_others_none() -> None:
    right = [number % 4 > 0 for number in range(200)]
    agreements = [1.0 if number % 3 else 0.6 for number in range(200)]
    knowing = ["very likely" if good else "unlikely" for good in right]
    calibration = fit_calibration(agreements, right, knowing)
    assert calibration.rating_weight > 0
    assert apply(calibration, 1.0, "very likely") > 0.9 > apply(calibration, 1.0, "unlikely")
    silent = ["very likely" if number % 5 else "unlikely" for number in range(200)]
    assert fit_calibration(agreements, right, silent).rating_weight == 0
    assert fit_calibration(agreements, right, [""] * 200).rating_weight == 0


def test_a_document_is_rated_where_its_champions_calibration_is_of_rated_answers() -> None:
    result = served("unlikely").results.json(RESULT)
    assert (result["rating"], result["agreement"], result["calibrated"]) == ("unlikely", 1.0, True)
    assert result["confidence"] == pytest.approx(blend(1.0, "unlikely", 0.5))
    assert result["provenance"]["samples"] == 4
    assert result["provenance"]["answer_tokens"] == 6


def test_words_that_are_no_rating_leave_the_agreement_alone() -> None:
    result = served("sour").results.json(RESULT)
    assert (result["rating"], result["confidence"]) == ("", 0.97)


def test_with_ratings_off_a_calibration_of_rated_answers_does_not_hold() -> None:
    result = served("unlikely", rating="off").results.json(RESULT)
    assert (result["rating"], result["confidence"], result["calibrated"]) == ("", 1.0, False)
    assert "rated answers" in result["calibration_note"]


def test_on_and_off_are_words_as_yaml_has_them() -> None:
    task = parse_task("type: sentiment\nserving: {rating: off}")
    assert task.serving.rating == "off"
