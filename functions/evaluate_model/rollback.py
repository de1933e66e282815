"""Promotes by a person's message: a candidate by its name, or the champion that served before."""

from collections.abc import Sequence
from datetime import datetime

from functions.evaluate_model.promote import promote_by_hand
from shared import log, paths
from shared.errors import Rejected
from shared.ports import World
from shared.record_store import read
from shared.records import ChampionRecord, Promotion


def promote_on_request(
    world: World,
    task: str,
    dataset: str,
    candidate: str,
    run: str,
    at: datetime,
    *,
    rollback: bool,
) -> None:
    """Do what a message on promotion-requested asks for.

    Raises:
        Rejected: It asks for both, or what it asks for cannot be done.
    """
    if not rollback:
        promote_by_hand(world, task, dataset, candidate, run, at)
    elif dataset or candidate or run:
        raise Rejected(
            "The message asks for a rollback and names what to promote.",
            "Only the task may stand beside rollback; leave it out to promote a candidate.",
        )
    else:
        roll_back(world, task, at)


def roll_back(world: World, task: str, at: datetime) -> None:
    """Make the champion before the present one serve again, or the last one that still can.

    Args:
        world: The ports.
        task: The task's name.
        at: When the person asked; a redelivery goes back no further.

    Raises:
        Rejected: There is no earlier champion, or none of them can serve any more.
    """
    paths.check_task_name(task)
    champion = read(world.buckets.artifacts, paths.champion(task), ChampionRecord)
    if champion is None:
        raise Rejected(f"The task {task!r} has no champion to roll back.")
    if champion.at >= at:
        return
    refusals = []
    for line in earlier_champions(champion.history):
        try:
            promote_by_hand(world, task, line.dataset, line.candidate, line.run, at, by="rollback")
        except Rejected as refusal:
            log.warning("an earlier champion cannot serve", task=task, candidate=line.candidate)
            refusals.append(refusal.reason)
        else:
            return
    raise Rejected(
        f"The task {task!r} cannot be rolled back: "
        f"{' '.join(refusals) or f'nothing served before {champion.candidate.name}.'}",
        "Name a dataset and a candidate that was measured on it; see docs/messages.md.",
    )


def earlier_champions(history: Sequence[Promotion]) -> list[Promotion]:
    """List the champions before the present one, the last one first.

    A rollback takes away what it went back over, so that the next one goes further back.
    """
    line_of = list[Promotion]()
    for line in history:
        if line.by == "rollback":
            while line_of and _who(line_of[-1]) != _who(line):
                line_of.pop()
        if line_of and _who(line_of[-1]) == _who(line):
            line_of.pop()
        line_of.append(line)
    return line_of[-2::-1]


def _who(line: Promotion) -> tuple[str, str, str]:
    return line.candidate, line.dataset, line.run
