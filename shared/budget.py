"""The ledger: one record a month (UTC) says what every run may spend, and has spent.

The check against the caps and the reservation are one compare-and-set on that record, so what is
spent and reserved never passes a cap, however many deliveries reserve at the same time. Every
step is repeatable by its key. A reservation is given back only while no job can have been created
under it: `hold` marks it as in use before the first one is.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared import log, paths
from shared.ports import World
from shared.record_store import change, read
from shared.records import BudgetRecord, Reservation, RunRecord

_TRIES = 20
_EXACT = 0.00005  # prices are rounded to a hundredth of a cent


@dataclass(frozen=True)
class Totals:
    """US dollars: reserved for jobs that have not ended, and spent on those that have."""

    reserved: float
    spent: float

    @property
    def usd(self) -> float:
        """Both together: what counts against a cap."""
        return self.reserved + self.spent


def period_of(now: datetime) -> str:
    """Name the period that a moment is in, such as 2026-11."""
    return now.astimezone(UTC).strftime("%Y-%m")


def previous_period(period: str) -> str:
    """Name the month before a month."""
    first = datetime.strptime(period, "%Y-%m").replace(tzinfo=UTC)
    return period_of(first - timedelta(days=1))


def key_of(run: RunRecord) -> str:
    """Name a run's reservation: each attempt has its own."""
    return f"{run.task_name}/{run.id}/{run.attempt}"


def totals(ledger: BudgetRecord | None, task: str = "") -> Totals:
    """Add up a ledger, for one task or for all."""
    found = [
        item
        for item in (ledger.reservations.values() if ledger else ())
        if task in {"", item.task_name}
    ]
    waiting = (
        usd for item in found for job, usd in item.estimated.items() if job not in item.actual
    )
    return Totals(
        math.fsum(waiting), math.fsum(usd for item in found for usd in item.actual.values())
    )


def reserve(
    world: World, run: RunRecord, per_job: Mapping[str, float], task_cap: float | None
) -> str:
    """Reserve a run's money in this month's ledger, if the caps leave room for it.

    Args:
        world: The ports.
        run: The run; it need not be recorded yet.
        per_job: What each of its jobs is estimated to cost, in US dollars.
        task_cap: What the task may spend in a month; None for no cap of its own.

    Returns:
        Nothing when the money is reserved, now or before; else the reason, with its numbers.

    Raises:
        Conflict: Others wrote the ledger all the time.
    """
    now, key = world.clock(), key_of(run)
    period = period_of(now)
    fresh = Reservation(task_name=run.task_name, run=run.id, estimated=dict(per_job), at=now)
    before = read(world.buckets.artifacts, paths.budget(previous_period(period)), BudgetRecord)
    if before is not None and key in before.reservations:
        kept = _change(world, previous_period(period), lambda old: _renew(old, key, now))
        if key in kept.reservations:
            return ""
    reason = ""

    def enter(old: BudgetRecord) -> BudgetRecord | None:
        nonlocal reason
        reason = ""
        if key in old.reservations:
            return _renew(old, key, now)
        reason = _why_not(world, old, fresh, task_cap)
        return None if reason else _with(old, key, fresh)

    _change(world, period, enter)
    return reason


def hold(world: World, run: RunRecord) -> str:
    """Mark a run's money as in use, right before a job is created with it.

    A reservation that is gone, because it was taken for an orphan, is made again, if there is
    still room for it. A run from before there was a ledger has none, and needs none.

    Returns:
        Nothing when the money is there; else the reason why the job cannot be started.
    """
    if not run.budget_period:
        return ""
    key = key_of(run)
    period = _find(world, run)
    if period is None:
        log.warning("a run's money is reserved again", task=run.task_name, run=run.id)
        reason = reserve(world, run, _shares(run), None)
        period = None if reason else _find(world, run)
        if period is None:
            return reason or "The run's money is not reserved."

    def mark(old: BudgetRecord) -> BudgetRecord | None:
        found = old.reservations.get(key)
        return _with(old, key, found.model_copy(update={"in_use": True})) if found else None

    marked = _change(world, period, mark).reservations.get(key)
    return "" if marked and marked.in_use else "The run's money is not reserved."


