"""What tuning on a dataset would cost, and why it may not come to that."""

from pydantic import BaseModel, ConfigDict

from functions.convert_dataset.remedies import with_whole_task
from shared.examples import ENOUGH_FOR_TUNING
from shared.models import find_base_model
from shared.records import DatasetRecord
from shared.sweep import estimate_price, plan_sweep

ESTIMATE_ERROR = "±25 %"


class Price(BaseModel):
    """What the planned sweep would cost, and why none of it will be spent without anybody asking.

    `why_not` is a sentence without a full stop; empty when it may be spent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_model: str
    configurations: int
    training_tokens: int
    error: str
    usd: float
    high: float
    note: str
    why_not: str = ""


def price_of(record: DatasetRecord, location: str, *, inferred: bool) -> Price:
    """Price the sweep that the task plans.

    Args:
        record: The dataset.
        location: Where it would be tuned.
        inferred: Whether there is no task.yaml.
    """
    tuning = record.task.tuning
    model = find_base_model(tuning.base_model, location)
    plan = plan_sweep(tuning.sweep, model, record.counts["train"]).configurations
    estimate = estimate_price(record.training_tokens, plan, model)
    return Price(
        base_model=tuning.base_model,
        configurations=len(plan),
        training_tokens=record.training_tokens,
        error=ESTIMATE_ERROR,
        usd=estimate.usd,
        high=estimate.high,
        note=estimate.note,
        why_not=_why_not_tuned(record, inferred=inferred),
    )


def _why_not_tuned(record: DatasetRecord, *, inferred: bool) -> str:
    """Say why this dataset will not be tuned on by itself, whatever prompting reaches."""
    when, train = record.task.tuning.when, record.counts["train"]
    if when == "never":
        return "task.yaml says never to tune, so nothing of it will be spent"
    if when == "always" or train >= ENOUGH_FOR_TUNING:
        return ""
    why = (
        f"with {train} training examples, fewer than {ENOUGH_FOR_TUNING}, it will not tune by "
        "itself; `tuning: {when: always}` in task.yaml has it tune"
    )
    return with_whole_task(why, record.task) if inferred else why
