"""A state of the simulation: the cloud, who is at work, and what may still go wrong."""

from typing import NamedTuple

from tests.simulation.cloud import Call, Cloud
from tests.simulation.programs import Node
from tests.simulation.scenario import Bounds

TICK = -1
"""The message of a delivery that is a tick."""


class Actor(NamedTuple):
    """A delivery that is being worked on; `message` is its number, TICK for a tick.

    Nobody listens to a zombie any more: its message is delivered anew.
    """

    node: Node
    message: int
    zombie: bool = False

    @property
    def call(self) -> Call:
        """What it waits for."""
        assert self.node.call is not None
        return self.node.call


class State(NamedTuple):
    """Everything that what happens next can depend on.

    Attributes:
        cloud: The cloud.
        actors: The deliveries at work.
        pending: How many deliveries of each message are still to be made.
        left: What may still go wrong.
        haunted: Whether a delivery has ever outlived its lease.
        started: How many deliveries there were; only counted where deliveries have names.
    """

    cloud: Cloud
    actors: tuple[Actor, ...]
    pending: tuple[int, ...]
    left: Bounds
    haunted: bool = False
    started: int = 0

    def of(self, cloud: Cloud, actors: tuple[Actor, ...], left: Bounds) -> "State":
        """Return the state with these three in their place; quicker than _replace."""
        return State(cloud, actors, self.pending, left, self.haunted, self.started)

    def key(self) -> int:
        """Return a hash of all of it; the order of the actors does not matter."""
        actors = sorted((item.node.number, item.message, item.zombie) for item in self.actors)
        return hash(
            (self.cloud.key(), tuple(actors), self.pending, self.left, self.haunted, self.started)
        )


class Broken(Exception):
    """An invariant does not hold."""
