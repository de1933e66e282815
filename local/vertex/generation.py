"""Answers generateContent and countTokens requests with what the models know."""

import hashlib
import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from google.cloud import aiplatform_v1
from google.protobuf import json_format

from local.vertex.answers import Knowledge, Sampling, write_answer
from local.vertex.base_models import BASE_MODELS
from local.vertex.prompted import CANNOT, know_question, reasoning
from local.vertex.questions import Choice, Question, read_question
from local.vertex.ratings import know_rating, read_rating_question
from local.vertex.tokens import count_tokens
from local.vertex.tuned import TunedModel
from local.vertex.wire import ApiError, invalid

_MOST_CANDIDATES = 8
_HIGHEST_TEMPERATURE = 2.0
_HIGHEST_TOP_K = 64
_DEFAULT_TEMPERATURE = 1.0
_MEDIA_TYPES = ("", "text/plain", "application/json", "text/x.enum")


def check_request(request: aiplatform_v1.GenerateContentRequest) -> None:
    """Refuse what the service refuses.

    Args:
        request: The request.

    Raises:
        ApiError: A value is out of range or asks for what the stand-in does not have.
    """
    _check_ranges(request.generation_config)
    config = request.generation_config
    plain = aiplatform_v1.GenerationConfig.pb(config)
    if config.response_mime_type not in _MEDIA_TYPES:
        raise invalid(f"responseMimeType {config.response_mime_type!r} is not supported.")
    if plain.HasField("response_schema") and config.response_mime_type in ("", "text/plain"):
        raise invalid("responseSchema needs responseMimeType application/json or text/x.enum.")
    if config.response_logprobs or plain.HasField("logprobs"):
        raise invalid("Logprobs are not supported for this model.")
    if request.tools or request.cached_content:
        raise invalid("The local stand-in has no tools and no cached content.")
    check_contents(request.contents)
    if request.contents[-1].role not in ("", "user"):
        raise invalid("The last content must have the role user.")


def _check_ranges(config: aiplatform_v1.GenerationConfig) -> None:
    plain = aiplatform_v1.GenerationConfig.pb(config)
    if plain.HasField("candidate_count") and not 1 <= config.candidate_count <= _MOST_CANDIDATES:
        raise invalid(
            f"Unable to submit request because it has a candidateCount value of "
            f"{config.candidate_count} but the supported range is from 1 (inclusive) to 9 "
            "(exclusive)."
        )
    if plain.HasField("temperature") and not 0 <= config.temperature <= _HIGHEST_TEMPERATURE:
        raise invalid(
            f"Unable to submit request because it has a temperature value of "
            f"{config.temperature:g} but the supported range is from 0 (inclusive) to 2.0 "
            "(inclusive)."
        )
    if plain.HasField("top_p") and not 0 <= config.top_p <= 1:
        raise invalid(f"topP is {config.top_p:g} but must be from 0 to 1.")
    if plain.HasField("top_k") and not 1 <= config.top_k <= _HIGHEST_TOP_K:
        raise invalid(f"topK is {config.top_k:g} but must be from 1 to {_HIGHEST_TOP_K}.")
    if plain.HasField("max_output_tokens") and config.max_output_tokens < 1:
        raise invalid(f"maxOutputTokens is {config.max_output_tokens} but must be at least 1.")


def check_contents(contents: Sequence[aiplatform_v1.Content]) -> None:
    """Refuse contents without text.

    Args:
        contents: A request's contents.

    Raises:
        ApiError: They are empty, or a part is not text, or a role is unknown.
    """
    if not contents:
        raise invalid("Unable to submit request because at least one contents field is required.")
    for content in contents:
        if content.role not in ("", "user", "model"):
            raise invalid("Please use a valid role: user, model.")
        if not content.parts:
            raise invalid("Unable to submit request because it must include at least one part.")
        for part in content.parts:
            if part._pb.WhichOneof("data") != "text":  # noqa: SLF001 - proto-plus has no public way
                raise invalid("The local stand-in reads text parts only.")
    if not any(part.text for part in contents[-1].parts):
        raise invalid("Unable to submit request because it must have a text parameter.")


