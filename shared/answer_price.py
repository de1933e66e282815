"""What answers cost, by the prices in models.yaml."""

from collections.abc import Sequence

from shared.models import base_models
from shared.ports import Reply


def answer_usd(base_model: str, prompt_tokens: int, answer_tokens: int) -> float | None:
    """Return the price of reading and writing so many tokens, in US dollars.

    Args:
        base_model: The model that answered, or that the tuned model was tuned from: both are
            billed alike.
        prompt_tokens: Tokens read in all.
        answer_tokens: Tokens written in all.

    Returns:
        The price; None when the model has none in shared/models.yaml.
    """
    model = base_models().get(base_model)
    if model is None:
        return None
    millionths = prompt_tokens * model.input_price + answer_tokens * model.output_price
    return millionths / 1_000_000


def replies_usd(base_model: str, replies: Sequence[Reply]) -> float | None:
    """Return the price of replies, those out of a batch at the price of batches.

    Args:
        base_model: The model that answered, or that the tuned model was tuned from.
        replies: What it said.

    Returns:
        The price in US dollars; None when the model has none in shared/models.yaml.
    """
    model = base_models().get(base_model)
    if model is None:
        return None
    usd = 0.0
    for reply in replies:
        share = model.batch_price_share if reply.batched else 1.0
        usd += share * (answer_usd(base_model, reply.prompt_tokens, reply.answer_tokens) or 0.0)
    return usd
