"""Warns, once a day, of champions whose base models retire, and has them tuned anew in time."""

from datetime import date

from functions.watch_jobs.task_records import by_itself, each_task
from shared import log, paths
from shared.models import base_models, retired_models, retirement_warning
from shared.ports import World
from shared.record_store import change, read
from shared.records import ChampionRecord, RunRecord, TaskRecord, WatchRecord


def look_at_champions(world: World) -> None:
    """Look at the base model of every champion, if that was not done today.

    Raises:
        Retry: Storage or Pub/Sub is not to be had; then the next tick begins again.
    """
    artifacts, today = world.buckets.artifacts, world.clock().date()
    last_days = _last_days(today)
    if not last_days:
        return
    seen = read(artifacts, paths.WATCH, WatchRecord)
    if seen is not None and seen.champions_seen == today:
        return
    for champion in each_task(world, paths.champion, ChampionRecord):
        last = last_days.get(champion.candidate.base_model)
        if last is not None:
            _warn(champion, last, today)
            with by_itself(champion.task_name):
                _tune_anew(world, champion, last)

    def done(old: WatchRecord | None) -> WatchRecord:
        return (old or WatchRecord()).model_copy(update={"champions_seen": today})

    change(artifacts, paths.WATCH, WatchRecord, done)


def _last_days(today: date) -> dict[str, date]:
    """Return the models that have retired or soon will: name -> the last day."""
    soon = {
        name: spec.retires
        for name, spec in base_models().items()
        if spec.retires is not None and retirement_warning(spec, today) is not None
    }
    return {**retired_models(), **soon}


def _warn(champion: ChampionRecord, last: date, today: date) -> None:
    """Log how many days are left."""
    log.warning(
        "a base model retires soon",
        task=champion.task_name,
        base_model=champion.candidate.base_model,
        days=(last - today).days,
    )


def _tune_anew(world: World, champion: ChampionRecord, last: date) -> None:
    """Ask for the champion's dataset to be tuned on a newer model, if the task wants that.

    A run on that model and dataset is what the request leads to: while there is one, whatever
    became of it, nothing is asked for again.
    """
    artifacts, task = world.buckets.artifacts, champion.task_name
    current = read(artifacts, paths.task_record(task), TaskRecord)
    policy = (current.task if current else champion.task).tuning
    if champion.candidate.kind != "tuned" or not policy.retune_before_retirement:
        return
    newer = successor(champion.candidate.base_model, world.settings.location, world.clock().date())
    if newer is None:
        log.warning("there is no newer base model to tune", task=task)
        return
    if _is_tuned(world, task, champion.dataset, newer):
        return
    log.info("tuning anew", task=task, dataset=champion.dataset, base_model=newer)
    message = {
        "task": task,
        "dataset": champion.dataset,
        "base_model": newer,
        "lineage": f"replaces {champion.candidate.name} of run {champion.run}: "
        f"{champion.candidate.base_model} retires on {last}",
    }
    world.publisher.publish("tuning-requested", message)


def successor(name: str, region: str, today: date) -> str | None:
    """Choose the base model that takes another's place.

    It is newer, is tuned in the region and does not retire soon itself; of several, the one whose
    tuning price is nearest, for models of one size cost about the same.
    """
    known = base_models()
    order = list(known)
    newer = order[: order.index(name)] if name in known else order
    live = [
        item
        for item in newer
        if region in known[item].tuned_in and retirement_warning(known[item], today) is None
    ]
    price = known[name].training_price if name in known else None
    if price is None:
        return live[0] if live else None
    return min(live, key=lambda item: abs(known[item].training_price - price), default=None)


def _is_tuned(world: World, task: str, dataset: str, base_model: str) -> bool:
    """Whether there is a run on a dataset and a base model."""
    artifacts = world.buckets.artifacts
    found = [item.name for item in artifacts.list(f"tasks/{task}/runs/")]
    runs = (read(artifacts, name, RunRecord) for name in found if name.endswith("/run.json"))
    return any(run and (run.dataset, run.base_model) == (dataset, base_model) for run in runs)
