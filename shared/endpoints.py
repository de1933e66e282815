"""Removes the endpoints of tuned models that lost; never one that serves or served last.

Whether an endpoint is given up, and whether the model behind it is about to be promoted, is
decided by compare-and-set on one record a run: the two exclude each other, however they
interleave. A verdict gives endpoints up; the watcher removes them, step by step.
"""

from collections.abc import Iterator
from datetime import timedelta

from shared import log, open_work, paths
from shared.candidates import tuned_candidates
from shared.current import current_dataset
from shared.errors import Rejected, Retry, TunedropError
from shared.ports import TuningService, World
from shared.record_store import BrokenRecord, change, read
from shared.records import (
    Candidate,
    ChampionRecord,
    JobRecord,
    Promotion,
    RemovedEndpoints,
    RunRecord,
    VerdictRecord,
)
from shared.task import Task

PROMISE = timedelta(hours=1)
"""How long a promise holds: longer than any promotion takes."""

REMOVAL_SECONDS = 120.0
"""After so long, the rest is left to the next time."""


def promise(world: World, task: str, candidate: Candidate) -> None:
    """Keep a tuned model's endpoint from being given up while the model becomes the champion.

    Raises:
        Rejected: It has been given up already.
    """

    def hold(old: RemovedEndpoints | None) -> RemovedEndpoints | None:
        record = old or RemovedEndpoints()
        if candidate.model in record.given_up:
            return None
        promised = {**record.promised, candidate.model: world.clock()}
        return record.model_copy(update={"promised": promised})

    path = paths.removed_endpoints(task, candidate.run)
    record = change(world.buckets.artifacts, path, RemovedEndpoints, hold)
    given_up = record.given_up.get(candidate.model) if record else None
    if given_up is not None:
        raise Rejected(
            f"{candidate.name} of the run {candidate.run} has no endpoint any more: it was given "
            f"up on {given_up:%Y-%m-%d}, after another candidate had won.",
            "Tune it again with a message on tuning-requested that names the dataset and the "
            "configuration; `tuning.keep_endpoints: all` in task.yaml keeps every endpoint.",
        )


def is_given_up(world: World, task: str, candidate: Candidate) -> bool:
    """Whether it was decided that nothing will serve from a tuned model's endpoint."""
    path = paths.removed_endpoints(task, candidate.run)
    record = read(world.buckets.artifacts, path, RemovedEndpoints)
    return record is not None and candidate.model in record.given_up


def give_up_losers(world: World, task: str, policy: Task) -> None:
    """Give up the endpoints of a task's closed runs, except the champion's and the last one's.

    Nothing is given up while nothing serves, or while a person is still to decide on a verdict:
    because the task says so, or because its dataset does not count any more.
    """
    artifacts = world.buckets.artifacts
    champion = read(artifacts, paths.champion(task), ChampionRecord)
    if policy.tuning.keep_endpoints == "all" or champion is None:
        return
    last, current = _last_one(champion), current_dataset(artifacts, task)
    for run in _closed_runs(world, task):
        superseded = current is not None and current.id != run.dataset
        by_hand = policy.evaluation.promote == "by_hand" or superseded
        if by_hand and _awaits_a_person(world, run, champion):
            continue
        losers = [
            candidate.model
            for candidate in _candidates(world, run)
            if candidate.model != champion.candidate.model
            and (last is None or (candidate.run, candidate.name) != (last.run, last.candidate))
        ]
        _give_up(world, run, losers)


def _last_one(champion: ChampionRecord) -> Promotion | None:
    """Return the promotion of the candidate that served before: a rollback goes there."""
    now = (champion.run, champion.candidate.name)
    earlier = (line for line in reversed(champion.history) if (line.run, line.candidate) != now)
    return next(earlier, None)


def _closed_runs(world: World, task: str) -> Iterator[RunRecord]:
    artifacts = world.buckets.artifacts
    for stored in list(artifacts.list(f"tasks/{task}/runs/")):
        if stored.name.endswith("/run.json"):
            run = read(artifacts, stored.name, RunRecord)
            if run is not None and run.state == "closed":
                yield run


