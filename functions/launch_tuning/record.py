"""Reserves a run's money and records the run: open, waiting for a person, or refused.

The money is reserved under the run's key before the run is recorded as open, and the same key is
never reserved twice, so every step may be repeated. A crash between the two leaves a reservation
without a run: the next delivery takes it up, or the watcher gives it back.
"""

from functions.launch_tuning.plan import Proposal, price_per_job
from shared import open_work, paths
from shared.budget import period_of, reserve
from shared.ports import World
from shared.record_store import change, read
from shared.records import JobRecord, RemovedEndpoints, RunRecord


def record_run(world: World, proposal: Proposal) -> tuple[RunRecord, bool]:
    """Record a run, unless it is there already.

    One that was refused, or waits, is decided on anew: the budget may be another by now. So is
    one that came to nothing.

    Returns:
        The run as it now is, and whether this call wrote it.
    """
    run = proposal.run
    open_work.begin(world, "run", run.task_name, run.id)
    written: list[RunRecord] = []

    def decide(old: RunRecord | None) -> RunRecord | None:
        fresh = run
        if old is not None and _came_to_nothing(world, old):
            fresh = _next_attempt(run, old)
        elif old is not None and old.state not in {"refused", "waiting"}:
            return None
        elif old is not None:
            fresh = run.model_copy(update={"attempt": old.attempt, "jobs": old.jobs})
        new = _decide(world, proposal, fresh)
        if old is not None and old.state == new.state == "waiting":
            return None
        written.append(new)
        return new

    path = paths.run_record(run.task_name, run.id)
    recorded = change(world.buckets.artifacts, path, RunRecord, decide) or run
    if recorded.state == "closed":
        open_work.finish(world, "run", run.task_name, run.id)
    return recorded, any(recorded is new for new in written)


def reserve_money(world: World, run: RunRecord, task_cap: float | None) -> str:
    """Reserve the most that a run is likely to cost; the same run twice changes nothing.

    Returns:
        Why there is no room for it; empty when it is reserved.
    """
    return reserve(world, run, price_per_job(world, run), task_cap)


def _decide(world: World, proposal: Proposal, run: RunRecord) -> RunRecord:
    """Let a run open if there is money for it."""
    policy, estimate = proposal.policy, proposal.estimate
    run = run.model_copy(update={"budget_period": period_of(world.clock())})
    reason = (
        f"It would cost about ${estimate.usd:.2f} (${estimate.low:.2f} to ${estimate.high:.2f}); "
        f"the budget is ${policy.budget_usd:.2f}."
        if estimate.high > policy.budget_usd
        else reserve_money(world, run, policy.budget_usd_per_month)
    )
    if not reason:
        return run
    state = "waiting" if policy.over_budget == "ask" else "refused"
    return run.model_copy(update={"state": state, "reason": reason, "budget_period": ""})


def _came_to_nothing(world: World, run: RunRecord) -> bool:
    """Whether a run is over without any model left, so that asking again means trying again."""
    artifacts = world.buckets.artifacts
    paths_of_jobs = [paths.job_record(run.task_name, run.id, job) for job in run.jobs]
    jobs = [job for path in paths_of_jobs if (job := read(artifacts, path, JobRecord))]
    removed = read(artifacts, paths.removed_endpoints(run.task_name, run.id), RemovedEndpoints)
    given_up = removed.given_up if removed else {}
    models = [job for job in jobs if job.state == "succeeded" and job.endpoint not in given_up]
    return run.state == "closed" and not models


def _next_attempt(run: RunRecord, old: RunRecord) -> RunRecord:
    """Give a run's jobs new names: the old ones' intents stay as they are."""
    attempt = old.attempt + 1
    jobs = tuple(f"{job}-try{attempt}" for job in run.jobs)
    return run.model_copy(update={"attempt": attempt, "jobs": jobs})
