"""Searches of a simulation: everything within bounds, or schedules drawn at random."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation.explore import Bounds, Simulation, State
from tests.simulation.invariants import Violation

Link = tuple["Link", str] | None


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        states: Distinct states that were visited.
        schedules: Schedules that were followed to their end.
        steps: Actions that were performed.
        seconds: How long it took.
        complete: Whether nothing within the bounds was left out.
        violation: What must never happen, and did.
        schedule: The actions that lead there, to be replayed.
    """

    states: int
    schedules: int
    steps: int
    seconds: float
    complete: bool
    violation: str = ""
    schedule: str = ""


def exhaustive(simulation: Simulation, bounds: Bounds, seconds: float = 3600) -> Found:
    """Visit every state within bounds, unless the time runs out first.

    A state that was visited with at least as much of every bound left is not visited again. What
    takes the fewest faults goes first: that leaves the least to visit twice, and a violation is
    found with as few faults as it needs.
    """
    visited: dict[int, list[Bounds]] = {}
    whole = sum(bounds)
    waiting: list[list[tuple[State, Link]]] = [[] for _ in range(whole + 1)]
    waiting[0].append((simulation.first(bounds), None))
    start, ends = time.monotonic(), 0

    def found(complete: bool, violation: str = "", link: Link = None) -> Found:
        return Found(
            states=len(visited),
            schedules=ends,
            steps=simulation.steps,
            seconds=time.monotonic() - start,
            complete=complete,
            violation=violation,
            schedule=schedule_of(link),
        )

    while stack := next((some for some in waiting if some), None):
        if simulation.steps % 256 == 0 and time.monotonic() - start > seconds:
            return found(complete=False)
        state, link = stack.pop()
        try:
            if not state.flights:
                simulation.settle(state.cloud)
        except Violation as violation:
            return found(False, str(violation), link)
        actions = simulation.actions(state)
        ends += not actions
        for action in reversed(actions):
            after: Link = (link, action)
            try:
                new = simulation.step(state, action)
            except Violation as violation:
                return found(False, str(violation), after)
            if _is_new(visited, new):
                waiting[whole - sum(new.left)].append((new, after))
    return found(complete=True)


def _is_new(visited: dict[int, list[Bounds]], state: State) -> bool:
    """Note a state; one that was visited with as much left is not new."""
    known = visited.setdefault(state.key(), [])
    for left in known:
        if all(mine <= its for mine, its in zip(state.left, left, strict=True)):
            return False
    known.append(state.left)
    return True


def schedule_of(link: Link) -> str:
    """Write a path as text."""
    actions: list[str] = []
    while link is not None:
        link, action = link
        actions.append(action)
    return " ".join(reversed(actions))


def at_random(simulation: Simulation, bounds: Bounds, seed: int, length: int = 150) -> Found:
    """Follow one schedule that is drawn at random, to its end."""
    dice = random.Random(seed)
    state = simulation.first(bounds)
    done: list[str] = []
    start = time.monotonic()
    violation = ""
    try:
        for _ in range(length):
            actions = simulation.actions(state)
            if not actions:
                break
            usual = [action for action in actions if action[0] in "gd"]
            action = dice.choice(usual if usual and dice.random() < 0.8 else actions)
            done.append(action)
            state = simulation.step(state, action)
        simulation.settle(simulation.land(state))
    except Violation as found:
        violation = str(found)
    seconds = time.monotonic() - start
    return Found(0, 1, simulation.steps, seconds, True, violation, " ".join(done))


def replay(simulation: Simulation, bounds: Bounds, schedule: Sequence[str]) -> list[str]:
    """Follow a schedule again, and describe each of its steps; the last line says how it ended."""
    state = simulation.first(bounds)
    lines: list[str] = []
    try:
        for action in schedule:
            lines.append(describe(state, action))
            state = simulation.step(state, action)
        simulation.settle(simulation.land(state))
    except Violation as violation:
        return [*lines, f"VIOLATION: {violation}"]
    return [*lines, "everything came to its one end"]


def describe(state: State, action: str) -> str:
    """Say what an action does."""
    letter, index = action[0], int(action[1:])
    if letter == "d":
        message = state.cloud.messages[index]
        return f"{action:4} deliver {message.topic} {message.data}"
    if letter in "gxlcesu":
        flight = state.flights[index]
        call = flight.node.pending
        assert call is not None
        return f"{action:4} {flight.message.topic}: {call.verb} {call.name}"
    return action
