"""The parts of task.yaml about candidates: which prompts, how measured, what is good enough."""

from typing import Literal

from pydantic import Field

from shared.task.part import Part

Metric = Literal["exact_match", "macro_f1", "field_f1"]
Strategy = Literal["zero-shot", "few-shot", "nearest-examples", "chain-of-thought"]


class Target(Part):
    """What is good enough."""

    metric: Metric | None = Field(
        None,
        description="exact_match (default for labels), macro_f1, or field_f1 (default for fields).",
    )
    value: float = Field(
        0.9, ge=0, le=1, description="Prompting that reaches this is kept, without tuning."
    )


class Prompting(Part):
    """The prompting candidates, measured first because they may be enough."""

    strategies: tuple[Strategy, ...] = Field(
        ("zero-shot", "few-shot", "nearest-examples"),
        min_length=1,
        description="The strategies to measure: zero-shot (the instruction alone), few-shot (the "
        "same examples for every text), nearest-examples (for each text those of up to 2,000 "
        "training examples that resemble it most) and chain-of-thought (reasons, then the answer). "
        "The last one is left out unless it is named, as it writes many times the tokens; "
        "nearest-examples costs what few-shot does, and a tuned model has to beat it.",
    )
    examples: int = Field(
        12, ge=1, le=100, description="How many training examples such a prompt holds."
    )


class Evaluation(Part):
    """How candidates are measured."""

    max_rows: int = Field(
        300,
        ge=10,
        le=5000,
        description="At most this many rows of a split are asked. Of more, a sample is taken in "
        "which each label has its share, the same one for every candidate.",
    )
    batch_above: int | None = Field(
        2000,
        ge=1,
        description="With more rows than this, a candidate is measured through Vertex AI's batch "
        "prediction: at half the price, but it can take a day. Null for never.",
    )
    significance: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="A difference with a p-value above this is not taken for real.",
    )
    min_gain: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="A tuned model has to be ahead of the best prompt by this much of the metric, "
        "0.02 for two points; with less, the prompt is kept.",
    )
    promote: Literal["automatically", "when_target_met", "by_hand"] = Field(
        "automatically",
        description="Whether the verdict's winner becomes the champion by itself: always, only if "
        "it reaches the target on test, or never.",
    )
