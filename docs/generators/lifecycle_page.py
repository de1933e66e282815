"""docs/lifecycle.md, out of the table in shared/lifecycle.py."""

from typing import get_args

from docs.generators.markdown import fenced, generated_from, page, paragraph, table
from shared.lifecycle import LIVE, TERMINAL, TRANSITIONS, WAITING
from shared.records import JobState

STATES: dict[JobState, str] = {
    "planned": "The intent is recorded: the job's id, its configuration and the run it belongs "
    "to. Nothing has been asked of Vertex AI and nothing costs money yet. It waits for its turn.",
    "queued": "Vertex AI had no room for another job (429). The intent stays, and a later tick "
    "tries again.",
    "submitting": "One delivery holds the lease and is looking for the job, or creating it. If it "
    "dies, or the answer to its request is lost, the record stays here until the lease has run "
    "out; then the next look takes over, with a new epoch, and looks for the job before it "
    "creates one.",
    "submitted": "The job exists and its resource name is recorded. Vertex AI has it pending or "
    "queued. A state that this version does not know is taken for this one, never for an end.",
    "running": "Vertex AI is training, or is pausing, updating or cancelling. From here there is "
    "no way back to submitted, however late an older answer arrives.",
    "succeeded": "There is a tuned model and an endpoint. evaluate_model measures it.",
    "failed": "Vertex AI gave up; the record holds its message.",
    "cancelled": "Somebody cancelled the job.",
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
6. **Announce, then note it.** Once a job has ended, tuning-completed is published, and then
   `announced` is recorded. Dying in between publishes it twice, which changes nothing; an end is
   never left unpublished.
"""
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
    )


def _drawing() -> str:
    """Draw the table; ends that are always reached together share a box."""
    sources = [state for state in TRANSITIONS if TRANSITIONS[state]]
    shared_ends = set(TERMINAL).intersection(
        *(ends for state in sources if (ends := TRANSITIONS[state] & TERMINAL))
    )
    lines = ["stateDiagram-v2", "    [*] --> planned", "    state ended {"]
    lines += [f"        {state}" for state in get_args(JobState) if state in shared_ends]
    lines.append("    }")
    for state in sources:
        for target in _in_order(TRANSITIONS[state] - shared_ends):
            lines.append(f"    {state} --> {target}")
        if shared_ends <= TRANSITIONS[state]:
            lines.append(f"    {state} --> ended")
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