def _awaits_a_person(world: World, run: RunRecord, champion: ChampionRecord) -> bool:
    """Whether nothing has been promoted since a run's verdict."""
    path = f"{paths.run_folder(run.task_name, run.id)}/verdict.json"
    verdict = read(world.buckets.artifacts, path, VerdictRecord)
    return verdict is None or verdict.created > champion.at


def _candidates(world: World, run: RunRecord) -> Iterator[Candidate]:
    """Go through whatever a run's jobs have made, also those that did not succeed."""
    for job in run.jobs:
        path = paths.job_record(run.task_name, run.id, job)
        record = read(world.buckets.artifacts, path, JobRecord)
        if record is not None:
            yield from tuned_candidates(record)


def _give_up(world: World, run: RunRecord, losers: list[str]) -> None:
    """Record that endpoints are given up, unless they are promised."""
    path = paths.removed_endpoints(run.task_name, run.id)
    now = world.clock()

    def without(old: RemovedEndpoints | None) -> RemovedEndpoints | None:
        record = old or RemovedEndpoints()
        fresh = {
            endpoint: now
            for endpoint in losers
            if endpoint not in record.given_up
            and not (endpoint in record.promised and record.promised[endpoint] > now - PROMISE)
        }
        given_up = {**record.given_up, **fresh}
        return record.model_copy(update={"given_up": given_up}) if fresh else None

    record = read(world.buckets.artifacts, path, RemovedEndpoints) or RemovedEndpoints()
    if all(endpoint in record.gone for endpoint in losers):
        return
    # Marked first: a marker for nothing is harmless, an endpoint that nobody looks for is not.
    open_work.begin(world, "endpoints", run.task_name, run.id)
    change(world.buckets.artifacts, path, RemovedEndpoints, without)


def remove_given_up(world: World, tuning: TuningService, task: str = "") -> None:
    """Remove the endpoints that were given up, of one task or of all; what fails stays marked."""
    began = world.clock()
    for marker in open_work.each(world, "endpoints", task):
        try:
            left = _left(world, marker.task_name, marker.id)
        except BrokenRecord as trouble:
            log.failure("a record needs a person", trouble, task=marker.task_name, run=marker.id)
            continue
        gone: list[str] = []
        for endpoint in left:
            if (world.clock() - began).total_seconds() > REMOVAL_SECONDS:
                break
            if _remove(tuning, endpoint, marker.id):
                gone.append(endpoint)
        _note_gone(world, marker.task_name, marker.id, gone)
        if len(gone) == len(left):
            open_work.finish(world, "endpoints", marker.task_name, marker.id)
            if _left(world, marker.task_name, marker.id):
                # More was given up meanwhile, and its marker has just been deleted.
                open_work.begin(world, "endpoints", marker.task_name, marker.id)


def _left(world: World, task: str, run: str) -> list[str]:
    """List the endpoints of a run that are given up but not gone."""
    path = paths.removed_endpoints(task, run)
    record = read(world.buckets.artifacts, path, RemovedEndpoints)
    return [item for item in record.given_up if item not in record.gone] if record else []


def _remove(tuning: TuningService, endpoint: str, run: str) -> bool:
    """Remove one endpoint; say whether it is gone."""
    try:
        tuning.remove_endpoint(endpoint)
    except Retry:
        log.info("an endpoint is not removed yet", run=run)
        return False
    except TunedropError as trouble:
        log.failure("an endpoint cannot be removed", trouble, run=run)
        return False
    log.info("endpoint removed", run=run)
    return True


def _note_gone(world: World, task: str, run: str, gone: list[str]) -> None:
    def add(old: RemovedEndpoints | None) -> RemovedEndpoints | None:
        if old is None:
            return None
        return old.model_copy(update={"gone": tuple(dict.fromkeys((*old.gone, *gone)))})

    if gone:
        change(world.buckets.artifacts, paths.removed_endpoints(task, run), RemovedEndpoints, add)
