"""The records: small JSON objects that are changed only by compare-and-set.

One object takes about one write a second, so a record is one job, one run, one dataset, and never
a growing list.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.examples import FieldValue, ListKind
from shared.task import Configuration, Task

JobState = Literal[
    "planned",
    "queued",
    "submitting",
    "submitted",
    "running",
    "succeeded",
    "failed",
    "cancelled",
    "expired",
    "partially_succeeded",
    "refused",
]

Decision = Literal["promote_tuned", "keep_prompting", "not_enough_data", "below_target"]


class Record(BaseModel):
    """What all records share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1


class TaskRecord(Record):
    """A task as it is now: task.yaml, or what was inferred in its place."""

    name: str
    task: Task
    source: str
    source_generation: int
    explanation: tuple[str, ...] = ()


class DatasetRecord(Record):
    """One upload, converted.

    `task` is the task as it was resolved for this upload: its labels or fields are complete.
    `counts` holds examples a split, `labels` examples a label and split. `announced_for` is the
    generation of the task.yaml (0 when there is none) that dataset-converted was published under:
    a new policy is announced again, a second event about the same upload is not.
    """

    id: str
    task_name: str
    task: Task
    explanation: tuple[str, ...]
    source_bucket: str
    source_object: str
    source_generation: int
    rows: int
    counts: dict[str, int]
    quarantined: int
    quarantined_by_reason: dict[str, int]
    labels: dict[str, dict[str, int]]
    training_tokens: int
    created: datetime
    announced_for: int | None = None


class RunRecord(Record):
    """One tuning request on one dataset.

    `state`: open while jobs are to be run or measured; waiting for a person's approval; refused;
    closed with a verdict. `budget_period` names the ledger that its money is reserved in, such as
    2026-11. `actual_usd` is what the service's own token counts come to, once every job has ended.
    `lineage` says what the run replaces, when it was requested because a base model retires.
    """

    id: str
    task_name: str
    dataset: str
    base_model: str
    plan: tuple[Configuration, ...]
    jobs: tuple[str, ...]
    state: Literal["open", "waiting", "refused", "closed"] = "open"
    reason: str = ""
    plan_note: str = ""
    checkpoints: Literal["last", "all"] = "last"
    estimated_usd: float | None = None
    estimated_low_usd: float | None = None
    estimated_high_usd: float | None = None
    actual_usd: float | None = None
    price_note: str = ""
    budget_period: str = ""
    approved: bool = False
    cancel_requested: bool = False
    max_concurrent_jobs: int = 1
    attempt: int = 1
    lineage: str = ""
    created: datetime


class CheckpointRecord(Record):
    """A checkpoint of a tuned model, on an endpoint of its own."""

    id: str
    epoch: int
    step: int
    endpoint: str


class JobRecord(Record):
    """One tuning job of a run: first the intent, then what became of it.

    `epoch` counts the leases: an older holder's write fails its compare-and-set. `epochs_done` and
    `steps_done` are the training's progress as far as the service shows it, `progress_at` is when
    it was last seen to move, and `stuck` whether that was so long ago that it was reported.
    `unknown_state` is what the service calls the job's state, when this version does not know it.
    """

    id: str
    run: str
    task_name: str
    dataset: str
    base_model: str
    configuration: Configuration
    state: JobState = "planned"
    epoch: int = 0
    lease_until: datetime | None = None
    resource: str = ""
    endpoint: str = ""
    model: str = ""
    error: str = ""
    example_count: int = 0
    billable_tokens: int = 0
    truncated_examples: int = 0
    dropped_examples: tuple[str, ...] = ()
    checkpoints: tuple[CheckpointRecord, ...] = ()
    epochs_done: int = 0
    steps_done: int = 0
    progress_at: datetime | None = None
    stuck: bool = False
    unknown_state: str = ""
    announced: bool = False
    created: datetime


class Reservation(Record):
    """What one run may spend, and has spent.

    `estimated` is job -> US dollars, `actual` the same for jobs that have ended. A job costs its
    actual price once there is one, else its estimate. `at` is when it was last asked for, and
    `in_use` whether a job may have been created under it: then it is not given back any more.
    """

    task_name: str
    run: str
    estimated: dict[str, float]
    actual: dict[str, float] = {}
    in_use: bool = False
    at: datetime


