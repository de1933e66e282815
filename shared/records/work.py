"""Records of what was refused, and of work that is not finished."""

from datetime import date, datetime
from typing import Literal

from shared.records.base import Record


class RejectionRecord(Record):
    """A bad input, and why."""

    function: str
    subject: str
    generation: int = 0
    reason: str
    remedy: str
    at: datetime


class WatchRecord(Record):
    """What the watcher does once a day, and the last day on which, or for which, it was done.

    `answers_day` is the last day whose answers were gathered. While that goes on, `answers_tasks`
    are the tasks that are done; it is None when all are.
    """

    champions_seen: date | None = None
    answers_day: date | None = None
    answers_tasks: tuple[str, ...] | None = None


class OpenMarker(Record):
    """A sign that some work is not finished; deleted when it is.

    `revived` counts how often its event was published again, each time after twice the wait.
    """

    kind: Literal["dataset", "run", "document", "endpoints", "batch", "review"]
    task_name: str
    id: str
    since: datetime
    revived: int = 0
    event: dict[str, str] = {}
