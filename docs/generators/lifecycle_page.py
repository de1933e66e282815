"""docs/lifecycle.md, out of the table in shared/lifecycle.py."""

from typing import get_args

from docs.generators.markdown import fenced, generated_from, page, paragraph, table
from shared.lifecycle import LIVE, TERMINAL, TRANSITIONS, WAITING
from shared.records import JobState

STATES: dict[JobState, str] = {
    "planned": "The intent is recorded: the job's id, its configuration and the run it belongs "
    "to. Nothing has been asked of Vertex AI and nothing costs money yet. It waits for its turn.",
    "queued": "Vertex AI had no room for another job (429), or a person stopped creations while "
    "this one was about to happen; the record says which. The intent stays, and a later tick "
    "tries again.",
    "submitting": "One delivery holds the lease and is looking for the job, or creating it. If it "
    "dies, or the answer to its request is lost, the record stays here until the lease has run "
    "out; then the next look takes over, with a new epoch, and looks for the job before it "
    "creates one.",
    "submitted": "The job exists and its resource name is recorded. Vertex AI has it pending or "
    "queued. A state that this version does not know is taken for this one, never for an end; it "
    "is logged once, and kept in `unknown_state`.",
    "running": "Vertex AI is training, or is pausing, updating or cancelling. From here there is "
    "no way back to submitted, however late an older answer arrives. `epochs_done` and "
    "`steps_done` follow the checkpoints that Vertex AI shows. A job whose state and checkpoints "
    "have not changed for TUNEDROP_STUCK_AFTER_SECONDS is `stuck`: that is logged and published "
    "once, and taken back as soon as it moves. A job that keeps its last checkpoint only shows no "
    "progress while it runs, so the time should be longer than such a job takes.",
    "succeeded": "There is a tuned model and an endpoint. evaluate_model measures it.",
    "failed": "Vertex AI gave up; the record holds its message.",
    "cancelled": "Somebody cancelled the job, at Vertex AI or by cancelling its run.",
    "expired": "The job ran out of the time that Vertex AI gives it.",
    "partially_succeeded": "Vertex AI says that only a part of the job succeeded. Its model is "
    "not measured.",
    "refused": "Vertex AI will never take this request, or its dataset is gone. No job exists; "
    "the record holds the reason.",
}

_WHY = (
    "A tuning job costs money, creating one has no request id, and a process can die between any "
    "two lines. So every start goes the same way, in launch_tuning and in watch_jobs alike "
    "(shared/jobs.py performs what shared/lifecycle.py decides):"
)
_STEPS = """
1. **Intent first.** The job's record is written before anything is asked of Vertex AI, and it is
   never deleted. The run is on the list of open work before that.
2. **A lease with an epoch.** Whoever starts a job raises its epoch and sets a lease, by
   compare-and-set on the record's generation. Of two that try, one loses and stops. A holder that
   wakes up after its lease has run out fails at its next write.
3. **Find by label.** The job's id is a label on the job. Before a job is created, jobs with that
   label are listed; the label is matched again in the answer, because filtering is not documented
   to be complete.
4. **Adopt, or create once.** A job that is found is adopted. Only when there is none is one
   created, labelled, with no automatic retry. When the answer is lost, the record stays in
   submitting, and the next look begins with step 3.
5. **Keep the oldest, cancel the extras.** A delivery that was thought dead may still create a job.
   Every look at a live job lists its label again: the oldest is kept, the others are cancelled.
6. **Announce, then note it.** Once a job has ended, its price is settled, tuning-completed is
   published, and then `announced` is recorded. Dying in between publishes it twice, which changes
   nothing; an end is never left unpublished.
"""
_BUDGET = """
The ledger of a month is one record, `budget/<month>.json`; months are UTC.

1. **Reserve, then record.** The check against the deployment's cap (TUNEDROP_BUDGET_USD_PER_MONTH)
   and the task's (`tuning.budget_usd_per_month`) and the reservation are one compare-and-set.
   Reserving twice under one key, `<task>/<run>/<attempt>`, changes nothing.
2. **Hold before use.** Right before a job is created, the reservation is marked as in use. From
   then on it is not given back. One that is gone is made again, if there is room for it; else the
   job waits.
3. **Settle.** A job that has ended counts with its price instead of its estimate: the tokens that
   Vertex AI counted, times epochs, at the price in shared/models.yaml. Without a count, a
   successful job counts with its estimate and any other with nothing. More than was reserved is
   recorded, warned of, and blocks later runs.
4. **Give back.** A tick gives back what no run holds: its run was never recorded, or not as open,
   and nobody has asked for it for TUNEDROP_REVIVE_AFTER_SECONDS. It also settles what a crash left
   unsettled. Only this month's ledger and the last one's are looked at.

What is spent and reserved in a month never passes a cap by a reservation. It can pass one by a
price above its estimate, which the ledger then shows. A job that was created twice is cancelled,
and what it cost until then is not in the ledger: Vertex AI does not say.
"""
_STOPPING = """
**A run** is cancelled by a message (docs/messages.md). Its waiting jobs end at once, without a
call. A job that Vertex AI has is cancelled there, and ends when Vertex AI says so: it may still
succeed. One in submitting is left alone until its lease has run out, and then looked for under a
new lease. A job that is found is cancelled. When none is found, the record is cancelled and keeps
the new lease: a creation whose answer was lost may still appear, so until that lease is over every
tick looks again, cancels what it finds, and goes on looking for as long again. Its money is settled
only after that, at nothing.

**Everything** is stopped by the kill switch, an object that a person writes:
`gcloud storage cp stop.json gs://<artifacts bucket>/stop.json`, with
`{"reason": "…", "cancel_running": false}` in it. It is looked at right before every creation.
While it is there, no job is created; what waits stays, and goes on once it is deleted. Content that
cannot be read stops creations, too. With `cancel_running`, the live jobs of all open runs are
cancelled.
"""
_ORDER = (
    "Room is given out one job at a time: to the task with the fewest live jobs, and there to the "
    "job that has waited longest. No task gets more than its `tuning.max_concurrent_jobs`, and all "
    "together no more than TUNEDROP_MAX_CONCURRENT_JOBS. When Vertex AI has no room after all, the "
    "job is queued and nothing else is tried before the next tick."
)
_PROMISE = (
    "What this promises: no job is lost. As long as no delivery outlives its lease, and a job is "
    "listed before its lease runs out, none is created twice. When one is, at most one job is left "
    "after the next look."
)


