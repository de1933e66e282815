"""Answers and labelled texts, as every function means them."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

FieldValue = str | list[str] | None
"""A field's value: a text, several texts, or None when the text does not say."""

Answer = str | list[str] | Mapping[str, FieldValue]
"""A label, the labels of a multi-label text, or an extraction's fields."""


ListKind = Literal["always", "sometimes"]
"""Whether a field's values are always lists, or texts as well."""

MAX_TEXT_CHARACTERS = 400_000
"""About 131,072 tokens, the most that Gemini takes in one example."""

ENOUGH_FOR_TUNING = 100
"""Google's advice: with fewer training examples than this, prompt."""


class Example(NamedTuple):
    """One labelled text.

    Attributes:
        text: What the model is shown.
        answer: What it should say.
    """

    text: str
    answer: Answer


def same_text_key(text: str) -> str:
    """Return what two texts share when they differ in white space and letter case only."""
    return " ".join(text.split()).casefold()
