"""Turns a message into a recorded run, and starts it.

A run's id follows from its dataset, base model and plan, so the same request delivered again
finds its run and changes nothing.
"""

from functions.launch_tuning.decide import approve, cancel
from functions.launch_tuning.plan import Proposal, propose
from functions.launch_tuning.record import record_run
from functions.launch_tuning.request import (
    Approval,
    Cancellation,
    TuningRequested,
    parse_request,
)
from functions.launch_tuning.start import announce, ask_for_verdict, start_jobs
from shared import log
from shared.events import Event
from shared.facts import publish_fact
from shared.ports import TuningService, World


def launch(event: Event, world: World, tuning: TuningService) -> None:
    """Do what a message on tuning-requested asks for.

    Raises:
        Rejected: The message is wrong, or cannot be followed.
        Retry: Storage, Pub/Sub or Vertex AI is not to be had.
    """
    match parse_request(event):
        case Approval() as asked:
            approve(world, tuning, asked)
        case Cancellation() as asked:
            cancel(world, tuning, asked)
        case TuningRequested(dry_run=True) as asked:
            _tell_price(world, propose(world, asked))
        case TuningRequested() as asked:
            _tune(world, tuning, propose(world, asked))


def _tell_price(world: World, proposal: Proposal) -> None:
    """Say what a run would be and cost, and do nothing else."""
    run, estimate = proposal.run, proposal.estimate
    log.info(
        "run estimated",
        task=run.task_name,
        run=run.id,
        jobs=len(run.jobs),
        estimated_usd=estimate.usd,
    )
    publish_fact(
        world.publisher,
        "run-estimated",
        world.clock(),
        task=run.task_name,
        run=run.id,
        jobs=len(run.jobs),
        estimated_usd=estimate.usd,
        estimated_low_usd=estimate.low,
        estimated_high_usd=estimate.high,
        plan_note=run.plan_note,
        price_note=run.price_note,
    )


def _tune(world: World, tuning: TuningService, proposal: Proposal) -> None:
    """Record a run, then start the jobs that the quota lets start."""
    run, is_new = record_run(world, proposal)
    if is_new:
        log.info(
            "run recorded",
            task=run.task_name,
            run=run.id,
            state=run.state,
            jobs=len(run.jobs),
            estimated_usd=run.estimated_usd,
            budget_share=round(proposal.estimate.usd / proposal.policy.budget_usd, 4),
        )
    if is_new or run.state == "waiting":
        # A run that waits is told of at every delivery: if nobody hears of it, nobody approves it.
        announce(world, run)
    if run.state in ("refused", "closed"):
        ask_for_verdict(world, run)
    if run.state == "open":
        start_jobs(world, tuning, run)
