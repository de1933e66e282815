"""Which split a text belongs to."""

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.splits import TEST, TRAIN, VALIDATION, SplitPlan, text_hash
from shared.task import Split

ALL = {TRAIN, VALIDATION, TEST}


def decide(examples: list[tuple[str, str]], **split: float) -> dict[str, int]:
    plan = SplitPlan(Split.model_validate(split))
    for text, label in examples:
        plan.add(text_hash(text), label)
    return dict(zip((text for text, _ in examples), plan.decide(), strict=True))


def examples(count: int, labels: int = 3) -> list[tuple[str, str]]:
    return [(f"a text, number {n}", f"label {n % labels}") for n in range(count)]


def test_the_order_of_rows_does_not_matter() -> None:
    rows = examples(400)
    decided = decide(rows)
    for seed in range(5):
        shuffled = random.Random(seed).sample(rows, len(rows))
        assert decide(shuffled) == decided


def test_an_example_stays_where_it_is_when_others_are_added() -> None:
    before = decide(examples(300))
    after = decide(examples(600))
    assert {text: after[text] for text in before} == before


def test_spaces_and_case_do_not_move_a_text() -> None:
    assert text_hash("Hoo  HOO\n") == text_hash("hoo hoo")
    assert text_hash("hoo hoo") != text_hash("hoo ho")


def test_validation_is_never_more_than_vertex_takes_for_the_training_file() -> None:
    found = Counter(decide(examples(6000), validation=0.4, test=0.1).values())
    assert found[VALIDATION] <= 0.3 * found[TRAIN]
    assert found[VALIDATION] >= 0.29 * found[TRAIN]


@pytest.mark.parametrize(("validation", "test"), [(0.15, 0.2), (0.02, 0.4), (0.2, 0.1)])
def test_the_shares_are_about_what_was_asked_for(validation: float, test: float) -> None:
    found = Counter(decide(examples(6000), validation=validation, test=test).values())
    assert found[VALIDATION] / 6000 == pytest.approx(validation, abs=0.02)
    assert found[TEST] / 6000 == pytest.approx(test, abs=0.02)


def test_shares_hold_within_each_label() -> None:
    decided = decide(examples(6000, 3))
    by_label: dict[str, Counter[int]] = defaultdict(Counter)
    for text, label in examples(6000, 3):
        by_label[label][decided[text]] += 1
    for found in by_label.values():
        assert found[TEST] / 2000 == pytest.approx(0.2, abs=0.03)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(5, 12), min_size=1, max_size=6), st.integers(0, 1000))
def test_a_label_with_five_examples_is_held_out_in_both_splits(sizes: list[int], salt: int) -> None:
    rows = [
        (f"{salt} {label} {n}", f"label {label}")
        for label, size in enumerate(sizes)
        for n in range(size)
    ]
    decided = decide(rows)
    for label in range(len(sizes)):
        found = {decided[text] for text, name in rows if name == f"label {label}"}
        assert found >= {VALIDATION, TEST}


def test_a_label_with_five_examples_is_in_each_split() -> None:
    lacking = []
    for salt in range(300):
        rows = [(f"{salt} {n}", "rare") for n in range(5)]
        if set(decide(rows).values()) != ALL:
            lacking.append(salt)
    assert lacking == []


def test_a_validation_split_that_is_too_large_gives_the_rest_to_train() -> None:
    free = decide(examples(2000), validation=0.4, test=0.2)
    capped = decide(examples(2000), validation=0.4, test=0.2, max_validation=100)
    assert sum(code == VALIDATION for code in capped.values()) == 100
    for text, code in capped.items():
        if free[text] == VALIDATION:
            assert code in {VALIDATION, TRAIN}
        else:
            assert code == free[text]


def test_the_cap_does_not_depend_on_the_order_of_rows() -> None:
    rows = examples(1000)
    shuffled = random.Random(1).sample(rows, len(rows))
    assert decide(rows, max_validation=50) == decide(shuffled, max_validation=50)
