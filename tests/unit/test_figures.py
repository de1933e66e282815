"""Figures of a candidate's answers."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    jaccard_score,
    precision_recall_fscore_support,
    precision_score,
)

from functions.evaluate_model.figures import Figures, compute_figures
from functions.evaluate_model.figures import labels as label_module
from functions.evaluate_model.figures.ordinal import label_order, ordinal_figures
from shared.examples import Answer, FieldValue
from shared.task import Task, parse_task
from shared.voting import INVALID

NAMES = ["owl", "crow", "heron"]
BIRDS = Task.model_validate({"type": "classification", "labels": NAMES})
SEVERAL = Task.model_validate({"type": "classification", "labels": NAMES, "multi_label": True})
STARS = Task.model_validate({"type": "sentiment", "labels": [1, 2, 3, 4, 5]})
EVENT = Task.model_validate({"type": "extraction", "fields": ["place", "guests"]})

label = st.sampled_from(NAMES)
pairs = st.lists(st.tuples(label, st.none() | label), min_size=1, max_size=40)
label_sets = st.sets(label).map(lambda chosen: [name for name in NAMES if name in chosen])


def figures(task: Task, rows: Sequence[tuple[Answer, Answer | None]]) -> Figures:
    return compute_figures(task, [row[0] for row in rows], [row[1] for row in rows])


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_figures_of_labels_are_those_of_scikit_learn(rows: list[tuple[str, str | None]]) -> None:
    found = figures(BIRDS, rows)
    truths = [truth for truth, _ in rows]
    answers = [answer or "(none)" for _, answer in rows]
    present = sorted(set(truths))
    assert found.metrics["exact_match"] == pytest.approx(accuracy_score(truths, answers))
    macro = f1_score(truths, answers, labels=present, average="macro", zero_division=0)
    assert found.metrics["macro_f1"] == pytest.approx(macro)
    weighted = f1_score(truths, answers, labels=NAMES, average="weighted", zero_division=0)
    assert found.metrics["weighted_f1"] == pytest.approx(weighted)
    precision = precision_score(truths, answers, labels=NAMES, average=None, zero_division=0)
    assert [found.per_label[name]["precision"] for name in NAMES] == pytest.approx(list(precision))
    assert [found.per_label[name]["support"] for name in NAMES] == [
        truths.count(name) for name in NAMES
    ]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(label_sets, st.none() | label_sets), min_size=1, max_size=20))
def test_figures_of_several_labels_are_those_of_scikit_learn(
    rows: list[tuple[list[str], list[str] | None]],
) -> None:
    found = figures(SEVERAL, rows)
    truths = [[name in truth for name in NAMES] for truth, _ in rows]
    answers = [[name in (answer or []) for name in NAMES] for _, answer in rows]
    micro = f1_score(truths, answers, average="micro", zero_division=0)
    assert found.metrics["micro_f1"] == pytest.approx(micro)
    each = f1_score(truths, answers, average=None, zero_division=0)
    assert [found.per_label[name]["f1"] for name in NAMES] == pytest.approx(list(each))
    right = [answer is not None and truth == answer for truth, answer in rows]
    assert found.metrics["exact_match"] == pytest.approx(sum(right) / len(rows))


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_rows_scores_and_mistakes_add_up(rows: list[tuple[str, str | None]]) -> None:
    found = figures(BIRDS, rows)
    assert len(found.row_scores) == len(rows)
    assert found.metrics["exact_match"] == pytest.approx(sum(found.row_scores) / len(rows))
    wrong = sum(count for _, _, count in found.confusions)
    assert wrong == len(rows) - sum(found.row_scores)
    assert found.invalid == sum(answer is None for _, answer in rows)
    assert found.metrics["valid_share"] == pytest.approx(1 - found.invalid / len(rows))


def test_mistakes_are_listed_most_frequent_first() -> None:
    found = figures(BIRDS, [("owl", "crow"), ("owl", None), ("owl", "crow"), ("crow", "crow")])
    assert found.confusions == (("owl", "crow", 2), ("owl", INVALID, 1))


stars = st.sampled_from("12345")


def ordinal(policy: Task, rows: Sequence[tuple[str, str | None]]) -> dict[str, float] | None:
    order = label_order(policy.label_names, policy)
    pairs = figures(policy, rows).row_answers
    return None if order is None else ordinal_figures(order, pairs)


@settings(deadline=None, max_examples=50)
@given(st.permutations("12345"), st.lists(st.tuples(stars, stars), min_size=2, max_size=30))
def test_ordinal_figures_are_those_of_scikit_learn(
    listed: list[str], rows: list[tuple[str, str]]
) -> None:
    found = ordinal(Task.model_validate({"type": "sentiment", "labels": listed}), rows)
    assert found is not None
    distance = sum(abs(int(truth) - int(answer)) for truth, answer in rows) / len(rows)
    assert found["ordinal_error"] == pytest.approx(distance)
    if len({value for row in rows for value in row}) == 1:
        assert "quadratic_kappa" not in found
    else:
        kappa = cohen_kappa_score(
            [int(truth) for truth, _ in rows],
            [int(answer) for _, answer in rows],
            weights="quadratic",
            labels=[1, 2, 3, 4, 5],
        )
        assert found["quadratic_kappa"] == pytest.approx(kappa)


@pytest.mark.parametrize(("truth", "distance"), [("1", 4), ("2", 3), ("3", 2), ("4", 3), ("5", 4)])
def test_an_answer_that_is_none_counts_as_the_farthest(truth: str, distance: int) -> None:
    found = ordinal(STARS, [(truth, None)])
    assert found is not None
    assert found["ordinal_error"] == distance


@pytest.mark.parametrize(
    ("yaml", "order"),
    [
        ("{type: classification, labels: [owl, crow, heron]}", None),
        ("{type: classification, labels: [owl, crow, heron], ordered: true}", (0, 1, 2)),
        ("{type: classification, labels: [3, 1, 2]}", (2, 0, 1)),
        ("{type: classification, labels: [10, 9, -1], ordered: true}", (2, 1, 0)),
        ("{type: classification, labels: ['²', '1']}", None),
        ("{type: classification, labels: ['01', '1']}", None),
        ("{type: sentiment, labels: [negative, neutral, positive]}", (0, 1, 2)),
        ("{type: sentiment, labels: [good, bad, mixed], ordered: false}", None),
    ],
)
def test_labels_are_in_order_by_value_or_as_they_are_declared(
    yaml: str, order: tuple[int, ...] | None
) -> None:
    policy = parse_task(yaml)
    assert label_order(policy.label_names, policy) == order


def test_labels_of_a_sentiment_that_nobody_declared_are_in_no_order() -> None:
    found = Task.model_validate({"type": "sentiment", "labels": ["bad", "good", "so-so"]})
    assert label_order(found.label_names, parse_task("type: sentiment")) is None
    assert label_order(found.label_names, found) is None


def test_fields_are_counted_value_by_value() -> None:
    found = figures(
        EVENT,
        [
            ({"place": "mill", "guests": ["Ann", "Bob"]}, {"place": "mill", "guests": ["Ann"]}),
            ({"place": "pond", "guests": None}, {"place": "mill", "guests": "Cy"}),
            ({"place": "pond", "guests": None}, {"place": None, "guests": None}),
            ({"place": "hill", "guests": "Dee"}, None),
        ],
    )
    for name, precision, recall, f1, support in (
        ("place", 1 / 2, 1 / 4, 1 / 3, 4),
        ("guests", 1 / 2, 1 / 3, 2 / 5, 3),
    ):
        wanted = {"precision": precision, "recall": recall, "f1": f1}
        alike = {f"{kind}_normalised": value for kind, value in wanted.items()}
        assert found.per_label[name] == pytest.approx({**wanted, **alike, "support": support})
    assert found.metrics["field_f1"] == pytest.approx(2 * 2 / (4 + 7))
    assert found.row_scores == (0.5, 0.0, 0.5, 0.0)
    assert found.metrics["exact_match"] == 0
    assert found.metrics["valid_share"] == 0.75
    assert "" not in found.per_label


def test_a_list_in_another_order_is_as_right_for_fields() -> None:
    found = figures(EVENT, [({"place": None, "guests": ["a", "b"]}, {"guests": ["b", "a"]})])
    assert found.metrics["field_f1"] == 1.0
    assert found.row_scores == (1.0,)


def test_perfect_fields_score_one_and_empty_ones_nothing() -> None:
    full: Answer = {"place": "mill", "guests": "Ann"}
    empty: Answer = {"place": None, "guests": None}
    assert figures(EVENT, [(full, full)]).metrics["field_f1"] == 1.0
    nothing = figures(EVENT, [(empty, empty)])
    assert nothing.metrics == {
        "exact_match": 1.0,
        "exact_match_normalised": 1.0,
        "valid_share": 1.0,
        **dict.fromkeys(
            ("field_f1", "field_f1_normalised", "field_precision", "field_recall"), 0.0
        ),
    }
    assert nothing.row_scores == (1.0,)


def test_figures_of_some_fields_do_not_hang_on_the_others() -> None:
    rows: list[tuple[Answer, Answer | None]] = [
        ({"place": "mill", "guests": "Ann"}, {"place": "mill", "guests": "Bob"}),
        ({"place": "pond", "guests": "Cy"}, {"place": "pond", "guests": None}),
    ]
    found = figures(EVENT, rows)
    assert found.per_label["place"]["f1"] == 1.0
    assert found.per_label["guests"]["f1"] == 0.0
    assert found.metrics["exact_match"] == 0.0


field = st.none() | st.sampled_from(["a", "b"]) | st.lists(st.sampled_from("abc"), min_size=1)
record = st.fixed_dictionaries({"place": field, "guests": field})


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(record, st.none() | record), min_size=1, max_size=10))
def test_figures_of_fields_stay_between_zero_and_one(
    rows: list[tuple[Answer, Answer | None]],
) -> None:
    found = figures(EVENT, rows)
    shown = [*found.metrics.values(), *found.row_scores]
    assert all(0 <= value <= 1 for value in shown)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(record, st.none() | record), min_size=1, max_size=10))
def test_exact_match_is_the_share_of_rows_whose_fields_are_all_right(
    rows: list[tuple[Answer, Answer | None]],
) -> None:
    found = figures(EVENT, rows)
    perfect = sum(score == 1 for score in found.row_scores)
    assert found.metrics["exact_match"] == pytest.approx(perfect / len(rows))
    counted = sum(
        said is not None and all(values(truth, name) == values(said, name) for name in truth)
        for truth, said in rows
        if isinstance(truth, dict)
    )
    assert perfect == counted


@pytest.mark.parametrize(
    ("truth", "said", "alike"),
    [
        (["a", "b"], ["b", "a"], True),
        (["a", "b"], ["b", "a", "b"], True),
        (["a"], "a", True),
        (None, [], True),
        (["a", "b"], ["a"], False),
        (["a", "b"], '["a","b"]', False),
        (None, "null", False),
    ],
)
def test_the_order_of_a_list_and_a_list_of_one_make_no_difference(
    truth: FieldValue, said: FieldValue, *, alike: bool
) -> None:
    wanted: Answer = {"place": "mill", "guests": truth}
    found = figures(EVENT, [(wanted, {"guests": said, "place": "mill"})])
    assert found.metrics["exact_match"] == float(alike)
    assert (found.row_scores == (1.0,)) is alike


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_every_average_is_that_of_scikit_learn(rows: list[tuple[str, str | None]]) -> None:
    found = figures(BIRDS, rows).metrics
    truths = [truth for truth, _ in rows]
    answers = [answer or "(none)" for _, answer in rows]
    for average, labels in (("macro", sorted(set(truths))), ("weighted", NAMES)):
        each = precision_recall_fscore_support(
            truths, answers, labels=labels, average=average, zero_division=0
        )
        shown = [found[f"{average}_{kind}"] for kind in ("precision", "recall", "f1")]
        assert shown == pytest.approx(list(each[:3]))


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_the_confusion_matrix_is_that_of_scikit_learn(rows: list[tuple[str, str | None]]) -> None:
    found = figures(BIRDS, rows)
    place = {name: number for number, name in enumerate(NAMES)}
    numbers = [(place[truth], -1 if said is None else place[said]) for truth, said in rows]
    assert list(found.row_answers) == numbers
    rights, saids = zip(*numbers, strict=True)
    wanted = confusion_matrix(rights, saids, labels=[0, 1, 2, -1])[:3]
    assert label_module.confusion_matrix(3, found.row_answers) == tuple(map(tuple, wanted.tolist()))
    assert label_module.confusion_matrix(101, found.row_answers) == ()
    assert label_module.confusion_matrix(3, ()) == ()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(label_sets, label_sets), min_size=1, max_size=20))
def test_the_jaccard_index_and_subset_accuracy_are_those_of_scikit_learn(
    rows: list[tuple[list[str], list[str]]],
) -> None:
    found = figures(SEVERAL, rows)
    truths = [[int(name in truth) for name in NAMES] for truth, _ in rows]
    answers = [[int(name in said) for name in NAMES] for _, said in rows]
    wanted = jaccard_score(truths, answers, average="samples", zero_division=1.0)
    assert found.metrics["jaccard"] == pytest.approx(wanted)
    assert found.metrics["exact_match"] == pytest.approx(accuracy_score(truths, answers))
    said = [sum(part[2] for part in row) for row in found.row_parts]
    assert said == [sum(row) for row in answers]


def test_what_is_no_answer_is_no_empty_set_of_labels() -> None:
    nothing: list[str] = []
    rows: list[tuple[Answer, Answer | None]] = [(nothing, None), (nothing, nothing)]
    assert figures(SEVERAL, rows).metrics["jaccard"] == 0.5


def test_spellings_of_one_value_are_alike_once_normalised_only() -> None:
    found = figures(
        EVENT,
        [
            (
                {"place": "5 March 2018", "guests": ["RM 1,200.00", "Ann"]},
                {"place": "2018-03-05", "guests": ["1200", "ANN"]},
            ),
            ({"place": "mill", "guests": None}, None),
        ],
    )
    assert found.metrics["field_f1"] == 0
    assert found.metrics["field_f1_normalised"] == pytest.approx(2 * 3 / (3 + 4))
    assert found.metrics["exact_match_normalised"] == 0.5
    assert found.per_label["place"]["f1_normalised"] == pytest.approx(2 / 3)
    assert found.per_label["guests"]["recall_normalised"] == 1
    assert found.row_scores == (0.0, 0.0)
    assert found.row_parts == (((0, 0, 1, 1), (1, 0, 2, 2)), ((0, 0, 0, 1),))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(record, st.none() | record), min_size=1, max_size=10))
def test_figures_of_fields_are_those_of_scikit_learn(
    rows: list[tuple[Answer, Answer | None]],
) -> None:
    found = figures(EVENT, rows)
    together: list[tuple[int, int]] = []
    for name in EVENT.field_names:
        cells = [
            (int(value in values(truth, name)), int(value in values(said, name)))
            for truth, said in rows
            for value in "abc"
        ]
        together += cells
        assert found.per_label[name]["f1"] == pytest.approx(
            f1_score(*zip(*cells, strict=True), zero_division=0)
        )
    micro = precision_recall_fscore_support(
        *zip(*together, strict=True), average="binary", zero_division=0
    )
    shown = [found.metrics[f"field_{kind}"] for kind in ("precision", "recall", "f1")]
    assert shown == pytest.approx(list(micro[:3]))


def values(answer: Answer | None, name: str) -> set[str]:
    assert answer is None or isinstance(answer, dict)
    value = answer[name] if answer else None
    return set(value or []) if not isinstance(value, str) else {value}
