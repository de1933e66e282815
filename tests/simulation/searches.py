"""The searches: which scenario, and how much may go wrong in it."""

from collections.abc import Mapping

from tests.simulation.scenario import Bounds, Scenario
from tests.simulation.scenarios import (
    approved,
    cancelled,
    month_end,
    one_job,
    one_request,
    switched,
    two_budgets,
    two_jobs,
)

SEARCHES: Mapping[str, Scenario] = {
    "job": one_job(Bounds(crashes=3, lost=2, ticks=3, waits=1)),
    "job, zombie": one_job(Bounds(crashes=1, ticks=3, waits=1, zombies=1)),
    "job, errors": one_job(Bounds(errors=2, lost=1, stale=1, ticks=2, waits=1)),
    "kill switch": switched(Bounds(lost=1, ticks=2, waits=1, flips=2)),
    "two jobs, room for one": two_jobs(Bounds(crashes=1, ticks=1, waits=1)),
    "request": one_request(Bounds(crashes=1, lost=1, ticks=1)),
    "two requests, money for one": two_budgets(Bounds(crashes=1)),
    "approval": approved(Bounds(crashes=1)),
    "cancellation": cancelled(Bounds(crashes=1, ticks=1, waits=1)),
    "month end": month_end(Bounds(ticks=1, waits=1)),
}
"""What CI exhausts."""

LARGE: Mapping[str, Scenario] = {
    "job, all at once": one_job(Bounds(crashes=3, lost=2, ticks=3, waits=1, zombies=1)),
    "kill switch, more": switched(Bounds(crashes=1, lost=1, ticks=3, waits=1, flips=2)),
    "two jobs, more": two_jobs(Bounds(crashes=1, lost=1, ticks=2, waits=1)),
    "request, more": one_request(Bounds(crashes=2, lost=1, ticks=1, waits=1)),
    "two requests, more": two_budgets(Bounds(crashes=2, lost=1, ticks=1)),
    "cancellation, more": cancelled(Bounds(crashes=1, lost=1, ticks=2, waits=1)),
    "month end, more": month_end(Bounds(crashes=1, lost=1, ticks=1, waits=1)),
}
"""What only `make simulate` exhausts."""

RANDOM = Bounds(
    crashes=5, lost=4, errors=4, stale=2, zombies=2, ticks=14, waits=8, again=3, flips=2
)
"""What may go wrong on a random path."""