def lifecycle_page() -> str:
    """Write the page.

    Raises:
        ValueError: A state has no paragraph, or a paragraph no state.
    """
    if set(STATES) != set(get_args(JobState)):
        wrong = sorted(set(STATES) ^ set(get_args(JobState)))
        raise ValueError(f"docs/generators/lifecycle_page.py and JobState disagree on {wrong}")
    return page(
        generated_from("shared/lifecycle.py", "docs/generators/lifecycle_page.py"),
        "# The life of a tuning job",
        paragraph(
            "A job's record is at `tasks/<task>/runs/<run>/jobs/<job>.json` in the artifacts "
            "bucket. What becomes of it is decided by one pure function, `advance` in "
            "shared/lifecycle.py, and these are all the moves there are."
        ),
        fenced("mermaid", _drawing()),
        table(
            ("from", "to", "kind"),
            [(f"`{state}`", _targets(state), _kind(state)) for state in get_args(JobState)],
        ),
        "## The states",
        *(paragraph(f"**{state}**. {text}") for state, text in STATES.items()),
        "## How money is kept safe",
        paragraph(_WHY),
        _STEPS,
        paragraph(_PROMISE),
        "## The budget",
        _BUDGET,
        "## Who goes first",
        paragraph(_ORDER),
        "## How to stop",
        _STOPPING,
    )


def _drawing() -> str:
    """Draw the table; ends that are always reached together share a box."""
    sources = [state for state in TRANSITIONS if TRANSITIONS[state]]
    # A job that waits can end in one way only, which is drawn by itself.
    shared_ends = set(TERMINAL).intersection(
        *(ends for state in sources if len(ends := TRANSITIONS[state] & TERMINAL) > 1)
    )
    lines = ["stateDiagram-v2", "    [*] --> planned", "    state ended {"]
    lines += [f"        {state}" for state in get_args(JobState) if state in shared_ends]
    lines.append("    }")
    for state in sources:
        to_box = shared_ends <= TRANSITIONS[state]
        own = TRANSITIONS[state] - shared_ends if to_box else TRANSITIONS[state]
        lines += [f"    {state} --> {target}" for target in _in_order(own)]
        lines += [f"    {state} --> ended"] if to_box else []
    lines.append("    ended --> [*]")
    lines += [f"    {state} --> [*]" for state in _in_order(TERMINAL - shared_ends)]
    return "\n".join(lines)


def _in_order(states: frozenset[JobState] | set[JobState]) -> list[JobState]:
    return [state for state in get_args(JobState) if state in states]


def _targets(state: JobState) -> str:
    return ", ".join(f"`{target}`" for target in _in_order(TRANSITIONS[state])) or "nowhere"


def _kind(state: JobState) -> str:
    """Say which of the module's three sets a state is in."""
    for kind, states in (("waiting", WAITING), ("live", LIVE), ("end", TERMINAL)):
        if state in states:
            return kind
    raise ValueError(f"{state} is in none of WAITING, LIVE and TERMINAL")
