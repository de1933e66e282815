"""Plans a sweep and prices it.

For 500 to 1,000 training examples, "recommended" is Google's list of five configurations:
https://cloud.google.com/vertex-ai/generative-ai/docs/models/tune-gemini-learn
No list is published for fewer or more examples; the two here are this project's own, and PLANS
says what they rest on. The reason travels with the run, to its report.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from shared.errors import Rejected
from shared.models import BaseModelSpec
from shared.task import Configuration, Grid, Sweep
from shared.validation import explain

MAX_CONFIGURATIONS = 20
ESTIMATE_ERROR = 0.25
"""Tokens are estimated without the model's tokenizer, and are off by up to this share."""


def _configurations(*values: tuple[int, float, int]) -> tuple[Configuration, ...]:
    """Make configurations out of (epochs, learning-rate multiplier, adapter size)."""
    return tuple(
        Configuration.model_validate(dict(zip(Configuration.model_fields, each, strict=True)))
        for each in values
    )


SINGLE = Configuration(epoch_count=4, learning_rate_multiplier=1, adapter_size=1)
RECOMMENDED = _configurations((2, 1, 1), (4, 1, 1), (6, 1, 4), (12, 4, 4), (12, 4, 1))
FEW = _configurations((4, 1, 1), (12, 4, 1), (20, 1, 1))
MANY = _configurations((4, 1, 1), (1, 1, 4), (2, 1, 4), (4, 1, 8), (2, 1, 16), (4, 1, 16))
FEW_BELOW = 500
MANY_ABOVE = 1000


@dataclass(frozen=True)
class Plan:
    """What is tuned.

    Attributes:
        configurations: The configurations, each once.
        note: Why these.
    """

    configurations: tuple[Configuration, ...]
    note: str


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to cost.

    Attributes:
        usd: US dollars.
        low: The least that is likely.
        high: The most that is likely; this is what budgets are held against.
        note: How it was reckoned.
    """

    usd: float
    low: float
    high: float
    note: str


def plan_sweep(sweep: Sweep, model: BaseModelSpec, examples: int) -> Plan:
    """Decide on a sweep's configurations.

    Args:
        sweep: What the task or the request wants.
        model: The base model.
        examples: How many training examples there are.

    Raises:
        Rejected: There are too many configurations, or the base model does not take one of them.
    """
    if sweep == "recommended":
        plan = _recommend(examples)
    elif sweep == "single":
        plan = Plan((SINGLE,), "one configuration, as the sweep is `single`")
    elif isinstance(sweep, Grid):
        found = tuple(dict.fromkeys(_combine(sweep)))
        plan = Plan(found, f"a grid of {len(found)} configurations")
    else:
        found = tuple(dict.fromkeys(sweep))
        plan = Plan(found, f"a list of {len(found)} configurations")
    _check(plan.configurations, model)
    return plan


def _recommend(examples: int) -> Plan:
    """Choose by the number of training examples."""
    if examples < FEW_BELOW:
        return Plan(
            FEW,
            f"{examples:,} training examples, fewer than {FEW_BELOW}: three configurations, as a "
            "small validation split cannot tell more apart; up to 20 epochs, as few examples have "
            "to be seen more often; adapter size 1, as a larger adapter learns them by heart",
        )
    if examples <= MANY_ABOVE:
        return Plan(
            RECOMMENDED,
            f"{examples:,} training examples: Google's five configurations for {FEW_BELOW} to "
            f"{MANY_ABOVE:,}",
        )
    return Plan(
        MANY,
        f"{examples:,} training examples, more than {MANY_ABOVE:,}: at most 4 epochs, as an epoch "
        "holds more to learn from and costs more; adapter sizes up to 16, as there is enough to "
        "fill them; six configurations, as validation is large enough to tell them apart",
    )


def _combine(grid: Grid) -> list[Configuration]:
    """Combine the values of a grid. Raises Rejected."""
    values = {key: tuple(dict.fromkeys(each)) for key, each in dict(grid).items()}
    _refuse_too_many(math.prod(len(each) for each in values.values()))
    return [
        _configuration(dict(zip(values, combination, strict=True)))
        for combination in itertools.product(*values.values())
    ]


def _configuration(values: Mapping[str, float]) -> Configuration:
    """Make one configuration of a grid. Raises Rejected."""
    try:
        return Configuration.model_validate(values)
    except ValidationError as error:
        written = ", ".join(f"{key} {value:g}" for key, value in values.items())
        raise Rejected(
            f"The sweep's grid holds {written}: {explain(error, Configuration)}.",
            "See tuning.sweep in docs/task.md.",
        ) from None


def _check(plan: Sequence[Configuration], model: BaseModelSpec) -> None:
    """Hold a plan against what the model takes. Raises Rejected."""
    _refuse_too_many(len(plan))
    for configuration in plan:
        if configuration.adapter_size not in model.adapter_sizes:
            sizes = ", ".join(map(str, model.adapter_sizes))
            raise Rejected(
                f"The base model does not take the adapter size {configuration.adapter_size}.",
                f"Use one of {sizes}.",
            )
        if configuration.epoch_count > model.max_epochs:
            raise Rejected(
                f"The base model does not take {configuration.epoch_count} epochs.",
                f"Use at most {model.max_epochs}.",
            )


def _refuse_too_many(configurations: int) -> None:
    if configurations > MAX_CONFIGURATIONS:
        raise Rejected(
            f"The sweep has {configurations} configurations; at most {MAX_CONFIGURATIONS} are run.",
            "Each is a tuning job that costs money: leave some values out.",
        )


def estimate_price(
    training_tokens: int, plan: Sequence[Configuration], model: BaseModelSpec
) -> Estimate:
    """Price a plan: the dataset's tokens, times epochs, for every configuration.

    Args:
        training_tokens: Tokens of the training lines, once.
        plan: The configurations.
        model: The base model, with its price a million tokens.
    """
    epochs = sum(configuration.epoch_count for configuration in plan)
    usd = training_tokens * epochs * model.training_price / 1_000_000
    note = (
        f"{training_tokens:,} tokens (±{ESTIMATE_ERROR * 100:.0f} %) x {epochs} epochs "
        f"at ${model.training_price:g} a million; {model.price_note}"
    )
    low, high = usd * (1 - ESTIMATE_ERROR), usd * (1 + ESTIMATE_ERROR)
    return Estimate(round(usd, 4), round(low, 4), round(high, 4), note)
