"""How the stand-in rates an answer: by the probability that its own model gives the label.

It states that probability in the word that stands for it, exactly. Gemini cannot look into itself
like that, so what a rating is worth here says nothing about what one of Gemini's is worth.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from local.vertex.answers import Knowledge, LabelKnowledge
from local.vertex.questions import Choice
from shared.rating import PROPOSED, SCALE, word_for

_LISTS_THE_LABELS = "The labels:"


@dataclass(frozen=True)
class RatingQuestion:
    """A prompt that asks how likely an answer is right.

    Attributes:
        labels: The labels that there are.
        proposed: The label that is to be rated.
    """

    labels: tuple[Choice, ...]
    proposed: str


def read_rating_question(instruction: str) -> RatingQuestion | None:
    """Understand a prompt for a rating.

    Args:
        instruction: The system instruction.

    Returns:
        The question; None when the prompt asks for something else.
    """
    lines = instruction.splitlines()
    if not {f"- {word}" for word in SCALE} <= set(lines):
        return None
    proposed = [line.removeprefix(PROPOSED) for line in lines if line.startswith(PROPOSED)]
    if not proposed or _LISTS_THE_LABELS not in lines:
        return None
    listed = lines[lines.index(_LISTS_THE_LABELS) + 1 :]
    labels = []
    for line in listed:
        if not line.startswith("- "):
            break
        name, _, description = line.removeprefix("- ").partition(": ")
        labels.append(Choice(name, description))
    return RatingQuestion(tuple(labels), proposed[-1])


def know_rating(
    question: RatingQuestion, know: Callable[[tuple[Choice, ...]], Knowledge | None]
) -> LabelKnowledge | None:
    """Find out how likely a label is right.

    Args:
        question: The question.
        know: Finds out about the text, given the labels.

    Returns:
        The words of the scale, the nearest one first by far; None when nothing is known of labels.
    """
    knowledge = know(question.labels)
    if not isinstance(knowledge, LabelKnowledge):
        return None
    meant = word_for(_probability(knowledge, question.proposed))
    words = tuple(SCALE)
    place = words.index(meant)
    distances = [abs(number - place) for number in range(len(words))]
    return LabelKnowledge(words, np.array(distances, dtype=np.float32) * np.float32(-8))


def _probability(knowledge: LabelKnowledge, label: str) -> float:
    if label not in knowledge.labels:
        return 0.0
    scores = np.asarray(knowledge.scores, dtype=np.float64)
    shares = np.exp(scores - scores.max())
    return float(shares[knowledge.labels.index(label)] / shares.sum())
