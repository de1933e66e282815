"""Runs the simulation for as long as it is told, and prints its figures: `make simulate`."""

import argparse
import sys
import time
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from tests.simulation.bugs import BUGS
from tests.simulation.explore import exhaust, wander
from tests.simulation.programs import Library
from tests.simulation.scenario import Scenario
from tests.simulation.scenarios import everything
from tests.simulation.schedules import run, schedules
from tests.simulation.searches import LARGE, RANDOM, SEARCHES


def main() -> int:
    """Search, kill bugs, run the schedules, and wander until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=60, help="how long to follow random paths (60)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the first random path's seed (0)")
    parser.add_argument("--small", action="store_true", help="only the searches that CI runs")
    parser.add_argument(
        "--replay", metavar="NAME", help="a search's name, or random:SEED: print its path"
    )
    chosen = parser.parse_args()
    console = Console(width=120)
    searches = {**SEARCHES, **({} if chosen.small else LARGE)}
    if chosen.replay:
        _replay(console, searches, chosen.replay)
        return 0
    is_well = _search(console, searches)
    is_well &= _kill(console)
    _schedules(console)
    is_well &= _wander(console, chosen.seed, chosen.seconds)
    return 0 if is_well else 1


def _replay(console: Console, searches: Mapping[str, Scenario], what: str) -> None:
    """Print a path again: a random one by its seed, or what a search comes to."""
    kind, _, seed = what.partition(":")
    if kind == "random":
        found = wander(everything(RANDOM), int(seed), Library(), set())
    else:
        found = exhaust(searches[kind])
    console.print(str(found))


def _search(console: Console, searches: dict[str, Scenario]) -> bool:
    table = Table(
        "search", "bounds", "states", "moves", "endings", "CPU s", "found", title="Exhaustive"
    )
    is_well = True
    for name, scenario in searches.items():
        found = exhaust(scenario)
        is_well &= not found.broken and found.complete
        bounds = ", ".join(f"{n} {what}" for what, n in scenario.bounds._asdict().items() if n)
        table.add_row(
            name,
            bounds,
            f"{found.states:,}",
            f"{found.moves:,}",
            f"{found.endings:,}",
            f"{found.seconds:.1f}",
            found.broken or "nothing",
        )
        console.print(str(found))
    console.print(table)
    return is_well


def _kill(console: Console) -> bool:
    table = Table("seeded bug", "states until it is found", "what is seen", title="Seeded bugs")
    is_well = True
    for name, bug in BUGS.items():
        found = exhaust(bug.seeded())
        is_well &= bool(found.broken)
        table.add_row(name, f"{found.states:,}", found.broken or "NOT FOUND")
    console.print(table)
    return is_well


def _schedules(console: Console) -> None:
    library = Library()
    outcomes = [run(schedule, library) for schedule in schedules()]
    double = sum(outcome.jobs > 1 for outcome in outcomes)
    later = sum(outcome.jobs_after_ticks > 1 for outcome in outcomes)
    done = sum(outcome.jobs_after_ticks == 1 for outcome in outcomes)
    console.print(
        f"{len(outcomes)} schedules: {double} with more than one job after the deliveries, {later} "
        f"after three more ticks; {done} with exactly one in the end."
    )


def _wander(console: Console, first: int, seconds: float) -> bool:
    library, written = Library(), set[str]()
    seed, moves, deadline = first, 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = wander(everything(RANDOM), seed, library, written)
        moves += found.moves
        if found.broken:
            console.print(str(found))
            console.print(f"Again: python -m tests.simulation --replay random:{seed}")
            return False
        seed += 1
        if len(library) > 400_000:
            library = Library()
    console.print(f"{seed - first:,} random paths, {moves:,} moves, no violation.")
    return True


if __name__ == "__main__":
    sys.exit(main())
