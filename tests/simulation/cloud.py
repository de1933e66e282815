"""A small cloud as plain data: objects with generations, messages, tuning jobs and the time.

It is copied at every step, so that all that can happen next can be tried from the same state.
"""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from shared.errors import Conflict, NotFound, QuotaExceeded, Retry, TunedropError
from shared.ports import StoredObject, TuningJob, TuningRequest

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
OVER = frozenset({"succeeded", "failed", "cancelled"})
BILLED_TOKENS = 10_000


class Call(NamedTuple):
    """What a function asks of a port.

    Attributes:
        verb: read, find, list, write, delete, publish, jobs, create, cancel, remove or clock.
        name: The object, prefix, topic, key or job that it is about.
        body: What is written, published or created.
        if_generation: The condition of a write.
    """

    verb: str
    name: str = ""
    body: bytes | str | TuningRequest = ""
    if_generation: int | None = None


class Failure(NamedTuple):
    """A port's answer that is an error."""

    kind: type[TunedropError]
    text: str = "simulated"


class Posted(NamedTuple):
    """A message that Pub/Sub keeps until it is acknowledged."""

    topic: str
    data: str
    id: str = ""


class ServiceJob(NamedTuple):
    """A tuning job as the service keeps it; `created` is in seconds since the start."""

    key: str
    state: str
    created: int


class Cloud:
    """The state of everything outside the functions.

    Attributes:
        objects: Name -> (content, generation); the content is None once it is deleted.
        jobs: Every tuning job, oldest first.
        messages: What is to be delivered, in order of content: Pub/Sub promises no other.
        now: Seconds since the start.
        quota: How many jobs the service runs at the same time.
    """

    __slots__ = ("jobs", "messages", "now", "objects", "quota")

    def __init__(self, quota: int) -> None:
        self.objects: dict[str, tuple[bytes | None, int]] = {}
        self.jobs: tuple[ServiceJob, ...] = ()
        self.messages: tuple[Posted, ...] = ()
        self.now = 0
        self.quota = quota

    def copy(self) -> "Cloud":
        """Return a copy that can be changed."""
        new = Cloud(self.quota)
        new.objects = self.objects.copy()
        new.jobs, new.messages, new.now = self.jobs, self.messages, self.now
        return new

    def key(self) -> int:
        """Return a number that is the same for the same state."""
        return hash((frozenset(self.objects.items()), self.jobs, self.messages, self.now))

    def content(self, name: str) -> bytes | None:
        """Return an object's content; None when it is not there."""
        return self.objects.get(name, (None, 0))[0]

    def names(self, prefix: str) -> list[str]:
        """Name the objects below a prefix."""
        return [
            name
            for name in sorted(self.objects)
            if name.startswith(prefix) and self.objects[name][0] is not None
        ]

    def put(self, name: str, content: bytes | None) -> int:
        """Write or delete an object, and return its generation."""
        generation = self.objects.get(name, (None, 0))[1] + 1
        self.objects[name] = (content, generation)
        return generation

    def post(self, message: Posted) -> None:
        """Keep a message for delivery; the same message twice is kept once."""
        if message not in self.messages:
            self.keep(message)

    def keep(self, message: Posted) -> None:
        """Keep a message for delivery once more."""
        self.messages = tuple(sorted((*self.messages, message)))

    def take(self, message: Posted) -> None:
        """Hand a message out, or forget it; one that is not there is fine."""
        if message in self.messages:
            kept = list(self.messages)
            kept.remove(message)
            self.messages = tuple(kept)

    def set_job(self, index: int, state: str) -> None:
        """Put a job of the service into a state."""
        jobs = list(self.jobs)
        jobs[index] = jobs[index]._replace(state=state)
        self.jobs = tuple(jobs)


def perform(cloud: Cloud, call: Call, listed_before: int | None = None) -> object:
    """Do what a function asks for, and return the answer; it can be hashed.

    Args:
        cloud: The state, which is changed.
        call: What is asked for.
        listed_before: Only jobs that were created before this second are listed.
    """
    match call.verb:
        case "clock":
            return START + timedelta(seconds=cloud.now)
        case "read":
            content, generation = cloud.objects.get(call.name, (None, 0))
            return Failure(NotFound) if content is None else (content, generation)
        case "find":
            return _describe(cloud, call.name)
        case "list":
            return tuple(_describe(cloud, name) for name in cloud.names(call.name))
        case "write":
            content, generation = cloud.objects.get(call.name, (None, 0))
            there = 0 if content is None else generation
            if call.if_generation is not None and call.if_generation != there:
                return Failure(Conflict)
            assert isinstance(call.body, bytes)
            return cloud.put(call.name, call.body)
        case "delete":
            if cloud.content(call.name) is not None:
                cloud.put(call.name, None)
        case "publish":
            assert isinstance(call.body, str)
            if call.name != "pipeline-events":
                cloud.post(Posted(call.name, call.body))
        case _:
            return _tune(cloud, call, listed_before)
    return None


def _tune(cloud: Cloud, call: Call, listed_before: int | None) -> object:
    """Do what is asked of the tuning service."""
    match call.verb:
        case "jobs":
            return tuple(
                _answer(index, job)
                for index, job in enumerate(cloud.jobs)
                if job.key == call.name and (listed_before is None or job.created < listed_before)
            )
        case "create":
            if sum(job.state not in OVER for job in cloud.jobs) >= cloud.quota:
                return Failure(QuotaExceeded)
            assert isinstance(call.body, TuningRequest)
            job = ServiceJob(call.body.key, "pending", cloud.now)
            cloud.jobs = (*cloud.jobs, job)
            return _answer(len(cloud.jobs) - 1, job)
        case "cancel":
            index = int(call.name.rpartition("/")[2])
            if cloud.jobs[index].state not in OVER:
                cloud.set_job(index, "cancelling")
        case "remove":
            pass
        case _:
            raise AssertionError(f"no such call: {call.verb}")
    return None


def _describe(cloud: Cloud, name: str) -> StoredObject | None:
    content, generation = cloud.objects.get(name, (None, 0))
    return None if content is None else StoredObject(name, generation, len(content), START)


@cache
def _answer(index: int, job: ServiceJob) -> TuningJob:
    """Show a job as the port does."""
    done = job.state == "succeeded"
    return TuningJob(
        name=f"projects/p/locations/us-central1/tuningJobs/{index}",
        state=job.state,
        key=job.key,
        created=START + timedelta(seconds=job.created),
        endpoint=f"projects/p/locations/us/endpoints/{index}" if done else "",
        model=f"projects/p/locations/us/models/{index}@1" if done else "",
        billable_tokens=BILLED_TOKENS if done else 0,
    )


def as_json(message: object) -> str:
    """Write a message so that the same message is the same text."""
    return json.dumps(message, sort_keys=True, default=dict)


def lost() -> Failure:
    """Return what a caller gets whose answer was lost, or whose call failed."""
    return Failure(Retry)
