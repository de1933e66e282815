"""How a task and a text become a prompt, and how a model's words become an answer.

Training lines, evaluation calls and serving calls are all made here, so that a tuned model is
asked exactly what it was taught. There is one parser for everybody.

The line format is Vertex AI's:
https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from shared.examples import Answer, Example, FieldValue, ListKind
from shared.task import Task

MAX_ENUM_LABELS = 100
"""Response schemas with longer enums are refused by the service as too complex."""

_QUOTES = " \t\r\n\"'`.。“”‘’"
_FENCE = re.compile(r"\A```[a-z]*\s*|\s*```\Z")


_RULES = {
    "label": "Answer with exactly one of these labels and nothing else:",
    "labels": "Answer with a JSON array of all labels that apply and nothing else; "
    "[] when none applies. The labels:",
    "fields": "Answer with one JSON object and nothing else. Copy each value from the text; "
    "a field that the text does not give is null. The fields:",
}
_REASON = "First reason step by step, in a few short sentences. Then write one last line that is "
_LAST_LINE = {
    "label": '"Answer: " and exactly one of these labels:',
    "labels": '"Answer: " and a JSON array of all labels that apply; [] when none applies. '
    "The labels:",
    "fields": '"Answer: " and one JSON object. Copy each value from the text; a field that the '
    "text does not give is null. The fields:",
}
_ANSWER_LINE = re.compile(
    r"^[ \t>*#_-]*(?:final +)?answer[ \t*_]*[:：]", re.IGNORECASE | re.MULTILINE
)


class File(NamedTuple):
    """A file that a model reads by itself.

    Attributes:
        uri: Its gs:// address.
        media_type: Its media type, such as application/pdf.
    """

    uri: str
    media_type: str


@dataclass(frozen=True)
class Prompt:
    """What a model is asked.

    Attributes:
        system: The system instruction.
        turns: (role, text) pairs; the last one is the user's text, or empty when there is a file.
        schema: A response schema in OpenAPI terms, or None for plain text.
        media_type: The response's media type that goes with the schema.
        file: A document without text, in the place of the user's text.
    """

    system: str
    turns: tuple[tuple[str, str], ...]
    schema: dict[str, Any] | None = None
    media_type: str = "text/plain"
    file: File | None = None


def system_instruction(task: Task) -> str:
    """Write the system instruction of a task: the instruction, then what an answer looks like."""
    return f"{task.instruction or _default_instruction(task)}\n\n{_answer_rules(task)}"


def tuned_prompt(task: Task, text: str) -> Prompt:
    """Ask a tuned model: as in its training lines, with no schema, which can degrade it."""
    return Prompt(system_instruction(task), (("user", text),))


def prompted(
    task: Task,
    text: str,
    shots: Sequence[Example] = (),
    list_fields: Mapping[str, ListKind] = MappingProxyType({}),
) -> Prompt:
    """Ask a base model: the examples as earlier turns, and a schema for the answer's form."""
    schema, media_type = _response_schema(task, list_fields)
    return Prompt(system_instruction(task), _turns(text, shots), schema, media_type)


def reasoned(task: Task, text: str, shots: Sequence[Example] = ()) -> Prompt:
    """Ask a base model to reason first: in plain text, with the answer on the last line.

    Wei et al. 2022, "Chain-of-Thought Prompting Elicits Reasoning in Large Language Models".
    """
    instruction = task.instruction or _default_instruction(task)
    rules = f"{_REASON}{_LAST_LINE[_form(task)]}\n{_listed(task)}"
    return Prompt(f"{instruction}\n\n{rules}", _turns(text, shots))


def _turns(text: str, shots: Sequence[Example]) -> tuple[tuple[str, str], ...]:
    shown = ((("user", shot.text), ("model", answer_text(shot.answer))) for shot in shots)
    return (*(turn for pair in shown for turn in pair), ("user", text))


def answer_text(answer: Answer) -> str:
    """Write an answer as the model should say it: a label, or compact JSON."""
    if isinstance(answer, str):
        return answer
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def parse_answer(task: Task, text: str) -> Answer | None:
    """Read a model's words.

    Args:
        task: The task, with its labels or fields.
        text: What the model said: an answer, or reasons and then a line "Answer: …".

    Returns:
        The answer in canonical form (labels as declared, in their order; every field present,
        white space collapsed), or None when it is not an answer to this task.
    """
    answer = _parse_whole(task, text)
    if answer is not None:
        return answer
    *_, last = (None, *_ANSWER_LINE.finditer(text))
    if last is None:
        return None
    # Models like to print the word in bold.
    return _parse_whole(task, text[last.end() :].strip().strip("*"))


def _parse_whole(task: Task, text: str) -> Answer | None:
    """Read words that are nothing but an answer."""
    if text.strip() in task.label_names and not task.multi_label:
        return text.strip()
    words = _FENCE.sub("", text.strip())
    if task.type == "extraction":
        return _parse_fields(task, words)
    if not task.multi_label:
        return _find_label(task, words)
    values = _parse_json(words)
    if not isinstance(values, list):
        return None
    names = [_find_label(task, str(value)) for value in values]
    if None in names:
        return None
    return [name for name in task.label_names if name in names]


