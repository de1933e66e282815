"""What a model is asked and what it says, as plain JSON: online or in a line of a batch.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
"""

from collections.abc import Mapping
from typing import Any

from shared.ports import Reply, Sampling
from shared.prompts import Prompt

MAX_ANSWER_TOKENS = 8192
"""The longest answer of a model, thoughts included."""


def write_request(prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
    """Write a GenerateContentRequest.

    Args:
        prompt: What to ask.
        sampling: How many answers, and how freely they are sampled.
    """
    config: dict[str, Any] = {
        "candidateCount": sampling.samples,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "maxOutputTokens": MAX_ANSWER_TOKENS,
        # Thoughts are billed, count against the limit above, and an answer is a label or a small
        # object; for tuned models Google advises the least as well. All candidates are alike.
        "thinkingConfig": {"thinkingLevel": "MINIMAL"},
    }
    if prompt.schema is not None:
        config |= {"responseMimeType": prompt.media_type, "responseSchema": prompt.schema}
    contents = [{"role": role, "parts": [{"text": text}]} for role, text in prompt.turns]
    if prompt.file:
        file = {"fileUri": prompt.file.uri, "mimeType": prompt.file.media_type}
        contents[-1] = {"role": prompt.turns[-1][0], "parts": [{"fileData": file}]}
    return {
        "contents": contents,
        "systemInstruction": {"role": "user", "parts": [{"text": prompt.system}]},
        "generationConfig": config,
    }


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
