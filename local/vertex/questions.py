"""What a prompt asks for: its labels or fields, its examples and the form of the answer.

Only what the request itself says counts: the response schema, the last list in the system
instruction, and the turns before the last one.
"""

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from local.vertex.tuned import Kind, kind_of

Form = Literal["plain", "json", "enum"]
Lists = Literal["", "always", "sometimes"]

_BULLET = re.compile(r"^\s*[-*•]\s+(\S.*?)\s*$")
_REASONED = re.compile(r"step[ -]by[ -]step|reason|think", re.IGNORECASE)


@dataclass(frozen=True)
class Choice:
    """One label or field that a prompt offers.

    Attributes:
        name: Its name.
        description: What the prompt says about it, or an empty string.
        lists: For a field, whether its values are lists, as the schema has it; empty for never.
    """

    name: str
    description: str = ""
    lists: Lists = ""


@dataclass(frozen=True)
class Question:
    """A prompt, understood.

    Attributes:
        kind: What is asked for: a label, a list of labels or fields.
        choices: The labels or fields.
        examples: Earlier (user, model) turns.
        text: What the user said last.
        form: How the answer is to be written.
        reasoned: Whether reasoning and a last line "Answer: …" are asked for.
    """

    kind: Kind
    choices: tuple[Choice, ...]
    examples: tuple[tuple[str, str], ...]
    text: str
    form: Form
    reasoned: bool


def read_question(
    instruction: str,
    turns: Sequence[tuple[str, str]],
    schema: dict[str, Any] | None,
    media_type: str,
) -> Question:
    """Understand a prompt.

    Args:
        instruction: The system instruction, or an empty string.
        turns: (role, text) pairs; the last one is the user's.
        schema: The response schema as JSON with snake_case keys, or None.
        media_type: The response's media type, or an empty string for plain text.

    Returns:
        The question.
    """
    examples = tuple(
        (user, model)
        for (role, user), (next_role, model) in itertools.pairwise(turns)
        if role == "user" and next_role == "model"
    )
    text = turns[-1][1]
    listed = _listed(instruction) or _listed(text)
    kind, names = _asked_for(schema) or (_kind_without_schema(instruction, examples), ())
    choices = _described(names, listed, schema or {}) if names else _named(listed)
    if not choices:
        choices = _from_examples(kind, examples)
    form: Form = {"application/json": "json", "text/x.enum": "enum"}.get(media_type, "plain")  # type: ignore[assignment]
    reasoned = form == "plain" and "Answer:" in instruction and bool(_REASONED.search(instruction))
    return Question(kind, choices, examples, text, form, reasoned)


@lru_cache(maxsize=256)
def _listed(text: str) -> tuple[str, ...]:
    """Give the last block of list lines."""
    block: list[str] = []
    last: list[str] = []
    for line in text.splitlines():
        match = _BULLET.match(line)
        if match:
            block.append(match.group(1))
            last = block
        elif line.strip():
            block = []
    return tuple(last)


def _named(listed: Sequence[str]) -> tuple[Choice, ...]:
    choices = []
    for line in listed:
        name, separator, description = line.partition(": ")
        choices.append(Choice(name.strip("`\"' "), description.strip() if separator else ""))
    return tuple(choices)


def _described(
    names: Sequence[str], listed: Sequence[str], schema: dict[str, Any]
) -> tuple[Choice, ...]:
    descriptions = {
        name: line[len(name) + 2 :].strip()
        for name in names
        for line in listed
        if line.startswith(f"{name}: ")
    }
    properties = schema.get("properties") or {}
    return tuple(
        Choice(name, descriptions.get(name, ""), _lists(properties.get(name) or {}))
        for name in names
    )


def _lists(schema: dict[str, Any]) -> Lists:
    """Tell from a field's schema whether its values are lists."""
    if schema.get("items"):
        return "always"
    return "sometimes" if any(map(_lists, schema.get("anyOf") or [])) else ""


def _asked_for(schema: dict[str, Any] | None) -> tuple[Kind, tuple[str, ...]] | None:
    """Read kind and names from a response schema."""
    if not schema:
        return None
    properties = schema.get("properties")
    if isinstance(properties, dict) and properties:
        # A map field keeps no order; the schema's own ordering does.
        ordering = schema.get("propertyOrdering") or schema.get("required") or []
        ordered = [name for name in ordering if name in properties]
        return "fields", (*ordered, *sorted(set(properties) - set(ordered)))
    items = schema.get("items")
    if isinstance(items, dict) and items.get("enum"):
        return "labels", tuple(items["enum"])
    if schema.get("enum"):
        return "label", tuple(schema["enum"])
    return None


def _kind_without_schema(instruction: str, examples: Sequence[tuple[str, str]]) -> Kind:
    if examples:
        return kind_of([model for _, model in examples])
    if re.search(r"JSON object", instruction, re.IGNORECASE):
        return "fields"
    if re.search(r"JSON (?:array|list)", instruction, re.IGNORECASE):
        return "labels"
    return "label"


def _from_examples(kind: Kind, examples: Sequence[tuple[str, str]]) -> tuple[Choice, ...]:
    names: dict[str, None] = {}
    for _, answer in examples:
        names.update(dict.fromkeys([answer] if kind == "label" else json.loads(answer)))
    return tuple(Choice(name) for name in names)
