"""Instructions in Alpaca's shape: `instruction`, `input` and `output`.

When all records have the same instruction, it is the system instruction and the input is the text;
else the text is instruction and input together.
Source: https://github.com/tatsu-lab/stanford_alpaca
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from functions.convert_dataset.formats.json_records import most_are, rows_of, split_of
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.rows import ANSWER, SYSTEM, TEXT, Refusal, Row

_ALMOST_ALL = 0.9


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 1 when most records have instruction and output."""
    return 1.0 if most_are(beginning, _is_instruction) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the records. See `json_records` for what is raised."""
    records = [record for record in source.beginning.records if _is_instruction(record)]
    counts = Counter(str(record["instruction"]) for record in records)
    most = max(counts.values(), default=0)
    same = most > 1 and most >= _ALMOST_ALL * len(records)
    return rows_of(source, partial(_row, same=same))


def _is_instruction(record: Mapping[str, object]) -> bool:
    """Whether a record has an instruction and an output."""
    return isinstance(record.get("instruction"), str) and "output" in record


def _row(line: int, record: dict[str, Any], *, same: bool) -> Row | Refusal:
    """Make a row of one record.

    Args:
        line: Its line.
        record: The record.
        same: Whether nearly all records of the file have the same instruction.
    """
    if record.get("history"):
        detail = "it has a history of earlier turns; one question and one answer are needed"
        return Refusal(line, "not a single turn", detail)
    parts = {key: record.get(key) or "" for key in ("system", "instruction", "input")}
    odd = next((key for key, part in parts.items() if not isinstance(part, str)), None)
    if odd:
        return Refusal(line, "not an instruction", f"{odd!r} is not a text")
    if "output" not in record:
        return Refusal(line, "not an instruction", "it has no 'output'")
    system, instruction, given = parts.values()
    above, below = (
        ([system, instruction], [given]) if same and given else ([system], [instruction, given])
    )
    values = {TEXT: "\n".join(filter(None, below)), ANSWER: record["output"]}
    told = "\n".join(filter(None, above))
    return Row(line, {**values, **({SYSTEM: told} if told else {}), **split_of(record)})
