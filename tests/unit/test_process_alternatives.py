"""The runners-up in a result."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.process_document.alternatives import (
    MAX_CHARACTERS,
    MOST,
    runners_up,
    shown_tally,
)
from shared.records import Alternative
from shared.task import Task
from shared.voting import vote
from tests.unit.test_process import DOUBT, RESULT, TASK, drop, stage

if TYPE_CHECKING:
    from shared.examples import Answer


def plain(found: Sequence[Alternative]) -> list[tuple[str, str | None, float]]:
    return [(item.field, item.answer, item.share) for item in found]


def test_a_result_shows_what_else_the_samples_said_and_how_many_of_them() -> None:
    fakes, generator = stage(*DOUBT)
    drop(fakes, generator)
    result = fakes.results.json(RESULT)
    (other,) = result["alternatives"]
    assert (result["answer"], other["answer"], other["share"]) == ("owl", "crow", 0.4)
    assert result["tally"] == {"owl": 2, "crow": 2, "(not an answer)": 1}


def test_the_samples_that_agree_leave_no_alternative() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator)
    assert fakes.results.json(RESULT)["alternatives"] == []


def test_at_most_three_are_shown_the_most_frequent_first() -> None:
    samples = ["a", "a", "a", "b", "c", "c", "d", "e"]
    found = runners_up("a", [samples])
    assert plain(found) == [("", "c", 0.25), ("", "b", 0.125), ("", "d", 0.125)]


def test_of_several_labels_those_are_shown_that_are_not_in_the_answer() -> None:
    found = runners_up(["owl"], [[["owl", "jay"], ["owl"], ["owl", "jay", "crow"], None]])
    assert plain(found) == [("", "jay", 0.5), ("", "crow", 0.25)]


def test_another_spelling_of_the_answer_is_no_alternative() -> None:
    said = [{"day": "12 May 2024"}, {"day": "2024-05-12"}, {"day": "13 May"}, {"day": "13 MAY"}]
    found = runners_up({"day": "2024-05-12"}, [said])
    assert plain(found) == [("day", "13 May", 0.5)]


def test_no_label_that_is_left_out_has_more_than_half_of_the_samples() -> None:
    several = Task.model_validate({**TASK.model_dump(), "multi_label": True})
    fakes, generator = stage('["owl"]', '["owl"]', '["owl", "crow"]', task=several)
    drop(fakes, generator)
    result = fakes.results.json(RESULT)
    (other,) = result["alternatives"]
    assert (result["answer"], result["confidence"]) == (["owl"], 0.8)
    assert (other["answer"], other["share"]) == ("crow", 0.2)


def test_of_fields_the_other_values_are_shown_with_the_fields_name() -> None:
    answer: Answer = {"place": "mill", "guests": ["Ann", "Bob"]}
    other: Answer = {"place": None, "guests": ["Ann"]}
    found = runners_up(answer, [[answer, answer, other, {"place": "hill", "guests": ["Ann"]}]])
    assert plain(found) == [
        ("guests", '["Ann"]', 0.5),
        ("place", None, 0.25),
        ("place", "hill", 0.25),
    ]


def test_that_a_part_does_not_give_a_field_is_no_alternative() -> None:
    answer: Answer = {"place": "mill"}
    assert runners_up(answer, [[{"place": None}] * 2, [answer, {"place": "hill"}]]) == (
        Alternative(answer="hill", share=0.25, field="place"),
    )


def test_without_an_answer_there_is_none() -> None:
    assert runners_up(None, [[None, None]]) == ()


def test_what_a_model_says_at_length_is_shortened_where_it_is_listed() -> None:
    task = Task.model_validate({"type": "extraction", "fields": ["place"]})
    long = '{"place":"' + "a" * 5000
    fakes, generator = stage(f'{long}"}}', f'{long}b"}}', '{"place":"mill"}', task=task)
    drop(fakes, generator)
    result = fakes.results.json(RESULT)
    assert len(result["answer"]["place"]) == 5000
    assert all(len(key) <= MAX_CHARACTERS for key in result["tally"])
    assert sum(result["tally"].values()) == 5
    assert [len(item["answer"]) for item in result["alternatives"]] == [MAX_CHARACTERS, 4]


def test_answers_that_look_the_same_when_shortened_are_counted_together() -> None:
    first, second = "a" * 400 + "b", "a" * 400 + "c"
    assert shown_tally({first: 3, second: 2, "x": 1}) == {"a" * 299 + "…": 5, "x": 1}


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "d", "e", None]), min_size=1, max_size=9))
def test_no_runner_up_is_said_more_often_than_the_winner(samples: list[str | None]) -> None:
    decided = vote(samples)
    found = runners_up(decided.answer, [samples])
    assert len(found) <= MOST
    shares = [decided.confidence, *(item.share for item in found)]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-9
