"""When sampling stops."""

import random
from typing import TYPE_CHECKING

import pytest
from scipy.stats import beta

from shared.candidates import needed_by
from shared.rounds import ENOUGH_SEEN, Rounds
from shared.stopping import MOST_SAMPLES, counted, lead_probability, still_needed
from shared.task import Serving, Task

if TYPE_CHECKING:
    from shared.examples import Answer


def test_the_probability_of_a_lead_is_that_of_the_beta_distribution() -> None:
    for first in range(MOST_SAMPLES + 1):
        for second in range(first + 1):
            wanted = beta.sf(0.5, first + 1, second + 1)
            assert lead_probability(first, second) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("said", "stop_at", "needed"),
    [
        ("", 0.95, 4),
        ("aaa", 0.95, 1),
        ("aaaa", 0.95, 0),
        ("aaab", 0.95, 3),
        ("aaaaab", 0.95, 1),
        ("aaaaaab", 0.95, 0),
        ("aabb", 0.95, 4),
        ("aaa", 0.9, 0),
        ("aaaaaaa", 1.0, 1),
        ("aaaaaaab", 0.95, 0),
        ("abcdefg", 0.95, 1),
    ],
)
def test_sampling_stops_when_the_leader_would_probably_stay_ahead(
    said: str, stop_at: float, needed: int
) -> None:
    assert still_needed(list(said), stop_at, 8) == needed


def test_what_is_no_answer_counts_as_an_answer_of_its_own() -> None:
    assert still_needed(["a", "a", "a", None], 0.95, 8) == 3
    assert still_needed([None] * 4, 0.95, 8) == 0


def test_several_labels_stop_when_each_of_them_is_settled() -> None:
    both, one = ["a", "b"], ["a"]
    assert still_needed([both] * 4, 0.95, 8) == 0
    assert still_needed([both, both, both, one], 0.95, 8) == 3
    assert still_needed([[]] * 4, 0.95, 8) == 0
    assert still_needed([[], [], [], None], 0.95, 8) == 3


def test_spellings_of_one_value_settle_a_field_together() -> None:
    days = ["2024-05-12", "12 May 2024", "May 12, 2024", "12.05.2024"]
    assert still_needed([{"day": day} for day in days], 0.95, 8) == 0


def test_fields_stop_when_each_of_them_is_settled() -> None:
    sure: Answer = {"place": "mill", "date": "May"}
    unsure: Answer = {"place": "mill", "date": None}
    assert still_needed([sure] * 4, 0.95, 8) == 0
    assert still_needed([sure, sure, unsure, sure], 0.95, 8) == 3


def test_the_samples_that_count_are_those_that_sampling_one_by_one_would_have_taken() -> None:
    chance = random.Random(5)
    for _ in range(300):
        said: list[Answer | None] = list(chance.choices(["a", "b", None], [6, 3, 1], k=8))
        alone: list[Answer | None] = []
        while still_needed(alone, 0.95, 8):
            alone.append(said[len(alone)])
        in_rounds: list[Answer | None] = []
        while more := still_needed(in_rounds, 0.95, 8):
            in_rounds += said[len(in_rounds) : len(in_rounds) + more]
        assert counted(said, 0.95, 8) == alone == in_rounds


def test_a_text_is_asked_about_until_the_parsed_answers_are_enough() -> None:
    task = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
    needed = needed_by(task, Serving())
    assert [needed([]), needed(["owl", "Owl ", "OWL", "owl"]), needed(["owl"] * 3)] == [4, 0, 1]


def seen(prompt_tokens: int, answer_tokens: int, unsettled: int) -> Rounds:
    rounds = Rounds()
    for number in range(ENOUGH_SEEN):
        rounds.saw_request(prompt_tokens, 8, 8 * answer_tokens)
        rounds.saw_document(settled=number >= unsettled)
    return rounds


def test_rounds_pay_for_long_answers_to_short_prompts_that_mostly_agree() -> None:
    assert seen(100, 40, unsettled=2).pay(4, 8)
    assert not seen(4000, 4, unsettled=2).pay(4, 8)
    assert not seen(100, 40, unsettled=19).pay(4, 8)


def test_rounds_are_not_asked_in_before_enough_is_seen_or_when_none_can_be_saved() -> None:
    assert not Rounds().pay(4, 8)
    assert not seen(100, 40, unsettled=0).pay(5, 5)
