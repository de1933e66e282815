"""Records of verdicts, and of the champions that they lead to."""

from datetime import datetime
from typing import Literal

from shared.records.base import Record
from shared.records.evaluation import Calibration, Candidate, ConfidenceFigures, Interval, Mistake
from shared.task import Task

Decision = Literal["promote_tuned", "keep_prompting", "not_enough_data", "below_target"]


class Figure(Record):
    """One candidate's figures on one split, as a verdict rests on them and its page draws them.

    `interval` is that of the primary metric. `confidence` is about the agreement of the samples,
    `calibrated` about what `calibration` makes of it (fitted on validation, shown for test).
    Of the finalists on test there is also what they do with each label or field, their mistakes,
    and for single labels the confusion matrix: a row for each right label, a column for each
    answer, both in the task's order, and a last column for what is no answer.
    """

    candidate: str
    kind: Literal["prompting", "tuned"]
    split: Literal["validation", "test"]
    n: int
    metrics: dict[str, float]
    interval: Interval | None = None
    confidence: ConfidenceFigures | None = None
    calibration: Calibration | None = None
    calibrated: ConfidenceFigures | None = None
    seconds_p50: float | None = None
    seconds_p95: float | None = None
    usd_per_thousand: float | None = None
    invalid: int = 0
    per_label: dict[str, dict[str, float]] = {}
    confusions: tuple[tuple[str, str, int], ...] = ()
    confusion_matrix: tuple[tuple[int, ...], ...] = ()
    mistakes: tuple[Mistake, ...] = ()


class NextStep(Record):
    """What a person can do next: what costs most, why probably, and validation rows that show it.

    `cost` is the share of all validation rows that are wrong because of it; rows can be counted
    under several steps. `link` leads, from the verdict's folder, to where there is more.
    """

    kind: Literal["label_noise", "too_little_data", "unclear_instruction", "rare_label", "none"]
    title: str
    detail: str
    labels: tuple[str, ...] = ()
    cost: float = 0.0
    examples: tuple[Mistake, ...] = ()
    link: str = ""


class Comparison(Record):
    """The tuned model against the prompt, on the same rows.

    `interval` is a paired bootstrap's, of the difference in the primary metric. `p_value` is that
    of the exact sign test over rows, or, where `test` says so, of exchanging the two answers to a
    row at random, which asks about the metric itself. `p_corrected` allows for all tuned models
    that have met these test rows: this one and those of runs before it, `compared` of them.
    """

    tuned: str
    prompting: str
    n: int
    difference: float
    tuned_better: int
    prompting_better: int
    test: Literal["exact", "exchange"] = "exact"
    p_value: float
    p_corrected: float | None = None
    compared: int = 1
    interval: Interval | None = None


class VerdictRecord(Record):
    """Which candidate should serve, and what that rests on: `basis` is a hash of all of it.

    `further_examples` is how many more test examples would tell, if a difference like the one that
    was seen is real; None when nothing more is needed, or when no number can be given.
    """

    task_name: str
    dataset: str
    run: str = ""
    basis: str
    decision: Decision
    winner: str
    metric: str
    target: float
    target_met: bool
    reason: str
    figures: tuple[Figure, ...]
    comparison: Comparison | None = None
    further_examples: int | None = None
    next_steps: tuple[NextStep, ...] = ()
    failed_jobs: tuple[str, ...] = ()
    failed_candidates: tuple[str, ...] = ()
    created: datetime


class Promotion(Record):
    """One line of a champion's history: who came to serve, and by what."""

    candidate: str
    dataset: str
    run: str
    at: datetime
    by: Literal["verdict", "hand", "rollback"] = "verdict"


class ChampionRecord(Record):
    """The candidate that serves a task now, with the task as the candidate was taught it.

    `calibration` turns the agreement of its samples into a confidence; None when it was promoted
    by a version that did not calibrate. `text_column` is its dataset's.
    """

    task_name: str
    candidate: Candidate
    task: Task
    dataset: str
    run: str
    at: datetime
    calibration: Calibration | None = None
    text_column: str = ""
    history: tuple[Promotion, ...] = ()
