"""Seeded bugs. Each is a small change that somebody could make; the search has to find every one.

An edit is a text of the source and what it is replaced by; a port that misbehaves is a class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared import paths
from shared.errors import Retry
from shared.ports import TuningJob, TuningRequest, World
from tests.simulation.processes import SimulatedTuning
from tests.simulation.programs import Outcome, Program
from tests.simulation.variants import Edit


@dataclass(frozen=True)
class Mutant:
    """A seeded bug: what is wrong, in words and in code."""

    name: str
    program: Program


def acknowledge(_: Outcome) -> Outcome:
    """Acknowledge whatever the function says."""
    return "", 204


class TuningThatForgets(SimulatedTuning):
    """Deletes the intent when it is not known whether a job was created."""

    def __init__(self, world: World) -> None:
        self._bucket = world.buckets.artifacts

    def create(self, request: TuningRequest) -> TuningJob:
        """Create a job, and forget it when the answer is lost."""
        try:
            return super().create(request)
        except Retry:
            labels = request.labels
            path = paths.job_record(labels["tunedrop_task"], labels["tunedrop_run"], request.key)
            self._bucket.delete(path)
            raise


class TuningThatInsists(SimulatedTuning):
    """Sends a creation again when its answer is lost, as clients do by default."""

    def create(self, request: TuningRequest) -> TuningJob:
        """Create a job, twice if need be."""
        try:
            return super().create(request)
        except Retry:
            return super().create(request)


def _edited(name: str, module: str, old: str, new: str) -> Mutant:
    return Mutant(name, Program(edits=(Edit(module, old, new),)))


_PROPOSE = "_tune(world, tuning, propose(world, asked))"
_KEYED_BY_EVENT = """_tune(world, tuning, type(made := propose(world, asked))(
                made.run.model_copy(update={
                    "id": f"{made.run.id}{event.id}",
                    "jobs": tuple(f"{job}-{event.id}" for job in made.run.jobs),
                }), made.policy, made.estimate))"""
_CHECK = "reason = _why_not(world, old, fresh, task_cap)\n        "
_EARLY = """checked = read(world.buckets.artifacts, paths.budget(period), BudgetRecord)
    early = _why_not(world, checked or BudgetRecord(period=period), fresh, task_cap)
    """
_BUDGET = (
    Edit("shared.budget", _CHECK, "reason = early\n        "),
    Edit(
        "shared.budget",
        'reason = ""\n\n    def enter(old: BudgetRecord)',
        f'{_EARLY}reason = ""\n\n    def enter(old: BudgetRecord)',
    ),
)

MUTANTS: Sequence[Mutant] = (
    Mutant("acknowledges on an error", Program(respond=acknowledge)),
    Mutant("deletes the intent on an error", Program(tuning=TuningThatForgets)),
    _edited(
        "creates without a list first",
        "shared.lifecycle",
        '"lease_until": lease}\n        return job.model_copy(update=update), Find()',
        '"lease_until": lease}\n        return job.model_copy(update=update), Create()',
    ),
    _edited(
        "writes records unconditionally",
        "shared.record_store",
        "return bucket.write(path, encode(record), if_generation=generation)",
        "return bucket.write(path, encode(record))",
    ),
    _edited(
        "names the run after the event", "functions.launch_tuning.launch", _PROPOSE, _KEYED_BY_EVENT
    ),
    Mutant("checks the budget before its compare-and-set", Program(edits=_BUDGET)),
    Mutant("retries inside the create call", Program(tuning=lambda _: TuningThatInsists())),
    _edited(
        "takes a lease without an epoch",
        "shared.lifecycle",
        '"epoch": job.epoch + 1, "lease_until": lease',
        '"lease_until": lease',
    ),
    _edited("honours no lease", "shared.lifecycle", "    if held:\n        return job, None\n", ""),
    _edited(
        "leaves doubles alive",
        "shared.lifecycle",
        "extra = _to_cancel(_live(jobs) if cancel else doubles)",
        "extra = _to_cancel(_live(jobs)) if cancel else ()",
    ),
    Mutant(
        "takes a lost answer for a refusal",
        Program(
            edits=(
                Edit("shared.job_steps", "except Rejected as error:", "except Retry as error:"),
                Edit("shared.job_steps", "Refused(error.reason)", "Refused(str(error))"),
            )
        ),
    ),
)
