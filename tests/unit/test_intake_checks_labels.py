"""Checks of labels: too few, too many, alike, missing, wrong."""

import csv
import os
import random
from pathlib import Path

import numpy as np
import pytest

from functions.convert_dataset.checks.few_examples import FewExamples
from functions.convert_dataset.checks.few_examples_per_label import FewExamplesPerLabel
from functions.convert_dataset.checks.imbalance import Imbalance
from functions.convert_dataset.checks.label_errors import LabelErrors, doubtful_labels
from functions.convert_dataset.checks.missing_labels import MissingLabels
from functions.convert_dataset.checks.similar_labels import SimilarLabels
from functions.convert_dataset.checks.unusable_rows import UnusableRows
from shared.task import Label, Task
from tests.unit.intake_facts import facts_of, run

DATA = Path(os.environ.get("TUNEDROP_TEST_DATA", "../shared/data"))

TOPICS = {
    "food": ("soup", "bread", "cheese", "salad", "noodles", "pepper"),
    "travel": ("train", "ticket", "airport", "hotel", "suitcase", "passport"),
    "music": ("guitar", "concert", "singer", "drums", "melody", "album"),
}


def counted(**counts: int) -> list[str]:
    return [label for label, count in counts.items() for _ in range(count)]


def labelled(labels: list[str], task: Task | None = None) -> list[str]:
    """What all checks of label counts say, as summaries."""
    facts = facts_of([f"text {number}" for number in range(len(labels))], labels, task=task)
    checks = (MissingLabels(), SimilarLabels(), FewExamplesPerLabel(), Imbalance(), FewExamples())
    return [found.summary for check in checks for found in run(check, facts)]


