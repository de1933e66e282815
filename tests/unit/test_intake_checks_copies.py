"""Checks that compare texts with each other: duplicates, conflicts, overlap, near duplicates."""

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.checks.conflicting_labels import ConflictingLabels
from functions.convert_dataset.checks.exact_duplicates import ExactDuplicates
from functions.convert_dataset.checks.near_duplicates import NearDuplicates
from functions.convert_dataset.checks.split_overlap import SplitOverlap
from tests.unit.intake_facts import facts_of, run

CLEAN = ["Where is my parcel?", "The jacket is too small.", "Thank you for the quick answer!"]
LONG = "I ordered the green lamp three weeks ago, and it has not arrived at my house"


def test_clean_texts_have_no_findings() -> None:
    facts = facts_of(CLEAN, ["a", "b", "c"], given=[0, 1, 2])
    for check in (ConflictingLabels, ExactDuplicates, SplitOverlap, NearDuplicates):
        assert run(check(), facts) == []


def test_an_empty_file_has_no_findings() -> None:
    for check in (ConflictingLabels, ExactDuplicates, SplitOverlap, NearDuplicates):
        assert run(check(), facts_of([], [])) == []


def test_all_copies_but_the_first_are_duplicates() -> None:
    texts = ["one", "two", "One ", "three", "ONE", "two"]
    [found] = run(ExactDuplicates(), facts_of(texts, ["a", "b", "a", "a", "a", "b"]))
    assert list(found.rows) == [2, 4, 5]
    assert list(found.others) == [0, 0, 1]
    assert found.count == 3
    assert found.summary.startswith("3 examples are in the file before")


def test_copies_with_different_answers_are_no_duplicates() -> None:
    assert run(ExactDuplicates(), facts_of(["one", "one"], ["a", "b"])) == []


def test_copies_in_different_given_splits_are_no_duplicates() -> None:
    assert run(ExactDuplicates(), facts_of(["one", "one"], ["a", "a"], given=[0, 2])) == []


def test_rows_that_are_not_kept_have_no_copies() -> None:
    facts = facts_of(["one", "one", "one"], ["a", "a", "a"], kept=[False, True, False])
    assert run(ExactDuplicates(), facts) == []


def test_copies_of_an_extraction_are_duplicates_when_all_fields_agree() -> None:
    facts = facts_of(["Ann"] * 3, [{"name": "Ann"}, {"name": "Ann"}, {"name": "Eve"}])
    [found] = run(ExactDuplicates(), facts)
    assert list(found.rows) == [1]


def test_an_outvoted_label_is_found() -> None:
    [found] = run(ConflictingLabels(), facts_of(["x", "x", "y", "x"], ["a", "b", "b", "a"]))
    assert list(found.rows) == [1]
    assert found.others[0] in {0, 3}
    assert found.severity == "error"


def test_all_copies_are_found_when_no_label_has_the_majority() -> None:
    answers = ["a", "b", "c", "d", "a"]
    [found] = run(ConflictingLabels(), facts_of(["x", "x", "y", "x", "x"], answers))
    assert list(found.rows) == [0, 1, 3, 4]
    for row, other in zip(found.rows, found.others, strict=True):
        assert answers[row] != answers[other]


def test_labels_of_a_multi_label_text_conflict_as_a_whole() -> None:
    [found] = run(ConflictingLabels(), facts_of(["x", "x"], [["a"], ["a", "b"]]))
    assert list(found.rows) == [0, 1]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("xyzuv"), st.sampled_from("abc"), st.booleans())))
def test_conflicts_are_what_counting_by_hand_gives(rows: list[tuple[str, str, bool]]) -> None:
    texts, answers = [row[0] for row in rows], [row[1] for row in rows]
    kept = [row[2] for row in rows]
    expected = []
    for number, (text, answer, keep) in enumerate(rows):
        copies = [row[1] for row in rows if row[0] == text and row[2]]
        best = max((copies.count(one) for one in copies), default=0)
        majority = best * 2 > len(copies) and copies.count(answer) == best
        if keep and len(set(copies)) > 1 and not majority:
            expected.append(number)
    found = run(ConflictingLabels(), facts_of(texts, answers, kept=kept))
    assert [row for finding in found for row in finding.rows] == expected
    for finding in found:
        for row, other in zip(finding.rows, finding.others, strict=True):
            assert texts[row] == texts[other]
            assert answers[row] != answers[other]
            assert kept[other]


def test_a_test_text_that_training_holds_is_found_in_the_test_split() -> None:
    texts = ["seen before", "other", "Seen before", "new", "seen  before"]
    [found] = run(SplitOverlap(), facts_of(texts, ["a"] * 5, given=[2, 0, 0, 2, 1]))
    assert list(found.rows) == [0, 4]
    assert list(found.others) == [2, 2]
    assert found.severity == "warning"


def test_texts_that_overlap_but_for_punctuation_are_a_finding_of_their_own() -> None:
    texts = ["Where is it?", "Where is it", "Where: is it", "Where is it?"]
    same, near = run(SplitOverlap(), facts_of(texts, ["a"] * 4, given=[0, 2, 1, 2]))
    assert list(same.rows) == [3]
    assert list(near.rows) == [1, 2]
    assert near.severity == "info"


def test_a_file_without_splits_of_its_own_has_no_overlap() -> None:
    assert run(SplitOverlap(), facts_of(["x", "x"], ["a", "a"])) == []


def test_texts_that_differ_in_punctuation_are_near() -> None:
    texts = ["Where is it?", "no", "where is it!!", "- Where is it"]
    [found] = run(NearDuplicates(), facts_of(texts, ["a"] * 4))
    assert list(found.rows) == [2, 3]
    assert list(found.others) == [0, 0]
    assert found.count == 3
    assert "in 1 group" in found.summary


def test_texts_that_differ_in_a_word_are_near() -> None:
    texts = [LONG, *CLEAN, LONG.replace("three", "four"), f"{LONG}!"]
    [found] = run(NearDuplicates(), facts_of(texts, ["a"] * 6))
    assert list(found.rows) == [4, 5]
    assert list(found.others) == [0, 0]
    assert "all examples were compared" in found.summary


def test_the_finding_says_that_only_a_sample_was_compared() -> None:
    texts = [LONG, LONG.replace("three", "four"), *CLEAN]
    [found] = run(NearDuplicates(), facts_of(texts, ["a"] * 5, sample=4))
    assert "4 examples were compared" in found.summary


def test_plain_copies_are_not_near_duplicates() -> None:
    assert run(NearDuplicates(), facts_of([LONG, LONG, LONG.upper()], ["a", "b", "a"])) == []


def test_near_texts_in_two_given_splits_are_no_group() -> None:
    assert run(NearDuplicates(), facts_of([LONG, f"{LONG}!"], ["a", "a"], given=[0, 2])) == []


def test_texts_are_near_through_a_copy_that_is_not_kept() -> None:
    texts = [LONG, LONG, LONG.replace("three", "four")]
    [found] = run(NearDuplicates(), facts_of(texts, ["a"] * 3, kept=[True, False, True]))
    assert list(found.rows) == [2]
