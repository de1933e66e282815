"""Records of candidates, and of what they answered on a split."""

from datetime import datetime
from typing import Literal

from shared.examples import FieldValue, ListKind
from shared.records.base import Record
from shared.task import Configuration


class Shot(Record):
    """An example inside a prompt."""

    text: str
    answer: str | list[str] | dict[str, FieldValue]


class Candidate(Record):
    """Anything that can answer: a prompting strategy on a base model, or a tuned model.

    `model` is what is called: a base model's name, or a tuned model's endpoint. The examples in its
    prompt are `shots`, or the `nearest` ones to each text out of the object `pool`. `reasons` says
    whether it is to reason before it answers, `list_fields` which fields hold lists.
    """

    name: str
    kind: Literal["prompting", "tuned"]
    model: str
    base_model: str
    shots: tuple[Shot, ...] = ()
    pool: str = ""
    nearest: int = 0
    reasons: bool = False
    list_fields: dict[str, ListKind] = {}
    run: str = ""
    job: str = ""
    configuration: Configuration | None = None


class Interval(Record):
    """A 95 % interval."""

    low: float
    high: float


class ReliabilityBin(Record):
    """Answers of about the same confidence: their mean confidence, and the share that is right."""

    low: float
    high: float
    n: int
    confidence: float
    correct: float


class CoveragePoint(Record):
    """What comes of taking only answers of at least `threshold`.

    `coverage` is the share of answers that are taken, `risk` the share of those that are wrong.
    """

    threshold: float
    coverage: float
    risk: float

    @property
    def precision(self) -> float:
        """The share of the answers taken that are right."""
        return 1 - self.risk

    @property
    def recall(self) -> float:
        """The share of all rows that are answered, and right."""
        return self.coverage * (1 - self.risk)


class ConfidenceFigures(Record):
    """How far a confidence can be trusted; `auroc` is None when all answers are right, or none."""

    n: int
    ece: float
    brier: float
    auroc: float | None
    bins: tuple[ReliabilityBin, ...]
    risk_coverage: tuple[CoveragePoint, ...]


class Calibration(Record):
    """A map from agreement to the share of right answers, fitted on validation.

    isotonic: `knots` are (agreement, confidence) pairs, linear in between and flat outside.
    platt: confidence = 1 / (1 + exp(-(slope * agreement + intercept))).
    none: the agreement stands as it is, for the reason given.
    With a `rating_weight` above 0 it maps the blend of agreement and rating (shared/rating.py).
    It holds for answers that are asked for in the same way: at most `samples` at `temperature`,
    stopping at a probability of `stop_at`.
    """

    method: Literal["isotonic", "platt", "none"]
    knots: tuple[tuple[float, float], ...] = ()
    slope: float = 0.0
    intercept: float = 0.0
    n: int = 0
    samples: int = 1
    temperature: float = 0.0
    stop_at: float = 1.0
    rating_weight: float = 0.0
    reason: str = ""


class Mistake(Record):
    """A row that a candidate got wrong: its number in the split, and what was said."""

    row: int
    text: str
    truth: str
    answer: str
    confidence: float


class EvaluationRecord(Record):
    """A candidate's figures on a split, asked as it would be served: samples that vote.

    They are at most `samples` for each row, `samples_counted` of them on average: sampling stops at
    a probability of `stop_at`.

    `row_scores` holds each row's score between 0 and 1 and `row_agreements` the majority's share,
    in the split's row order, which is the same for every candidate. `row_ratings` holds what it was
    rated as, where answers are rated; empty for what is no rating. `row_answers` numbers each
    row's (truth, answer) for labels, by the task's order, -1 for no answer. `row_parts` is for
    several labels or fields: what each row counts as (number of the label or field, hits, values
    said, values that are right), where anything was said or is right. `service_exact_match` is the
    evaluation service's figure, if it gave one. `model_versions` are those that the service says it
    used, in order; none where it said nothing. `seconds` (of one document that was asked about
    online), tokens and `usd_per_thousand` are of answering; what rating adds, for documents that
    are rated, is apart. A batch answered `batched` of the rows; `batch_note` says why it did not
    answer others.
    """

    candidate: Candidate
    dataset: str
    split: Literal["validation", "test"]
    n: int
    metrics: dict[str, float]
    per_label: dict[str, dict[str, float]]
    confusions: tuple[tuple[str, str, int], ...]
    invalid: int
    service_exact_match: float | None
    row_scores: tuple[float, ...]
    row_agreements: tuple[float, ...] = ()
    row_ratings: tuple[str, ...] = ()
    row_answers: tuple[tuple[int, int], ...] = ()
    row_parts: tuple[tuple[tuple[int, int, int, int], ...], ...] = ()
    samples: int = 1
    samples_counted: float | None = None
    temperature: float = 0.0
    batched: int = 0
    batch_note: str = ""
    stop_at: float = 1.0
    model_versions: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    prompt_tokens: int
    answer_tokens: int
    rating_prompt_tokens: int = 0
    rating_answer_tokens: int = 0
    seconds_p50: float | None = None
    seconds_p95: float | None = None
    usd_per_thousand: float | None = None
    rating_usd_per_thousand: float | None = None

    def metrics_with_service(self) -> dict[str, float]:
        """Return the metrics, with the evaluation service's exact_match if it gave one."""
        if self.service_exact_match is None:
            return self.metrics
        return {**self.metrics, "service_exact_match": self.service_exact_match}


class Opening(Record):
    """Whom the test split was opened for: written before the first of its rows is asked.

    `prompt` and `tuned` are the finalists, by their keys: names together with a hash of model and
    prompt. `gone` says of tuned finalists that could not be asked why; they gave way to the next.
    `serving` are tuned models of other runs that served meanwhile: a winner has to beat them.
    """

    task_name: str
    dataset: str
    run: str
    prompt: str
    tuned: str = ""
    gone: dict[str, str] = {}
    serving: tuple[str, ...] = ()
    at: datetime