def settle(world: World, run: RunRecord, job: str, usd: float | None) -> None:
    """Record what a job that has ended cost, once, and the run's price after its last job.

    It is recorded even when it is more than was reserved: then it blocks what comes later.

    Args:
        world: The ports.
        run: The job's run, in the attempt that the job belongs to.
        job: The job's id.
        usd: Its price; None when the service does not say, then the estimate stands.
    """
    if not run.budget_period:
        return
    key = key_of(run)
    period = _find(world, run) or run.budget_period

    def enter(old: BudgetRecord) -> BudgetRecord | None:
        found = old.reservations.get(key)
        if found is None and not usd:
            return None
        if found is None:
            # Money that was spent counts, reserved or not, and so does the rest of its run.
            found = Reservation(
                task_name=run.task_name,
                run=run.id,
                estimated=_shares(run),
                in_use=True,
                at=world.clock(),
            )
        if job in found.actual:
            return None
        price = found.estimated.get(job, 0.0) if usd is None else usd
        actual = {**found.actual, job: price}
        return _with(old, key, found.model_copy(update={"actual": actual}))

    settled = _change(world, period, enter).reservations.get(key)
    if settled is None:
        return
    estimate, price = settled.estimated.get(job, 0.0), settled.actual[job]
    if price > estimate + _EXACT:
        log.warning(
            "a job cost more than was reserved",
            task=run.task_name,
            run=run.id,
            job=job,
            reserved_usd=estimate,
            actual_usd=price,
        )
    if set(run.jobs) <= set(settled.actual):
        _note_price(world, run, math.fsum(settled.actual.values()))


def give_back(world: World, period: str, key: str, seen: Reservation | None = None) -> None:
    """Take a reservation out of a ledger, unless a job may have been created under it.

    Args:
        world: The ports.
        period: The ledger.
        key: The reservation's key, from `key_of`.
        seen: Only take it out while it is still this one.
    """

    def leave_out(old: BudgetRecord) -> BudgetRecord | None:
        found = old.reservations.get(key)
        if found is None or found.in_use or found.actual or (seen is not None and found != seen):
            return None
        rest = {name: item for name, item in old.reservations.items() if name != key}
        return old.model_copy(update={"reservations": rest})

    _change(world, period, leave_out)


def _find(world: World, run: RunRecord) -> str | None:
    """Find the ledger that holds a run's reservation: a month may end while a run is recorded."""
    own = run.budget_period
    for period in dict.fromkeys((own, previous_period(own), period_of(world.clock()))):
        ledger = read(world.buckets.artifacts, paths.budget(period), BudgetRecord)
        if ledger is not None and key_of(run) in ledger.reservations:
            return period
    return None


def _change(
    world: World, period: str, edit: Callable[[BudgetRecord], BudgetRecord | None]
) -> BudgetRecord:
    """Change a ledger by compare-and-set; one that is not there yet is an empty one."""
    empty = BudgetRecord(period=period)
    path = paths.budget(period)
    changed = change(
        world.buckets.artifacts, path, BudgetRecord, lambda old: edit(old or empty), _TRIES
    )
    return changed or empty


def _with(ledger: BudgetRecord, key: str, item: Reservation) -> BudgetRecord:
    """Put a reservation into a ledger."""
    return ledger.model_copy(update={"reservations": {**ledger.reservations, key: item}})


def _renew(ledger: BudgetRecord, key: str, now: datetime) -> BudgetRecord | None:
    """Count a reservation's age from now, so that it is not taken for an orphan meanwhile."""
    found = ledger.reservations.get(key)
    if found is None or found.in_use:
        return None
    return _with(ledger, key, found.model_copy(update={"at": now}))


def _why_not(world: World, ledger: BudgetRecord, asked: Reservation, task_cap: float | None) -> str:
    """Say which cap a reservation would pass; empty for none."""
    usd = math.fsum(asked.estimated.values())
    project_cap = world.settings.budget_usd_per_month or None
    for cap, task, whose in (
        (task_cap, asked.task_name, f"the task {asked.task_name!r}"),
        (project_cap, "", "the whole deployment"),
    ):
        now = totals(ledger, task)
        if cap is not None and now.usd + usd > cap + _EXACT:
            return (
                f"It would cost about ${usd:.2f}; in {ledger.period}, ${now.reserved:.2f} are "
                f"reserved and ${now.spent:.2f} spent of the ${cap:.2f} that {whose} may spend "
                "in a month."
            )
    return ""


def _shares(run: RunRecord) -> dict[str, float]:
    """Divide the most that a run may cost among its jobs, by their epochs."""
    usd = run.estimated_high_usd or run.estimated_usd or 0.0
    epochs = sum(item.epoch_count for item in run.plan)
    return {
        job: usd * item.epoch_count / epochs for job, item in zip(run.jobs, run.plan, strict=True)
    }


def _note_price(world: World, run: RunRecord, usd: float) -> None:
    """Write into a run's record what it cost."""

    def note(old: RunRecord | None) -> RunRecord | None:
        same = old is not None and key_of(old) == key_of(run)
        return old.model_copy(update={"actual_usd": round(usd, 4)}) if old and same else None

    change(world.buckets.artifacts, paths.run_record(run.task_name, run.id), RunRecord, note)
