"""What holds after every step, whatever the schedule."""

import json
from functools import cache
from typing import Any

from shared.lifecycle import TERMINAL, TRANSITIONS
from shared.ports import TuningRequest
from tests.simulation.cloud import OVER, Call, Cloud, Posted


class Violation(Exception):  # noqa: N818 - it is what was found, not an error of the simulation
    """Something happened that must never happen."""


@cache
def record(content: bytes) -> Any:
    """Read a record's JSON."""
    return json.loads(content)


def is_job(name: str) -> bool:
    """Whether an object is a job's record."""
    return name.startswith("tasks/") and "/jobs/" in name


def is_run(name: str) -> bool:
    """Whether an object is a run's record."""
    return name.startswith("tasks/") and name.endswith("/run.json")


def check_call(before: Cloud, call: Call, after: Cloud, cap: float) -> None:
    """Check what a call did. Raises Violation."""
    if call.verb == "write" and is_job(call.name):
        check_move(before.content(call.name), after.content(call.name))
    if call.verb == "delete" and (is_job(call.name) or is_run(call.name)):
        raise Violation(f"{call.name} was deleted")
    if call.verb == "write" and call.name.startswith("budget/") and cap:
        check_ledger(after, cap)
    if call.verb == "create" and len(after.jobs) > len(before.jobs):
        check_creation(before, call)


def check_move(old: bytes | None, new: bytes | None) -> None:
    """Check that a job's record moved as the table allows. Raises Violation."""
    if new is None or old == new:
        return
    now = record(new)
    if old is None:
        if now["state"] != "planned":
            raise Violation(f"a job began as {now['state']}")
        return
    was = record(old)
    if was["state"] != now["state"] and now["state"] not in TRANSITIONS[was["state"]]:
        raise Violation(f"a job moved from {was['state']} to {now['state']}")
    if now["epoch"] < was["epoch"]:
        raise Violation("a job's epoch went back")
    leased = now["lease_until"] is not None and now["lease_until"] != was["lease_until"]
    if leased and now["epoch"] == was["epoch"]:
        raise Violation("a lease was taken without a new epoch")
    if was["resource"] and not now["resource"]:
        raise Violation("a job forgot its resource")


def check_creation(cloud: Cloud, call: Call) -> None:
    """Check that a job was created for an intent that is being submitted. Raises Violation."""
    assert isinstance(call.body, TuningRequest)
    labels = call.body.labels
    path = f"tasks/{labels['tunedrop_task']}/runs/{labels['tunedrop_run']}/jobs/{call.name}.json"
    content = cloud.content(path)
    if content is None:
        raise Violation(f"the job {call.name} was created without an intent")


def check_jobs(cloud: Cloud, *, zombie: bool) -> None:
    """Check that no intent was paid twice. Raises Violation."""
    keys = [job.key for job in cloud.jobs]
    if not zombie and len(keys) != len(set(keys)):
        raise Violation("an intent created two jobs")
    check_contents(cloud, zombie=zombie)


def check_contents(cloud: Cloud, *, zombie: bool) -> None:
    """Check that no two intents pay for the same configuration of a dataset. Raises Violation."""
    if zombie or len(cloud.jobs) < 2:
        return
    paid = {job.key for job in cloud.jobs}
    seen = set()
    for name in cloud.names("tasks/"):
        key = name.rpartition("/")[2].removesuffix(".json")
        if is_job(name) and key in paid and "-try" not in key:
            job = record(cloud.objects[name][0] or b"")
            content = (job["dataset"], job["base_model"], json.dumps(job["configuration"]))
            if content in seen:
                raise Violation("one request was paid twice, under two intents")
            seen.add(content)


def check_swept(cloud: Cloud) -> None:
    """Check that at most one job an intent is left after a sweep. Raises Violation."""
    live = [job.key for job in cloud.jobs if job.state not in OVER and job.state != "cancelling"]
    if len(live) != len(set(live)):
        raise Violation("two jobs of one intent are alive after a sweep")


def spent(reservation: Any) -> float:
    """Return what one reservation holds: actual prices where there are, else estimates."""
    actual = reservation["actual"]
    return sum(actual.get(job, usd) for job, usd in reservation["estimated"].items()) + sum(
        usd for job, usd in actual.items() if job not in reservation["estimated"]
    )


def check_ledger(cloud: Cloud, cap: float) -> None:
    """Check that what is reserved and spent stays below the cap. Raises Violation."""
    for name in cloud.names("budget/"):
        ledger = record(cloud.objects[name][0] or b"")
        total = sum(spent(item) for item in ledger["reservations"].values())
        if total > cap + 1e-9:
            raise Violation(f"{name} holds {total:.4f} of {cap:.4f}")


def check_acknowledged(cloud: Cloud, message: Posted) -> None:
    """Check that what was acknowledged has left something behind. Raises Violation."""
    if message.topic != "tuning-requested" or "dry_run" in message.data:
        return
    task = json.loads(message.data)["task"]
    if not any(map(is_run, cloud.names(f"tasks/{task}/runs/"))) and not cloud.names("rejected/"):
        raise Violation("a request was acknowledged that left no record")


def check_final(cloud: Cloud, tasks: tuple[str, ...]) -> None:
    """Check that everything has come to exactly one end. Raises Violation."""
    for task in tasks:
        runs = [name for name in cloud.names(f"tasks/{task}/runs/") if is_run(name)]
        if not runs and not cloud.names("rejected/"):
            raise Violation(f"the request for {task} came to nothing")
        for name in runs:
            run = record(cloud.objects[name][0] or b"")
            if run["state"] not in {"closed", "refused", "waiting"}:
                raise Violation(f"{name} is still {run['state']}")
            if run["state"] != "closed":
                continue
            folder = name.removesuffix("run.json")
            for job in run["jobs"]:
                content = cloud.content(f"{folder}jobs/{job}.json")
                if content is None:
                    raise Violation(f"the job {job} has no record")
                check_ended(cloud, record(content))
    check_settled(cloud)
    left = cloud.names("open/run/")
    if left:
        raise Violation(f"{left[0]} stays open for ever")
    if any(job.state not in OVER for job in cloud.jobs):
        raise Violation("a job is still alive")
    if cloud.messages:
        raise Violation(f"{cloud.messages[0].topic} is delivered for ever")


def check_settled(cloud: Cloud) -> None:
    """Check that no money stays reserved for nothing. Raises Violation."""
    for name in cloud.names("budget/"):
        ledger = record(cloud.objects[name][0] or b"")
        for key, item in ledger["reservations"].items():
            if set(item["estimated"]) - set(item["actual"]):
                raise Violation(f"{name} still holds a reservation for {key}")


def check_ended(cloud: Cloud, job: Any) -> None:
    """Check one job's record at the end. Raises Violation."""
    if job["state"] not in TERMINAL:
        raise Violation(f"the job {job['id']} is still {job['state']}")
    there = [item.key for item in cloud.jobs]
    if job["state"] == "refused" and job["id"] in there:
        raise Violation(f"{job['id']} is recorded as refused, but was created")
