"""Which split a text belongs to."""

import random
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.keys import exact_key, near_key
from functions.convert_dataset.splits import (
    NONE,
    TEST,
    TRAIN,
    VALIDATION,
    decide_splits,
    join_groups,
    without_templates,
)
from shared.task import Split

ALL = {TRAIN, VALIDATION, TEST}


def decide(
    examples: list[tuple[str, str]], given: list[int] | None = None, **split: float
) -> dict[str, int]:
    """Split examples by their texts alone: text -> split."""
    keys = np.array([near_key(text) for text, _ in examples], dtype=np.uint64)
    numbers = {label: number for number, label in enumerate(dict.fromkeys(dict(examples).values()))}
    strata = np.array([numbers[label] for _, label in examples], dtype=np.int64)
    fixed = np.array(given or [NONE] * len(examples), dtype=np.int8)
    codes = decide_splits(keys, strata, fixed, Split.model_validate(split))
    return dict(zip((text for text, _ in examples), codes.tolist(), strict=True))


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
    assert exact_key("Hoo  HOO\n") == exact_key("hoo hoo")
    assert exact_key("hoo hoo") != exact_key("hoo ho")


def test_punctuation_does_not_move_a_text_but_makes_it_another() -> None:
    assert near_key("Hoo, hoo!") == near_key("hoo hoo")
    assert exact_key("Hoo, hoo!") != exact_key("hoo hoo")
    assert near_key("bus 12") != near_key("bus 13")
    assert near_key("!?") == exact_key("!?")


@given(st.text())
def test_keys_do_not_depend_on_the_way_they_are_found(text: str) -> None:
    # A character beyond ASCII sends the text the slow way; both must agree on the rest.
    words = "".join(char for char in text if char.isascii())
    assert exact_key(words) == exact_key(words.swapcase())
    assert near_key(words) == near_key(f"{words}…") or not any(map(str.isalnum, words))


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
def test_a_label_with_five_examples_is_in_every_split(sizes: list[int], salt: int) -> None:
    rows = [
        (f"{salt} {label} {n}", f"label {label}")
        for label, size in enumerate(sizes)
        for n in range(size)
    ]
    decided = decide(rows)
    for label in range(len(sizes)):
        found = {decided[text] for text, name in rows if name == f"label {label}"}
        assert found == ALL


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


def test_the_cap_does_not_cut_a_group_in_two() -> None:
    rows = [(f"text {n // 4}{'!' * (n % 4)}", "label") for n in range(400)]
    decided = decide(rows, validation=0.4, test=0.1, max_validation=50)
    for n in range(0, 400, 4):
        assert len({decided[text] for text, _ in rows[n : n + 4]}) == 1
    assert 40 < sum(code == VALIDATION for code in decided.values()) <= 50


def test_given_splits_are_kept() -> None:
    given_splits = [random.Random(n).choice([TRAIN, VALIDATION, TEST]) for n in range(300)]
    decided = decide(examples(300), given_splits)
    assert list(decided.values()) == given_splits


def test_a_split_that_a_file_lacks_is_cut_out_of_its_training_examples() -> None:
    given_splits = [TEST if n % 4 == 0 else TRAIN for n in range(600)]
    decided = list(decide(examples(600), given_splits).values())
    assert all(code == TEST for code in decided[::4])
    assert TEST not in {code for n, code in enumerate(decided) if n % 4}
    assert 30 < decided.count(VALIDATION) < 110


def test_a_row_that_a_file_gives_no_split_is_split_as_any_other() -> None:
    given_splits = [NONE if n % 2 else [TRAIN, VALIDATION, TEST][n % 3] for n in range(600)]
    free, decided = decide(examples(600)), decide(examples(600), given_splits)
    for n, text in enumerate(free):
        assert decided[text] == (free[text] if n % 2 else given_splits[n])


texts = st.lists(st.tuples(st.text("abc", max_size=3), st.sampled_from("xyz")), max_size=40)


@settings(deadline=None)
@given(texts, st.integers(0, 100))
def test_rows_of_one_group_and_equal_texts_are_never_in_two_splits(
    rows: list[tuple[str, str]], salt: int
) -> None:
    keys = np.array([near_key(f"{salt}{group}") for _, group in rows], dtype=np.uint64)
    near = np.array([near_key(f"{salt} {text}") for text, _ in rows], dtype=np.uint64)
    groups = join_groups(keys, near)
    for one in range(len(rows)):
        for other in range(one):
            if rows[one][0] == rows[other][0] or rows[one][1] == rows[other][1]:
                assert groups[one] == groups[other]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.data())
def test_links_join_groups_into_one_with_the_key_of_a_member(
    values: list[int], data: st.DataObject
) -> None:
    keys = np.array(values, dtype=np.uint64)
    pair = st.tuples(st.sampled_from(values), st.sampled_from(values))
    links = data.draw(st.lists(pair, max_size=10))
    # Found again the slow way: let a name flow along the links until nothing changes.
    name = {value: value for value in values}
    for _ in values:
        for one, other in links:
            name[one] = name[other] = min(name[one], name[other])
    joined = join_groups(keys, links=links).tolist()
    pairs = list(zip(values, joined, strict=True))
    members = {key: {name[value] for value, group in pairs if group == key} for key in joined}
    assert all(len(names) == 1 for names in members.values())
    assert len(members) == len(set(name.values()))
    assert all(name[key] in members[key] for key in members)


def test_large_groups_are_spread_over_the_splits_as_single_texts_are() -> None:
    keys = np.array([near_key(f"text {n}") for n in range(20_000)], dtype=np.uint64)
    groups = join_groups(keys, np.arange(20_000, dtype=np.uint64) // 10)
    none = np.full(20_000, NONE, dtype=np.int8)
    codes = decide_splits(groups, np.zeros(20_000, dtype=np.int64), none, Split())
    assert (codes == TEST).mean() == pytest.approx(0.2, abs=0.03)
    assert (codes == VALIDATION).mean() == pytest.approx(0.15, abs=0.03)


def test_a_cluster_of_a_twentieth_of_a_large_file_is_a_template() -> None:
    chain = [(n, n + 1) for n in range(59)]
    small = [(500, 501)]
    assert without_templates([*chain, *small], 1000) == small
    assert without_templates([*chain, *small], 10_000) == [*chain, *small]


def test_twenty_alike_texts_are_no_template_in_the_smallest_file() -> None:
    chain = [(n, n + 1) for n in range(19)]
    assert without_templates(chain, 40) == chain
    assert without_templates([*chain, (19, 20)], 40) == []
