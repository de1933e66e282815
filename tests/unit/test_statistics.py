"""How sure a figure is: intervals, paired comparison, further rows."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from sklearn.metrics import f1_score

from functions.evaluate_model.figures import compute_figures
from functions.evaluate_model.statistics.intervals import metric_interval, wilson
from functions.evaluate_model.statistics.paired import (
    corrected,
    difference_of,
    exchange_test,
    sign_test,
)
from functions.evaluate_model.statistics.power import POWER, further_by_interval, further_by_rows
from functions.evaluate_model.statistics.resample import resampled_sums
from functions.evaluate_model.statistics.sums import metric_of, row_sums
from shared.records import EvaluationRecord, Interval
from shared.task import Metric, Task
from tests.simulated import LABELS, FieldTruth, Truth, simulate, simulate_fields

METRICS: tuple[Metric, ...] = ("exact_match", "macro_f1")


def both(n: int = 120, seed: int = 1) -> tuple[EvaluationRecord, EvaluationRecord]:
    """Return a prompt and a tuned model on the same rows."""
    return simulate(np.random.default_rng(seed), n, Truth(0.7, 0.8))


@settings(deadline=None)
@given(st.integers(1, 500), st.data())
def test_the_interval_of_a_share_is_wilsons(n: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, n))
    found = wilson(right, n)
    wanted = binomtest(right, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_the_interval_of_a_share_is_the_published_one() -> None:
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    for right, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = wilson(right, n)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_wilsons_interval_holds_the_truth_in_95_of_100_cases() -> None:
    for n in (50, 300):
        every, held = [wilson(right, n) for right in range(n + 1)], []
        for truth in np.linspace(0.5, 0.97, 200):
            inside = [found.low <= truth <= found.high for found in every]
            held.append(float(binom.pmf(np.arange(n + 1), n, truth)[inside].sum()))
        print(f"coverage of Wilson's 95 % interval, {n} rows: {np.mean(held):.4f}")
        assert 0.94 < np.mean(held) < 0.96


def test_the_sign_test_is_mcnemars_exact_one() -> None:
    first = [1.0] * 12 + [0.0] * 3 + [1.0] * 30
    second = [0.0] * 12 + [1.0] * 3 + [1.0] * 30
    # Twice the tail of 3 or fewer out of 15 at one half: 2 * (1 + 15 + 105 + 455) / 2^15.
    wins, losses, p_value = sign_test(first, second)
    assert (wins, losses) == (12, 3)
    assert p_value == pytest.approx(2 * 576 / 2**15)
    assert sign_test(second, first)[:2] == (3, 12)
    assert sign_test(first, first) == (0, 0, 1.0)


@pytest.mark.parametrize("metric", METRICS)
def test_the_exchange_test_is_that_of_all_exchanges(metric: Metric) -> None:
    prompt, tuned = simulate(np.random.default_rng(5), 14, Truth(0.4, 0.7, 0.0))
    ours, theirs = row_sums(tuned, metric, LABELS), row_sums(prompt, metric, LABELS)
    assert ours is not None
    assert theirs is not None

    def difference(exchanged: tuple[bool, ...]) -> float:
        mask = np.array(exchanged)[:, None]
        mine, other = np.where(mask, theirs, ours), np.where(mask, ours, theirs)
        pair = [metric_of(metric, side.sum(axis=0).astype(float), 14) for side in (mine, other)]
        return abs(float(pair[0] - pair[1]))

    seen = difference((False,) * 14) - 1e-9
    every = [difference(exchanged) >= seen for exchanged in product((False, True), repeat=14)]
    found = exchange_test(tuned, prompt, metric, LABELS)
    assert found == pytest.approx(np.mean(every), abs=0.015)


def test_for_rows_that_are_right_or_wrong_the_exchange_test_is_mcnemars() -> None:
    prompt, tuned = both(300, seed=3)
    wanted = sign_test(tuned.row_scores, prompt.row_scores)[2]
    assert exchange_test(tuned, prompt, "exact_match", LABELS) == pytest.approx(wanted, abs=0.01)


def test_two_that_answer_alike_are_never_told_apart_by_exchanging() -> None:
    prompt, _ = both(50)
    assert exchange_test(prompt, prompt, "macro_f1", LABELS) == 1.0
    without = prompt.model_copy(update={"row_answers": ()})
    assert exchange_test(without, without, "macro_f1", LABELS) is None


def test_a_better_extractor_is_found_where_most_rows_have_no_value() -> None:
    chance, truth = np.random.default_rng(4), FieldTruth(0.25, 0.45)
    prompt, tuned = simulate_fields(chance, 300, truth)
    by_metric = exchange_test(tuned, prompt, "field_f1", 1)
    by_rows = sign_test(tuned.row_scores, prompt.row_scores)[2]
    print(f"p by the metric: {by_metric:.4f}, by rows: {by_rows:.4f}")
    assert by_metric is not None
    assert by_metric < 0.01 < by_rows


def test_a_p_value_is_corrected_for_the_candidates() -> None:
    assert [corrected(0.02, count) for count in (0, 1, 4, 100)] == [0.02, 0.02, 0.08, 1.0]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 2)), min_size=1, max_size=30))
def test_metrics_of_sums_are_those_of_the_rows(rows: list[tuple[int, int]]) -> None:
    names = ["owl", "crow", "heron"]
    task = Task.model_validate({"type": "classification", "labels": names})
    figures = compute_figures(
        task, [names[right] for right, _ in rows], [names[s] if s >= 0 else None for _, s in rows]
    )
    update = {"row_answers": figures.row_answers, "row_scores": figures.row_scores}
    record = both(2)[0].model_copy(update={"n": len(rows), **update})
    for metric in METRICS:
        sums = row_sums(record, metric, 3)
        assert sums is not None
        value = metric_of(metric, sums.sum(axis=0).astype(float), len(rows))
        assert value == pytest.approx(figures.metrics[metric])


field = st.none() | st.sampled_from(["a", "b"]) | st.lists(st.sampled_from("abc"), min_size=1)
record_of_fields = st.fixed_dictionaries({"place": field, "guests": field})
some_labels = st.sets(st.sampled_from(["owl", "crow", "heron"])).map(sorted)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_metrics_of_sums_are_those_of_the_rows_for_fields_and_several_labels(
    data: st.DataObject,
) -> None:
    fields = Task.model_validate({"type": "extraction", "fields": ["place", "guests"]})
    several = Task.model_validate(
        {"type": "classification", "labels": ["crow", "heron", "owl"], "multi_label": True}
    )
    kinds: tuple[tuple[Task, st.SearchStrategy[object], Metric, int], ...] = (
        (fields, record_of_fields, "field_f1", 2),
        (several, some_labels, "macro_f1", 3),
    )
    for task, answer, metric, parts in kinds:
        pairs = data.draw(st.lists(st.tuples(answer, st.none() | answer), min_size=1, max_size=12))
        truths, answers = zip(*pairs, strict=True)
        figures = compute_figures(task, truths, answers)
        update = {"n": len(pairs), "row_parts": figures.row_parts, "row_answers": ()}
        sums = row_sums(both(2)[0].model_copy(update=update), metric, parts)
        assert sums is not None
        value = metric_of(metric, sums.sum(axis=0).astype(float), len(pairs))
        assert value == pytest.approx(figures.metrics[metric])


@pytest.mark.parametrize("metric", METRICS)
def test_the_bootstrap_over_joint_counts_is_that_over_rows(metric: Metric) -> None:
    prompt, tuned = both()
    truths, theirs = (np.array(side) for side in zip(*prompt.row_answers, strict=True))
    ours = np.array([answer for _, answer in tuned.row_answers])

    def of_rows(rows: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> float:
        if metric == "exact_match":
            return float((truths == ours)[rows].mean() - (truths == theirs)[rows].mean())
        present = sorted(set(truths[rows].tolist()))
        mine, other = (
            f1_score(truths[rows], said[rows], labels=present, average="macro", zero_division=0)
            for said in (ours, theirs)
        )
        return float(mine - other)

    chance = np.random.default_rng(2)
    by_rows = [of_rows(chance.integers(0, 120, 120)) for _ in range(600)]
    found = difference_of(tuned, prompt, metric, LABELS)
    assert found is not None
    low, high = np.quantile(by_rows, [0.025, 0.975])
    assert found.interval.low == pytest.approx(low, abs=0.02)
    assert found.interval.high == pytest.approx(high, abs=0.02)


@pytest.mark.parametrize("metric", METRICS)
def test_an_interval_is_the_same_every_time_and_whatever_the_order_of_rows(metric: Metric) -> None:
    prompt, tuned = both()
    turned = [
        item.model_copy(
            update={"row_answers": item.row_answers[::-1], "row_scores": item.row_scores[::-1]}
        )
        for item in (tuned, prompt)
    ]
    found = difference_of(tuned, prompt, metric, LABELS)
    assert found == difference_of(tuned, prompt, metric, LABELS)
    assert found == difference_of(turned[0], turned[1], metric, LABELS)
    assert metric_interval(tuned, metric, LABELS) == metric_interval(turned[0], metric, LABELS)


def test_resamples_have_as_many_rows_as_there_are() -> None:
    rows = np.array([[1, 0], [1, 1], [1, 1]], dtype=np.int16)
    (sums,) = resampled_sums(rows, 1000)
    assert set(sums[:, 0]) == {3.0}
    assert sums[:, 1].mean() == pytest.approx(2, abs=0.1)


def test_where_no_row_tells_two_apart_there_is_still_doubt() -> None:
    prompt, _ = both(50)
    for metric in METRICS:
        found = difference_of(prompt, prompt, metric, LABELS, 0.99)
        assert found is not None
        reach = wilson(0, 50).high
        assert (found.interval.low, found.interval.high) == (-reach, reach)
        assert found.strict.high > reach


def test_where_every_row_is_right_there_is_still_doubt() -> None:
    perfect, _ = simulate(np.random.default_rng(1), 40, Truth(1.0, 1.0))
    for metric in METRICS:
        assert metric_interval(perfect, metric, LABELS) == wilson(40, 40)


def test_an_evaluation_of_an_earlier_version_has_no_interval_of_macro_f1() -> None:
    prompt, tuned = (item.model_copy(update={"row_answers": ()}) for item in both())
    assert metric_interval(tuned, "macro_f1", LABELS) is None
    assert difference_of(tuned, prompt, "macro_f1", LABELS) is None
    assert metric_interval(tuned, "exact_match", LABELS) is not None


def test_a_stricter_interval_is_wider() -> None:
    prompt, tuned = both()
    found = difference_of(tuned, prompt, "macro_f1", LABELS, 0.99)
    assert found is not None
    assert found.strict.low < found.interval.low < found.interval.high < found.strict.high


@pytest.mark.parametrize(
    ("wins", "losses", "n", "significance"),
    [(12, 6, 150, 0.05), (20, 9, 300, 0.01), (60, 45, 500, 0.05), (9, 3, 60, 0.01)],
)
def test_with_the_further_rows_the_test_tells_in_most_cases(
    wins: int, losses: int, n: int, significance: float
) -> None:
    further = further_by_rows(wins, losses, n, significance)
    assert further is not None
    chance = np.random.default_rng(8)
    differing = (wins + losses) / n
    share = (wins + 0.5) / (wins + losses + 1)
    rows = chance.binomial(n + further, differing, size=2000)
    won = chance.binomial(rows, share)
    told = [
        binomtest(int(good), int(of)).pvalue <= significance and good > of / 2
        for good, of in zip(won, rows, strict=True)
    ]
    print(f"{wins} to {losses} of {n}: {further} further rows tell in {np.mean(told):.3f}")
    assert POWER - 0.06 < np.mean(told) < POWER + 0.08


def test_no_number_is_given_where_the_tuned_model_is_not_ahead_or_hardly() -> None:
    assert further_by_rows(5, 5, 100, 0.05) is None
    assert further_by_rows(0, 0, 100, 0.05) is None
    assert further_by_rows(4, 6, 100, 0.05) is None
    assert further_by_rows(50_001, 50_000, 200_000, 0.05) is None
    assert further_by_interval(0.0, Interval(low=-0.1, high=0.1), 100, 0.05) is None
    assert further_by_interval(1e-6, Interval(low=-0.1, high=0.1), 100, 0.05) is None


def test_an_interval_that_nearly_excludes_zero_needs_about_as_many_rows_again() -> None:
    # z = 1.96 needs (1.96 + 0.84)^2 / 1.96^2 = 2.04 times the rows for a power of 80 %.
    further = further_by_interval(0.05, Interval(low=0.0, high=0.1), 300, 0.05)
    assert further == pytest.approx(300 * 1.043, abs=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "n", "repeats", "least"),
    [
        ("exact_match", 100, 600, 0.91),
        ("exact_match", 300, 600, 0.92),
        ("macro_f1", 300, 99, 0.89),
    ],
)
def test_intervals_of_a_difference_hold_the_truth_about_as_often_as_they_say(
    metric: Metric, n: int, repeats: int, least: float
) -> None:
    truth = Truth()
    real = truth.tuned - truth.prompt
    if metric == "macro_f1":
        real = truth.macro_f1(truth.tuned) - truth.macro_f1(truth.prompt)
    chance = np.random.default_rng(9)
    held = 0
    for _ in range(repeats):
        prompt, tuned = simulate(chance, n, truth)
        found = difference_of(tuned, prompt, metric, LABELS)
        assert found is not None
        held += found.interval.low <= real <= found.interval.high
    print(f"coverage of the 95 % interval of {metric}'s difference, {n} rows: {held / repeats:.3f}")
    assert least < held / repeats < 0.98
