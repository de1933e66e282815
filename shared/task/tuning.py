"""The part of task.yaml about tuning."""

from typing import Annotated, Literal

from pydantic import Field

from shared.task.part import Part

AdapterSize = Literal[1, 2, 4, 8, 16]


class Configuration(Part):
    """One choice of hyperparameters, in Vertex AI's names."""

    epoch_count: int = Field(4, ge=1, le=100, description="Passes over the training data.")
    learning_rate_multiplier: float = Field(
        1.0, gt=0, le=10, description="Factor on the recommended learning rate."
    )
    adapter_size: AdapterSize = Field(1, description="Rank of the adapter: 1, 2, 4, 8 or 16.")


Configurations = Annotated[tuple[Configuration, ...], Field(min_length=1)]


class Grid(Part):
    """Values to combine: every combination is a configuration."""

    epoch_count: tuple[int, ...] = Field((4,), min_length=1, description="Epochs to try.")
    learning_rate_multiplier: tuple[float, ...] = Field(
        (1.0,), min_length=1, description="Learning-rate multipliers to try."
    )
    adapter_size: tuple[AdapterSize, ...] = Field(
        (1,), min_length=1, description="Adapter sizes to try."
    )


Sweep = Literal["recommended", "single"] | Configurations | Grid


class Tuning(Part):
    """When and how to tune."""

    when: Literal["prompting_misses_target", "always", "never"] = Field(
        "prompting_misses_target",
        description="When a converted dataset leads to tuning without anybody asking.",
    )
    base_model: str = Field("gemini-3.5-flash-lite", description="The model that is tuned.")
    sweep: Sweep = Field(
        "recommended",
        description="recommended (Google's five configurations, fewer for small and others for "
        "large datasets), single (4 epochs, multiplier 1, adapter size 1), a list of "
        "configurations, or a grid: lists of values to combine.",
    )
    checkpoints: Literal["last", "all"] = Field(
        "last",
        description="last keeps a job's final model; all keeps one for every epoch, each a "
        "candidate, so that one long job stands for several epoch counts.",
    )
    budget_usd: float = Field(
        50.0, gt=0, description="A run that is estimated to cost more than this is refused."
    )
    budget_usd_per_month: float | None = Field(
        None, gt=0, description="What this task's tuning may cost in a calendar month (UTC)."
    )
    over_budget: Literal["refuse", "ask"] = Field(
        "refuse",
        description="What becomes of a run over one of the task's budgets: it is refused, or it "
        "waits until a person approves it by message.",
    )
    keep_endpoints: Literal["champion_and_last", "all"] = Field(
        "champion_and_last",
        description="Which tuned models keep their endpoints after a verdict; the others' are "
        "removed, the champion's never.",
    )
    retune_before_retirement: bool = Field(
        default=False,
        description="Whether the champion is tuned again on a newer base model, in time before "
        "its own retires.",
    )
    max_concurrent_jobs: int = Field(
        1, ge=1, le=20, description="How many jobs of this task may run at the same time."
    )
