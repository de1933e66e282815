"""Values as they go over the wire: msgpack, or JSON for a stored state.

A value that is not known yet is a msgpack extension. It is kept as it came, because Terraform
may have written into it what it does know, and wants that back.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgpack

from tests.infra.provider.messages import message

UNKNOWN = msgpack.ExtType(0, b"\x00")

Object = dict[str, Any]


def is_unknown(value: object) -> bool:
    """Whether a value is not known yet."""
    return isinstance(value, msgpack.ExtType)


def is_wholly_known(value: object) -> bool:
    """Whether nothing in a value is unknown."""
    if isinstance(value, dict):
        return all(is_wholly_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_wholly_known(item) for item in value)
    return not is_unknown(value)


def decode(dynamic: Any) -> Any:
    """Read a DynamicValue."""
    if dynamic.msgpack:
        return msgpack.unpackb(dynamic.msgpack, ext_hook=msgpack.ExtType, strict_map_key=False)
    return json.loads(dynamic.json) if dynamic.json else None


def encode(value: Any) -> Any:
    """Write a DynamicValue."""
    return message("DynamicValue")(msgpack=msgpack.packb(value))


def elements(value: Any) -> list[Object]:
    """List the blocks of one name, whatever their nesting; none if they are not known."""
    found = value if isinstance(value, list) else [value]
    return [item for item in found if isinstance(item, dict)]


def at(value: Object, path: str) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Find what is at a dotted path, in each of its blocks: (steps, value).

    What is not set, or not known yet, is left out.
    """
    name, _, rest = path.partition(".")
    inner = value.get(name)
    if inner is None or is_unknown(inner):
        return
    if not rest:
        yield (name,), inner
        return
    for index, item in enumerate(elements(inner)):
        for steps, found in at(item, rest):
            yield (name, index, *steps), found
