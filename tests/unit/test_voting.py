"""Self-consistency."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.voting import INVALID, vote


def test_the_majority_wins_and_its_share_is_the_confidence() -> None:
    result = vote(["crow", "owl", "crow", "crow"])
    assert result.answer == "crow"
    assert result.confidence == 0.75
    assert list(result.tally.items()) == [("crow", 3), ("owl", 1)]


def test_a_tie_goes_to_the_answer_that_was_given_first() -> None:
    assert vote(["owl", "crow", "crow", "owl"]).answer == "owl"
    assert vote(["crow", "owl", "owl", "crow"]).answer == "crow"


def test_a_sample_that_is_no_answer_lowers_the_confidence_and_is_shown() -> None:
    result = vote([None, None, "owl", None])
    assert result.answer == "owl"
    assert result.confidence == 0.25
    assert result.tally == {INVALID: 3, "owl": 1}


def test_samples_without_any_answer_give_none() -> None:
    result = vote([None, None])
    assert (result.answer, result.confidence) == (None, 0.0)
    assert result.tally == {INVALID: 2}


def test_lists_of_labels_vote_as_a_whole() -> None:
    result = vote([["a", "b"], ["a"], ["a", "b"]])
    assert result.answer == ["a", "b"]
    assert result.confidence == pytest.approx(2 / 3)


def test_an_empty_list_of_labels_is_an_answer() -> None:
    result = vote([[], [], ["a"]])
    assert result.answer == []
    assert result.confidence == pytest.approx(2 / 3)


def test_fields_vote_one_by_one_and_the_weakest_gives_the_confidence() -> None:
    result = vote(
        [
            {"place": "mill", "guests": ["Ann"]},
            {"place": "mill", "guests": ["Bob"]},
            {"place": "pond", "guests": ["Ann"]},
            None,
        ]
    )
    assert result.answer == {"place": "mill", "guests": ["Ann"]}
    assert result.field_confidences == {"place": 0.5, "guests": 0.5}
    assert result.confidence == 0.5
    surer = vote([{"a": "x", "b": "y"}, {"a": "x", "b": None}, {"a": "x", "b": "y"}])
    assert surer.field_confidences == {"a": 1.0, "b": pytest.approx(2 / 3)}
    assert surer.confidence == pytest.approx(2 / 3)


def test_a_text_and_a_list_with_that_text_are_different_values() -> None:
    result = vote([{"a": ["x"]}, {"a": "x"}, {"a": "x"}])
    assert result.answer == {"a": "x"}
    assert result.confidence == pytest.approx(2 / 3)


def test_a_vote_without_samples_is_a_bug() -> None:
    with pytest.raises(ValueError, match="at least one"):
        vote([])


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=9))
def test_the_winner_is_never_given_less_often_than_another(samples: list[str | None]) -> None:
    result = vote(samples)
    assert sum(result.tally.values()) == len(samples)
    counts = {name: samples.count(name) for name in samples if name is not None}
    if result.answer is None:
        assert not counts
    else:
        assert counts[str(result.answer)] == max(counts.values())
        assert result.confidence == counts[str(result.answer)] / len(samples)
