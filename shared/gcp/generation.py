"""Gemini behind the Generator port: how many samples are asked for in how many requests."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from shared.errors import Rejected
from shared.gcp.generate_content import GenerateContent
from shared.generate_content import read_response, write_request
from shared.ports import Needed, Reply, Sampling
from shared.prompts import Prompt
from shared.rounds import Rounds
from shared.settings import Settings

SURE_OF_ONE = 2
"""So many requests in a row that give one sample of several tell what the model does."""


class _NoAnswer(Rejected):
    """The model was asked, and said nothing."""


class Gemini:
    """Asks base models and tuned endpoints. Connections are made late and kept.

    Args:
        settings: The deployment.
        paced: Whether the caller decides how many requests are made at a time, and what is tried
            again. Otherwise a busy moment is waited out here, and samples that need several
            requests are asked for at the same time. When paced, nothing is asked in rounds, nor
            otherwise because of earlier answers: what a row is answered must not depend on them.
            What a reply took is then what it would have taken otherwise.
        clock: The time, in seconds.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        paced: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request = GenerateContent(settings, patient=not paced)
        self._paced = paced
        self._clock = clock
        self._lock = threading.Lock()
        self._one_at_a_time: set[str] = set()
        self._gave_one: Counter[str] = Counter()
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
        refused = gave_one = False
        replies: list[Reply] = []
        texts: tuple[str, ...] = ()
        while (more := left(texts)) > 0:
            if together and not in_rounds:
                more = sampling.samples - len(texts)
            part = replace(sampling, samples=more, seed=sampling.seed + len(texts))
            try:
                reply = self._ask_for(model, prompt, part, together=together)
            except Rejected as error:
                if not together or more == 1:
                    raise
                # If the text is what is refused, one sample is refused as well.
                together, refused = False, not isinstance(error, _NoAnswer)
                continue
            if together and more > 1:
                self._note_given(model, len(reply.texts))
                gave_one = gave_one or (not replies and len(reply.texts) == 1)
            together = together and len(reply.texts) == more
            replies.append(reply)
            texts += reply.texts
        with self._lock:
            if refused:
                self._one_at_a_time.add(model)
            for reply in replies:
                rounds.saw_request(reply.prompt_tokens, len(reply.texts), reply.answer_tokens)
            rounds.saw_document(settled=not left(texts[:first]))
        took = [reply.seconds for reply in replies]
        if self._paced and gave_one and first > 1:
            # Whoever serves has seen that, and asks for the first ones at the same time.
            took[:2] = [max(took[:2])]
        return _joined(replies, sum(took))

    def _note_given(self, model: str, samples: int) -> None:
        """Take in how many samples a request for several gave."""
        with self._lock:
            self._gave_one[model] = self._gave_one[model] + 1 if samples == 1 else 0
            if self._gave_one[model] >= SURE_OF_ONE and not self._paced:
                self._one_at_a_time.add(model)

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
        else:
            with ThreadPoolExecutor(len(each)) as pool:
                replies = list(pool.map(lambda one: self._ask(model, prompt, one), each))
        return _joined(replies, max(reply.seconds for reply in replies))

    def _rounds_of(self, model: str, prompt: Prompt, sampling: Sampling) -> Rounds:
        """Return what was seen of requests such as this one."""
        with self._lock:
            return self._rounds.setdefault((model, prompt.system, sampling.samples), Rounds())

    def _ask(self, model: str, prompt: Prompt, sampling: Sampling) -> Reply:
        """Make one request."""
        begun = self._clock()
        said = self._request(model, write_request(prompt, sampling))
        reply = read_response(said, sampling.samples, self._clock() - begun)
        if reply is None:
            raise _NoAnswer("The model gave no answer; its safety filters may have blocked it.")
        return reply


def _joined(replies: Sequence[Reply], seconds: float) -> Reply:
    """Make one reply of several that took so long together."""
    return Reply(
        tuple(text for reply in replies for text in reply.texts),
        sum(reply.prompt_tokens for reply in replies),
        sum(reply.answer_tokens for reply in replies),
        replies[-1].model_version,
        round(seconds, 3),
    )
