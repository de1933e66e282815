"""One JSON value: how it is decoded, and what is refused although it can be."""

import json
import re
from itertools import chain
from typing import Any

from functions.convert_dataset.rows import Refusal

MAX_NESTING = 64
MAX_RECORD = 10_000_000
"""The longest record: in bytes when it is a line, else about as many characters."""

_LONGEST_INTEGER = 1000
_SURROGATE = re.compile("[\ud800-\udfff]")
_SUSPECT = re.compile(r"\\u[dD][89a-fA-F]")


def _integer(digits: str) -> int | str:
    """Read an integer; one of thousands of digits stays text, as int() refuses those."""
    return int(digits) if len(digits) < _LONGEST_INTEGER else digits


DECODER = json.JSONDecoder(parse_float=str, parse_int=_integer, parse_constant=lambda _: None)
"""Numbers with a fraction or an exponent become text; NaN, which Python writes, is no value."""


def wrong_in(error: json.JSONDecodeError) -> str:
    """Say what is wrong, in a sentence's middle: "expecting ',' delimiter"."""
    message = error.msg.removesuffix(":").removesuffix(" starting at").removesuffix(" at")
    return message[:1].lower() + message[1:]


def checked(line: int, value: object, text: str) -> tuple[int, dict[str, Any]] | Refusal:
    """Refuse what is no object, and what can be read but not written again."""
    if not isinstance(value, dict):
        return no_object(line, value)
    if text.count("[") + text.count("{") > MAX_NESTING or _SUSPECT.search(text):
        return _flaw(line, value) or (line, value)
    return line, value


def _flaw(line: int, value: object) -> Refusal | None:
    """Look at everything inside of a value."""
    inside: list[tuple[object, int]] = [(value, 1)]
    while inside:
        item, depth = inside.pop()
        if isinstance(item, str) and _SURROGATE.search(item):
            detail = "it has half of a surrogate pair, such as \\ud83d alone; remove it"
            return Refusal(line, "not text", detail)
        if not isinstance(item, dict | list):
            continue
        if depth > MAX_NESTING:
            return nested_too_deeply(line)
        parts = chain(item, item.values()) if isinstance(item, dict) else item
        inside.extend((part, depth + 1) for part in parts)
    return None


def no_object(line: int, value: object) -> Refusal:
    """Refuse a record that is a number, a text or a list."""
    kind = "an array" if isinstance(value, list) else "a single value"
    detail = f"each record is one {{…}}; this is {kind}"
    return Refusal(line, "not a JSON object", detail)


def nested_too_deeply(line: int) -> Refusal:
    """Refuse a record that nobody can mean."""
    return Refusal(line, "nested too deeply", f"more than {MAX_NESTING} levels")
