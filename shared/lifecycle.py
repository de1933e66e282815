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
from shared.job_progress import follow, note_progress, state_of
from shared.ports import TuningJob
from shared.records import JobRecord, JobState

TERMINAL: frozenset[JobState] = frozenset(
    {"succeeded", "failed", "cancelled", "expired", "partially_succeeded", "refused"}
)
WAITING: frozenset[JobState] = frozenset({"planned", "queued"})
LIVE: frozenset[JobState] = frozenset({"submitting", "submitted", "running"})

_ENDS: frozenset[JobState] = TERMINAL - frozenset[JobState]({"refused"})
TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    "planned": frozenset({"submitting", "cancelled"}),
    "queued": frozenset({"submitting", "cancelled"}),
    "submitting": _ENDS.union({"submitting", "queued", "refused", "submitted", "running"}),
    "submitted": _ENDS.union({"running"}),
    "running": _ENDS,
    **dict.fromkeys(TERMINAL, frozenset()),
}

CANCELLED = "The run was cancelled."
NO_ROOM = "Vertex AI has no room for another job now."


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

    reason: str = NO_ROOM


@dataclass(frozen=True)
class Held:
    """Seen: the job may not be created now, although the service was not asked."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """Seen: the service will never take this request."""

    reason: str


@dataclass(frozen=True)
class Announced:
    """Seen: tuning-completed was published."""


Seen = Tick | Found | Created | Busy | Held | Refused | Announced


@dataclass(frozen=True)
class Find:
    """Effect: list the jobs with this intent's label."""


@dataclass(frozen=True)
class Create:
    """Effect: create the job."""


@dataclass(frozen=True)
class Cancel:
    """Effect: cancel jobs that were created twice, or that nobody wants any more."""

    resources: tuple[str, ...]


@dataclass(frozen=True)
class Announce:
    """Effect: publish tuning-completed."""


Effect = Find | Create | Cancel | Announce


def in_doubt(job: JobRecord, now: datetime) -> bool:
    """Whether a job that was cancelled before it was found may still appear at the service."""
    return job.state == "cancelled" and job.lease_until is not None and job.lease_until > now


def advance(
    job: JobRecord,
    seen: Seen,
    now: datetime,
    lease_seconds: float,
    *,
    stuck_after_seconds: float = 21_600.0,
    cancel: bool = False,
) -> tuple[JobRecord, Effect | None]:
    """Say what becomes of a job.

    Args:
        job: The job's record.
        seen: What was just seen.
        now: The time.
        lease_seconds: How long a start is held before another delivery may take it over.
        stuck_after_seconds: How long a job may show no progress before it is called stuck.
        cancel: Whether the job is to be cancelled.

    Returns:
        The new record, and what to do once it is written.

    Raises:
        ForbiddenTransition: A bug in this module.
    """
    lease = now + timedelta(seconds=lease_seconds)
    new, effect = _advance(job, seen, now, lease, cancel=cancel)
    if new.state != job.state and new.state not in TRANSITIONS[job.state]:
        raise ForbiddenTransition(f"Job {job.id}: {job.state} -> {new.state}")
    return note_progress(job, new, now, timedelta(seconds=stuck_after_seconds)), effect


def _advance(
    job: JobRecord, seen: Seen, now: datetime, lease: datetime, *, cancel: bool
) -> tuple[JobRecord, Effect | None]:
    match seen:
        case Tick():
            return _look(job, now, lease, cancel=cancel)
        case Found():
            return _compare(job, seen.jobs, lease, cancel=cancel)
        case Created():
            return _take(job, seen.job)
        case Busy() | Held():
            update = {"state": "queued", "error": seen.reason, "lease_until": None}
            return job.model_copy(update=update), None
        case Refused():
            update = {"state": "refused", "error": seen.reason, "lease_until": None}
            return job.model_copy(update=update), Announce()
        case Announced():
            return job.model_copy(update={"announced": True}), None


def _look(
    job: JobRecord, now: datetime, lease: datetime, *, cancel: bool
) -> tuple[JobRecord, Effect | None]:
    """Say what a job needs when it is looked at."""
    if job.state in TERMINAL:
        if not job.announced:
            return job, Announce()
        return job, Find() if in_doubt(job, now) else None
    if job.state in WAITING and cancel:
        return job.model_copy(update={"state": "cancelled", "error": CANCELLED}), Announce()
    held = job.state == "submitting" and job.lease_until is not None and job.lease_until > now
    if held:
        return job, None
    if job.state in WAITING or job.state == "submitting":
        update = {"state": "submitting", "epoch": job.epoch + 1, "lease_until": lease}
        return job.model_copy(update=update), Find()
    return job, Find()


def _compare(
    job: JobRecord, jobs: Sequence[TuningJob], lease: datetime, *, cancel: bool
) -> tuple[JobRecord, Effect | None]:
    """Adopt the oldest job with this intent's label, or create one when there is none."""
    if job.state == "cancelled":
        return _compare_late(job, jobs, lease)
    if not jobs:
        return _miss(job, cancel=cancel)
    kept, *others = jobs
    new, effect = _take(job, kept)
    doubles = _live(others)
    # The end is not recorded while a double is alive, so that every tick looks for it again.
    held = new.state in TERMINAL and doubles
    extra = _to_cancel(_live(jobs) if cancel else doubles)
    if held:
        new = new.model_copy(update={"state": "running"})
    if extra:
        return new, Cancel(extra)
    return new, None if held else effect


def _miss(job: JobRecord, *, cancel: bool) -> tuple[JobRecord, Effect | None]:
    """Say what to do about a job that is not listed."""
    if job.state != "submitting":
        # A job that was recorded but is not listed is a listing that lags: hold on to it.
        return job, Cancel((job.resource,)) if cancel else None
    if cancel:
        # The lease that was just taken stays: until it is over, a lost creation may appear.
        return job.model_copy(update={"state": "cancelled", "error": CANCELLED}), Announce()
    return job, Create()


def _compare_late(
    job: JobRecord, jobs: Sequence[TuningJob], lease: datetime
) -> tuple[JobRecord, Effect | None]:
    """Cancel what appeared under the key of a job that was cancelled before it was found."""
    live = _live(jobs)
    if not live:
        return job, None
    # It is looked for until it has ended: a cancellation may fail, too.
    extra = _to_cancel(live)
    new = job.model_copy(update={"resource": jobs[0].name, "lease_until": lease})
    return new, Cancel(extra) if extra else None


def _take(job: JobRecord, seen: TuningJob) -> tuple[JobRecord, Effect | None]:
    """Take over what the service says, and announce an end."""
    new = follow(job, seen)
    return new, Announce() if new.state in TERMINAL else None


def _live(jobs: Sequence[TuningJob]) -> list[TuningJob]:
    """Return the jobs that have not ended."""
    return [job for job in jobs if state_of(job) not in TERMINAL]


def _to_cancel(jobs: Sequence[TuningJob]) -> tuple[str, ...]:
    """Name the jobs that nobody has asked to be cancelled yet."""
    return tuple(job.name for job in jobs if job.state != "cancelling")
