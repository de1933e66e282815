"""Gemini behind the Generator port, through google-genai.

Source: https://googleapis.github.io/python-genai/
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.batch_lines import MAX_ANSWER_TOKENS
from shared.errors import Busy, ModelGone, Rejected, Retry
from shared.ports import Needed, Reply, Sampling
from shared.prompts import Prompt
from shared.responses import read_response
from shared.rounds import Rounds
from shared.settings import Settings

if TYPE_CHECKING:
    from google import genai
    from pydantic import BaseModel

TIMEOUT_MILLISECONDS = 60_000
BAD_REQUEST = 400
NOT_FOUND = 404
NO_ROOM = (429, 503)
TRANSIENT = (408, 429, 500, 502, 503, 504)
ATTEMPTS = 5
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 16.0


class Gemini:
    """Asks base models and tuned endpoints. Clients are built late and kept, one a location.

    Args:
        settings: The deployment.
        paced: Whether the caller decides how many requests are made at a time, and what is tried
            again. Otherwise a busy moment is waited out here, and samples that need several
            requests are asked for at the same time. When paced, nothing is asked in rounds: what a
            row is answered must not depend on the rows before.
    """

    def __init__(self, settings: Settings, *, paced: bool = False) -> None:
        self._settings = settings
        self._paced = paced
        self._clients: dict[str, genai.Client] = {}
        self._lock = threading.Lock()
        self._one_at_a_time: set[str] = set()
        self._rounds: dict[tuple[str, str, int], Rounds] = {}

    def generate(
        self, model: str, prompt: Prompt, sampling: Sampling, needed: Needed | None = None
    ) -> Reply:
        """Ask a model: one request for all samples where it gives several, else one each.

        Some models refuse several candidates, others give fewer than asked: what a model does is
        seen at run time and remembered. Where it gives several, they are asked for in rounds if
        that is cheaper; where it does not, no more are asked for than it takes. `model` is
        projects/P/locations/L/endpoints/E for a tuned model and
        locations/L/publishers/google/models/M for a base model.
        """
        left = needed or (lambda texts: sampling.samples - len(texts))
        first = left(())
        rounds = self._rounds_of(model, prompt, sampling)
        in_rounds = not self._paced and rounds.pay(first, sampling.samples)
        together = sampling.samples > 1 and model not in self._one_at_a_time
        refused = False
        replies: list[Reply] = []
        texts: tuple[str, ...] = ()
        while (more := left(texts)) > 0:
            if together and not in_rounds:
                more = sampling.samples - len(texts)
            part = replace(sampling, samples=more, seed=sampling.seed + len(texts))
            try:
                reply = self._ask_for(model, prompt, part, together=together)
            except Rejected:
                if not together or more == 1:
                    raise
                # If the text is what is refused, one sample is refused as well.
                together, refused = False, True
                continue
            together = together and len(reply.texts) == more
            replies.append(reply)
            texts += reply.texts
        with self._lock:
            if refused:
                self._one_at_a_time.add(model)
            for reply in replies:
                rounds.saw_request(reply.prompt_tokens, len(reply.texts), reply.answer_tokens)
            rounds.saw_document(settled=not left(texts[:first]))
        return _joined(replies, sum(reply.seconds for reply in replies))

    def _ask_for(self, model: str, prompt: Prompt, sampling: Sampling, *, together: bool) -> Reply:
        """Ask for samples: in one request, or each by itself, with a seed of its own."""
        if together or sampling.samples == 1:
            return self._ask(model, prompt, sampling)
        each = [
            replace(sampling, samples=1, seed=sampling.seed + number)
            for number in range(sampling.samples)
        ]
        if self._paced:
            replies = [self._ask(model, prompt, one) for one in each]
            return _joined(replies, sum(reply.seconds for reply in replies))
        with ThreadPoolExecutor(len(each)) as pool:
            replies = list(pool.map(lambda one: self._ask(model, prompt, one), each))
        return _joined(replies, max(reply.seconds for reply in replies))

    def _rounds_of(self, model: str, prompt: Prompt, sampling: Sampling) -> Rounds:
        """Return what was seen of requests such as this one."""
        with self._lock:
            return self._rounds.setdefault((model, prompt.system, sampling.samples), Rounds())

    def _ask(self, model: str, prompt: Prompt, sampling: Sampling) -> Reply:
        """Make one request."""
        location, name = _split_location(model)
        client = self._client(location)
        begun = time.monotonic()
        with _translated():
            response = client.models.generate_content(
                model=name, contents=_contents(prompt), config=_config(prompt, sampling)
            )
        seconds = time.monotonic() - begun
        said: dict[str, Any] = json.loads(response.sdk_http_response.body or "{}")
        reply = read_response(said, sampling.samples, seconds)
        if reply is None:
            raise Rejected("The model gave no answer; its safety filters may have blocked it.")
        return reply

    def _client(self, location: str) -> "genai.Client":
        with self._lock:
            if location not in self._clients:
                attempts = 1 if self._paced else ATTEMPTS
                self._clients[location] = _build_client(self._settings, location, attempts)
            return self._clients[location]


def _split_location(model: str) -> tuple[str, str]:
    """Return a model's location, and the name that the client wants."""
    parts = model.split("/")
    location = parts[parts.index("locations") + 1]
    return location, model if parts[0] == "projects" else parts[-1]


