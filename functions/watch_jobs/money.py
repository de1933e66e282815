"""Keeps the ledger true: gives back what no run holds, settles what ended without being settled.

A crash can leave a reservation whose run was never recorded, or a job that ended and was never
settled. Both are found in the ledger itself.
"""

from collections.abc import Iterator
from datetime import timedelta

from functions.watch_jobs.task_records import by_itself
from shared import log, paths
from shared.budget import give_back, key_of, period_of, previous_period, settle
from shared.job_price import price_of
from shared.job_steps import OpenJob, advance_job
from shared.lifecycle import TERMINAL, in_doubt
from shared.ports import TuningService, World
from shared.record_store import read
from shared.records import BudgetRecord, JobRecord, Reservation, RunRecord


def reconcile(world: World, tuning: TuningService) -> None:
    """Look at every reservation of this month and the last that is not settled.

    Raises:
        Retry: Storage or the service is not to be had.
    """
    for period, key, item in list(_unsettled(world)):
        with by_itself(item.task_name, reservation=key):
            _reconcile(world, tuning, period, key, item)


def _unsettled(world: World) -> Iterator[tuple[str, str, Reservation]]:
    """Go through the reservations with jobs that have no price yet: (period, key, reservation)."""
    now = period_of(world.clock())
    for period in (previous_period(now), now):
        ledger = _ledger(world, period)
        for key, item in (ledger.reservations if ledger else {}).items():
            if not set(item.estimated) <= set(item.actual):
                yield period, key, item


def _reconcile(
    world: World, tuning: TuningService, period: str, key: str, item: Reservation
) -> None:
    """Give one reservation back if nobody holds it, else settle what has ended."""
    attempt = int(key.rpartition("/")[2])
    run = read(world.buckets.artifacts, paths.run_record(item.task_name, item.run), RunRecord)
    if _is_orphan(world, period, key, item, run):
        log.warning("giving back money that no run holds", task=item.task_name, run=item.run)
        give_back(world, period, key, item)
    elif run is not None and run.attempt == attempt:
        _settle_jobs(world, tuning, run, item, is_over=run.state == "closed")
    elif run is not None and run.attempt > attempt:
        update = {"attempt": attempt, "jobs": tuple(item.estimated), "budget_period": period}
        _settle_jobs(world, tuning, run.model_copy(update=update), item, is_over=True)


def _is_orphan(
    world: World, period: str, key: str, item: Reservation, run: RunRecord | None
) -> bool:
    """Whether no run holds a reservation, and none has asked for it for some time."""
    patience = timedelta(seconds=world.settings.revive_after_seconds)
    if item.in_use or item.actual or world.clock() - item.at <= patience:
        return False
    if run is None or run.state in {"waiting", "refused"}:
        return True
    if key_of(run) != key:
        return run.attempt < int(key.rpartition("/")[2])
    # Two deliveries around midnight of a month's last day may reserve in a ledger each.
    own = None if run.budget_period in {"", period} else _ledger(world, run.budget_period)
    return own is not None and key in own.reservations


def _settle_jobs(
    world: World, tuning: TuningService, run: RunRecord, item: Reservation, *, is_over: bool
) -> None:
    """Settle the jobs of a reservation that ended but have no price in the ledger."""
    for name in sorted(set(item.estimated) - set(item.actual)):
        job = OpenJob(run, name)
        record = read(world.buckets.artifacts, job.path, JobRecord)
        if record is None:
            if is_over:
                settle(world, run, name, 0.0)
        elif record.state not in TERMINAL or not (record.announced or is_over):
            continue  # it is on its way
        elif not in_doubt(record, world.clock()):
            settle(world, run, name, price_of(record))
        elif is_over:
            # Its run is closed, so nobody else looks whether a lost creation has appeared.
            advance_job(world, tuning, job, cancel=True)


def _ledger(world: World, period: str) -> BudgetRecord | None:
    """Read a period's ledger."""
    return read(world.buckets.artifacts, paths.budget(period), BudgetRecord)
