"""Plans a sweep and prices it.

The five configurations are Google's recommendation for 500 to 1000 examples:
https://cloud.google.com/vertex-ai/generative-ai/docs/models/tune-gemini-learn
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import Rejected
from shared.models import BaseModelSpec
from shared.task import Configuration

SINGLE = Configuration(epoch_count=4, learning_rate_multiplier=1, adapter_size=1)
RECOMMENDED = (
    Configuration(epoch_count=2, learning_rate_multiplier=1, adapter_size=1),
    SINGLE,
    Configuration(epoch_count=6, learning_rate_multiplier=1, adapter_size=4),
    Configuration(epoch_count=12, learning_rate_multiplier=4, adapter_size=4),
    Configuration(epoch_count=12, learning_rate_multiplier=4, adapter_size=1),
)


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to cost.

    Attributes:
        usd: US dollars.
        note: How it was reckoned.
    """

    usd: float
    note: str


def plan_sweep(sweep: str | Sequence[Configuration], model: BaseModelSpec) -> list[Configuration]:
    """List a sweep's configurations, each once.

    Raises:
        Rejected: The base model does not take one of them.
    """
    if isinstance(sweep, str):
        wanted: Sequence[Configuration] = RECOMMENDED if sweep == "recommended" else (SINGLE,)
    else:
        wanted = sweep
    for configuration in wanted:
        if configuration.adapter_size not in model.adapter_sizes:
            sizes = ", ".join(map(str, model.adapter_sizes))
            raise Rejected(
                f"The base model does not take the adapter size {configuration.adapter_size}.",
                f"Use one of {sizes}.",
            )
    return list(dict.fromkeys(wanted))


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
    tokens = training_tokens * epochs
    usd = round(tokens * model.training_price / 1_000_000, 4)
    note = (
        f"{training_tokens:,} tokens (±25 %) x {epochs} epochs "
        f"at ${model.training_price:g} a million; {model.price_note}"
    )
    return Estimate(usd, note)
