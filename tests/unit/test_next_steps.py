"""What a person is told to do next."""

from collections.abc import Mapping, Sequence

import pytest

from functions.evaluate_model.figures import compute_figures
from functions.evaluate_model.learning import learning_curve
from functions.evaluate_model.next_steps import next_steps
from shared.answers import answer_text
from shared.examples import Answer
from shared.records import (
    Candidate,
    DatasetRecord,
    EvaluationRecord,
    Mistake,
    NextStep,
    RunRecord,
)
from shared.task import Task
from shared.voting import INVALID
from tests.fakes import START
from tests.unit.test_verdict import DATASET

NAMES = ["owl", "crow", "heron"]
BIRDS = Task.model_validate({"type": "classification", "labels": NAMES})
EVENT = Task.model_validate({"type": "extraction", "fields": ["place", "guests"]})
RUN = RunRecord(
    id="run1", task_name="birds", dataset="dataset1", base_model="m", plan=(), jobs=(),
    created=START,
)  # fmt: skip

Rows = Sequence[tuple[Answer, Answer | None]]


def dataset(task: Task = BIRDS, train: int = 300, **labels: int) -> DatasetRecord:
    counts = {name: {"train": labels.get(name, train // 3)} for name in task.label_names}
    return DATASET.model_copy(
        update={"task": task, "labels": counts, "counts": {"train": train, "test": 50}}
    )


def measured(
    rows: Rows, kind: str = "prompting", task: Task = BIRDS, agreement: float = 1.0
) -> EvaluationRecord:
    """Return a candidate's evaluation on validation, every mistake of it kept."""
    figures = compute_figures(task, [truth for truth, _ in rows], [said for _, said in rows])
    mistakes = tuple(
        Mistake(
            row=row,
            text=f"text {row}",
            truth=answer_text(truth),
            answer=INVALID if said is None else answer_text(said),
            confidence=agreement,
        )
        for row, (truth, said) in enumerate(rows)
        if figures.row_scores[row] < 1
    )
    return EvaluationRecord(
        candidate=Candidate.model_validate(
            {"name": kind, "kind": kind, "model": "m", "base_model": "m"}
        ),
        dataset="dataset1",
        split="validation",
        n=len(rows),
        metrics=figures.metrics,
        per_label=figures.per_label,
        confusions=figures.confusions,
        invalid=figures.invalid,
        service_exact_match=None,
        row_scores=figures.row_scores,
        row_agreements=(agreement,) * len(rows),
        row_answers=figures.row_answers,
        row_parts=figures.row_parts,
        mistakes=mistakes,
        prompt_tokens=1,
        answer_tokens=1,
    )


def steps(
    *evaluations: EvaluationRecord, of: DatasetRecord | None = None, run: RunRecord | None = None
) -> tuple[NextStep, ...]:
    return next_steps(of or dataset(), BIRDS, evaluations[0].candidate, evaluations, run)


RIGHT: Rows = [("owl", "owl")] * 30 + [("crow", "crow")] * 30 + [("heron", "heron")] * 30


def test_labels_that_are_taken_for_each_other_need_a_clearer_description() -> None:
    rows = [*RIGHT, *[("owl", "crow")] * 4, *[("crow", "owl")] * 3]
    (step,) = steps(measured(rows))
    assert (step.kind, step.labels) == ("unclear_instruction", ("owl", "crow"))
    assert "taken for each other on 7 rows" in step.title
    assert step.cost == pytest.approx(7 / 97)
    assert {(item.truth, item.answer) for item in step.examples} <= {
        ("owl", "crow"),
        ("crow", "owl"),
    }
    assert len(step.examples) == 3


def test_answers_that_are_none_point_to_the_instruction() -> None:
    (step, *_) = steps(measured([*RIGHT, *[("owl", None)] * 5]))
    assert step.kind == "unclear_instruction"
    assert step.title == "5 of 95 answers are none"
    assert {item.answer for item in step.examples} == {INVALID}


def test_two_kinds_of_candidates_that_agree_against_the_label_point_to_the_label() -> None:
    wrong: Rows = [("owl", "crow")] * 6
    mine = measured([*RIGHT, *wrong])
    other = measured([*RIGHT, *wrong[:4], *[("owl", "owl")] * 2], "tuned")
    (step,) = steps(mine, other, run=RUN)
    assert step.kind == "label_noise"
    assert "4 of 6 labels may be wrong" in step.title
    assert step.link == "../../datasets/dataset1/report.html"
    assert {item.row for item in step.examples} <= set(range(90, 94))
    assert steps(mine, other)[0].link == "report.html"


@pytest.mark.parametrize("case", ["unsure", "same kind", "other answer"])
def test_labels_are_not_doubted_without_a_second_sure_opinion(case: str) -> None:
    wrong: Rows = [("owl", "crow")] * 6
    mine = measured([*RIGHT, *wrong])
    other = measured([*RIGHT, *wrong], "tuned", agreement=0.6)
    if case == "same kind":
        other = mine.model_copy(
            update={"candidate": mine.candidate.model_copy(update={"name": "few-shot"})}
        )
    if case == "other answer":
        other = measured([*RIGHT, *[("owl", "heron")] * 6], "tuned")
    assert "label_noise" not in {step.kind for step in steps(mine, other)}


def test_a_rare_label_that_a_tuned_model_does_poorly_on_needs_examples() -> None:
    rows = [*RIGHT, *[("heron", "owl")] * 20]
    few = dataset(heron=9, owl=150, crow=140)
    mine = measured(rows, "tuned")
    (step,) = steps(mine, of=few)
    assert step.kind == "rare_label"
    assert step.title == "heron is rare: 9 training examples"
    assert steps(measured(rows), of=few)[0].kind == "none"


def test_a_pair_is_not_told_again_as_its_label() -> None:
    rows = [*RIGHT, *[("owl", "crow")] * 8, *[("owl", "heron")]]
    (step,) = steps(measured(rows))
    assert step.labels == ("owl", "crow")
    assert step.kind == "none"
    assert "read the rows" in step.detail


def test_a_label_whose_rows_go_everywhere_is_told_as_a_label() -> None:
    rows = [*RIGHT, ("owl", "crow"), ("owl", "crow"), ("owl", "heron"), ("owl", "heron")]
    (step,) = steps(measured(rows))
    assert step.labels == ("owl",)


def test_the_most_costly_comes_first() -> None:
    rows = [*RIGHT, *[("owl", "crow")] * 3, *[("crow", "heron")] * 9]
    assert [step.labels for step in steps(measured(rows))] == [("crow", "heron"), ("owl", "crow")]


def test_fields_are_told_by_what_they_cost() -> None:
    right = {"place": "mill", "guests": "Ann"}
    rows: Rows = [(right, right)] * 10
    rows = [*rows, *[(right, {"place": "pond", "guests": "Ann"})] * 4]
    (step,) = steps(measured(rows, task=EVENT), of=dataset(EVENT))
    assert step.labels == ("place",)
    assert step.title == "place: 4 of 14 rows are wrong"
    other = measured(rows, "tuned", task=EVENT)
    (step,) = steps(measured(rows, task=EVENT), other, of=dataset(EVENT))
    assert step.kind == "label_noise"


@pytest.mark.parametrize("kinds", [("prompting",), ("prompting", "tuned")])
def test_with_few_training_examples_it_says_how_many_rows_to_label(kinds: Sequence[str]) -> None:
    rows = [*RIGHT, *[("owl", "crow")] * 2, *[("crow", "heron")] * 2] + [("heron", "owl")] * 10
    found = steps(*(measured(rows, kind) for kind in kinds), of=dataset(train=60))
    (step,) = [step for step in found if step.kind == "too_little_data"]
    assert step.title == "60 training examples are few"
    # Of 110 rows, 60 come into train.
    assert "about 74 more rows, of which 40 come into train" in step.detail


def test_few_examples_are_no_trouble_where_the_target_is_reached() -> None:
    (step,) = steps(measured([*RIGHT, ("owl", "crow")]), of=dataset(train=60))
    assert step.kind == "none"


def test_a_target_that_is_reached_on_validation_and_missed_on_test_is_told() -> None:
    mine = measured([*RIGHT, ("owl", "crow")])
    tested = mine.model_copy(
        update={"split": "test", "n": 52, "metrics": {**mine.metrics, "exact_match": 0.846}}
    )
    (step,) = next_steps(dataset(), BIRDS, mine.candidate, [mine], None, None, tested)
    assert step.title == "The target is reached on validation and missed on test"
    assert "0.989 on 91 validation rows and 0.846 on 52 test rows" in step.detail
    assert step.cost == pytest.approx(0.9 - 0.846)


def test_where_nothing_stands_out_that_is_said() -> None:
    (step,) = steps(measured(RIGHT))
    assert (step.kind, step.cost) == ("none", 0)
    assert "All 90 validation rows are right" in step.detail
    (step,) = steps(measured([*RIGHT, ("owl", "crow")]))
    assert "1 of 91 validation rows are wrong" in step.detail


def test_a_winner_without_validation_rows_gets_no_advice() -> None:
    one = measured(RIGHT)
    stranger = one.candidate.model_copy(update={"name": "stranger"})
    assert next_steps(dataset(), BIRDS, stranger, [one], None) == ()


def curve_of(
    f1: Sequence[float], counts: Sequence[int]
) -> tuple[dict[str, int], Mapping[str, Mapping[str, float]]]:
    names = [f"label {number}" for number in range(len(f1))]
    figures = {name: {"f1": value, "support": 10.0} for name, value in zip(names, f1, strict=True)}
    return dict(zip(names, counts, strict=True)), figures


def test_labels_with_more_examples_that_do_better_make_a_learning_curve() -> None:
    doublings = [2**power for power in range(2, 11)]
    f1 = [0.5 + 0.05 * place + 0.01 * (place % 2) for place in range(9)]
    found = learning_curve(*curve_of(f1, doublings))
    assert found is not None
    assert found.gain == pytest.approx(0.05, abs=0.002)
    assert found.labels == tuple(f"label {number}" for number in range(5))


@pytest.mark.parametrize(
    ("f1", "counts"),
    [
        ([0.5, 0.6, 0.7], [4, 8, 16]),
        ([0.5 + 0.01 * n for n in range(9)], [100 + n for n in range(9)]),
        ([0.9, 0.5] * 5, [2**n for n in range(10)]),
        ([0.9 - 0.05 * n for n in range(9)], [2**n for n in range(9)]),
        ([0.9] * 9, [2**n for n in range(9)]),
    ],
)
def test_too_few_even_unclear_or_falling_labels_make_none(
    f1: list[float], counts: list[int]
) -> None:
    assert learning_curve(*curve_of(f1, counts)) is None


def test_a_learning_curve_becomes_a_step_that_names_the_labels() -> None:
    names = [f"label {number}" for number in range(9)]
    task = Task.model_validate({"type": "classification", "labels": names})
    rows: list[tuple[Answer, Answer | None]] = []
    for place, name in enumerate(names):
        right = 4 + place
        rows += [(name, name)] * right
        rows += [(name, names[(place + 1 + n) % 9]) for n in range(12 - right)]
    counts = {name: 8 * 2**place for place, name in enumerate(names)}
    (found,) = (
        step
        for step in steps(measured(rows, "tuned", task), of=dataset(task, 4088, **counts))
        if step.kind == "too_little_data"
    )
    assert "points of F1 with each doubling" in found.title
    assert found.labels[0] == "label 0"
    assert found.cost > 0
