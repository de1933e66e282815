"""What a model's response says, as plain JSON: online or in a line of a batch."""

from collections.abc import Mapping
from typing import Any

from shared.ports import Reply


def read_response(said: Mapping[str, Any], samples: int, seconds: float = 0.0) -> Reply | None:
    """Read a GenerateContentResponse.

    Args:
        said: The response.
        samples: How many answers were asked for; more are left out.
        seconds: How long the request took.

    Returns:
        The reply; None when the response holds no answer.
    """
    texts = [_text(candidate) for candidate in said.get("candidates", ())][:samples]
    if not texts:
        return None
    usage = said.get("usageMetadata", {})
    return Reply(
        tuple(texts),
        usage.get("promptTokenCount", 0),
        # Thoughts are billed like answers.
        usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0),
        said.get("modelVersion", ""),
        round(seconds, 3),
    )


def _text(candidate: Mapping[str, Any]) -> str:
    """Join the text parts of one candidate; thoughts are left out."""
    parts = candidate.get("content", {}).get("parts", ())
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))
