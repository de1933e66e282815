"""Makes a candidate the champion, by compare-and-set and with a history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from functions.evaluate_model.calibration import calibration_of
from shared import log, paths
from shared.endpoints import is_given_up, promise
from shared.errors import Rejected
from shared.facts import publish_fact
from shared.ports import World
from shared.rating import is_rated
from shared.record_store import change, read
from shared.records import (
    Calibration,
    Candidate,
    ChampionRecord,
    DatasetRecord,
    EvaluationRecord,
    Promotion,
    TaskRecord,
)
from shared.task import Serving

MAX_HISTORY = 50


def promote(
    world: World,
    dataset: DatasetRecord,
    candidate: Candidate,
    at: datetime,
    *,
    displaces_tuned: bool = True,
    calibration: Calibration | None = None,
    by: Literal["verdict", "hand", "rollback"] = "verdict",
) -> None:
    """Make a candidate the champion, unless a later decision has named another one already.

    Args:
        world: The ports.
        dataset: The dataset that the candidate was measured on.
        candidate: The candidate.
        at: When this was decided.
        displaces_tuned: Whether it takes the place of a tuned model that answers the same
            question. A prompt that was not compared with that model does not; a person can still
            promote it.
        calibration: What its agreement is worth, as fitted on validation.
        by: What made it the champion.

    Raises:
        Rejected: The candidate's endpoint was given up.
    """

    def succeed(old: ChampionRecord | None) -> ChampionRecord | None:
        if old is not None and old.at >= at:
            return None
        if old is not None and not displaces_tuned and not _gives_way(old, dataset):
            return None
        line = Promotion(
            candidate=candidate.name, dataset=dataset.id, run=candidate.run, at=at, by=by
        )
        return ChampionRecord(
            task_name=dataset.task_name,
            candidate=candidate,
            task=dataset.task,
            dataset=dataset.id,
            run=candidate.run,
            at=at,
            calibration=calibration,
            text_column=dataset.text_column,
            history=(*(old.history if old else ()), line)[-MAX_HISTORY:],
        )

    path = paths.champion(dataset.task_name)
    if candidate.kind == "tuned" and succeed(read(world.buckets.artifacts, path, ChampionRecord)):
        promise(world, dataset.task_name, candidate)
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


def _gives_way(champion: ChampionRecord, dataset: DatasetRecord) -> bool:
    """Whether a champion is a prompt, or answers another question than the dataset asks."""
    old, new = champion.task, dataset.task
    return champion.candidate.kind == "prompting" or (
        set(old.label_names),
        set(old.field_names),
        old.multi_label,
    ) != (set(new.label_names), set(new.field_names), new.multi_label)


def promote_by_hand(
    world: World,
    task: str,
    dataset: str,
    candidate: str,
    run: str,
    at: datetime,
    by: Literal["hand", "rollback"] = "hand",
) -> None:
    """Promote a candidate that was measured before, because a person asks for it.

    Args:
        world: The ports.
        task: The task's name.
        dataset: The dataset's id.
        candidate: The candidate's name.
        run: The run that tuned it; needed only when several runs have a model of that name.
        at: When the person asked; a redelivery of an old message undoes nothing.
        by: Whether it was named, or served before and is gone back to.

    Raises:
        Rejected: There is no such dataset, the candidate was never measured on it, or its
            endpoint was given up.
    """
    artifacts = world.buckets.artifacts
    paths.check_task_name(task)
    record = read(artifacts, paths.dataset_record(task, dataset), DatasetRecord)
    if record is None:
        stored = artifacts.list(f"tasks/{task}/datasets/")
        datasets = sorted({item.name.split("/")[3] for item in stored})
        raise Rejected(
            f"The task {task!r} has no dataset {dataset[:60]!r}.",
            f"Name the dataset and the candidate; datasets there are: "
            f"{', '.join(datasets[-10:]) or 'none'}.",
        )
    evaluations = [
        evaluation
        for stored in artifacts.list(f"tasks/{task}/")
        if stored.name.endswith("/evaluation.json")
        and (evaluation := read(artifacts, stored.name, EvaluationRecord))
        and evaluation.dataset == dataset
    ]
    measured = [evaluation.candidate for evaluation in evaluations]
    named = [item for item in measured if item.name == candidate and run in ("", item.run)]
    if not named:
        known = ", ".join(sorted({item.name for item in measured}))
        raise Rejected(
            f"The candidate {candidate[:60]!r} was never measured on the dataset {dataset}.",
            f"Measured were: {known or 'none'}.",
        )
    runs = sorted({item.run for item in named})
    if len(runs) > 1:
        raise Rejected(
            f"{len(runs)} runs have a candidate {candidate!r} on the dataset {dataset}.",
            f"Add the run to the message; there are: {', '.join(runs)}.",
        )
    # Of several attempts of a run, the one that still has its endpoint.
    served = [item for item in named if not (item.run and is_given_up(world, task, item))]
    wanted = (served or named)[-1]
    champion = read(artifacts, paths.champion(task), ChampionRecord)
    if champion is None or (champion.dataset, champion.candidate) != (dataset, wanted):
        current = read(artifacts, paths.task_record(task), TaskRecord)
        policy = current.task if current else record.task
        calibration = _calibration(
            [item for item in evaluations if item.candidate == wanted],
            policy.serving,
            rated=is_rated(record.task, policy.serving),
        )
        promote(world, record, wanted, at, calibration=calibration, by=by)


def _calibration(
    evaluations: Sequence[EvaluationRecord], serving: Serving, *, rated: bool
) -> Calibration | None:
    """Fit the calibration of answers that were asked for as documents are now.

    Where there are none it is that of other ones: a result then says why it does not hold.
    """
    asked = (serving.samples, serving.temperature, serving.stop_at)

    def suits(item: EvaluationRecord) -> tuple[bool, bool, int]:
        same = (item.samples, item.temperature, item.stop_at) == asked
        return same, bool(item.row_ratings) == rated, item.n

    validation = [item for item in evaluations if item.split == "validation"]
    best = max(validation, key=suits, default=None)
    return calibration_of(best) if best else None
