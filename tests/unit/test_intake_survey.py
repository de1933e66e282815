"""The first pass over a file, and what is judged by it."""

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.checks import Finding
from functions.convert_dataset.checks.registry import CHECKS
from functions.convert_dataset.columns import Columns
from functions.convert_dataset.judge import Judgement, judge
from functions.convert_dataset.rows import Refusal, Row
from functions.convert_dataset.splits import NONE, SPLITS
from functions.convert_dataset.survey import Survey, survey_rows
from shared.errors import Rejected
from shared.task import Action, Task

COLUMNS = Columns("text", "label", {}, (), split="split", group="customer")


def task(**values: object) -> Task:
    return Task.model_validate({"type": "classification", **values})


def surveyed(
    values: Sequence[Mapping[str, object]], wanted: Task | None = None
) -> tuple[Survey, Judgement]:
    present = {name for value in values for name in value}
    columns = Columns(
        "text",
        "label",
        {},
        (),
        split="split" if "split" in present else None,
        group="customer" if "customer" in present else None,
    )
    checks = [make() for make in CHECKS]
    rows = [Row(number, value) for number, value in enumerate(values, 2)]
    survey = survey_rows(rows, wanted or task(), columns, checks, lambda _: None)
    return survey, judge(survey, checks, wanted, "file")


def labelled(*pairs: tuple[str, str]) -> list[Mapping[str, object]]:
    return [{"text": text, "label": label} for text, label in pairs]


WORDS = [a + b + c for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]


def many(labels: list[str], seed: int = 0) -> list[Mapping[str, object]]:
    """Make rows with texts that are not alike."""
    chance = random.Random(seed)
    return labelled(*((" ".join(chance.sample(WORDS, 6)), label) for label in labels))


def found(judgement: Judgement, check: str) -> tuple[Finding, Action]:
    (one,) = [item for item in judgement.findings if item[0].check == check]
    return one


def test_a_text_that_comes_again_is_left_out() -> None:
    _, judgement = surveyed(labelled(("Hoo  hoo", "owl"), ("caw", "crow"), ("hoo HOO", "owl")))
    assert [split == NONE for split in judgement.splits] == [False, False, True]
    finding, action = found(judgement, "exact-duplicates")
    assert (list(finding.rows), list(finding.others), action) == ([2], [0], "drop")


def test_of_contradicting_answers_the_majority_is_kept_once() -> None:
    rows = labelled(("hoo", "crow"), ("hoo", "owl"), ("caw", "crow"), ("hoo", "owl"))
    _, judgement = surveyed(rows)
    assert [split == NONE for split in judgement.splits] == [True, False, False, True]
    assert list(found(judgement, "conflicting-labels")[0].rows) == [0]
    assert list(found(judgement, "exact-duplicates")[0].rows) == [3]


def test_on_a_tie_no_answer_is_kept() -> None:
    _, judgement = surveyed(labelled(("hoo", "crow"), ("hoo", "owl"), ("caw", "crow")))
    assert [split == NONE for split in judgement.splits] == [True, True, False]


def test_labels_found_in_the_data_complete_the_task() -> None:
    survey, _ = surveyed(labelled(("a", "owl"), ("b", "crow"), ("c", "")))
    assert survey.task.label_names == ("crow", "owl")


def test_labels_that_are_numbers_are_put_into_their_order() -> None:
    survey, _ = surveyed(labelled(("a", "10"), ("b", "9"), ("c", "-1"), ("d", "0")))
    assert survey.task.label_names == ("-1", "0", "9", "10")


@pytest.mark.parametrize("label", ["²", "--5"])
def test_labels_that_only_look_like_numbers_are_names(label: str) -> None:
    survey, _ = surveyed(labelled(("a", "1"), ("b", label)))
    assert set(survey.task.label_names) == {"1", label}


def test_declared_labels_stay_as_they_are() -> None:
    wanted = task(labels=["z", "a", "never seen"])
    survey, _ = surveyed(labelled(("x", "a"), ("y", "z")), wanted)
    assert survey.task.label_names == ("z", "a", "never seen")


def test_fields_that_come_late_are_not_lost() -> None:
    rows: list[Mapping[str, object]] = [
        {"text": f"text {n}", "label": {"a": "1"} if n < 2500 else {"b": "2"}} for n in range(2600)
    ]
    survey, _ = surveyed(rows, Task(type="extraction"))
    assert survey.task.field_names == ("a", "b")


def test_a_proper_file_loses_nothing() -> None:
    _, judgement = surveyed(many(["owl", "crow"] * 60))
    assert sum(judgement.counts.values()) == 120
    assert {label: sum(splits.values()) for label, splits in judgement.labels.items()} == {
        "owl": 60,
        "crow": 60,
    }


