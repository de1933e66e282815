"""The 84 schedules that a well-known idempotency library was held against, run on this project.

A message is delivered two or three times, 1, 61 or 600 seconds apart, with a lease of 60 seconds.
The first delivery dies nowhere, or before or after one of: recording its intent, creating the job,
recording that it was created. The answer to its creation is lost, or is not. That library, with a
creation as its effect, made more than one job in 30 of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from tests.fakes import fake_settings
from tests.simulation.cloud import Call, Cloud, Heard, perform, wait
from tests.simulation.invariants import job_of
from tests.simulation.programs import Library, Program
from tests.simulation.scenarios import ONE, cloud, request, tick

POINTS = ("intent", "creation", "outcome")
TICKS = 3
TICK_SECONDS = 61


@dataclass(frozen=True)
class Schedule:
    """What happens: where the first delivery dies, if at all, and when the next ones come."""

    crash: tuple[str, str] | None
    lost: bool
    deliveries: int
    seconds: int


@dataclass(frozen=True)
class Outcome:
    """How many jobs there were after the deliveries, and after three ticks."""

    jobs: int
    jobs_after_ticks: int


def schedules() -> Iterator[Schedule]:
    """Go through all 84."""
    crashes = (None, *product(("before", "after"), POINTS))
    for crash, lost, deliveries, seconds in product(crashes, (False, True), (2, 3), (1, 61, 600)):
        yield Schedule(crash, lost, deliveries, seconds)


def run(schedule: Schedule, library: Library) -> Outcome:
    """Run one schedule with the real functions."""
    settings = fake_settings(max_concurrent_jobs=5, lease_seconds=60)
    message, look = request(settings, sweep=ONE), tick(settings)
    state = _deliver(cloud(), message, library, schedule)
    for _ in range(schedule.deliveries - 1):
        state = _deliver(wait(state, schedule.seconds), message, library)
    jobs = len(state.jobs)
    for _ in range(TICKS):
        state = wait(state, TICK_SECONDS)
        program: Program | None = look
        while program is not None:
            state = _deliver(state, program, library)
            program = program.then
    return Outcome(jobs, len(state.jobs))


def _deliver(
    state: Cloud, program: Program, library: Library, schedule: Schedule | None = None
) -> Cloud:
    """Deliver a message once, with a schedule's trouble in it."""
    node = library.begin(program, state.now)
    while node.call is not None:
        call = node.call
        point = _point(call)
        if schedule and schedule.crash == ("before", point):
            return state
        state, heard = perform(state, call)
        if schedule and schedule.crash == ("after", point):
            return state
        if schedule and schedule.lost and point == "creation":
            heard = Heard(error="Retry")
        node = library.go_on(node, heard, state.now)
    return state


def _point(call: Call) -> str:
    """Say which of the three points a call is; empty for none."""
    if call.verb == "create":
        return "creation"
    if call.verb == "write" and "/jobs/" in call.name:
        # The bare intent comes first; taking the lease on it is what the library's first put does.
        state = job_of(call.content).state
        return {"planned": "", "submitting": "intent"}.get(state, "outcome")
    return ""
