"""Asking through google-genai, as its documentation shows it: what the function is held against."""

from typing import Any

from shared.generate_content import MAX_ANSWER_TOKENS
from shared.ports import Sampling
from shared.prompts import Prompt
from shared.settings import Settings


def build_client(settings: Settings) -> Any:
    """Build a client of the stand-in."""
    from google import genai
    from google.genai.types import HttpOptions
    from google.oauth2.credentials import Credentials

    return genai.Client(
        vertexai=True,
        project="p",
        location="us",
        credentials=Credentials(token="local"),
        http_options=HttpOptions(base_url=settings.vertex_endpoint),
    )


def arguments(model: str, prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
    """Write what `generate_content` is given."""
    from google.genai.types import Content, FileData, GenerateContentConfig, Part, ThinkingConfig

    contents = [Content(role=role, parts=[Part(text=text)]) for role, text in prompt.turns]
    if prompt.file:
        file = FileData(file_uri=prompt.file.uri, mime_type=prompt.file.media_type)
        contents[-1] = Content(role=contents[-1].role, parts=[Part(file_data=file)])
    config = GenerateContentConfig(
        system_instruction=prompt.system,
        candidate_count=sampling.samples,
        temperature=sampling.temperature,
        seed=sampling.seed,
        max_output_tokens=MAX_ANSWER_TOKENS,
        thinking_config=ThinkingConfig(thinking_level="MINIMAL"),
        response_mime_type=prompt.media_type if prompt.schema else None,
        response_schema=prompt.schema,
    )
    return {"model": model, "contents": contents, "config": config}
