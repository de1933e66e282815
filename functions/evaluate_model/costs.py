"""What asking a candidate costs, in seconds and in money, out of what was measured."""

import math
from collections.abc import Sequence

from shared.answer_price import answer_usd

DIGITS = 6


def percentile(seconds: Sequence[float], percent: float) -> float | None:
    """Return the smallest value that so many percent do not exceed (nearest rank); None of none."""
    if not seconds:
        return None
    rank = max(math.ceil(percent / 100 * len(seconds)), 1)
    return sorted(seconds)[rank - 1]


def usd_per_thousand(
    base_model: str, rows: int, prompt_tokens: int, answer_tokens: int
) -> float | None:
    """Return the price of a thousand documents such as these, in US dollars.

    Args:
        base_model: The model that answered, or that the tuned model was tuned from: both are
            billed alike.
        rows: How many rows were asked.
        prompt_tokens: Tokens read in all.
        answer_tokens: Tokens written in all.

    Returns:
        The price; None when the model has none in shared/models.yaml.
    """
    price = answer_usd(base_model, prompt_tokens, answer_tokens)
    return None if price is None else round(price / rows * 1000, DIGITS)
