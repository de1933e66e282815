"""Reads tuning files: JSON lines in today's or the older form, and the facts Vertex reports."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.cloud import aiplatform_v1

from local.vertex.tokens import count_tokens

MAXIMUM_EXAMPLE_TOKENS = 131_072
_SHOWN_EXAMPLES = 3


class DatasetError(Exception):
    """A tuning file cannot be used; the message names the line and never quotes it."""


@dataclass(frozen=True)
class TuningExample:
    """One line of a tuning file.

    Attributes:
        instruction: The system instruction, empty when there is none.
        turns: (role, text) pairs; the last one is the model's.
    """

    instruction: str
    turns: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """What the user said last."""
        return next((text for role, text in reversed(self.turns) if role == "user"), "")

    @property
    def answer(self) -> str:
        """What the model is to say."""
        return self.turns[-1][1]


def read_examples(content: bytes, name: str) -> list[TuningExample]:
    """Read a tuning file.

    Args:
        content: The file's bytes, UTF-8.
        name: What messages call the file.

    Returns:
        Its examples, in order.

    Raises:
        DatasetError: The file is empty or a line is not a tuning example.
    """
    examples: list[TuningExample] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            raise DatasetError(f"{where}: not valid JSON in UTF-8") from error
        examples.append(_example(value, where))
    if not examples:
        raise DatasetError(f"{name}: the dataset has no examples")
    return examples


def _example(value: Any, where: str) -> TuningExample:
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: a JSON object is expected")
    if "messages" in value:
        return _legacy_example(value, where)
    unknown = set(value) - {"contents", "systemInstruction", "system_instruction"}
    if unknown:
        raise DatasetError(f"{where}: unknown field {min(unknown)!r}")
    contents = value.get("contents")
    if not isinstance(contents, list) or not contents:
        raise DatasetError(f"{where}: contents is missing or empty")
    turns = tuple(_turn(content, where) for content in contents)
    instruction = value.get("systemInstruction", value.get("system_instruction"))
    spoken = "" if instruction is None else _parts_text(instruction, where)
    return _checked(TuningExample(spoken, turns), where)


def _legacy_example(value: dict[str, Any], where: str) -> TuningExample:
    messages = value["messages"]
    if set(value) != {"messages"} or not isinstance(messages, list) or not messages:
        raise DatasetError(f"{where}: messages must be a list and stand alone")
    turns: list[tuple[str, str]] = []
    instruction = ""
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(role, str) or not isinstance(content, str):
            raise DatasetError(f"{where}: every message needs role and content")
        if role == "system":
            instruction = content
        else:
            turns.append((role, content))
    return _checked(TuningExample(instruction, tuple(turns)), where)


def _turn(content: Any, where: str) -> tuple[str, str]:
    role = content.get("role") if isinstance(content, dict) else None
    if not isinstance(role, str):
        raise DatasetError(f"{where}: every content needs a role")
    return role, _parts_text(content, where)


def _parts_text(content: Any, where: str) -> str:
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not parts:
        raise DatasetError(f"{where}: parts is missing or empty")
    texts = [part.get("text") if isinstance(part, dict) else None for part in parts]
    if not all(isinstance(text, str) for text in texts):
        raise DatasetError(f"{where}: every part must hold text")
    return "".join(str(text) for text in texts)


def _checked(example: TuningExample, where: str) -> TuningExample:
    roles = [role for role, _ in example.turns]
    if not set(roles) <= {"user", "model"}:
        raise DatasetError(f"{where}: a role must be user or model")
    if not roles or roles[-1] != "model":
        raise DatasetError(f"{where}: the last turn must be the model's")
    if "user" not in roles:
        raise DatasetError(f"{where}: a user turn is missing")
    if not example.answer:
        raise DatasetError(f"{where}: the model's turn is empty")
    return example


def data_stats(examples: Sequence[TuningExample], step_count: int) -> aiplatform_v1.TuningDataStats:
    """Report what was trained on, as the service does.

    Args:
        examples: The training examples.
        step_count: Training steps taken.

    Returns:
        The statistics; tokens are estimated. Billable are those of the dataset, whatever the
        epochs, and every epoch is billed.
    """
    spoken = [sum(count_tokens(text) for _, text in example.turns[:-1]) for example in examples]
    inputs = [
        count_tokens(example.instruction) + own
        for example, own in zip(examples, spoken, strict=True)
    ]
    outputs = [count_tokens(example.answer) for example in examples]
    sizes = [own + answer for own, answer in zip(inputs, outputs, strict=True)]
    too_long = [index for index, size in enumerate(sizes) if size > MAXIMUM_EXAMPLE_TOKENS]
    billable = sum(min(size, MAXIMUM_EXAMPLE_TOKENS) for size in sizes)
    characters = sum(
        len(example.instruction) + sum(len(text) for _, text in example.turns)
        for example in examples
    )
    shown = [
        aiplatform_v1.Content(role=role, parts=[aiplatform_v1.Part(text=text)])
        for example in examples[:_SHOWN_EXAMPLES]
        for role, text in example.turns
    ]
    return aiplatform_v1.TuningDataStats(
        supervised_tuning_data_stats=aiplatform_v1.SupervisedTuningDataStats(
            tuning_dataset_example_count=len(examples),
            total_tuning_character_count=characters,
            total_billable_token_count=billable,
            tuning_step_count=step_count,
            user_input_token_distribution=_distribution(inputs),
            user_output_token_distribution=_distribution(outputs),
            user_message_per_example_distribution=_distribution(
                [len(example.turns) for example in examples]
            ),
            user_dataset_examples=shown,
            total_truncated_example_count=len(too_long),
            truncated_example_indices=too_long[:1000],
        )
    )


def _distribution(values: Sequence[int]) -> aiplatform_v1.SupervisedTuningDatasetDistribution:
    array = np.array(values, dtype=np.float64)
    counts, edges = np.histogram(array, bins=min(10, max(1, len(set(values)))))
    low, middle, high = np.percentile(array, (5, 50, 95))
    return aiplatform_v1.SupervisedTuningDatasetDistribution(
        sum=int(array.sum()),
        billable_sum=int(array.sum()),
        min_=float(array.min()),
        max_=float(array.max()),
        mean=float(array.mean()),
        median=float(middle),
        p5=float(low),
        p95=float(high),
        buckets=[
            {"count": float(count), "left": float(left), "right": float(right)}
            for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True)
        ],
    )
