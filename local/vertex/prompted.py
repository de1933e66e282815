"""The untuned base model: it answers from the prompt alone, and says when it cannot."""

import random
from typing import Any

from local.vertex.answers import (
    FieldsKnowledge,
    Knowledge,
    LabelKnowledge,
    LabelSetKnowledge,
    Sampling,
    write_answer,
)
from local.vertex.prompted_fields import know_fields
from local.vertex.prompted_labels import know_labels
from local.vertex.questions import Question

CANNOT = (
    "This is the local stand-in, not Gemini: it answers prompts that offer labels or fields "
    "as a list or as a response schema."
)


def know_question(question: Question) -> Knowledge | None:
    """Find out about a question's text.

    Args:
        question: The prompt, understood.

    Returns:
        What answers can be drawn from, or None when the prompt offers no labels or fields.
    """
    if not question.choices:
        return None
    if question.kind == "fields":
        return know_fields(question)
    return know_labels(question)


def reasoning(knowledge: Knowledge, answer: Any) -> str:
    """Write the steps that led to an answer, and the answer as the last line.

    Args:
        knowledge: What was known.
        answer: The answer drawn from it.

    Returns:
        A few lines, the last one "Answer: …".
    """
    steps = ["Step 1: I compare the text with what the prompt says."]
    if isinstance(knowledge, LabelKnowledge | LabelSetKnowledge):
        ranked = sorted(zip(knowledge.scores.tolist(), knowledge.labels, strict=True), reverse=True)
        nearest = " and ".join(label for _, label in ranked[:2])
        steps.append(f"Step 2: Of {len(ranked)} labels, the nearest: {nearest}.")
    if isinstance(knowledge, FieldsKnowledge):
        best = knowledge.draw(Sampling(temperature=0), random.Random(0))
        named = sum(value is not None for value in best.values())
        steps.append(f"Step 2: The text seems to give {named} of {len(knowledge.fields)} fields.")
    return "\n".join([*steps, f"Answer: {write_answer(answer)}"])
