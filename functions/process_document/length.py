"""What is done with a text that is longer than the task takes: serving.long_documents."""

import re

from shared.errors import Rejected
from shared.task import Serving

MAX_PARTS = 20
"""Each part is asked about by itself, so that this bounds what one document can cost."""

_LOOKED_BACK = 0.2
_BREAKS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"[.!?…][\"'”’)]*\s|[。！？]"),
    re.compile(r"\s"),
)
"""Where a text is cut, best first: between paragraphs, lines, sentences, words."""


def parts_of(text: str, serving: Serving, name: str) -> tuple[list[str], tuple[str, ...]]:
    """Make what the model is asked about.

    Args:
        text: The document's text.
        serving: What the task says.
        name: The document's name, for messages.

    Returns:
        (The text; or the beginning of it, or its parts; what was done, for the result).

    Raises:
        Rejected: It is too long.
    """
    most = serving.max_document_characters
    if len(text) <= most:
        return [text], ()
    if serving.long_documents == "reject":
        raise Rejected(
            f"{name} has {len(text):,} characters; the task takes {most:,}.",
            "Split it into several documents, or set serving.long_documents in task.yaml.",
        )
    if serving.long_documents == "truncate":
        part = text[: _cut(text, 0, most)].rstrip()
        return [part], (f"the model was given the first {len(part):,} of {len(text):,} characters",)
    parts = _split(text, most)
    if len(parts) > MAX_PARTS:
        raise Rejected(
            f"{name} has {len(text):,} characters, which makes {len(parts)} parts; "
            f"{MAX_PARTS} are taken.",
            "Split it into several documents, or raise serving.max_document_characters.",
        )
    shown = f"the {len(text):,} characters in {len(parts)} parts"
    return parts, (f"the model was given {shown}, and the answers were combined",)


def _split(text: str, most: int) -> list[str]:
    """Cut a text into parts of at most so many characters."""
    parts: list[str] = []
    start = 0
    while start < len(text):
        end = _cut(text, start, start + most)
        if part := text[start:end].strip():
            parts.append(part)
        start = end
    return parts


def _cut(text: str, start: int, limit: int) -> int:
    """Find where to cut a text: at the last good place before a limit, not too far from it."""
    if limit >= len(text):
        return len(text)
    earliest = limit - int((limit - start) * _LOOKED_BACK)
    for places in _BREAKS:
        ends = [match.end() for match in places.finditer(text, earliest, limit)]
        if ends:
            return ends[-1]
    return limit
