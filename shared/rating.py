"""How likely an answer is right, in words: the model is asked to rate what it answered.

Models tell how sure they are better in words than in numbers, and words and the share of samples
that agree know different things: Tian et al. 2023, "Just Ask for Calibration"; Xiong et al. 2024,
"Can LLMs Express Their Uncertainty?". What a blend of both is worth is fitted on validation.
"""

import math
from collections.abc import Sequence

from shared.answers import answer_text
from shared.errors import Rejected
from shared.examples import Answer
from shared.ports import Generator, Reply, Sampling
from shared.prompts import Prompt, listed, say_what_to_do
from shared.records import Candidate
from shared.task import Serving, Task

SCALE = {
    "almost certain": (0.95, 0.97),
    "very likely": (0.80, 0.875),
    "likely": (0.55, 0.675),
    "roughly even chance": (0.45, 0.5),
    "unlikely": (0.20, 0.325),
    "very unlikely": (0.05, 0.125),
    "almost no chance": (0.0, 0.03),
}
"""Each word with the least probability that it stands for, and the middle of its range.

The words and ranges are those of Intelligence Community Directive 203, "Analytic Standards" (US
Office of the Director of National Intelligence, 2015), which go back to Kent 1964, "Words of
Estimative Probability". They are English whatever the language of the text is.
"""

PROPOSED = "Somebody who read the text answered: "
LEAST, MOST = 0.03, 0.97
"""An agreement beyond these is no surer than the outermost words are."""


def rating_prompt(candidate: Candidate, task: Task, text: str, answer: Answer) -> Prompt:
    """Ask how likely it is that an answer is right.

    The text stands alone in the user's turn: it is data here as well. A tuned model gets no schema.
    """
    system = (
        f"{say_what_to_do(task)}\nThe labels:\n{listed(task)}\n\n"
        f"{PROPOSED}{answer_text(answer)}\n\n"
        "How likely is it that this answer is right? Do not answer anew: "
        "answer with exactly one of these and nothing else:\n"
        + "\n".join(f"- {word}" for word in SCALE)
    )
    if candidate.kind == "tuned":
        return Prompt(system, (("user", text),))
    schema = {"type": "STRING", "enum": list(SCALE)}
    return Prompt(system, (("user", text),), schema, "text/x.enum")


def parse_rating(text: str) -> str:
    """Read a rating; empty when the words are none of the scale's."""
    words = " ".join(text.split()).strip(" \"'`*.").casefold()
    return words if words in SCALE else ""


def word_for(probability: float) -> str:
    """Return the word that stands for a probability."""
    return next(word for word, (least, _) in SCALE.items() if probability >= least)


def rate(
    generator: Generator, candidate: Candidate, task: Task, text: str, answer: Answer
) -> tuple[str, Reply | None]:
    """Have a candidate rate an answer of its own, in one request.

    Returns:
        (The word, what was said). The word is empty when what was said is not a rating, and so is
        the reply when the service refused.

    Raises:
        Retry: The service is busy.
    """
    prompt = rating_prompt(candidate, task, text, answer)
    try:
        reply = generator.generate(candidate.model, prompt, Sampling())
    except Rejected:
        return "", None
    return parse_rating(reply.texts[0]), reply


def is_rated(task: Task, serving: Serving) -> bool:
    """Whether a candidate of a task rates its answers, where it is measured."""
    return serving.rating == "on" and task.type == "sentiment"


def blend(agreement: float, rating: str, weight: float) -> float:
    """Blend an agreement with a rating: the weighted mean of their log-odds, as a probability.

    Args:
        agreement: The share of samples that agree, 0 to 1.
        rating: A word of the scale; empty for none, and the agreement stands alone.
        weight: The rating's share of the blend, 0 to 1.
    """
    if not weight:
        return agreement
    share = min(max(agreement, LEAST), MOST)
    if rating not in SCALE:
        return share
    mean = (1 - weight) * _log_odds(share) + weight * _log_odds(SCALE[rating][1])
    return 1 / (1 + math.exp(-mean))


def blend_all(
    agreements: Sequence[float], ratings: Sequence[str], weight: float
) -> Sequence[float]:
    """Blend many, row by row; without ratings, the agreements as they are."""
    if not weight or not ratings:
        return agreements
    return [blend(*pair, weight) for pair in zip(agreements, ratings, strict=True)]


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))
