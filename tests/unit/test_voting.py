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


def test_several_labels_vote_one_by_one_and_the_weakest_gives_the_confidence() -> None:
    result = vote([["a", "b"], ["a", "c"], ["a", "b"]])
    assert result.answer == ["a", "b"]
    assert result.confidence == pytest.approx(2 / 3)


def test_a_list_that_no_sample_gave_wins_when_each_of_its_labels_does() -> None:
    result = vote([["a", "b"], ["b", "c"], ["a", "c"], ["a", "b", "c"]])
    assert result.answer == ["a", "b", "c"]
    assert result.confidence == 0.75
    assert sum(result.tally.values()) == 4


def test_a_label_that_half_of_the_samples_have_is_in_the_answer() -> None:
    result = vote([["a"], ["a", "b"], ["b"], []])
    assert (result.answer, result.confidence) == (["a", "b"], 0.5)


def test_a_label_that_is_left_out_lowers_the_confidence_like_one_that_is_in() -> None:
    result = vote([["a"], ["a"], ["a", "b"], ["a", "b"], ["a"]])
    assert (result.answer, result.confidence) == (["a"], 0.6)


def test_labels_are_named_in_the_tasks_order() -> None:
    samples = [["c", "a"], ["b", "c"], ["b", "a"], ["c"]]
    assert vote(samples, ("a", "b", "c")).answer == ["a", "b", "c"]
    assert vote(samples).answer == ["c", "a", "b"]


def test_a_sample_that_is_no_list_of_labels_lowers_the_confidence_but_does_not_vote() -> None:
    result = vote([["a"], ["a"], None, None, None])
    assert (result.answer, result.confidence) == (["a"], 0.4)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.lists(st.sampled_from(["a", "b", "c"]), unique=True)),
        min_size=1,
        max_size=9,
    )
)
def test_of_several_labels_each_is_in_the_answer_when_half_of_the_lists_have_it(
    samples: list[list[str] | None],
) -> None:
    result = vote(samples, ("a", "b", "c"))
    lists = [sample for sample in samples if sample is not None]
    if not lists:
        assert result.answer is None
        return
    having = {name: sum(name in sample for sample in lists) for name in "abc"}
    assert result.answer == [name for name in "abc" if having[name] >= len(lists) / 2]
    weakest = min(max(count, len(lists) - count) for count in having.values())
    assert result.confidence == weakest / len(samples)


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


def test_spellings_of_one_value_vote_together_and_the_most_frequent_is_shown() -> None:
    said = [
        "13 May 2024",
        "2024-05-12",
        "12 May 2024",
        "13 May 2024",
        "May 12, 2024",
        "12 May 2024",
    ]
    result = vote([{"date": day} for day in said])
    assert result.answer == {"date": "12 May 2024"}
    assert result.field_confidences == {"date": pytest.approx(4 / 6)}


def test_the_order_of_a_list_and_a_list_of_one_make_no_other_value() -> None:
    result = vote([{"a": ["x", "y"]}, {"a": ["y", "x"]}, {"a": ["x"]}])
    assert result.answer == {"a": ["x", "y"]}
    assert result.confidence == pytest.approx(2 / 3)
    alone = vote([{"a": ["x"]}, {"a": "x"}, {"a": "X"}, {"a": "x"}, {"a": None}])
    assert (alone.answer, alone.confidence) == ({"a": "x"}, 0.8)


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