def _build_client(settings: Settings, location: str, attempts: int) -> "genai.Client":
    from google import genai
    from google.genai.types import HttpOptions, HttpRetryOptions
    from google.oauth2.credentials import Credentials

    from shared.gcp.connections import Connections

    # Asking changes nothing, so a busy moment is waited out here rather than in Pub/Sub.
    retry = HttpRetryOptions(
        attempts=attempts,
        initial_delay=FIRST_DELAY_SECONDS,
        max_delay=LONGEST_DELAY_SECONDS,
        http_status_codes=list(TRANSIENT),
    )
    local = settings.vertex_endpoint
    return genai.Client(
        vertexai=True,
        project=settings.project,
        location=location,
        credentials=Credentials(token="local") if local else None,  # noqa: S106 - no secret
        http_options=HttpOptions(
            base_url=local or None,
            timeout=TIMEOUT_MILLISECONDS,
            retry_options=retry,
            client_args={"transport": Connections()},
        ),
    )


def _contents(prompt: Prompt) -> Any:
    from google.genai.types import Content, FileData, Part

    content, part = _quick(Content), _quick(Part)
    turns = [content(role=role, parts=[part(text=text)]) for role, text in prompt.turns]
    if prompt.file:
        file = FileData(file_uri=prompt.file.uri, mime_type=prompt.file.media_type)
        turns[-1] = content(role=turns[-1].role, parts=[part(file_data=file)])
    return turns


def _joined(replies: Sequence[Reply], seconds: float) -> Reply:
    """Make one reply of several that took so long together."""
    return Reply(
        tuple(text for reply in replies for text in reply.texts),
        sum(reply.prompt_tokens for reply in replies),
        sum(reply.answer_tokens for reply in replies),
        replies[-1].model_version,
        round(seconds, 3),
    )


def _config(prompt: Prompt, sampling: Sampling) -> Any:
    from google.genai.types import (
        Content,
        GenerateContentConfig,
        Part,
        ThinkingConfig,
        ThinkingLevel,
    )

    system = _quick(Content)(role="user", parts=[_quick(Part)(text=prompt.system)])
    return _quick(GenerateContentConfig)(
        system_instruction=system,
        candidate_count=sampling.samples,
        temperature=sampling.temperature,
        seed=sampling.seed,
        max_output_tokens=MAX_ANSWER_TOKENS,
        # Thoughts are billed, count against the limit above, and an answer is a label or a small
        # object; for tuned models Google advises the least as well. All candidates are alike.
        thinking_config=ThinkingConfig(thinking_level=ThinkingLevel.MINIMAL),
        response_mime_type=prompt.media_type if prompt.schema else None,
        response_schema=prompt.schema,
        # The client takes as long to make objects of the answer as to fetch it.
        should_return_http_response=True,
    )


@cache
def _quick(kind: "type[BaseModel]") -> Any:
    """Make a class of what a request is made of that is converted in less time.

    For each of an object's fields, 46 of them in the configuration, the client asks whether the
    field's name is `in` the object, and then takes the attribute. pydantic goes through all pairs
    of name and value to say no, which is a quarter of what a request costs. This class says no at
    once. The client also copies the configuration deeply, lest it change its caller's: nobody else
    has this one.
    """

    def contains_nothing(_self: object, _key: object) -> bool:
        return False

    def shallow_copy(self: "BaseModel", *, update: Any = None, deep: bool = False) -> "BaseModel":
        del deep
        return kind.model_copy(self, update=update)

    members = {"__contains__": contains_nothing, "model_copy": shallow_copy}
    return type(kind.__name__, (kind,), members)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the client's errors into the port's."""
    import httpx
    from google.genai.errors import APIError

    try:
        yield
    except APIError as error:
        # A missing role or endpoint says nothing about this text: it must not count as an answer.
        if error.code == NOT_FOUND or error.status == "FAILED_PRECONDITION":
            raise ModelGone(f"Gemini: {error.code} {error.status}") from error
        if error.code == BAD_REQUEST:
            raise Rejected(f"Gemini refused: {error.message}") from None
        if error.code in NO_ROOM:
            raise Busy(f"Gemini: {error.code} {error.status}") from error
        raise Retry(f"Gemini: {error.code} {error.status}") from error
    except httpx.TransportError as error:
        raise Retry(f"Gemini: {type(error).__name__}") from error
