"""Answers and labelled texts, as every function means them."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

FieldValue = str | list[str] | None
"""A field's value: a text, several texts, or None when the text does not say."""

Answer = str | list[str] | Mapping[str, FieldValue]
"""A label, the labels of a multi-label text, or an extraction's fields."""


ListKind = Literal["always", "sometimes"]
"""Whether a field's values are always lists, or texts as well."""

MAX_TEXT_CHARACTERS = 400_000
"""About 131,072 tokens, the most that Gemini takes in one example."""

TEXT_NAMES = (
    "text", "texts", "sentence", "review", "content", "message", "body", "comment", "document",
    "question", "query", "utterance", "input", "title", "tweet", "description", "文本", "内容",
    "nachricht", "kommentar", "inhalt", "frage", "texte", "commentaire", "texto", "mensaje",
    "comentario", "testo",
)  # fmt: skip
"""What tables call the column of the text, in lower case, likely names first."""

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


def joined_text(values: Iterable[object]) -> str:
    """Make the text of a row: the texts of its columns, each on a line of its own.

    White space around each is left out; an empty one has no line, and what is no text is ignored.
    """
    return "\n".join(text for value in values if isinstance(value, str) and (text := value.strip()))
