"""What the service says of a tuning job, taken into its record: its state and its progress."""

from datetime import datetime, timedelta

from shared.ports import TuningJob
from shared.records import CheckpointRecord, JobRecord, JobState

_FOLLOWED: frozenset[JobState] = frozenset({"submitted", "running"})
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


def state_of(job: TuningJob) -> JobState | None:
    """Return a job's state in our words; None for one that this version does not know."""
    return _SERVICE_STATES.get(job.state)


def follow(job: JobRecord, seen: TuningJob) -> JobRecord:
    """Take over what the service says of the job."""
    known = state_of(seen)
    state: JobState | None = known
    if state is None or (state == "submitted" and job.state == "running"):
        # A state this version does not know is not an end: keep what is known.
        state = "submitted" if job.state == "submitting" else job.state
    points = seen.checkpoints
    update: dict[str, object] = {
        "state": state,
        "unknown_state": "" if known else seen.state,
        "lease_until": None,
        "resource": seen.name,
        "endpoint": seen.endpoint or job.endpoint,
        "model": seen.model or job.model,
        "error": seen.error,
        "example_count": seen.example_count or job.example_count,
        "billable_tokens": seen.billable_tokens or job.billable_tokens,
        "truncated_examples": seen.truncated_examples or job.truncated_examples,
        "dropped_examples": seen.dropped_examples or job.dropped_examples,
        # A listing that lags does not take progress back.
        "epochs_done": max([job.epochs_done, *(point.epoch for point in points)]),
        "steps_done": max([job.steps_done, *(point.step for point in points)]),
    }
    if state not in _FOLLOWED and points:
        update["checkpoints"] = tuple(
            CheckpointRecord(
                id=point.id, epoch=point.epoch, step=point.step, endpoint=point.endpoint
            )
            for point in points
        )
    return job.model_copy(update=update)


def note_progress(old: JobRecord, new: JobRecord, now: datetime, patience: timedelta) -> JobRecord:
    """Note when the service last showed progress, and whether that is too long ago."""
    if new.state not in _FOLLOWED:
        return new.model_copy(update={"stuck": False}) if new.stuck else new
    before = (old.state, old.epochs_done, old.steps_done)
    if new.progress_at is None or before != (new.state, new.epochs_done, new.steps_done):
        return new.model_copy(update={"progress_at": now, "stuck": False})
    if now - new.progress_at >= patience and not new.stuck:
        return new.model_copy(update={"stuck": True})
    return new