def topics(count: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Sentences about three topics, with their labels."""
    chance = random.Random(seed)
    labels = [chance.choice(list(TOPICS)) for _ in range(count)]
    texts = [
        " ".join(chance.sample(TOPICS[label], 3) + chance.choices(["the", "my", "was", "new"], k=3))
        for label in labels
    ]
    return texts, labels


def test_well_filled_labels_have_no_findings() -> None:
    assert labelled(counted(refund=60, delivery=50, warranty=90)) == []


def test_each_reason_for_unusable_rows_is_a_finding() -> None:
    facts = facts_of(["x"], ["a"], refused={"no text": 2, "something new": 40})
    first, second = run(UnusableRows(), facts)
    assert first.summary == "40 rows could not be used: something new"
    assert second.summary == "2 rows could not be used: no text"
    assert "columns" in second.remedy
    assert first.severity == "error"


def test_declared_labels_without_examples_are_named() -> None:
    names = ("refund", "delivery", "warranty")
    task = Task(type="classification", labels=tuple(Label(name=name) for name in names))
    [summary] = labelled(counted(refund=60, delivery=60), task)
    assert summary == "1 declared label has no example: 'warranty'"


def test_rare_labels_are_named_with_their_numbers() -> None:
    [summary] = labelled(counted(refund=60, delivery=60, warranty=9, thanks=3))
    assert "2 labels have fewer than 10 examples: 'thanks' 3, 'warranty' 9" in summary
    assert "1 label has fewer than 5" in summary


def test_many_rare_labels_are_one_finding() -> None:
    [summary] = labelled(counted(usual=90) + [f"rare {number}" for number in range(30)])
    assert "and 25 more" in summary


def test_twenty_times_as_many_examples_are_an_imbalance() -> None:
    assert labelled(counted(ham=199, spam=10)) == []
    [summary] = labelled(counted(ham=200, spam=10))
    assert summary == "'ham' has 200 examples, 20 times as many as 'spam' with 10"


def test_fewer_than_a_hundred_training_examples_are_few() -> None:
    assert labelled(counted(a=50, b=50)) == []
    [summary] = labelled(counted(a=50, b=49))
    assert "99 examples are left for training" in summary


def test_rows_that_are_not_kept_do_not_count() -> None:
    facts = facts_of(["x"] * 120, ["a"] * 120, kept=[True] * 99 + [False] * 21)
    [found] = run(FewExamples(), facts)
    assert found.count == 99


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("spam", "Spam"),
        ("credit_card", "credit card"),
        ("CreditCard", "credit-card"),
        ("ＳＰＡＭ", "spam"),
        ("positve", "positive"),
        ("negatvie", "negative"),
        ("lost_pasport", "lost_passport"),
        ("warantty", "warranty"),
        ("neutrall", "neutral"),
    ],
)
def test_variants_and_misspellings_are_found(one: str, other: str) -> None:
    [summary] = labelled([one] * 10 + [other] * 100 + ["something else"] * 60)[:1]
    assert repr(one) in summary
    assert repr(other) in summary


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "-1"),
        ("1.0", "10"),
        ("A", "A-"),
        ("card_payment_fee", "cash_payment_fee"),
        ("level_1_2", "level_12"),
        ("version1", "version2"),
        ("typical", "atypical"),
        ("lost", "last"),
        ("active", "inactive"),
        ("负面", "正面"),
        ("symptomatic", "asymptomatic"),
    ],
)
def test_labels_that_mean_different_things_are_not_alike(one: str, other: str) -> None:
    assert labelled([one] * 10 + [other] * 100 + ["something else"] * 60) == []


def test_frequent_labels_are_not_taken_for_misspelt() -> None:
    assert labelled(counted(affect=60, effect=60, country=60, county=60)) == []


def test_declared_labels_are_not_taken_for_misspelt() -> None:
    task = Task(type="classification", labels=(Label(name="country"), Label(name="county")))
    assert labelled(counted(country=200, county=11), task) == []


def test_thousands_of_labels_are_compared_in_little_time() -> None:
    labels = [f"label {number:04d} of many" for number in range(3000)]
    facts = facts_of(labels, labels)
    assert run(SimilarLabels(), facts) == []


def test_wrong_labels_are_found_with_what_they_look_like() -> None:
    texts, labels = topics(300)
    wrong = [5, 50, 150, 250]
    for row in wrong:
        labels[row] = "food" if labels[row] != "food" else "music"
    [found] = run(LabelErrors(), facts_of(texts, labels))
    assert set(wrong) <= set(found.rows)
    assert found.count <= 6
    assert all("looks like" in found.details[row] for row in found.rows)


def test_right_labels_are_not_doubted() -> None:
    assert run(LabelErrors(), facts_of(*topics(300))) == []


def test_the_order_of_the_rows_does_not_matter_to_what_is_doubted() -> None:
    texts, labels = topics(300)
    texts = [f"{text} {number}" for number, text in enumerate(texts)]
    labels[7], labels[77] = "music" if labels[7] == "food" else "food", "travel"
    forwards = run(LabelErrors(), facts_of(texts, labels))
    backwards = run(LabelErrors(), facts_of(texts[::-1], labels[::-1]))
    doubted = [texts[row] for found in forwards for row in found.rows]
    assert doubted
    assert doubted == [texts[::-1][row] for found in backwards for row in found.rows]


def test_labels_of_texts_without_spaces_are_looked_at_by_their_characters() -> None:
    chance = random.Random(4)
    words = {"好": ["很好吃", "味道不错", "很快", "满意"], "差": ["太慢了", "难吃", "凉了", "失望"]}
    labels = [chance.choice("好差") for _ in range(200)]
    texts = ["".join(chance.choices(words[label], k=3)) + "的" for label in labels]
    labels[20] = "好" if labels[20] == "差" else "差"
    [found] = run(LabelErrors(), facts_of(texts, labels))
    assert 20 in found.rows


def test_labels_that_have_nothing_to_do_with_the_texts_are_not_doubted() -> None:
    chance = random.Random(3)
    texts, _ = topics(400)
    assert run(LabelErrors(), facts_of(texts, [chance.choice("abcde") for _ in texts])) == []


def test_few_examples_one_label_several_labels_and_fields_are_not_looked_at() -> None:
    texts, labels = topics(99)
    assert run(LabelErrors(), facts_of(texts, labels)) == []
    texts, labels = topics(200)
    assert run(LabelErrors(), facts_of(texts, ["same"] * 200)) == []
    assert run(LabelErrors(), facts_of(texts, [[label] for label in labels])) == []
    fields = Task(type="extraction")
    assert run(LabelErrors(), facts_of(texts, [{"a": "b"}] * 200, task=fields)) == []


def test_texts_of_signs_only_do_no_harm() -> None:
    assert run(LabelErrors(), facts_of(["!!! ??? :-)", "_ _ _"] * 100, ["a", "b"] * 100)) == []


def test_a_label_for_every_text_is_not_looked_at() -> None:
    texts = [f"text {number}" for number in range(500)]
    assert run(LabelErrors(), facts_of(texts, texts)) == []


def test_the_label_that_the_model_is_surest_of_is_proposed() -> None:
    shares = np.array(
        [[0.9, 0.05, 0.05]] * 4 + [[0.1, 0.8, 0.1]] * 4 + [[0, 0, 1]] + [[0.01, 0.97, 0.02]]
    )
    doubted, proposed = doubtful_labels(shares, np.array([0] * 4 + [1] * 4 + [2, 0]))
    assert doubted.tolist() == [9]
    assert proposed.tolist() == [1]


@pytest.mark.slow
def test_most_of_the_labels_doubted_in_banking77_were_made_wrong() -> None:
    if not (DATA / "banking77").is_dir():
        pytest.skip(f"no test data in {DATA}")
    with (DATA / "banking77" / "train.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    texts, labels = [row["text"] for row in rows], [row["category"] for row in rows]
    clean = run(LabelErrors(), facts_of(texts, labels), batch=1000)
    assert sum(found.count for found in clean) < 60
    names, chance = sorted(set(labels)), random.Random(5)
    wrong = set(chance.sample(range(len(labels)), len(labels) // 20))
    for row in wrong:
        labels[row] = chance.choice([name for name in names if name != labels[row]])
    [found] = run(LabelErrors(), facts_of(texts, labels), batch=1000)
    right = len(wrong & set(found.rows))
    assert right / found.count > 0.8
    assert right / len(wrong) > 0.5
