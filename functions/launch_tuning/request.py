"""What may be published on tuning-requested: a request to tune, an approval, or a cancellation."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared import paths
from shared.errors import Rejected
from shared.events import Event, Message
from shared.task import Configurations, Grid, Tuning
from shared.validation import explain

REMEDY = 'The least that is needed is {"task": "…"}; see docs/messages.md.'


class _Request(BaseModel):
    """What all three share."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    task: str = Field(description="The task's name.")


class TuningRequested(_Request):
    """Asks for tuning. `{"task": "…"}` is enough; the rest overrides task.yaml."""

    dataset: str | None = Field(None, description="The dataset's id; left out, the latest one.")
    base_model: str | None = Field(None, description="The model to tune.")
    sweep: str | Configurations | Grid | None = Field(
        None,
        description="recommended, single, a list of configurations, or a grid: lists of values to "
        "combine.",
    )
    checkpoints: Literal["last", "all"] | None = Field(
        None, description="Whether a job keeps its final model, or one for every epoch."
    )
    budget_usd: float | None = Field(None, gt=0, description="What the run may cost.")
    dry_run: bool = Field(
        default=False,
        description="Only plan and price: the fact run-estimated is published, and nothing is "
        "recorded, reserved or started.",
    )
    lineage: str = Field(
        "", max_length=500, description="What the run replaces; watch_jobs sets it."
    )


class Approval(_Request):
    """Lets a run start that waits for a person. Only `task` stands beside it."""

    approve: str = Field(min_length=1, description="The waiting run's id.")


class Cancellation(_Request):
    """Stops a run that is open or waits for a person. Only `task` stands beside it."""

    cancel: str = Field(min_length=1, description="The run's id.")


Request = TuningRequested | Approval | Cancellation
_ALONE: dict[str, type[Approval | Cancellation]] = {"approve": Approval, "cancel": Cancellation}


def parse_request(event: Event) -> Request:
    """Read a message; a wrong field is named. Raises Rejected."""
    if not isinstance(event, Message):
        raise Rejected("The event is not a message on tuning-requested.")
    kind = _kind_of(event.data)
    try:
        request = kind.model_validate(event.data)
        if isinstance(request, TuningRequested) and isinstance(request.sweep, str):
            Tuning.model_validate({"sweep": request.sweep})
    except ValidationError as error:
        raise Rejected(f"The tuning request is wrong: {explain(error, kind)}.", REMEDY) from None
    paths.check_task_name(request.task)
    return request


def _kind_of(data: Mapping[str, object]) -> type[Request]:
    """Tell the three apart by their keys. Raises Rejected."""
    for key, kind in _ALONE.items():
        if key in data:
            beside = sorted(set(data) - {"task", key})
            if beside:
                raise Rejected(
                    f"The tuning request is wrong: {key} stands alone with task, but "
                    f"{', '.join(name[:60] for name in beside[:5])} stands beside it.",
                    "Publish two messages.",
                )
            return kind
    return TuningRequested
