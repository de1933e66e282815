"""How a task and a text become a prompt.

Training lines, evaluation calls and serving calls are all made here, so that a tuned model is
asked exactly what it was taught. answers.py reads what the model says.

The line format is Vertex AI's:
https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from shared.answers import answer_text, parse_answer
from shared.examples import Example, ListKind
from shared.task import Task

MAX_ENUM_LABELS = 100
"""Response schemas with longer enums are refused by the service as too complex."""


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
    return f"{say_what_to_do(task)}\n\n{_answer_rules(task)}"


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
    instruction = say_what_to_do(task)
    rules = f"{_REASON}{_LAST_LINE[_form(task)]}\n{listed(task)}"
    return Prompt(f"{instruction}\n\n{rules}", _turns(text, shots))


def _turns(text: str, shots: Sequence[Example]) -> tuple[tuple[str, str], ...]:
    shown = ((("user", shot.text), ("model", answer_text(shot.answer))) for shot in shots)
    return (*(turn for pair in shown for turn in pair), ("user", text))


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


def say_what_to_do(task: Task) -> str:
    """Say what to do: the task's instruction, or a usual one if it has none."""
    return (
        task.instruction
        or {
            "classification": "Classify the text.",
            "sentiment": "Judge the sentiment of the text.",
            "extraction": "Extract the fields from the text.",
        }[task.type]
    )


def _answer_rules(task: Task) -> str:
    """Say what an answer looks like."""
    return f"{_RULES[_form(task)]}\n{listed(task)}"


def _form(task: Task) -> Literal["label", "labels", "fields"]:
    """Tell what an answer to a task is."""
    if task.type == "extraction":
        return "fields"
    return "labels" if task.multi_label else "label"


def listed(task: Task) -> str:
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
            "propertyOrdering": names,
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
        return {"anyOf": [{"type": "STRING"}, several], "nullable": True}
    return {"type": "STRING", "nullable": True}
