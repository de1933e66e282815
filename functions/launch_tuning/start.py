"""What follows once a run is recorded. All of it may be done again."""

from shared import log, open_work
from shared.errors import Retry
from shared.facts import publish_fact
from shared.jobs import advance_jobs, record_jobs
from shared.ports import TuningService, World
from shared.records import RunRecord


def start_jobs(world: World, tuning: TuningService, run: RunRecord) -> None:
    """Record the jobs of an open run, and start those that the quota lets start."""
    # Once more, now that the run is recorded: a verdict on its refusal may have removed it.
    open_work.begin(world, "run", run.task_name, run.id)
    record_jobs(world, run)
    move_jobs(world, tuning, run)


def move_jobs(world: World, tuning: TuningService, run: RunRecord) -> None:
    """Move all open jobs on; what cannot be done now is left to the watcher."""
    try:
        advance_jobs(world, tuning)
    except Retry:
        log.info("the watcher goes on with the jobs", task=run.task_name, run=run.id)


def announce(world: World, run: RunRecord) -> None:
    """Tell what became of a request: the run is planned, waits, or is refused."""
    if run.state == "waiting":
        publish_fact(
            world.publisher,
            "run-waiting",
            world.clock(),
            task=run.task_name,
            run=run.id,
            jobs=len(run.jobs),
            estimated_usd=run.estimated_usd,
            reason=run.reason,
        )
        return
    is_refused = run.state == "refused"
    publish_fact(
        world.publisher,
        "run-refused" if is_refused else "run-planned",
        world.clock(),
        task=run.task_name,
        run=run.id,
        jobs=len(run.jobs),
        estimated_usd=run.estimated_usd,
    )


def ask_for_verdict(world: World, run: RunRecord) -> None:
    """Have evaluate_model look at a run that nothing is started for.

    Of a refused one the verdict is about the prompts alone. One that has ended is asked for again
    when the task has changed: its verdict is looked at by the task as it is now.
    """
    message = {"task": run.task_name, "run": run.id}
    world.publisher.publish("tuning-completed", message)
