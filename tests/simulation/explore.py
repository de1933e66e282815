"""Goes through every state that a scenario can come to, or along random paths beyond that."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.simulation.cloud import LIVE, Cloud, finish, wait
from tests.simulation.invariants import after_effect, after_sweep, at_the_end
from tests.simulation.moves import Moves
from tests.simulation.programs import Library
from tests.simulation.scenario import Bounds, Scenario
from tests.simulation.state import TICK, Broken, State

CLOSING_TICKS = 6
CLOSING_SECONDS = 901
MOST_STEPS = 2000
BUSY = 0.9
UNTROUBLED = 0.9
"""Of a random path: the shares of moves by a delivery at work, and of those without trouble."""


@dataclass
class Found:
    """What a search has come to.

    Attributes:
        scenario: Its name.
        states: How many different states were seen.
        moves: How many moves led to them.
        endings: How many of them were quiet, and were followed to their end.
        histories: How many different histories of a delivery were run.
        seconds: How long it took, of CPU time.
        complete: Whether every state within the bounds was seen.
        broken: What was violated; empty when nothing was.
        path: The moves that lead there. A search is the same every time, and so is its path.
        seed: Of a random path.
    """

    scenario: str
    states: int = 0
    moves: int = 0
    endings: int = 0
    histories: int = 0
    seconds: float = 0.0
    complete: bool = False
    broken: str = ""
    path: list[str] = field(default_factory=list)
    seed: int | None = None

    def __str__(self) -> str:
        """Say it for people."""
        if not self.broken:
            return f"{self.scenario}: {self.states:,} states, {self.moves:,} moves, no violation"
        return "\n  ".join([f"{self.scenario}: {self.broken}", *self.path])


def exhaust(scenario: Scenario, seconds: float = float("inf"), states: int = 10**9) -> Found:
    """Visit every state of a scenario once, depth first.

    Args:
        scenario: The scenario.
        seconds: Stop after so much CPU time.
        states: Stop after so many states.
    """
    library, written = Library(), set[str]()
    began = time.process_time()
    while True:
        moves = Moves(scenario, library, after_effect, written)
        found = _exhaust(moves, began + seconds, states)
        if not moves.grown:
            break
    found.histories = len(library)
    found.seconds = time.process_time() - began
    return found


def _exhaust(moves: Moves, deadline: float, most: int) -> Found:
    found = Found(moves.scenario.name)
    first = moves.first()
    seen = {first.key()}
    ended: set[int] = set()
    stack: list[tuple[State, Iterator[tuple[str, State]]]] = [(first, moves.after(first))]
    names: list[str] = ["begin"]
    try:
        while stack:
            entry = next(stack[-1][1], None)
            if entry is None:
                stack.pop()
                names.pop()
                continue
            found.moves += 1
            what, state = entry
            key = state.key()
            if key in seen:
                continue
            seen.add(key)
            if moves.grown:
                break
            if found.moves % 1024 == 0 and (time.process_time() > deadline or len(seen) > most):
                break
            names.append(what)
            if not state.actors:
                found.endings += 1
                end_well(moves, state, ended)
            stack.append((state, moves.after(state)))
        else:
            found.complete = True
    except Broken as trouble:
        found.broken = str(trouble)
        found.path = names[1:]
    found.states = len(seen)
    return found


def end_well(moves: Moves, state: State, ended: set[int]) -> None:
    """Let a quiet state come to its end without any further trouble. Raises Broken.

    Args:
        moves: The scenario's moves.
        state: A state with nobody at work.
        ended: States that are known to end well; grows.
    """
    calm = state._replace(left=Bounds(), cloud=moves.without_switch(state.cloud))
    for tick in range(CLOSING_TICKS + 1):
        key = calm.key()
        if key in ended:
            return
        ended.add(key)
        while any(calm.pending):
            message = next(index for index, count in enumerate(calm.pending) if count)
            pending = tuple(count - (index == message) for index, count in enumerate(calm.pending))
            calm = _alone(moves, calm._replace(pending=pending), message)
        if tick == CLOSING_TICKS:
            break
        calm = _alone(moves, calm._replace(cloud=wait(calm.cloud, CLOSING_SECONDS)), TICK)
        after_sweep(calm.cloud)
        calm = calm._replace(cloud=_finish_all(moves.scenario, calm.cloud))
    at_the_end(moves.scenario, calm.cloud, haunted=calm.haunted)


def _alone(moves: Moves, state: State, message: int) -> State:
    """Let one delivery run from its beginning to its end, with nobody beside it."""
    (_, state), *_ = moves.begin("alone", state, message)
    for _ in range(MOST_STEPS):
        if not state.actors:
            return state
        _, state = next(moves.go_on(state, 0))
    raise Broken("a delivery does not end")


def _finish_all(scenario: Scenario, cloud: Cloud) -> Cloud:
    for job in cloud.jobs:
        cloud = finish(cloud, job.number, scenario.ends[0] if job.state in LIVE else "cancelled")
    return cloud


def wander(scenario: Scenario, seed: int, library: Library, written: set[str]) -> Found:
    """Go along one random path to its end.

    Args:
        scenario: The scenario; its bounds may be far beyond what can be exhausted.
        seed: Chooses the path; the same seed, the same path.
        library: What is known of the programs.
        written: What is known to be written; grows.
    """
    moves = Moves(scenario, library, after_effect, written)
    chance = random.Random(seed)
    found = Found(scenario.name, seed=seed)
    state = moves.first()
    try:
        for _ in range(MOST_STEPS):
            options = _some(moves, state, chance)
            if not options:
                break
            what, state = chance.choice(options)
            found.path.append(what)
            found.moves += 1
        while state.actors:
            what, state = next(moves.go_on(state._replace(left=Bounds()), 0))
            found.path.append(what)
        end_well(moves, state, set())
    except Broken as trouble:
        found.broken = str(trouble)
    else:
        found.path.clear()
        found.endings = 1
    return found


def _some(moves: Moves, state: State, chance: random.Random) -> list[tuple[str, State]]:
    """Choose who moves next; mostly somebody at work, and mostly without trouble."""
    if state.actors and chance.random() < BUSY:
        going_on = moves.go_on(state, chance.randrange(len(state.actors)))
        return [next(going_on)] if chance.random() < UNTROUBLED else list(going_on)
    around = list(moves.around(state))
    return around or [move for n in range(len(state.actors)) for move in moves.go_on(state, n)]