def test_given_splits_are_kept_and_an_unknown_one_is_refused() -> None:
    rows = [
        {**row, "split": ("train", "DEV", "test", "train", "never")[n % 5]}
        for n, row in enumerate(many(["owl", "crow"] * 60))
    ]
    survey, judgement = surveyed(rows)
    assert survey.refused == {"unknown split": 24}
    assert list(judgement.splits) == [0, 1, 2, 0, NONE] * 24


def test_rows_of_one_customer_are_in_one_split() -> None:
    rows = [{**row, "customer": f"c{n % 30}"} for n, row in enumerate(many(["owl", "crow"] * 150))]
    _, judgement = surveyed(rows)
    by_customer: dict[object, set[int]] = {}
    for row, split in zip(rows, judgement.splits, strict=True):
        by_customer.setdefault(row["customer"], set()).add(split)
    assert all(len(splits) == 1 for splits in by_customer.values())
    assert all(judgement.counts.values())


def test_near_duplicates_are_in_one_split() -> None:
    rows = many(["owl", "crow"] * 100)
    texts = [str(row["text"]) for row in rows]
    long = [" ".join(texts[n : n + 6]) for n in range(0, 200, 6)]
    alike = labelled(*((text, "owl") for text in long), *((f"{text} now", "owl") for text in long))
    _, judgement = surveyed([*alike, *rows])
    count = len(long)
    assert judgement.splits[:count] == judgement.splits[count : 2 * count]
    assert len(set(judgement.splits[:count])) == len(SPLITS)


def test_texts_of_one_template_are_not_all_put_into_one_split() -> None:
    rows = labelled(
        *(
            (f"My order with the long number {n} that I made last month has not come", "owl")
            for n in range(1000, 1100)
        ),
        *((str(row["text"]), "crow") for row in many(["crow"] * 100)),
    )
    _, judgement = surveyed(rows)
    assert min(judgement.labels["owl"].values()) >= 5


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.integers(0, 1000))
def test_shuffled_rows_are_split_the_same(seed: int, order: int) -> None:
    rows = [*many(["owl", "crow"] * 40, seed), *many(["owl"] * 10, seed), *many(["crow"] * 3, seed)]
    shuffled = random.Random(order).sample(rows, len(rows))
    _, one = surveyed(rows)
    _, other = surveyed(shuffled)

    def kept(rows: list[Mapping[str, object]], judgement: Judgement) -> set[tuple[object, int]]:
        pairs = zip(rows, judgement.splits, strict=True)
        return {(row["text"], split) for row, split in pairs if split != NONE}

    assert kept(rows, one) == kept(shuffled, other)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.integers(80, 140))
def test_new_rows_move_no_old_one(seed: int, size: int) -> None:
    # So many rows that each label is in each split without help.
    rows = many(["owl", "crow"] * 150, seed)
    _, before = surveyed(rows[: size * 2])
    _, after = surveyed(rows)
    assert list(before.splits) == list(after.splits[: size * 2])


@pytest.mark.parametrize("action", ["report", "drop", "reject"])
def test_the_policy_says_what_becomes_of_a_finding(action: str) -> None:
    wanted = task(checks={"error": action})
    rows = [*many(["owl", "crow"] * 60), *many(["owl"])]
    if action == "reject":
        with pytest.raises(Rejected, match="exact-duplicates, error"):
            surveyed(rows, wanted)
        return
    _, judgement = surveyed(rows, wanted)
    assert found(judgement, "exact-duplicates")[1] == action
    assert sum(judgement.counts.values()) == (120 if action == "drop" else 121)


def test_a_check_can_be_given_another_severity_or_be_put_off() -> None:
    rows = [*many(["owl", "crow"] * 60), *many(["owl"])]
    _, judgement = surveyed(rows, task(checks={"severity": {"exact-duplicates": "warning"}}))
    finding, action = found(judgement, "exact-duplicates")
    assert (finding.severity, action) == ("warning", "report")
    _, judgement = surveyed(rows, task(checks={"severity": {"exact-duplicates": "off"}}))
    assert "exact-duplicates" not in {finding.check for finding, _ in judgement.findings}


def test_rows_that_are_no_examples_have_no_split() -> None:
    rows: list[Row | Refusal] = [
        Row(1, {"text": "hoo", "label": "owl"}),
        Refusal(2, "not JSON"),
        Row(3, {"text": ""}),
    ]
    columns = Columns("text", "label", {}, ())
    survey = survey_rows(rows, task(), columns, [], lambda _: None)
    assert survey.refused == {"not JSON": 1, "no text": 1}
    assert list(judge(survey, [], None, "file").splits)[1:] == [NONE, NONE]


def test_a_severity_for_a_check_that_there_is_not_is_rejected_with_the_nearest() -> None:
    rows = many(["owl", "crow"] * 60)
    with pytest.raises(Rejected) as caught:
        surveyed(rows, task(checks={"severity": {"personal_data": "off"}}))
    assert "personal-data" in caught.value.remedy
