"""Says in words what a pydantic field takes: its type, its bounds and its default."""

import re
from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as bounds
from pydantic import BaseModel
from pydantic.fields import FieldInfo

Link = Callable[[type[BaseModel]], str]

_WORDS: dict[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
}
_CONTAINERS = {tuple: "list of {}", dict: "mapping of {} to {}"}


def describe_type(field: FieldInfo, link: Link) -> str:
    """Say what a field takes.

    Args:
        field: The field.
        link: Gives the link to the section about a model.
    """
    words = _type_words(field.annotation, link)
    limits = _limits(field.metadata)
    return f"{words}, {limits}" if limits else words


def describe_default(field: FieldInfo) -> str:
    """Say what a field is when it is left out."""
    if field.is_required():
        return "**required**"
    value = field.get_default()
    match value:
        case BaseModel():
            return "the defaults there"
        case None | "" | () | {}:
            return "none"
        case tuple():
            return ", ".join(f"`{item}`" for item in value)
        case bool():
            return f"`{str(value).lower()}`"
        case _:
            return f"`{value}`"


def _type_words(annotation: Any, link: Link) -> str:
    """Name a type."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        limits = _limits([part for item in inner[1:] for part in _flat(item)])
        words = _type_words(inner[0], link)
        return f"{words}, {limits}" if limits else words
    if origin in {Union, UnionType}:
        return " or ".join(_type_words(item, link) for item in inner if item is not NoneType)
    if origin is Literal:
        return _choice([f"`{item}`" for item in inner])
    if origin in _CONTAINERS:
        parts = [_type_words(item, link) for item in inner if item is not Ellipsis]
        return _CONTAINERS[origin].format(*parts)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return link(annotation)
    return _WORDS[annotation]


def _choice(items: Sequence[str]) -> str:
    """Write a choice: a, b or c."""
    *most, last = items
    return f"{', '.join(most)} or {last}" if most else last


def _flat(item: Any) -> list[Any]:
    """Return the bounds that a part of Annotated brings."""
    return list(item.metadata) if isinstance(item, FieldInfo) else [item]


def _limits(metadata: Sequence[Any]) -> str:
    """Put bounds into words."""
    lows = [
        *(f"at least {item.ge:,}" for item in metadata if isinstance(item, bounds.Ge)),
        *(f"above {item.gt:,}" for item in metadata if isinstance(item, bounds.Gt)),
    ]
    highs = [
        *(f"at most {item.le:,}" for item in metadata if isinstance(item, bounds.Le)),
        *(f"below {item.lt:,}" for item in metadata if isinstance(item, bounds.Lt)),
    ]
    both = ", ".join([*lows, *highs])
    between = re.fullmatch(r"at least (\S+), at most (\S+)", both)
    return f"{between[1]} to {between[2]}" if between else both or _length(metadata)


def _length(metadata: Sequence[Any]) -> str:
    """Put bounds on a length into words."""
    least = next((item.min_length for item in metadata if isinstance(item, bounds.MinLen)), 0)
    most = next((item.max_length for item in metadata if isinstance(item, bounds.MaxLen)), None)
    if most is None:
        return f"at least {least}" if least else ""
    return f"{least} to {most:,} characters" if least else f"up to {most:,} characters"
