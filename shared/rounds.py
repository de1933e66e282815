"""Whether all samples at once are cheaper, or as many as may do and then the rest.

A request bills its prompt once, however many candidates it asks for. In rounds the prompt of every
document that goes on after the first one is billed again, and the answers that the others do not
need are saved. With a short prompt and long answers that pays; with many examples in the prompt and
labels as answers it does not. So it is seen at run time.
"""

from dataclasses import dataclass
from functools import cache

from shared.models import base_models

ENOUGH_SEEN = 20
"""Of so many documents nothing is concluded yet, and all samples are asked for at once."""


@dataclass
class Rounds:
    """What was seen of one kind of request: one model, one instruction, so many samples.

    Attributes:
        documents: How many documents were answered.
        unsettled: How many of them took more than a first round, or would have.
        requests: How many requests were made.
        prompt_tokens: Tokens read in all.
        answers: How many samples were given.
        answer_tokens: Tokens written in all.
    """

    documents: int = 0
    unsettled: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    answers: int = 0
    answer_tokens: int = 0

    def pay(self, first: int, most: int) -> bool:
        """Whether rounds are cheaper.

        Args:
            first: How many samples the first round asks for.
            most: How many there are in all.
        """
        if self.documents < ENOUGH_SEEN or first >= most:
            return False
        prompt = self.prompt_tokens / self.requests
        rest = (most - first) * self.answer_tokens / self.answers * answer_token_worth()
        # Laplace's rule, so that a lucky beginning is not taken for certainty.
        going_on = (self.unsettled + 1) / (self.documents + 2)
        return going_on * (prompt + rest) < rest

    def saw_request(self, prompt_tokens: int, answers: int, answer_tokens: int) -> None:
        """Take in what a request cost."""
        self.requests += 1
        self.prompt_tokens += prompt_tokens
        self.answers += answers
        self.answer_tokens += answer_tokens

    def saw_document(self, *, settled: bool) -> None:
        """Take in whether a first round settled a document, or would have."""
        self.documents += 1
        self.unsettled += not settled


@cache
def answer_token_worth() -> float:
    """Return how many tokens read cost as much as one that is written.

    An endpoint does not say what it was tuned from: of all models the least is taken.
    """
    known = base_models().values()
    return min(model.output_price / model.input_price for model in known if model.input_price)
