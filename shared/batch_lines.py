"""The lines of a batch: a request each, and what the service answers to it.

A line is the very request that would be made online. The service answers in any order, with the
request beside the response: by that request, and nothing that is added to it, is an answer matched.

Source:
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-from-cloud-storage
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.generate_content import read_response, write_request
from shared.paths import content_id
from shared.ports import Reply, Sampling
from shared.prompts import Prompt


def line_key(prompt: Prompt, seed: int) -> str:
    """Name a request by what is asked and its seed; samples of one request share it."""
    return _key(prompt.system, [list(turn) for turn in prompt.turns], seed)


def request_line(prompt: Prompt, sampling: Sampling) -> bytes:
    """Write a request as a line of JSON, without the line's end.

    Args:
        prompt: What to ask; a prompt with a file is not asked in a batch.
        sampling: How many answers, and how freely they are sampled.
    """
    request = write_request(prompt, sampling)
    return json.dumps({"request": request}, ensure_ascii=False).encode()


def read_line(line: bytes) -> tuple[str, Reply | None]:
    """Read a line of the service's.

    Returns:
        (The request's key, the reply). The reply is None when the service gave no answer, or fewer
        than it was asked for.

    Raises:
        ValueError: It is no such line.
    """
    try:
        said = json.loads(line)
        request, response = said["request"], said.get("response") or {}
        config = _either(request, "generationConfig", "generation_config", {})
        instruction = _either(request, "systemInstruction", "system_instruction", {})
        turns = [[turn.get("role") or "user", _words(turn)] for turn in request["contents"]]
        key = _key(_words(instruction), turns, int(config.get("seed", 0)))
        samples = int(_either(config, "candidateCount", "candidate_count", 1))
        reply = None if said.get("status") else read_response(response, samples)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a line of predictions: {type(error).__name__}") from None
    if reply is None or len(reply.texts) < samples:
        return key, None
    return key, replace(reply, batched=True)


def _key(system: str, turns: Sequence[Sequence[str]], seed: int) -> str:
    # Two halves, as one of twelve digits would be the same for two in some millions of lines.
    return content_id(system, turns, seed) + content_id(seed, turns, system)


def _either(values: Mapping[str, Any], name: str, other: str, default: Any) -> Any:
    """Return a value that may have either of two names."""
    return values.get(name, values.get(other, default))


def _words(content: Mapping[str, Any]) -> str:
    return "".join(part.get("text", "") for part in content.get("parts", ()))