def tuning_line(task: Task, example: Example) -> dict[str, Any]:
    """Make one line of Gemini tuning data, as a JSON object in the shape that the task wants."""
    system, answer = system_instruction(task), answer_text(example.answer)
    if task.lines == "messages":
        turns = (("system", system), ("user", example.text), ("model", answer))
        return {"messages": [{"role": role, "content": text} for role, text in turns]}
    return {
        "systemInstruction": {"role": "system", "parts": [{"text": system}]},
        "contents": [
            {"role": "user", "parts": [{"text": example.text}]},
            {"role": "model", "parts": [{"text": answer}]},
        ],
    }


def example_of_line(task: Task, line: dict[str, Any]) -> Example:
    """Read an example back from a line that `tuning_line` made.

    Raises:
        ValueError: The line's answer does not suit the task.
    """
    if "messages" in line:
        _, text, said = (message["content"] for message in line["messages"])
    else:
        text, said = (turn["parts"][0]["text"] for turn in line["contents"])
    answer = parse_answer(task, said)
    if answer is None:
        raise ValueError("the line's answer does not suit the task")
    return Example(text, answer)


def _default_instruction(task: Task) -> str:
    """Say what to do for a task that does not say it itself."""
    return {
        "classification": "Classify the text.",
        "sentiment": "Judge the sentiment of the text.",
        "extraction": "Extract the fields from the text.",
    }[task.type]


def _answer_rules(task: Task) -> str:
    """Say what an answer looks like."""
    return f"{_RULES[_form(task)]}\n{_listed(task)}"


def _form(task: Task) -> Literal["label", "labels", "fields"]:
    """Tell what an answer to a task is."""
    if task.type == "extraction":
        return "fields"
    return "labels" if task.multi_label else "label"


def _listed(task: Task) -> str:
    """List a task's labels or fields."""
    parts = task.fields if task.type == "extraction" else task.labels
    return "\n".join(
        f"- {part.name}: {part.description}" if part.description else f"- {part.name}"
        for part in parts
    )


def _response_schema(
    task: Task, list_fields: Mapping[str, ListKind]
) -> tuple[dict[str, Any] | None, str]:
    """Describe the answer's form for the service, and the media type that goes with it."""
    if task.type == "extraction":
        names = list(task.field_names)
        schema = {
            "type": "OBJECT",
            "properties": {name: _value_schema(list_fields.get(name)) for name in names},
            "required": names,
            "property_ordering": names,
        }
        return schema, "application/json"
    if len(task.labels) > MAX_ENUM_LABELS:
        return None, "text/plain"
    label = {"type": "STRING", "enum": list(task.label_names)}
    if task.multi_label:
        return {"type": "ARRAY", "items": label}, "application/json"
    return label, "text/x.enum"


def _value_schema(lists: ListKind | None) -> dict[str, Any]:
    """Describe the values of a field; it may always be empty."""
    several = {"type": "ARRAY", "items": {"type": "STRING"}}
    if lists == "always":
        return {**several, "nullable": True}
    if lists == "sometimes":
        return {"any_of": [{"type": "STRING"}, several], "nullable": True}
    return {"type": "STRING", "nullable": True}


def _find_label(task: Task, words: str) -> str | None:
    """Find the label that words mean: by its exact spelling, else by one that only it has."""
    if words.strip() in task.label_names:
        return words.strip()
    return _labels_by_key(task.label_names).get(_label_key(words))


@lru_cache(maxsize=64)
def _labels_by_key(names: tuple[str, ...]) -> dict[str, str]:
    """Index labels by what their spellings share; those that share it with another are left out."""
    keys = Counter(map(_label_key, names))
    return {_label_key(name): name for name in names if keys[_label_key(name)] == 1}


def _label_key(text: str) -> str:
    """Return what spellings of one label share: case, quotes, spaces, _ and - do not matter."""
    return re.sub(r"[\s_-]+", " ", text.strip(_QUOTES)).casefold()


def _parse_json(text: str) -> object:
    """Read JSON with numbers kept as they were written; None when it is not JSON."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _parse_fields(task: Task, text: str) -> dict[str, FieldValue] | None:
    """Read an extraction's JSON object; fields it does not name are None."""
    values = _parse_json(text)
    if not isinstance(values, dict):
        return None
    fields: dict[str, FieldValue] = {}
    for name in task.field_names:
        value = values.get(name)
        if isinstance(value, dict):
            return None
        if isinstance(value, list):
            texts = [clean for item in value if (clean := clean_value(item)) is not None]
            fields[name] = texts or None
        else:
            fields[name] = clean_value(value)
    return fields


def clean_value(value: object) -> str | None:
    """Collapse a field value's white space; an empty value is None.

    Args:
        value: Text, a number, a truth value, or None.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(str(value).split()) or None
