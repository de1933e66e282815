"""What is simulated: a cloud to begin with, deliveries, and how much may go wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from tests.simulation.cloud import Cloud, Stored
from tests.simulation.programs import Program


class Bounds(NamedTuple):
    """How much may go wrong, or happen, on one path.

    Attributes:
        crashes: A delivery dies: before one of its effects, or before it is acknowledged.
        lost: The cloud does what was asked for, and the caller hears an error.
        errors: The caller hears an error, and nothing was done.
        stale: A listing of jobs leaves the newest one out.
        zombies: Time passes over a delivery that is not over, and that goes on later.
        ticks: The scheduler ticks.
        waits: Time passes until every lease is over.
        again: Pub/Sub delivers a message once more while it is being worked on.
        flips: A person puts the kill switch on, or takes it away.
    """

    crashes: int = 0
    lost: int = 0
    errors: int = 0
    stale: int = 0
    zombies: int = 0
    ticks: int = 0
    waits: int = 0
    again: int = 0
    flips: int = 0

    def less(self, what: str) -> "Bounds":
        """Return what is left once one of these has happened."""
        return _less(self, what)


@cache
def _less(bounds: Bounds, what: str) -> Bounds:
    return bounds._replace(**{what: getattr(bounds, what) - 1})


@dataclass(frozen=True)
class Scenario:
    """One small world.

    Attributes:
        name: What it is called.
        cloud: The cloud to begin with.
        messages: What is delivered, each at first once.
        tick: The scheduler's tick.
        bounds: How much may go wrong.
        cap: What the deployment may spend, in US dollars.
        concurrent: How many deliveries are worked on at the same time; zombies do not count.
        ends: How the service may bring a job to its end.
        ends_any_time: Whether it may do so while a delivery is at work, not only in between.
        each_once: Whether each configuration has to be tuned in the end: not when a person
            cancels, or a budget refuses.
        pause: Seconds of one wait; longer than a lease.
        acknowledges_all: A seeded bug: whatever a function answers, its message is gone.
    """

    name: str
    cloud: Cloud
    messages: tuple[Program, ...]
    tick: Program
    bounds: Bounds
    cap: float = 1000.0
    concurrent: int = 2
    ends: tuple[str, ...] = ("succeeded",)
    ends_any_time: bool = False
    each_once: bool = True
    pause: int = 121
    acknowledges_all: bool = False


def objects(files: Mapping[str, bytes]) -> Mapping[str, Stored]:
    """Store what is there to begin with."""
    return {name: Stored(content, 1) for name, content in files.items()}
