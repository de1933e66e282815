"""Records of batches: many requests that a model answers in one job."""

from datetime import datetime
from typing import Literal

from shared.records.base import Record


class Wake(Record):
    """A message that is published once a batch has ended: somebody waits for its answers."""

    topic: str
    message: dict[str, str]


class BatchRecord(Record):
    """One batch: first the intent, then what became of it.

    `state`: planned until a job is asked for; submitting while one delivery holds the lease and
    looks for the job or creates it; running; ended, well or not, with the service's own word for it
    in `outcome` ("refused" when there never was a job). `model` is called as in
    ports.BatchRequest, `lines` is how many requests there are, `output` where the answers are in
    the artifacts bucket. It was `created` when it was planned, and its job when it was `started`,
    which can be days later. `wakes` are published once it has ended.
    """

    id: str
    task_name: str
    model: str
    lines: int
    state: Literal["planned", "submitting", "running", "ended"] = "planned"
    lease_until: datetime | None = None
    resource: str = ""
    outcome: str = ""
    output: str = ""
    error: str = ""
    wakes: tuple[Wake, ...]
    created: datetime
    started: datetime | None = None
