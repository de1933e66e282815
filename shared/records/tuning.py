"""Records of tuning: runs, their jobs, the money they may spend, and their endpoints."""

from datetime import datetime
from typing import Literal

from shared.records.base import Record
from shared.task import Configuration

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


class RemovedEndpoints(Record):
    """What becomes of a run's endpoints; every key is an endpoint.

    `given_up` says when it was decided that nothing will serve from it, `gone` lists those that
    are removed, and `promised` says when somebody began to promote the model behind it: what is
    promised is not given up, and what is given up is not promised.
    """

    given_up: dict[str, datetime] = {}
    gone: tuple[str, ...] = ()
    promised: dict[str, datetime] = {}
