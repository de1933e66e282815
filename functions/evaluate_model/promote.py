"""Makes a candidate the champion, by compare-and-set and with a history."""

from datetime import datetime

from shared import log, paths
from shared.errors import Rejected
from shared.facts import publish_fact
from shared.ports import World
from shared.records import (
    Candidate,
    ChampionRecord,
    DatasetRecord,
    EvaluationRecord,
    Promotion,
    change,
    read,
)

MAX_HISTORY = 50


def promote(world: World, dataset: DatasetRecord, candidate: Candidate, at: datetime) -> None:
    """Make a candidate the champion, unless a later decision has named another one already.

    Args:
        world: The ports.
        dataset: The dataset that the candidate was measured on.
        candidate: The candidate.
        at: When this was decided.
    """

    def succeed(old: ChampionRecord | None) -> ChampionRecord | None:
        if old is not None and old.at >= at:
            return None
        line = Promotion(candidate=candidate.name, dataset=dataset.id, run=candidate.run, at=at)
        return ChampionRecord(
            task_name=dataset.task_name,
            candidate=candidate,
            task=dataset.task,
            dataset=dataset.id,
            run=candidate.run,
            at=at,
            history=(*(old.history if old else ()), line)[-MAX_HISTORY:],
        )

    path = paths.champion(dataset.task_name)
    now = change(world.buckets.artifacts, path, ChampionRecord, succeed)
    if now is not None and now.at == at:
        log.info("champion", task=dataset.task_name, candidate=candidate.name)
        publish_fact(
            world.publisher,
            "champion-promoted",
            world.clock(),
            task=dataset.task_name,
            candidate=candidate.name,
            dataset=dataset.id,
            run=candidate.run,
        )


def promote_by_hand(world: World, task: str, dataset: str, candidate: str) -> None:
    """Promote a candidate that was measured before, because a person asks for it.

    Raises:
        Rejected: There is no such dataset, or the candidate was never measured on it.
    """
    artifacts = world.buckets.artifacts
    paths.check_task_name(task)
    record = read(artifacts, paths.dataset_record(task, dataset), DatasetRecord)
    if record is None:
        raise Rejected(f"The task {task!r} has no dataset {dataset[:60]!r}.")
    champion = read(artifacts, paths.champion(task), ChampionRecord)
    if champion and (champion.dataset, champion.candidate.name) == (dataset, candidate):
        return
    known: set[str] = set()
    for found in artifacts.list(f"tasks/{task}/"):
        if not found.name.endswith("/evaluation.json"):
            continue
        evaluation = read(artifacts, found.name, EvaluationRecord)
        if evaluation is None or evaluation.dataset != dataset:
            continue
        known.add(evaluation.candidate.name)
        if evaluation.candidate.name == candidate:
            promote(world, record, evaluation.candidate, world.clock())
            return
    raise Rejected(
        f"The candidate {candidate[:60]!r} was never measured on the dataset {dataset}.",
        f"Measured were: {', '.join(sorted(known)) or 'none'}.",
    )
