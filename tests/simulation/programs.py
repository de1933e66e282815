"""What is simulated: the functions behind their front doors, as they are or with a mutation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from shared import open_work, paths
from shared.entry import answer
from shared.errors import Rejected
from shared.events import Event, Message
from shared.lifecycle import TERMINAL
from shared.ports import TuningService, World
from shared.record_store import change, read
from shared.records import JobRecord, RunRecord
from shared.settings import Settings
from tests.simulation.cloud import Posted
from tests.simulation.processes import Handler, SimulatedTuning, push, simulated_world
from tests.simulation.variants import Edit, load_together

Outcome = tuple[str, int]


def as_it_is(outcome: Outcome) -> Outcome:
    """Answer Pub/Sub what the function answers."""
    return outcome


@dataclass(frozen=True)
class Program:
    """The functions, and what is wrong with them.

    Attributes:
        edits: Changes of their source.
        tuning: Makes the port of the tuning service, given the world.
        respond: What becomes of a function's answer.
    """

    edits: Sequence[Edit] = ()
    tuning: Callable[[World], TuningService] = lambda _: SimulatedTuning()
    respond: Callable[[Outcome], Outcome] = as_it_is

    def handlers(self, settings: Settings) -> Mapping[str, Handler]:
        """Build the functions: topic -> what a delivery does."""
        world = simulated_world(settings)
        tuning = self.tuning(world)
        names = ("functions.launch_tuning.launch", "functions.watch_jobs.watch", "shared.entry")
        launching, watching, entry = load_together(names, self.edits)

        def front_door(function: str, topic: str, work: Callable[[Event], None]) -> Handler:
            def handle(message: Posted) -> Outcome:
                request: Any = push(message, function.replace("_", "-"))
                return self.respond(
                    entry.answer(
                        request,
                        function=function,
                        topics=(topic,),
                        world=lambda: world,
                        work=work,
                    )
                )

            return handle

        def launch(event: Event) -> None:
            launching.launch(event, world, tuning)

        def watch(_: Event) -> None:
            watching.watch(world, tuning)

        def close(message: Posted) -> Outcome:
            return answer(
                _request(message),
                function="evaluate_model",
                topics=("tuning-completed",),
                world=lambda: world,
                work=lambda event: close_run(event, world),
            )

        return {
            "tuning-requested": front_door("launch_tuning", "tuning-requested", launch),
            "scheduler-tick": front_door("watch_jobs", "scheduler-tick", watch),
            "tuning-completed": close,
        }


def _request(message: Posted) -> Any:
    return push(message, "evaluate-model")


class _About(BaseModel):
    task: str
    run: str


def close_run(event: Event, world: World) -> None:
    """Stand in for evaluate_model: close a run once all of its jobs have ended."""
    assert isinstance(event, Message)
    about = _About.model_validate(event.data)
    artifacts = world.buckets.artifacts
    path = paths.run_record(about.task, about.run)
    run = read(artifacts, path, RunRecord)
    if run is None:
        raise Rejected(f"There is no run {about.run}.")
    records = [paths.job_record(about.task, run.id, job) for job in run.jobs]
    jobs = [read(artifacts, name, JobRecord) for name in records]
    if run.state == "open" and not all(job and job.state in TERMINAL for job in jobs):
        return

    def close(old: RunRecord | None) -> RunRecord | None:
        same = old is not None and (old.state, old.attempt) == (run.state, run.attempt)
        return old.model_copy(update={"state": "closed"}) if old and same else None

    if run.state == "open":
        change(artifacts, path, RunRecord, close)
    now = read(artifacts, path, RunRecord)
    if now is not None and now.state in {"closed", "refused"}:
        open_work.finish(world, "run", about.task, about.run)
