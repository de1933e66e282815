"""A person's decisions on a run: to approve it, or to cancel it. Each may arrive twice."""

from collections.abc import Callable

from functions.launch_tuning.record import reserve_money
from functions.launch_tuning.request import Approval, Cancellation
from functions.launch_tuning.start import announce, ask_for_verdict, move_jobs, start_jobs
from shared import log, paths
from shared.budget import period_of
from shared.errors import Rejected
from shared.facts import publish_fact
from shared.ports import TuningService, World
from shared.record_store import change
from shared.records import RunRecord


def approve(world: World, tuning: TuningService, asked: Approval) -> None:
    """Reserve the money of a waiting run, open it and start its jobs.

    An approval lifts the run's own budget and the task's monthly one, never the deployment's.

    Raises:
        Rejected: There is no such run, it does not wait, or the deployment's budget is used up.
    """
    written: list[RunRecord] = []

    def open_it(old: RunRecord | None) -> RunRecord | None:
        run = _there(old, asked.task, asked.approve)
        if run.approved:
            return None
        if run.state != "waiting":
            raise Rejected(
                f"The run {run.id} is {run.state}; only one that waits can be approved.",
                "Publish the tuning request again to have the run decided on anew.",
            )
        reason = reserve_money(world, run, task_cap=None)
        if reason:
            raise Rejected(
                f"The run {run.id} cannot be approved: {reason}",
                "An approval lifts the task's budgets, not the deployment's. Raise that one, or "
                "approve the run again next month.",
            )
        update = {"state": "open", "approved": True, "reason": ""}
        new = run.model_copy(update={**update, "budget_period": period_of(world.clock())})
        written.append(new)
        return new

    run = _change(world, asked.task, asked.approve, open_it)
    if any(run is new for new in written):
        log.info(
            "run recorded",
            task=run.task_name,
            run=run.id,
            state=run.state,
            estimated_usd=run.estimated_usd,
            approved=True,
        )
        announce(world, run)
    if run.state == "open":
        start_jobs(world, tuning, run)


def cancel(world: World, tuning: TuningService, asked: Cancellation) -> None:
    """Cancel what a run has waiting and running; one that itself waits is refused.

    Raises:
        Rejected: There is no such run, or it is over.
    """

    def stop(old: RunRecord | None) -> RunRecord | None:
        run = _there(old, asked.task, asked.cancel)
        if run.cancel_requested:
            return None
        if run.state == "waiting":
            reason = "It was cancelled by a person."
            update = {"cancel_requested": True, "state": "refused", "reason": reason}
            return run.model_copy(update=update)
        if run.state != "open":
            raise Rejected(
                f"The run {run.id} is {run.state}; there is nothing to cancel.",
                "Only a run that is open or waits can be cancelled.",
            )
        return run.model_copy(update={"cancel_requested": True})

    run = _change(world, asked.task, asked.cancel, stop)
    if run.state == "closed":
        return
    log.info("run cancelled", task=run.task_name, run=run.id, state=run.state)
    publish_fact(world.publisher, "run-cancelled", world.clock(), task=run.task_name, run=run.id)
    if run.state == "refused":
        ask_for_verdict(world, run)
    else:
        move_jobs(world, tuning, run)


def _change(
    world: World,
    task: str,
    identifier: str,
    edit: Callable[[RunRecord | None], RunRecord | None],
) -> RunRecord:
    """Change a run's record by compare-and-set."""
    path = paths.run_record(task, identifier)
    return _there(change(world.buckets.artifacts, path, RunRecord, edit), task, identifier)


def _there(run: RunRecord | None, task: str, identifier: str) -> RunRecord:
    """Return a run that has to be there. Raises Rejected."""
    if run is None:
        raise Rejected(
            f"The task {task!r} has no run {identifier[:60]!r}.",
            "The facts run-planned and run-waiting name the runs; so does `run.json`.",
        )
    return run
