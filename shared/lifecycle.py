"""A tuning job's life, as a pure function: no I/O, no clock.

`advance` takes the record, what was just seen, and the time; it returns the new record and at
most one effect to perform once that record is safely written. What the effect brings back is the
next thing seen. The table in TRANSITIONS is the whole of what may happen; docs/lifecycle.md
draws it.

The intent is written before anything is created, jobs with the intent's label are looked for
before another one is created, and an intent is never deleted: a process may die between any two
lines without a job being lost or paid twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import TunedropError
from shared.ports import TuningJob
from shared.records import JobRecord, JobState

TERMINAL: frozenset[JobState] = frozenset(
    {"succeeded", "failed", "cancelled", "expired", "partially_succeeded", "refused"}
)
WAITING: frozenset[JobState] = frozenset({"planned", "queued"})
LIVE: frozenset[JobState] = frozenset({"submitting", "submitted", "running"})

_ENDS: frozenset[JobState] = TERMINAL - frozenset[JobState]({"refused"})
TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    "planned": frozenset({"submitting"}),
    "queued": frozenset({"submitting"}),
    "submitting": _ENDS.union({"submitting", "queued", "refused", "submitted", "running"}),
    "submitted": _ENDS.union({"running"}),
    "running": _ENDS,
    **dict.fromkeys(TERMINAL, frozenset()),
}

_SERVICE_STATES: dict[str, JobState] = {
    "queued": "submitted",
    "pending": "submitted",
    "running": "running",
    "cancelling": "running",
    "paused": "running",
    "updating": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "expired": "expired",
    "partially_succeeded": "partially_succeeded",
}


class ForbiddenTransition(TunedropError):
    """A bug: a job was about to move in a way that the table does not have."""


@dataclass(frozen=True)
class Tick:
    """Seen: nothing yet; it is time to look."""


@dataclass(frozen=True)
class Found:
    """Seen: the jobs with this intent's label, oldest first."""

    jobs: Sequence[TuningJob]


@dataclass(frozen=True)
class Created:
    """Seen: the service created the job."""

    job: TuningJob


@dataclass(frozen=True)
class Busy:
    """Seen: the service has no room for another job now."""


@dataclass(frozen=True)
class Refused:
    """Seen: the service will never take this request."""

    reason: str


@dataclass(frozen=True)
class Announced:
    """Seen: tuning-completed was published."""


Seen = Tick | Found | Created | Busy | Refused | Announced


@dataclass(frozen=True)
class Find:
    """Effect: list the jobs with this intent's label."""


@dataclass(frozen=True)
class Create:
    """Effect: create the job."""


@dataclass(frozen=True)
class Cancel:
    """Effect: cancel jobs that were created twice."""

    resources: tuple[str, ...]


@dataclass(frozen=True)
class Announce:
    """Effect: publish tuning-completed."""


Effect = Find | Create | Cancel | Announce


def advance(
    job: JobRecord, seen: Seen, now: datetime, lease_seconds: float
) -> tuple[JobRecord, Effect | None]:
    """Say what becomes of a job.

    Args:
        job: The job's record.
        seen: What was just seen.
        now: The time.
        lease_seconds: How long a start is held before another delivery may take it over.

    Returns:
        The new record, and what to do once it is written.

    Raises:
        ForbiddenTransition: A bug in this module.
    """
    new, effect = _advance(job, seen, now, lease_seconds)
    if new.state != job.state and new.state not in TRANSITIONS[job.state]:
        raise ForbiddenTransition(f"Job {job.id}: {job.state} -> {new.state}")
    return new, effect


def _advance(
    job: JobRecord, seen: Seen, now: datetime, lease_seconds: float
) -> tuple[JobRecord, Effect | None]:
    match seen:
        case Tick():
            return _look(job, now, lease_seconds)
        case Found():
            return _compare(job, seen.jobs)
        case Created():
            return _follow(job, seen.job)
        case Busy():
            return job.model_copy(update={"state": "queued", "lease_until": None}), None
        case Refused():
            update = {"state": "refused", "error": seen.reason, "lease_until": None}
            return job.model_copy(update=update), Announce()
        case Announced():
            return job.model_copy(update={"announced": True}), None


def _look(job: JobRecord, now: datetime, lease_seconds: float) -> tuple[JobRecord, Effect | None]:
    """Say what a job needs when it is looked at."""
    if job.state in TERMINAL:
        return job, None if job.announced else Announce()
    held = job.state == "submitting" and job.lease_until is not None and job.lease_until > now
    if held:
        return job, None
    if job.state in WAITING or job.state == "submitting":
        update = {
            "state": "submitting",
            "epoch": job.epoch + 1,
            "lease_until": now + timedelta(seconds=lease_seconds),
        }
        return job.model_copy(update=update), Find()
    return job, Find()


def _compare(job: JobRecord, jobs: Sequence[TuningJob]) -> tuple[JobRecord, Effect | None]:
    """Adopt the oldest job with this intent's label, or create one when there is none."""
    if not jobs:
        # A job that was recorded but is not listed is a listing that lags: hold on to it.
        return job, Create() if job.state == "submitting" else None
    kept, *others = jobs
    new, effect = _follow(job, kept)
    live = [other for other in others if _SERVICE_STATES.get(other.state) not in TERMINAL]
    if not live:
        return new, effect
    # The end is not recorded while a double is alive, so that every tick looks for it again.
    held = new.model_copy(update={"state": "running"}) if new.state in TERMINAL else new
    extra = tuple(other.name for other in live if other.state != "cancelling")
    return held, Cancel(extra) if extra else None


def _follow(job: JobRecord, seen: TuningJob) -> tuple[JobRecord, Effect | None]:
    """Take over what the service says of the job."""
    state = _SERVICE_STATES.get(seen.state)
    if state is None or (state == "submitted" and job.state == "running"):
        # A state this version does not know is not an end: keep what is known.
        state = "submitted" if job.state == "submitting" else job.state
    update = {
        "state": state,
        "lease_until": None,
        "resource": seen.name,
        "endpoint": seen.endpoint or job.endpoint,
        "model": seen.model or job.model,
        "error": seen.error,
        "example_count": seen.example_count or job.example_count,
        "billable_tokens": seen.billable_tokens or job.billable_tokens,
        "dropped_examples": seen.dropped_examples or job.dropped_examples,
    }
    return job.model_copy(update=update), Announce() if state in TERMINAL else None
