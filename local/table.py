"""Reads infra/functions.yaml, the one table of functions and topics."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "infra" / "functions.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Roles(_Part):
    """What a function's account may do."""

    buckets: dict[str, str]
    topics: tuple[str, ...]
    project: tuple[str, ...]


class Function(_Part):
    """One function; the table's own comments explain the keys."""

    entry_point: str
    topics: tuple[str, ...]
    memory: str
    cpu: int
    timeout_seconds: int
    concurrency: int
    min_instances: int
    max_instances: int
    ack_deadline_seconds: int
    backoff_seconds: tuple[float, float]
    max_delivery_attempts: int
    environment: dict[str, str]
    roles: Roles


class Schedule(_Part):
    """When the tick is published."""

    topic: str
    cron: str


class Table(_Part):
    """The whole table, with the defaults filled in."""

    runtime: str
    topics: tuple[str, ...]
    notifications: dict[str, str]
    schedule: Schedule
    functions: dict[str, Function]


def read_table(path: Path = TABLE) -> Table:
    """Read the table.

    Raises:
        pydantic.ValidationError: A key is unknown, missing or of the wrong kind.
    """
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    defaults = content.pop("defaults")
    functions = {name: {**defaults, **own} for name, own in content.pop("functions").items()}
    return Table.model_validate({**content, "functions": functions})


def subscriber(function: str) -> str:
    """Return a function's part of resource names: dashes, as Google Cloud wants them."""
    return function.replace("_", "-")


def subscription(function: str, topic: str) -> str:
    """Return the name of a function's subscription to a topic."""
    return f"{subscriber(function)}.{topic}"


def dead_letter_topic(function: str) -> str:
    """Return the name of the topic that a function's undeliverable messages go to."""
    return f"{subscriber(function)}.dead-letter"
