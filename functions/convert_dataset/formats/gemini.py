"""Gemini's tuning data: `contents`, and the `messages` of gemini-1.0.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare
"""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.convert_dataset.formats.json_records import most_are, rows_of, split_of
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.turns import Turn, row_of_turns
from functions.convert_dataset.rows import Refusal, Row


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 1 when most records are Gemini's conversations."""
    return 1.0 if most_are(beginning, is_gemini) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the conversations. See `json_records` for what is raised."""
    return rows_of(source, _row)


def is_gemini(record: Mapping[str, object]) -> bool:
    """Whether a record has `contents` with parts, or `messages` in which a model speaks."""
    contents = record.get("contents")
    if isinstance(contents, list):
        return all(isinstance(turn, dict) and "parts" in turn for turn in contents)
    messages = record.get("messages")
    turns = messages if isinstance(messages, list) else []
    return any(isinstance(turn, dict) and turn.get("role") == "model" for turn in turns)


def _row(line: int, record: dict[str, Any]) -> Row | Refusal:
    """Make a row of one conversation."""
    turns = record.get("contents", record.get("messages"))
    if not isinstance(turns, list):
        return Refusal(line, "not a conversation", "it has no list of `contents` or `messages`")
    system = record.get("systemInstruction", record.get("system_instruction"))
    row = row_of_turns(line, [*_system(system), *map(_turn, turns)])
    return row if isinstance(row, Refusal) else Row(line, {**row.values, **split_of(record)})


def _system(instruction: object) -> list[Turn]:
    """Return the system instruction as a turn: a text, or an object with parts; or nothing."""
    if not instruction:
        return []
    if isinstance(instruction, str):
        return [("system", instruction)]
    return [("system", _parts_text(instruction))]


def _turn(turn: object) -> Turn:
    """Take role and text out of a turn; without a role it is the user's, as for the API."""
    if not isinstance(turn, dict):
        return str(turn)[:40], None
    content = turn.get("content")
    text = _parts_text(turn) if "parts" in turn else content
    return str(turn.get("role", "user"))[:40], text if isinstance(text, str) else None


def _parts_text(turn: object) -> str | None:
    """Join the text parts of a turn; None when one of them is not text, or there is none."""
    parts = turn.get("parts") if isinstance(turn, dict) else None
    parts = parts if isinstance(parts, list) else [parts]
    texts = [part.get("text") if isinstance(part, dict) else None for part in parts]
    whole = [text for text in texts if isinstance(text, str)]
    return "".join(whole) if len(whole) == len(texts) else None
