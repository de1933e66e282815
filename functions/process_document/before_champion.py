"""Stands in for the champion while a task has none: its base model, asked zero-shot."""

from shared import paths
from shared.candidates import base_candidate
from shared.errors import Rejected
from shared.models import find_base_model
from shared.ports import World
from shared.record_store import read
from shared.records import Calibration, ChampionRecord, TaskRecord

NAME = "zero-shot (no champion yet)"


def stand_in(world: World, task_name: str) -> tuple[ChampionRecord | None, str]:
    """Make what answers a task's documents before there is a champion; it is stored nowhere.

    Args:
        world: Where things are.
        task_name: The task.

    Returns:
        (The stand-in; or None when documents wait, why they do although the task wants answers).
    """
    current = read(world.buckets.artifacts, paths.task_record(task_name), TaskRecord)
    if current is None or current.task.serving.before_champion == "wait":
        return None, ""
    task, settings, now = current.task, world.settings, world.clock()
    if not task.labels and not task.fields:
        return None, "It cannot be asked zero-shot, as task.yaml names no labels or fields."
    try:
        find_base_model(task.tuning.base_model, settings.location, now.date())
    except Rejected as rejection:
        return None, f"It cannot be asked zero-shot: {rejection.reason}"
    champion = ChampionRecord(
        task_name=task_name,
        candidate=base_candidate(NAME, task.tuning.base_model, settings.location),
        task=task,
        dataset="",
        run="",
        at=now,
        calibration=Calibration(method="none", reason="nothing is measured before the champion is"),
    )
    return champion, ""
