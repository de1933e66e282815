"""Texts that are longer than the task takes: rejected, cut, or asked about in parts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.process_document.combine import combine
from functions.process_document.length import MAX_PARTS, parts_of
from shared.errors import Rejected
from shared.examples import MAX_TEXT_CHARACTERS
from shared.task import Serving, Task

LABELS = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
SEVERAL = Task.model_validate(
    {"type": "classification", "labels": ["owl", "crow", "jay"], "multi_label": True}
)
FIELDS = Task.model_validate({"type": "extraction", "fields": ["place", "date"]})


def serving(policy: str, most: int = 100) -> Serving:
    return Serving.model_validate({"long_documents": policy, "max_document_characters": most})


@pytest.mark.parametrize("policy", ["reject", "truncate", "split"])
def test_a_text_that_is_not_too_long_is_given_as_it_is(policy: str) -> None:
    assert parts_of("a" * 100, serving(policy), "x") == (["a" * 100], ())


def test_a_text_that_training_would_leave_out_is_rejected_unless_the_task_says_otherwise() -> None:
    assert parts_of("a" * MAX_TEXT_CHARACTERS, Serving(), "x")[1] == ()
    with pytest.raises(Rejected, match="400,001 characters; the task takes 400,000"):
        parts_of("a" * (MAX_TEXT_CHARACTERS + 1), Serving(), "x")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a" * 85 + "\n\n" + "b. " * 20, "a" * 85),
        ("a" * 85 + "\n" + "b. " * 20, "a" * 85),
        ("a" * 85 + ". " + "b " * 20, "a" * 85 + "."),
        ("猫" * 90 + "。" + "猫" * 20, "猫" * 90 + "。"),
        ("a" * 90 + " " + "b" * 20, "a" * 90),
        ("a" * 200, "a" * 100),
        ("a" * 50 + "\n\n" + "b" * 90, "a" * 50 + "\n\n" + "b" * 48),
    ],
)
def test_a_text_is_cut_where_something_ends(text: str, kept: str) -> None:
    (part,), (note,) = parts_of(text, serving("truncate"), "x")
    assert part == kept
    assert note == f"the model was given the first {len(kept)} of {len(text)} characters"


def test_a_text_is_asked_about_in_parts() -> None:
    parts, (note,) = parts_of(("owl " * 20 + "\n\n") * 4, serving("split"), "x")
    assert parts == [("owl " * 20).strip()] * 4
    assert "in 4 parts" in note


def test_a_text_of_too_many_parts_is_rejected() -> None:
    assert len(parts_of("a" * 100 * MAX_PARTS, serving("split"), "x")[0]) == MAX_PARTS
    with pytest.raises(Rejected, match="makes 21 parts"):
        parts_of("a" * (100 * MAX_PARTS + 1), serving("split"), "x")


@settings(deadline=None)
@given(st.text(alphabet="ab .\n。", max_size=1500))
def test_parts_are_short_enough_and_hold_every_word(text: str) -> None:
    parts, _ = parts_of(text, serving("split"), "x")
    assert all(len(part) <= 100 for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_samples_about_all_parts_vote_on_one_label() -> None:
    found = combine(LABELS, [["owl", "owl", "crow"], ["crow", "crow", "crow"]])
    assert (found.answer, found.confidence) == ("crow", 4 / 6)
    assert found.tally == {"crow": 4, "owl": 2}


def test_every_part_weighs_the_same_however_many_samples_settled_it() -> None:
    sure, doubtful = ["crow"] * 4, ["owl", "owl", "owl", "jay", "owl"]
    found = combine(LABELS, [doubtful, sure])
    assert (found.answer, found.confidence) == ("crow", 0.5)
    assert found.tally == {"crow": 4, "owl": 4, "jay": 1}
    longer = ["owl", "owl", "owl", "owl", "jay", "owl"]
    assert combine(LABELS, [longer, sure]).answer == "crow"
    assert combine(LABELS, [["owl"] * 7, sure, [None, "crow"]]).confidence == 0.5


def test_of_answers_with_the_same_weight_the_one_that_was_said_first_wins() -> None:
    parts = [["owl", "crow", "crow"], ["crow", "owl", "owl"]] * 5
    found = combine(LABELS, parts)
    assert (found.answer, found.confidence) == ("owl", 0.5)


def test_several_labels_apply_when_they_do_to_any_part() -> None:
    found = combine(SEVERAL, [[["crow"], ["crow"], ["jay"]], [["owl"], ["owl"], ["owl"]]])
    assert found.answer == ["owl", "crow"]
    assert found.confidence == 2 / 3


def test_a_field_is_taken_from_the_first_part_that_gives_it() -> None:
    first = {"place": None, "date": "May"}
    second = {"place": "mill", "date": "June"}
    found = combine(FIELDS, [[first, first], [second, {**second, "place": "hill"}]])
    assert found.answer == {"place": "mill", "date": "May"}
    assert found.field_confidences == {"place": 0.5, "date": 1.0}
    assert found.confidence == 0.5


def test_a_field_that_no_part_gives_is_as_sure_as_the_least_sure_part() -> None:
    none, some = {"place": None, "date": None}, {"place": "mill", "date": None}
    found = combine(FIELDS, [[none, none, some], [none, none, none]])
    assert found.answer == none
    assert found.field_confidences["place"] == 2 / 3


def test_parts_without_an_answer_leave_the_others_to_decide() -> None:
    assert combine(FIELDS, [[None], [{"place": "mill", "date": None}]]).answer is not None
    assert combine(LABELS, [[None, None], ["owl", "owl"]]).confidence == 0.5
    assert combine(LABELS, [[None], [None]]).answer is None
