"""Checks of single values: each takes a value and says what is wrong with it, or None."""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], str | None]

LABEL_KEY = re.compile(r"(?=[^\W\d_])[^\W_A-Z][\w-]{0,62}")
LABEL_VALUE = re.compile(r"[\w-]{0,63}")
CRON_FIELD = r"(?:\*|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/[0-9]+)?"
CRON_LIST = rf"{CRON_FIELD}(?:,{CRON_FIELD})*"
RESERVED = re.compile(
    r"X_GOOGLE_.*|PORT|K_(SERVICE|REVISION|CONFIGURATION)|FUNCTION_(TARGET|SIGNATURE_TYPE)"
)


def between(least: float, most: float) -> Check:
    """Take numbers of a range, its ends included. One with decimals may come as text."""

    def check(value: float | str) -> str | None:
        inside = least <= float(value) <= most
        return None if inside else f"to be in the range ({least:g} - {most:g}), got {value}"

    return check


def matching(pattern: str, meaning: str) -> Check:
    """Take text that is nothing but what the pattern describes."""
    compiled = re.compile(pattern)

    def check(value: str) -> str | None:
        return None if compiled.fullmatch(value) else f"to be {meaning}, got {value!r}"

    return check


def one_of(*choices: str) -> Check:
    """Take one of some words; each of them, if it is a list."""

    def check(value: str | list[str]) -> str | None:
        given = value if isinstance(value, list) else [value]
        wrong = [item for item in given if item not in choices]
        return f"to be one of {list(choices)}, got {wrong[0]!r}" if wrong else None

    return check


def seconds(least: float, most: float, *, step: int | None = None, empty: bool = False) -> Check:
    """Take a duration such as `600s`.

    Args:
        least: The shortest, in seconds.
        most: The longest, in seconds.
        step: What it must be a multiple of.
        empty: Whether an empty text, for "never", is fine too.
    """

    def check(value: str) -> str | None:
        if value == "" and empty:
            return None
        found = re.fullmatch(r"(\d+(?:\.\d{1,9})?)s", value)
        if not found:
            return f"to be a duration such as '600s', got {value!r}"
        length = float(found[1])
        if not least <= length <= most:
            return f"to be from {least:g}s to {most:g}s, got {value!r}"
        return f"to be a multiple of {step}s, got {value!r}" if step and length % step else None

    return check


def labels(value: dict[str, Any]) -> str | None:
    """Take labels as Google Cloud has them: lower case, at most 64 of them."""
    if len(value) > 64:
        return f"to have at most 64 labels, got {len(value)}"
    for key, text in value.items():
        if not LABEL_KEY.fullmatch(key) or key != key.lower():
            return (
                "to have keys of up to 63 lower-case letters, digits, dashes and underscores that "
                f"begin with a letter, got {key!r}"
            )
        if isinstance(text, str) and (not LABEL_VALUE.fullmatch(text) or text != text.lower()):
            return (
                "to have values of up to 63 lower-case letters, digits, dashes and underscores, "
                f"got {text!r}"
            )
    return None


def bucket_name(value: str) -> str | None:
    """Take the name of a bucket."""
    parts = value.split(".")
    shape = re.fullmatch(r"[a-z0-9][a-z0-9._-]+[a-z0-9]", value)
    length = 3 <= len(value) <= (222 if len(parts) > 1 else 63) and max(map(len, parts)) <= 63
    address = re.fullmatch(r"\d+(\.\d+){3}", value)
    ours = value.startswith("goog") or "google" in value
    if shape and length and not address and not ours:
        return None
    return (
        "to have 3 to 63 lower-case letters, digits, dashes, underscores and dots, to begin and "
        f"end with a letter or digit, and not to contain 'google', got {value!r}"
    )


def cron(value: str) -> str | None:
    """Take a schedule in cron's notation, or the older one in English."""
    if value.startswith("every ") or re.fullmatch(rf"{CRON_LIST}(?: {CRON_LIST}){{4}}", value):
        return None
    return f"to be a schedule of five fields, got {value!r}"


def base64(value: str) -> str | None:
    """Take base64."""
    try:
        b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return f"to be a base64-encoded value, got {value!r}"
    return None


def json_object(value: str) -> str | None:
    """Take text that is an object in JSON."""
    try:
        return None if isinstance(json.loads(value), dict) else "to be an object in JSON"
    except ValueError as error:
        return f"to be JSON: {error}"


def environment(value: dict[str, Any]) -> str | None:
    """Take environment variables: names of a shell's kind that Google does not use itself."""
    for name in value:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            return f"to have names of letters, digits and underscores, got {name!r}"
        if RESERVED.fullmatch(name):
            return f"not to have the reserved name {name!r}"
    return None
