"""Simulated evaluations: a prompt and a tuned model whose true figures are known.

Whether the two are right about a row is correlated: a hard text is hard for both.
"""

import math
from dataclasses import dataclass

import numpy as np

from shared.records import Candidate, DatasetRecord, EvaluationRecord
from shared.task import Task
from tests.fakes import START

LABELS = 6


@dataclass(frozen=True)
class Truth:
    """What the simulated candidates are really like.

    Attributes:
        prompt: How often the prompt is right.
        tuned: How often the tuned model is right.
        correlation: Of being right, between the two (phi).
        spread: How much rarer each label is than the one before it: 1 for equally frequent ones.
    """

    prompt: float = 0.9
    tuned: float = 0.95
    correlation: float = 0.4
    spread: float = 0.7

    @property
    def joint(self) -> tuple[float, float, float, float]:
        """How often both are right, only the tuned model, only the prompt, and neither."""
        noise = math.sqrt(self.prompt * (1 - self.prompt) * self.tuned * (1 - self.tuned))
        both = self.prompt * self.tuned + self.correlation * noise
        only_tuned, only_prompt = self.tuned - both, self.prompt - both
        neither = 1 - both - only_tuned - only_prompt
        assert min(only_tuned, only_prompt, neither) >= 0, "so high a correlation cannot be"
        return both, only_tuned, only_prompt, neither

    @property
    def label_shares(self) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """How frequent each label is."""
        shares = self.spread ** np.arange(LABELS)
        return np.asarray(shares / shares.sum())

    def macro_f1(self, accuracy: float) -> float:
        """Return the macro-F1 of a candidate that is so often right, over endlessly many rows.

        A wrong answer is any of the other labels, each as often.
        """
        shares = self.label_shares
        said = shares * accuracy + (1 - shares) * (1 - accuracy) / (LABELS - 1)
        return float(np.mean(2 * shares * accuracy / (shares + said)))


@dataclass(frozen=True)
class FieldTruth:
    """What two simulated extractors are really like, on texts that mostly have no value.

    Attributes:
        prompt: The share of values that the prompt finds.
        tuned: The share that the tuned model finds.
        values: The mean number of values in a row; their number is Poisson's.
        wrong: The mean number of values in a row that are said and are none, of either.
        correlation: How much of finding a value is the value's, and the same for both: 0 to 1.
    """

    prompt: float = 0.5
    tuned: float = 0.6
    values: float = 0.4
    wrong: float = 0.1
    correlation: float = 0.5

    def field_f1(self, share: float) -> float:
        """Return the F1 of one that finds such a share, over endlessly many rows."""
        hits = share * self.values
        return 2 * hits / (hits + self.wrong + self.values)


def task_of(metric: str = "exact_match", **policy: object) -> Task:
    """Return a task with the labels, or the field, that are simulated."""
    labels = [f"label {number}" for number in range(LABELS)]
    kind = {"type": "classification", "labels": labels}
    if metric == "field_f1":
        kind = {"type": "extraction", "fields": ["field"]}
    target = {"metric": metric, "value": 0.1}
    return Task.model_validate({**kind, "target": target, **policy})


def dataset_of(task: Task, test: int = 100_000) -> DatasetRecord:
    """Return a dataset of a task, with so many test examples."""
    return DatasetRecord(
        id="dataset1",
        task_name="simulated",
        task=task,
        explanation=(),
        source_bucket="datasets",
        source_object="simulated/data.csv",
        source_generation=1,
        rows=test,
        counts={"train": 1000, "validation": 100, "test": test},
        quarantined=0,
        quarantined_by_reason={},
        labels={},
        training_tokens=1,
        created=START,
    )


def simulate(
    chance: np.random.Generator, n: int, truth: Truth
) -> tuple[EvaluationRecord, EvaluationRecord]:
    """Draw the evaluations of the prompt and of the tuned model on the same n test rows."""
    labels = chance.choice(LABELS, size=n, p=truth.label_shares)
    kinds = chance.choice(4, size=n, p=truth.joint)
    prompt = _record("few-shot", "prompting", chance, labels, np.isin(kinds, (0, 2)))
    tuned = _record("tuned", "tuned", chance, labels, np.isin(kinds, (0, 1)))
    return prompt, tuned


def simulate_fields(
    chance: np.random.Generator, n: int, truth: FieldTruth
) -> tuple[EvaluationRecord, EvaluationRecord]:
    """Draw the evaluations of two extractors of one field, a list, on the same n test rows."""
    right = chance.poisson(truth.values, size=n)
    row = np.repeat(np.arange(n), right)
    luck = chance.random(len(row))
    records = []
    for name, kind, share in (("few-shot", "prompting", truth.prompt),
                              ("tuned", "tuned", truth.tuned)):  # fmt: skip
        own = np.where(chance.random(len(row)) < truth.correlation, luck, chance.random(len(row)))
        hits = np.bincount(row[own < share], minlength=n)
        said = hits + chance.poisson(truth.wrong, size=n)
        f1 = 2 * hits.sum() / max(1, said.sum() + right.sum())
        empty = _record(name, kind, chance, np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool))
        parts = [
            ((0, *counts),) if any(counts) else ()
            for counts in zip(hits.tolist(), said.tolist(), right.tolist(), strict=True)
        ]
        # A record of fields is scored by the share of its fields that are wholly right: here one.
        exact = (hits == right) & (said == right)
        update = {
            "metrics": {"exact_match": float(exact.mean()), "field_f1": float(f1)},
            "row_scores": tuple(exact.astype(float).tolist()),
            "row_answers": (),
            "row_parts": tuple(parts),
        }
        records.append(empty.model_copy(update=update))
    return records[0], records[1]


def _record(
    name: str,
    kind: str,
    chance: np.random.Generator,
    labels: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    right: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> EvaluationRecord:
    shift = chance.integers(1, LABELS, size=len(labels))
    answers = np.where(right, labels, (labels + shift) % LABELS)
    hits = np.bincount(labels[right], minlength=LABELS)
    said, support = np.bincount(answers, minlength=LABELS), np.bincount(labels, minlength=LABELS)
    each = 2 * hits / np.maximum(said + support, 1)
    return EvaluationRecord(
        candidate=Candidate.model_validate(
            {"name": name, "kind": kind, "model": "m", "base_model": "m"}
        ),
        dataset="dataset1",
        split="test",
        n=len(labels),
        metrics={"exact_match": float(right.mean()), "macro_f1": float(each[support > 0].mean())},
        per_label={},
        confusions=(),
        invalid=0,
        service_exact_match=None,
        row_scores=tuple(right.astype(float).tolist()),
        row_answers=tuple(zip(labels.tolist(), answers.tolist(), strict=True)),
        prompt_tokens=1,
        answer_tokens=1,
    )
