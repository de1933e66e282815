"""Conversations of one question and one answer, in the shapes that chat models are tuned on.

These are OpenAI's `messages`, its older `prompt` and `completion`, and ShareGPT's `conversations`.
Sources: https://platform.openai.com/docs/guides/supervised-fine-tuning and
https://huggingface.co/docs/trl/dataset_formats
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from functions.convert_dataset.formats.gemini import is_gemini
from functions.convert_dataset.formats.json_records import most_are, rows_of, split_of
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.turns import Turn, row_of_turns
from functions.convert_dataset.rows import Refusal, Row


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 1 when most records are such conversations."""
    return 1.0 if most_are(beginning, _is_chat) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the conversations. See `json_records` for what is raised."""
    return rows_of(source, _row)


def _is_chat(record: Mapping[str, object]) -> bool:
    """Whether a record has one of the three shapes, and is not Gemini's."""
    if "prompt" in record and "completion" in record:
        return True
    turns = record.get("messages", record.get("conversations"))
    if not isinstance(turns, list) or is_gemini(record):
        return False
    return all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in turns)


def _row(line: int, record: dict[str, Any]) -> Row | Refusal:
    """Make a row of one conversation."""
    turns = record.get("messages", record.get("conversations"))
    if turns is None:
        turns = [*_side(record, "prompt", "user"), *_side(record, "completion", "assistant")]
    if not isinstance(turns, list):
        return Refusal(line, "not a conversation", "its turns are not a list")
    row = row_of_turns(line, _turns(record.get("system"), turns))
    return row if isinstance(row, Refusal) else Row(line, {**row.values, **split_of(record)})


def _side(record: Mapping[str, Any], key: str, role: str) -> list[Any]:
    """Return a prompt's or completion's turns; a text is one turn."""
    value = record.get(key, [])
    return value if isinstance(value, list) else [{"role": role, "content": value}]


def _turns(system: object, turns: Iterable[Any]) -> Iterator[Turn]:
    """Take role and text out of the turns, after what ShareGPT keeps beside them."""
    if isinstance(system, str) and system:
        yield "system", system
    for turn in turns:
        if isinstance(turn, dict):
            role = turn.get("role", turn.get("from"))
            yield str(role)[:40], _content(turn.get("content", turn.get("value")))
        else:
            yield str(turn)[:40], None


def _content(content: object) -> str | None:
    """Return a turn's text, its parts joined; None when it is no text or has other parts."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    texts = [
        part.get("text", part.get("value"))
        if isinstance(part, dict) and part.get("type", "text") == "text"
        else None
        for part in content
    ]
    whole = [text for text in texts if isinstance(text, str)]
    return "".join(whole) if len(whole) == len(texts) else None
