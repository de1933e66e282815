"""The simulated cloud: plain data that never changes, and what each call makes of it.

A state is a value, so that an explorer can go on from it twice, and know it again by its hash.
Everything that a delivery can ask of the world is a `Call`; `perform` says what the cloud then is
and what the caller hears.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from shared.errors import Conflict, NotFound, QuotaExceeded, Retry
from shared.ports import StoredObject, TuningJob
from tests.fakes import START

LIVE = frozenset({"pending", "running"})
OVER = frozenset({"succeeded", "failed", "cancelled"})
Verb = Literal["read", "find", "list", "write", "delete", "publish", "create", "jobs", "cancel"]
EFFECTS = frozenset({"write", "delete", "publish", "create", "cancel"})


class Call(NamedTuple):
    """What a delivery asks of the world: a verb, what it is about, and what goes with it."""

    verb: Verb
    name: str
    content: Any = None
    if_generation: int | None = None


class Heard(NamedTuple):
    """What the caller hears: a value, or the name of an error."""

    value: Any = None
    error: str = ""

    def give(self) -> Any:
        """Return the value, or raise the error."""
        if self.error:
            raise ERRORS[self.error](self.error)
        return self.value


ERRORS: Mapping[str, type[Exception]] = {
    "NotFound": NotFound,
    "Conflict": Conflict,
    "Retry": Retry,
    "QuotaExceeded": QuotaExceeded,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """An object, or with None the place of one that was deleted."""

    content: bytes | None
    generation: int


@dataclass(frozen=True, slots=True)
class ServiceJob:
    """A tuning job at the service."""

    number: int
    key: str
    state: str
    created: int

    def shown(self, tokens: int) -> TuningJob:
        """Return it as the port does."""
        done = self.state == "succeeded"
        return TuningJob(
            name=f"projects/p/locations/us-central1/tuningJobs/{self.number}",
            state=self.state,
            key=self.key,
            created=time_of(self.created),
            endpoint=f"projects/p/locations/us/endpoints/{self.number}" if done else "",
            model=f"projects/p/locations/us/models/{self.number}@1" if done else "",
            billable_tokens=tokens if done else 0,
        )


@dataclass(frozen=True, slots=True)
class Cloud:
    """Storage, the tuning service, what was published, and the time in seconds since START.

    `quota` is how many jobs the service lets live, `tokens` what it bills for each.
    """

    objects: Mapping[str, Stored]
    jobs: tuple[ServiceJob, ...] = ()
    announced: frozenset[str] = frozenset()
    now: int = 0
    quota: int = 10
    tokens: int = 10_000
    digest: int = 0

    def key(self) -> tuple[Any, ...]:
        """Return what tells this state from another; `digest` stands for what has been written."""
        return (self.digest, self.jobs, self.announced, self.now)

    def content(self, name: str) -> bytes | None:
        """Return an object's content; None when there is none."""
        found = self.objects.get(name)
        return found.content if found else None


def time_of(seconds: int) -> datetime:
    """Return the time of day of a number of seconds."""
    return START + timedelta(seconds=seconds)


def perform(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    """Do what was asked for."""
    return _DO[call.verb](cloud, call)


def _read(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    found = cloud.objects.get(call.name)
    if found is None or found.content is None:
        return cloud, Heard(error="NotFound")
    return cloud, Heard((found.content, found.generation))


def _find(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    found = cloud.objects.get(call.name)
    there = found is not None and found.content is not None
    return cloud, Heard(_describe(call.name, found) if there and found else None)


def _list(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    found = (
        _describe(name, item)
        for name, item in sorted(cloud.objects.items(), key=lambda pair: pair[0])
        if item.content is not None and name.startswith(call.name)
    )
    return cloud, Heard(tuple(found))


def _delete(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    return _put(cloud, call.name, None), Heard()


def _publish(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    if call.name != "tuning-completed":
        return cloud, Heard()
    about = call.content.get("job") or call.content["run"]
    return replace(cloud, announced=cloud.announced | {about}), Heard()


def _jobs(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    return cloud, Heard(
        tuple(job.shown(cloud.tokens) for job in cloud.jobs if job.key == call.name)
    )


def _cancel(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    number = int(call.name.rpartition("/")[2])
    return _become(cloud, number, "cancelling", LIVE), Heard()


def finish(cloud: Cloud, number: int, state: str) -> Cloud:
    """Let the service bring a job to its end."""
    return _become(cloud, number, state, LIVE | {"cancelling"})


def wait(cloud: Cloud, seconds: int) -> Cloud:
    """Let time pass."""
    return replace(cloud, now=cloud.now + seconds)


def _write(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    found = cloud.objects.get(call.name)
    there = found.generation if found is not None and found.content is not None else 0
    if call.if_generation is not None and call.if_generation != there:
        return cloud, Heard(error="Conflict")
    after = _put(cloud, call.name, call.content)
    return after, Heard(after.objects[call.name].generation)


def _put(cloud: Cloud, name: str, content: bytes | None) -> Cloud:
    before = cloud.objects.get(name)
    if content is None and (before is None or before.content is None):
        return cloud
    generation = before.generation + 1 if before else 1
    changed = hash((name, content, generation))
    if before is not None:
        changed ^= hash((name, before.content, before.generation))
    objects = {**cloud.objects, name: Stored(content, generation)}
    return replace(cloud, objects=objects, digest=cloud.digest ^ changed)


def _create(cloud: Cloud, call: Call) -> tuple[Cloud, Heard]:
    if sum(job.state in LIVE for job in cloud.jobs) >= cloud.quota:
        return cloud, Heard(error="QuotaExceeded")
    job = ServiceJob(len(cloud.jobs) + 1, call.content.key, "pending", cloud.now)
    return replace(cloud, jobs=(*cloud.jobs, job)), Heard(job.shown(cloud.tokens))


def _become(cloud: Cloud, number: int, state: str, before: frozenset[str]) -> Cloud:
    jobs = tuple(
        replace(job, state=state) if job.number == number and job.state in before else job
        for job in cloud.jobs
    )
    return replace(cloud, jobs=jobs)


def _describe(name: str, stored: Stored) -> StoredObject:
    return StoredObject(name, stored.generation, len(stored.content or b""), START)


_DO: Mapping[Verb, Callable[[Cloud, Call], tuple[Cloud, Heard]]] = {
    "read": _read,
    "find": _find,
    "list": _list,
    "write": _write,
    "delete": _delete,
    "publish": _publish,
    "create": _create,
    "jobs": _jobs,
    "cancel": _cancel,
}
