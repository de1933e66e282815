"""What is searched exhaustively: pairs of a scenario and bounds, the cheapest first."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.simulation.explore import Bounds, Simulation
from tests.simulation.processes import Processes
from tests.simulation.programs import Program
from tests.simulation.scenarios import (
    ASKED_TWICE,
    CANCELLED,
    ONE_JOB,
    ONE_OF_TWO,
    RECORDED,
    SCENARIOS,
    Scenario,
)


class Slice(NamedTuple):
    """Bounds in which everything is tried; `everywhere`: also between two reads."""

    scenario: Scenario
    bounds: Bounds
    everywhere: bool = False


QUICK: Sequence[Slice] = (
    Slice(ONE_JOB, Bounds(1, crashes=2, lost=1, ticks=1, jumps=1)),
    Slice(ONE_JOB, Bounds(2, preemptions=2, crashes=1, duplicates=1, jumps=1)),
    Slice(ONE_OF_TWO, Bounds(2, preemptions=2)),
    Slice(ASKED_TWICE, Bounds(2, preemptions=2, ends=1)),
    Slice(RECORDED, Bounds(2, preemptions=1, lost=1, ticks=2, stale=1)),
    Slice(RECORDED, Bounds(2, preemptions=1, ticks=3, zombies=1)),
    Slice(CANCELLED, Bounds(2, preemptions=1, lost=1, ticks=1, jumps=1, crashes=1)),
)
"""For every test run, and to hunt the mutants."""

DEEP: Sequence[Slice] = (
    Slice(ONE_JOB, Bounds(2, preemptions=3, duplicates=1), everywhere=True),
    Slice(RECORDED, Bounds(2, crashes=3, lost=2, ticks=3, jumps=2, ends=1)),
    Slice(RECORDED, Bounds(2, preemptions=2, crashes=1, lost=1, ticks=3, jumps=1, ends=1)),
    Slice(RECORDED, Bounds(2, preemptions=2, crashes=3, lost=2, ticks=3, jumps=1, zombies=1)),
)
"""For the slow test. The last has all faults at once."""

WIDE: Sequence[Slice] = (
    Slice(ONE_JOB, Bounds(2, preemptions=1, crashes=1, lost=1, ticks=1, duplicates=1, jumps=1)),
    Slice(
        RECORDED,
        Bounds(2, preemptions=2, crashes=3, lost=2, ticks=3, jumps=2, zombies=1, ends=1),
    ),
)
"""For `make simulate` with time to spare."""

RANDOM: Sequence[Slice] = tuple(
    Slice(
        scenario,
        Bounds(
            flights=3,
            preemptions=60,
            crashes=4,
            lost=4,
            errors=3,
            stale=2,
            duplicates=2,
            ticks=6,
            jumps=4,
            zombies=2,
            switches=2,
            ends=3,
        ),
        everywhere=True,
    )
    for scenario in SCENARIOS.values()
)
"""Beyond every bound above: schedules are drawn at random."""


def simulate(part: Slice, program: Program | None = None) -> Simulation:
    """Build the simulation of a slice, of the production code unless another program is given."""
    handlers = (program or Program()).handlers(part.scenario.settings())
    return Simulation(part.scenario, Processes(handlers), everywhere=part.everywhere)