def generate(
    request: aiplatform_v1.GenerateContentRequest,
    model_name: str,
    tuned: TunedModel | None,
    checkpoint: int = -1,
) -> aiplatform_v1.GenerateContentResponse:
    """Answer a request.

    Args:
        request: A request that `check_request` let pass.
        model_name: What the model version says after "local-stand-in/".
        tuned: The tuned model, or None for the base model.
        checkpoint: Which epoch of the tuned model answers; the last by default.

    Returns:
        The response, with as many candidates as were asked for.
    """
    config = request.generation_config
    plain = aiplatform_v1.GenerationConfig.pb(config)
    base = BASE_MODELS.get(model_name)
    if tuned is None and base and not base.several_candidates and config.candidate_count > 1:
        raise invalid("Multiple candidates is not enabled for this model.")
    instruction = _text_of(request.system_instruction)
    turns = [(content.role or "user", _text_of(content)) for content in request.contents]
    question = read_question(
        "" if tuned else instruction, turns, _schema(config), config.response_mime_type
    )
    knowledge = _know(question, instruction, tuned, checkpoint)
    sampling = Sampling(
        temperature=config.temperature if plain.HasField("temperature") else _DEFAULT_TEMPERATURE,
        top_k=int(config.top_k),
        top_p=config.top_p if plain.HasField("top_p") else 1.0,
    )
    generator = random.Random(_seed(request) if plain.HasField("seed") else None)
    limit = config.max_output_tokens if plain.HasField("max_output_tokens") else None
    written = [
        _cut(_write(question, knowledge, sampling, generator), limit)
        for _ in range(config.candidate_count if plain.HasField("candidate_count") else 1)
    ]
    prompt_tokens = count_tokens(instruction) + sum(count_tokens(text) for _, text in turns)
    answer_tokens = sum(count_tokens(text) for text, _ in written)
    return aiplatform_v1.GenerateContentResponse(
        candidates=[
            aiplatform_v1.Candidate(
                index=index,
                content=aiplatform_v1.Content(role="model", parts=[aiplatform_v1.Part(text=text)]),
                finish_reason=(
                    aiplatform_v1.Candidate.FinishReason.MAX_TOKENS
                    if is_cut
                    else aiplatform_v1.Candidate.FinishReason.STOP
                ),
            )
            for index, (text, is_cut) in enumerate(written)
        ],
        usage_metadata=aiplatform_v1.GenerateContentResponse.UsageMetadata(
            prompt_token_count=prompt_tokens,
            candidates_token_count=answer_tokens,
            total_token_count=prompt_tokens + answer_tokens,
        ),
        model_version=f"local-stand-in/{model_name}",
        create_time=datetime.now(UTC),
        response_id=uuid.uuid4().hex,
    )


def _know(
    question: Question, instruction: str, tuned: TunedModel | None, checkpoint: int
) -> Knowledge | None:
    """Find out about a question's text; of an answer that is to be rated, how likely it is."""

    def know(labels: tuple[Choice, ...]) -> Knowledge | None:
        if tuned is not None:
            return tuned.know(question.text, checkpoint)
        return know_question(replace(question, choices=labels or question.choices))

    rating = read_rating_question(instruction)
    return know_rating(rating, know) if rating else know(())


def count(request: aiplatform_v1.CountTokensRequest) -> aiplatform_v1.CountTokensResponse:
    """Count the tokens of a request, estimated by script.

    Args:
        request: The request; its contents must hold text.

    Returns:
        Tokens and characters that are not white space.
    """
    check_contents(request.contents)
    texts = [_text_of(request.system_instruction), *map(_text_of, request.contents)]
    return aiplatform_v1.CountTokensResponse(
        total_tokens=sum(count_tokens(text) for text in texts),
        total_billable_characters=sum(len("".join(text.split())) for text in texts),
    )


def _write(
    question: Question,
    knowledge: Knowledge | None,
    sampling: Sampling,
    generator: random.Random,
) -> str:
    if knowledge is None:
        return json.dumps(CANNOT) if question.form == "json" else CANNOT
    answer = knowledge.draw(sampling, generator)
    if question.reasoned:
        return reasoning(knowledge, answer)
    if question.form == "json" and isinstance(answer, str):
        return json.dumps(answer, ensure_ascii=False)
    return write_answer(answer)


def _cut(text: str, limit: int | None) -> tuple[str, bool]:
    """Cut an answer at a number of tokens, and say whether that was needed."""
    if limit is None:
        return text, False
    whole = count_tokens(text)
    if whole <= limit:
        return text, False
    return text[: max(1, len(text) * limit // whole)], True


def _text_of(content: aiplatform_v1.Content) -> str:
    return "".join(part.text for part in content.parts)


def _schema(config: aiplatform_v1.GenerationConfig) -> dict[str, Any] | None:
    plain = aiplatform_v1.GenerationConfig.pb(config)
    if plain.HasField("response_schema"):
        found: dict[str, Any] = json_format.MessageToDict(plain.response_schema)
        return found
    if plain.HasField("response_json_schema"):
        value = json_format.MessageToDict(plain.response_json_schema)
        if not isinstance(value, dict):
            raise invalid("responseJsonSchema must be an object.")
        return value
    return None


def _seed(request: aiplatform_v1.GenerateContentRequest) -> int:
    """Derive chance from the whole request, its seed included."""
    content = type(request).pb(request).SerializeToString(deterministic=True)
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big")


def exact_match(
    request: aiplatform_v1.EvaluateInstancesRequest,
) -> aiplatform_v1.EvaluateInstancesResponse:
    """Evaluate instances by exact match, the one metric the stand-in has.

    Args:
        request: The request.

    Returns:
        A score of 1 or 0 for each instance.

    Raises:
        ApiError: Another metric is asked for, or there are no instances.
    """
    asked = type(request).pb(request).WhichOneof("metric_inputs")
    if asked != "exact_match_input":
        raise ApiError(
            "INVALID_ARGUMENT",
            f"UNIMPLEMENTED: the local stand-in evaluates exact_match_input only, not {asked}.",
        )
    instances = request.exact_match_input.instances
    if not instances:
        raise invalid("exact_match_input.instances is empty.")
    return aiplatform_v1.EvaluateInstancesResponse(
        exact_match_results=aiplatform_v1.ExactMatchResults(
            exact_match_metric_values=[
                aiplatform_v1.ExactMatchMetricValue(
                    score=float(instance.prediction == instance.reference)
                )
                for instance in instances
            ]
        )
    )
