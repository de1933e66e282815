"""What must always hold, looked at after every effect; and what must hold once all is quiet."""

from functools import lru_cache

from shared import paths
from shared.budget import totals
from shared.lifecycle import TERMINAL, TRANSITIONS
from shared.records import BudgetRecord, JobRecord, RunRecord
from tests.simulation.cloud import LIVE, Call, Cloud
from tests.simulation.scenario import Scenario
from tests.simulation.state import Broken

CENT = 0.005


@lru_cache(maxsize=65_536)
def job_of(content: bytes) -> JobRecord:
    """Read a job's record."""
    return JobRecord.model_validate_json(content)


@lru_cache(maxsize=65_536)
def run_of(content: bytes) -> RunRecord:
    """Read a run's record."""
    return RunRecord.model_validate_json(content)


@lru_cache(maxsize=65_536)
def ledger_of(content: bytes) -> BudgetRecord:
    """Read a ledger."""
    return BudgetRecord.model_validate_json(content)


def after_effect(
    scenario: Scenario, before: Cloud, call: Call, after: Cloud, haunted: bool
) -> None:
    """Look at what an effect has done. Raises Broken."""
    if call.verb in {"write", "delete"}:
        if _is_job(call.name):
            _check_move(before, call, after)
        elif call.name.startswith("budget/"):
            _check_cap(scenario, call, after)
        elif call.name.endswith("/run.json") and call.verb == "delete":
            raise Broken(f"{call.name} was deleted")
    elif call.verb == "create":
        _check_creation(after, haunted=haunted)


def _is_job(name: str) -> bool:
    return "/jobs/" in name and name.startswith("tasks/")


def _check_move(before: Cloud, call: Call, after: Cloud) -> None:
    """Records only move along the table, are never deleted, and their epoch never goes back."""
    old, new = before.content(call.name), after.content(call.name)
    if new is None:
        raise Broken(f"the intent {call.name} was deleted")
    if old is None:
        return
    was, now = job_of(old), job_of(new)
    if now.state != was.state and now.state not in TRANSITIONS[was.state]:
        raise Broken(f"{now.id} moved from {was.state} to {now.state}")
    if now.epoch < was.epoch:
        raise Broken(f"{now.id} went back from lease {was.epoch} to {now.epoch}")


def _check_cap(scenario: Scenario, call: Call, after: Cloud) -> None:
    """What is spent and reserved does not pass the cap."""
    content = after.content(call.name)
    usd = totals(ledger_of(content)).usd if content else 0.0
    if usd > scenario.cap + CENT:
        raise Broken(f"{usd:.2f} of {scenario.cap:.2f} dollars are spent and reserved")


def _check_creation(after: Cloud, *, haunted: bool) -> None:
    """A job has an intent and its money; without a zombie, an intent has one job."""
    job = after.jobs[-1]
    intent = next((name for name in after.objects if name.endswith(f"/jobs/{job.key}.json")), None)
    if intent is None or after.content(intent) is None:
        raise Broken(f"a job was created for {job.key}, of which there is no intent")
    if not haunted and sum(other.key == job.key for other in after.jobs) > 1:
        raise Broken(f"{job.key} was created twice")
    reserved = [
        item
        for name, stored in after.objects.items()
        if name.startswith("budget/") and stored.content
        for item in ledger_of(stored.content).reservations.values()
        if job.key in item.estimated
    ]
    if not any(item.in_use for item in reserved):
        raise Broken(f"{job.key} was created with money that nobody holds")


def after_sweep(cloud: Cloud) -> None:
    """Look at a cloud after a tick that nothing disturbed. Raises Broken."""
    live = [job.key for job in cloud.jobs if job.state in LIVE]
    doubled = sorted({key for key in live if live.count(key) > 1})
    if doubled:
        raise Broken(f"after a sweep, {doubled[0]} still has {live.count(doubled[0])} live jobs")


def at_the_end(scenario: Scenario, cloud: Cloud, *, haunted: bool) -> None:
    """Look at a cloud in which nothing moves any more.

    A double that a zombie has made may come to its end before any tick has seen it.

    Args:
        scenario: The scenario.
        cloud: The cloud.
        haunted: Whether a delivery has outlived its lease.

    Raises:
        Broken: A promise does not hold.
    """
    runs = [
        run_of(stored.content)
        for name, stored in cloud.objects.items()
        if name.endswith("/run.json") and stored.content
    ]
    answered = any(name.startswith("rejected/") for name in cloud.objects)
    if not runs and not answered:
        raise Broken("a request was acknowledged and left no trace")
    for run in runs:
        for identifier in run.jobs if run.state == "open" else ():
            _check_end(scenario, cloud, run, identifier, haunted=haunted)
    _check_ledgers(cloud, runs)


def _check_end(
    scenario: Scenario, cloud: Cloud, run: RunRecord, identifier: str, *, haunted: bool
) -> None:
    """A job has one end, which was published; at most one job of the service is behind it."""
    content = cloud.content(paths.job_record(run.task_name, run.id, identifier))
    if content is None:
        raise Broken(f"{identifier} was lost")
    job = job_of(content)
    if job.state not in TERMINAL:
        raise Broken(f"{identifier} never ends: it is {job.state}")
    if not job.announced or identifier not in cloud.announced:
        raise Broken(f"nobody is told that {identifier} is {job.state}")
    mine = [item for item in cloud.jobs if item.key == identifier]
    if any(item.state in LIVE for item in mine):
        raise Broken(f"{identifier} is {job.state}, but a job of it goes on")
    succeeded = [item for item in mine if item.state == "succeeded"]
    if scenario.each_once and (not succeeded or (len(succeeded) > 1 and not haunted)):
        raise Broken(f"{identifier} was tuned {len(succeeded)} times")
    if job.state == "succeeded" and not succeeded:
        raise Broken(f"{identifier} is said to have succeeded")


def _check_ledgers(cloud: Cloud, runs: list[RunRecord]) -> None:
    """Money is settled for every job that ended, and nothing is reserved for nobody."""
    held = {f"{run.task_name}/{run.id}/{run.attempt}" for run in runs if run.state == "open"}
    settled: dict[str, int] = {}
    for name, stored in cloud.objects.items():
        if not name.startswith("budget/") or not stored.content:
            continue
        for key, item in ledger_of(stored.content).reservations.items():
            if key not in held:
                raise Broken(f"money is reserved for {key}, which nobody holds")
            if set(item.estimated) - set(item.actual):
                raise Broken(f"{key} is not settled")
            settled[key] = settled.get(key, 0) + 1
    if any(count > 1 for count in settled.values()):
        raise Broken("money is reserved twice for one run")
    if held - set(settled):
        raise Broken("a run is open without money")
