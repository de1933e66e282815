"""The time that one delivery has, and whether it got anything done in it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import Retry
from shared.ports import Clock, World


class OutOfTime(Retry):
    """The delivery's time is up; what was answered so far is kept, and the next one goes on."""


@dataclass
class Shift:
    """The time that one delivery has.

    Attributes:
        clock: Tells the time.
        ends: When nothing new may be begun any more.
        answers: How many answers were kept in it: work that the next delivery need not do.
    """

    clock: Clock
    ends: datetime
    answers: int = field(default=0)

    @property
    def is_over(self) -> bool:
        """Whether its time is up."""
        return self.clock() >= self.ends


def begin_shift(world: World) -> Shift:
    """Begin a delivery's time now."""
    seconds = timedelta(seconds=world.settings.hand_over_after_seconds)
    return Shift(world.clock, world.clock() + seconds)
