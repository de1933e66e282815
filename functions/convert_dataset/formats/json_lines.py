"""JSON lines: plain records, Gemini's `contents`, and its older `messages`.

Both Gemini shapes become rows with a text, an answer and the system instruction, so that the
rest need not know them.
Source: https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

import orjson

from functions.convert_dataset.rows import Refusal, Row

TEXT = "text"
ANSWER = "answer"
SYSTEM = "system instruction"

MAX_NESTING = 64

_FRACTION = re.compile(rb"[\d][.eE][\d+-]|\d{16}")
_MAX_LINE_BYTES = 10_000_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def sniff(beginning: bytes) -> float:
    """Say how well a file's beginning fits: 1 for a JSON object on its first line that has one."""
    for line in beginning.removeprefix(_BYTE_ORDER_MARK).splitlines():
        if line.strip():
            return 1.0 if line.lstrip().startswith(b"{") else 0.0
    return 0.0


def rows(stream: BinaryIO, known_columns: Collection[str]) -> Iterator[Row | Refusal]:  # noqa: ARG001
    """Read the lines; each names its own columns."""
    number = 0
    while line := stream.readline(_MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > _MAX_LINE_BYTES:
            yield Refusal(number, "line too long", f"more than {_MAX_LINE_BYTES:,} bytes")
            while line and not line.endswith(b"\n"):
                line = stream.readline(_MAX_LINE_BYTES)
            continue
        content = line.removeprefix(_BYTE_ORDER_MARK).strip() if number == 1 else line.strip()
        if content:
            yield _row(number, content)


def _row(number: int, content: bytes) -> Row | Refusal:
    """Read one line."""
    if content.count(b"[") + content.count(b"{") > MAX_NESTING and _depth(content) > MAX_NESTING:
        return Refusal(number, "nested too deeply", f"more than {MAX_NESTING} levels")
    try:
        value = orjson.loads(content)
        if _FRACTION.search(content):
            # orjson makes 12.50 a number; as a value it is 12.50.
            value = json.loads(content, parse_float=str)
    except ValueError as error:
        return Refusal(number, "not JSON", str(error))
    if not isinstance(value, dict):
        return Refusal(number, "not a JSON object", "each line needs one {…}")
    return _meaning(number, value)


def _meaning(number: int, value: dict[str, Any]) -> Row | Refusal:
    """Tell what an object is: a conversation in one of its shapes, or a plain record."""
    if isinstance(value.get("contents"), list):
        system = value.get("systemInstruction") or value.get("system_instruction") or {}
        return _conversation(number, value["contents"], _parts_text(system) or "")
    if isinstance(value.get("messages"), list):
        return _conversation(number, value["messages"], "")
    return _record(number, value)


def _record(number: int, value: dict[str, Any]) -> Row | Refusal:
    """Take a plain record as it is; an AutoML export looks like one, but means something else."""
    if "textContent" in value or "textGcsUri" in value:
        detail = 'an AutoML export is not read; write {"text": …, "label": …}'
        return Refusal(number, "AutoML export", detail)
    return Row(number, value)


def _depth(content: bytes) -> int:
    """Count how deeply brackets are nested; those inside of texts count too."""
    depth = deepest = 0
    for byte in content:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _conversation(number: int, turns: list[Any], system: str) -> Row | Refusal:
    """Take the user's text and the model's answer out of a conversation's turns."""
    said: dict[str, list[str]] = {"user": [], "model": []}
    for turn in turns:
        if not isinstance(turn, dict):
            return Refusal(number, "not a conversation", "a turn is not a JSON object")
        role = turn.get("role", "user")
        role = "model" if role == "assistant" else role
        text = _parts_text(turn) if "parts" in turn else turn.get("content")
        if not isinstance(text, str):
            return Refusal(number, "not a conversation", f"the {role} turn holds no text")
        if role == "system":
            system = system or text
        elif role in said:
            said[role].append(text)
        else:
            return Refusal(number, "not a conversation", f"the role {role!r} is not known")
    if len(said["user"]) != 1 or len(said["model"]) != 1:
        return Refusal(
            number,
            "not a conversation",
            f"it has {len(said['user'])} user and {len(said['model'])} model turns; "
            "one of each is needed",
        )
    values = {TEXT: said["user"][0], ANSWER: said["model"][0]}
    return Row(number, {**values, SYSTEM: system} if system else values)


def _parts_text(turn: object) -> str | None:
    """Join the text parts of a turn; None when one of them is not text."""
    parts = turn.get("parts", []) if isinstance(turn, dict) else []
    parts = parts if isinstance(parts, list) else [parts]
    texts = [part.get("text") if isinstance(part, dict) else None for part in parts]
    if any(not isinstance(text, str) for text in texts):
        return None
    return "".join(text for text in texts if isinstance(text, str))