class BudgetRecord(Record):
    """The ledger of one period, such as 2026-11: every reservation, by its run's key."""

    period: str
    reservations: dict[str, Reservation] = {}


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
    It holds for answers that are asked for in the same way: `samples` at `temperature`.
    """

    method: Literal["isotonic", "platt", "none"]
    knots: tuple[tuple[float, float], ...] = ()
    slope: float = 0.0
    intercept: float = 0.0
    n: int = 0
    samples: int = 1
    temperature: float = 0.0
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

    `row_scores` holds each row's score between 0 and 1 and `row_agreements` the majority's share,
    in the split's row order, which is the same for every candidate. `row_answers` numbers each
    row's (truth, answer) for labels, by the task's order, -1 for no answer. `row_parts` is for
    several labels or fields: what each row counts as (number of the label or field, hits, values
    said, values that are right), where anything was said or is right. `service_exact_match` is the
    evaluation service's figure, if it gave one. `seconds` are of one request.
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
    row_answers: tuple[tuple[int, int], ...] = ()
    row_parts: tuple[tuple[tuple[int, int, int, int], ...], ...] = ()
    samples: int = 1
    temperature: float = 0.0
    mistakes: tuple[Mistake, ...] = ()
    prompt_tokens: int
    answer_tokens: int
    seconds_p50: float | None = None
    seconds_p95: float | None = None
    usd_per_thousand: float | None = None

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

    `interval` is a paired bootstrap's, of the difference in the primary metric. `p_value` is
    exact, and `p_corrected` allows for all tuned models that have met these test rows: this one and
    those of earlier runs, `compared` of them.
    """

    tuned: str
    prompting: str
    n: int
    difference: float
    tuned_better: int
    prompting_better: int
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


class RemovedEndpoints(Record):
    """What becomes of a run's endpoints; every key is an endpoint.

    `given_up` says when it was decided that nothing will serve from it, `gone` lists those that
    are removed, and `promised` says when somebody began to promote the model behind it: what is
    promised is not given up, and what is given up is not promised.
    """

    given_up: dict[str, datetime] = {}
    gone: tuple[str, ...] = ()
    promised: dict[str, datetime] = {}


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
    by a version that did not calibrate.
    """

    task_name: str
    candidate: Candidate
    task: Task
    dataset: str
    run: str
    at: datetime
    calibration: Calibration | None = None
    history: tuple[Promotion, ...] = ()


class Alternative(Record):
    """What some samples said and the answer does not: a label, or another value of a `field`.

    `answer` is a text of at most 300 characters, lists as JSON; None says that the text does not
    give the field. `share` is of all samples.
    """

    answer: str | None
    share: float
    field: str = ""


class Provenance(Record):
    """Where an answer comes from.

    `characters` is how many of the text the model was given, in so many `parts`. `seconds` is how
    long the model took, one part after the other, and `usd` what its tokens cost in US dollars by
    the prices in shared/models.yaml, None for a model without one; both are of the requests that
    this answer came from. `notes` says what was left out of the document, or mended, when it was
    read.
    """

    document: str
    generation: int
    champion: str
    model: str
    model_version: str
    dataset: str
    prompt_hash: str
    samples: int
    temperature: float
    prompt_tokens: int
    answer_tokens: int
    seconds: float = 0.0
    usd: float | None = None
    characters: int
    parts: int = 1
    reader: str
    notes: tuple[str, ...] = ()


class ResultRecord(Record):
    """The answer to a document.

    A file of many documents is `divided`: each of its `rows` has a result of its own, with its
    number as `row`, whose `document` is the file's name, a slash and that number.

    `confidence` is what the share of samples that agree (`agreement`) is worth by the champion's
    calibration: the share of such answers that were right. Where that calibration does not hold it
    is the agreement itself, `calibrated` is false, and `calibration_note` says why.
    `field_confidences` are agreements in any case: a calibration is about whole answers.

    `provisional` marks an answer that was given before there was a champion, whose answer will
    replace it; of a file of many documents it marks that its rows were answered so.

    `alternatives` are the runners-up, at most three. `tally` says how often each answer was given;
    what is longer than 300 characters is shortened in both.
    """

    document: str
    task_name: str
    status: Literal["accepted", "review", "rejected", "waiting", "divided"]
    provisional: bool = False
    answer: str | list[str] | dict[str, FieldValue] | None = None
    confidence: float | None = None
    agreement: float | None = None
    calibrated: bool = False
    calibration_note: str = ""
    field_confidences: dict[str, float] = {}
    alternatives: tuple[Alternative, ...] = ()
    tally: dict[str, int] = {}
    reason: str = ""
    remedy: str = ""
    row: int | None = None
    rows: int | None = None
    generation: int
    provenance: Provenance | None = None
    at: datetime


class RejectionRecord(Record):
    """A bad input, and why."""

    function: str
    subject: str
    generation: int = 0
    reason: str
    remedy: str
    at: datetime


class WatchRecord(Record):
    """What the watcher does once a day, and the last day on which it was done."""

    champions_seen: date


class OpenMarker(Record):
    """A sign that some work is not finished; deleted when it is.

    `revived` counts how often its event was published again, each time after twice the wait.
    """

    kind: Literal["dataset", "run", "document", "endpoints"]
    task_name: str
    id: str
    since: datetime
    revived: int = 0
    event: dict[str, str] = {}
