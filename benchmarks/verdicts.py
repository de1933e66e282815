"""Simulates verdicts and intervals with known truths, and prints how often they are right.

Run it as `python -m benchmarks.verdicts`. A prompt and a tuned model answer the same test rows,
with six labels of which each is 0.7 times as frequent as the one before. Whether they are right
about a row is correlated (phi), since a hard text is hard for both. For field_f1, two extractors
find shares of the values of texts that mostly have none. The seeds are fixed.
"""

import sys
from collections import Counter

import numpy as np

from functions.evaluate_model.statistics.intervals import metric_interval
from functions.evaluate_model.statistics.paired import difference_of
from functions.evaluate_model.verdict import Finalists, decide
from shared.records import EvaluationRecord, Interval
from shared.task import Metric
from tests.fakes import START
from tests.simulated import (
    LABELS,
    FieldTruth,
    Truth,
    dataset_of,
    simulate,
    simulate_fields,
    task_of,
)

SPLITS = 1000
INTERVALS = 400
DECISIONS = ("promote_tuned", "keep_prompting", "not_enough_data", "below_target")

Known = Truth | FieldTruth


def decisions(n: int, truth: Known, compared: int, metric: str, splits: int) -> Counter[str]:
    """Count the decisions over so many simulated test splits."""
    chance = np.random.default_rng(6)
    task = task_of(metric)
    found = Counter[str]()
    for _ in range(splits):
        prompt, tuned = _draw(chance, n, truth)
        verdict = decide(
            task, dataset_of(task), None, Finalists(prompt, tuned), [], [], START,
            earlier=compared - 1,
        )  # fmt: skip
        found[verdict.decision] += 1
    return found


def coverage(n: int, truth: Known, metric: Metric, repeats: int) -> tuple[float, float]:
    """Return how often the 95 % intervals of a figure and of a difference hold the truth."""
    chance = np.random.default_rng(7)
    real = [truth.tuned, truth.prompt]
    if isinstance(truth, FieldTruth):
        real = [truth.field_f1(share) for share in real]
    elif metric == "macro_f1":
        real = [truth.macro_f1(share) for share in real]
    parts = 1 if isinstance(truth, FieldTruth) else LABELS
    one = both = 0
    for _ in range(repeats):
        prompt, tuned = _draw(chance, n, truth)
        one += _holds(metric_interval(tuned, metric, parts), real[0])
        paired = difference_of(tuned, prompt, metric, parts)
        both += _holds(paired.interval if paired else None, real[0] - real[1])
    return one / repeats, both / repeats


def _draw(
    chance: np.random.Generator, n: int, truth: Known
) -> tuple[EvaluationRecord, EvaluationRecord]:
    draw = simulate_fields if isinstance(truth, FieldTruth) else simulate
    return draw(chance, n, truth)  # type: ignore[arg-type]


def _holds(interval: Interval | None, value: float) -> bool:
    return interval is not None and interval.low <= value <= interval.high


def _print_decisions(metric: Metric, truth: Known, splits: int) -> None:
    for n in (300, 1000):
        for compared in (1, 5):
            found = decisions(n, truth, compared, metric, splits)
            shares = " | ".join(f"{found[name] / splits:.3f}" for name in DECISIONS)
            told = f"{metric} | {truth.prompt} | {truth.tuned} | {truth.correlation}"
            sys.stdout.write(f"| {told} | {n} | {compared} | {shares} |\n")
            sys.stdout.flush()


def main() -> int:
    """Print both tables."""
    names = " | ".join(DECISIONS)
    sys.stdout.write(f"| metric | prompt | tuned | phi | rows | corrected for | {names} |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
    for prompt, tuned in ((0.9, 0.9), (0.9, 0.95)):
        for correlation in (0.0, 0.4):
            _print_decisions("exact_match", Truth(prompt, tuned, correlation), SPLITS)
        _print_decisions("macro_f1", Truth(prompt, tuned), SPLITS // 5)
    for prompt, tuned in ((0.3, 0.3), (0.3, 0.5)):
        _print_decisions("field_f1", FieldTruth(prompt, tuned), SPLITS // 2)
    sys.stdout.write("\n| metric | rows | the figure's interval | the difference's interval |\n")
    sys.stdout.write("| --- | --- | --- | --- |\n")
    known: tuple[tuple[Metric, Known], ...] = (
        ("exact_match", Truth()), ("macro_f1", Truth()), ("field_f1", FieldTruth()),
    )  # fmt: skip
    for metric, truth in known:
        for n in (50, 100, 300, 1000):
            one, both = coverage(n, truth, metric, INTERVALS)
            sys.stdout.write(f"| {metric} | {n} | {one:.3f} | {both:.3f} |\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
