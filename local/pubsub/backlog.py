"""One subscription's unacknowledged deliveries: waiting, leased to a subscriber, or backing off.

Plain bookkeeping. Every moment is handed in, in seconds of one monotonic clock; the broker
holds the lock.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.pubsub.messages import Message
from local.pubsub.validation import seconds_of


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """When a failed delivery comes again, and when it stops coming. Times in seconds."""

    minimum_backoff: float
    maximum_backoff: float
    dead_letter_topic: str = ""
    max_delivery_attempts: int = 0

    @classmethod
    def from_wire(cls, config: Any, redelivery_delay: float) -> "DeliveryPolicy":
        """Read a completed Subscription; the delay holds where it has no retry policy."""
        minimum = maximum = redelivery_delay
        if config.HasField("retry_policy"):
            # A backoff of nothing would make a failing endpoint a busy loop.
            minimum = max(seconds_of(config.retry_policy.minimum_backoff), redelivery_delay)
            maximum = max(seconds_of(config.retry_policy.maximum_backoff), redelivery_delay)
        dead_letter = config.dead_letter_policy
        return cls(
            minimum, maximum, dead_letter.dead_letter_topic, dead_letter.max_delivery_attempts
        )

    def backoff(self, attempts: int) -> float:
        """Seconds to wait after that many failed attempts: doubling, up to the maximum."""
        doublings = min(attempts - 1, 40)
        return float(min(self.maximum_backoff, self.minimum_backoff * 2**doublings))

    def is_exhausted(self, attempts: int) -> bool:
        """Whether a delivery that failed that often belongs in the dead-letter topic."""
        return bool(self.dead_letter_topic) and attempts >= self.max_delivery_attempts


@dataclass(slots=True, eq=False)
class Delivery:
    """A message on its way to one subscription."""

    number: int
    message: Message
    attempts: int = 0


@dataclass(slots=True, eq=False)
class Holder:
    """A subscriber with a limit on how many deliveries it holds at once (0: no limit)."""

    limit: int = 0
    held: int = 0

    def room(self, wanted: int) -> int:
        """How many of the wanted deliveries it may still take."""
        return wanted if self.limit <= 0 else min(wanted, max(self.limit - self.held, 0))


@dataclass(slots=True, eq=False)
class Lease:
    """A delivery handed to a subscriber until its deadline."""

    ack_id: str
    delivery: Delivery
    attempt: int
    deadline: float
    holder: Holder | None = None


@dataclass(slots=True)
class Backlog:
    """The deliveries of one subscription. Ack ids carry `token`, so a restart voids old ones."""

    policy: DeliveryPolicy
    token: str
    _ready: list[tuple[float, int, Delivery]] = field(default_factory=list)
    _leases: dict[str, Lease] = field(default_factory=dict)
    # Entries are not removed when a lease ends or moves: a stale one is skipped when it comes up.
    _deadlines: list[tuple[float, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._ready) + len(self._leases)

    def add(self, delivery: Delivery, ready_at: float) -> None:
        """Queue a delivery to be handed out from that moment on."""
        heapq.heappush(self._ready, (ready_at, delivery.number, delivery))

    def take(
        self, now: float, limit: int, seconds: float, holder: Holder | None = None
    ) -> list[Lease]:
        """Lease what is ready, at most `limit` and what the holder has room for."""
        taken: list[Lease] = []
        room = limit if holder is None else holder.room(limit)
        while self._ready and self._ready[0][0] <= now and len(taken) < room:
            delivery = heapq.heappop(self._ready)[2]
            delivery.attempts += 1
            ack_id = f"{self.token}-{delivery.number}-{delivery.attempts}"
            lease = Lease(ack_id, delivery, delivery.attempts, now + seconds, holder)
            self._leases[ack_id] = lease
            heapq.heappush(self._deadlines, (lease.deadline, ack_id))
            taken.append(lease)
        if holder is not None:
            holder.held += len(taken)
        return taken

    def acknowledge(self, ack_ids: Iterable[str]) -> list[Delivery]:
        """End the leases and return their deliveries, which are done. Stale ids do nothing."""
        return [lease.delivery for lease in self._end(ack_ids)]

    def extend(self, now: float, ack_ids: Iterable[str], seconds: float) -> None:
        """Move the deadlines to that many seconds from now."""
        for ack_id in ack_ids:
            lease = self._leases.get(ack_id)
            if lease is not None:
                lease.deadline = now + seconds
                heapq.heappush(self._deadlines, (lease.deadline, ack_id))

    def release(self, now: float, ack_ids: Iterable[str]) -> list[Delivery]:
        """Take failed deliveries back; return those whose attempts are used up."""
        return self._take_back(now, self._end(ack_ids))

    def expire(self, now: float) -> tuple[bool, list[Delivery]]:
        """Take back what was not acknowledged in time.

        Returns:
            Whether any lease ended, and the deliveries whose attempts are used up.
        """
        overdue = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            overdue.append(heapq.heappop(self._deadlines)[1])
        return bool(overdue), self._take_back(now, self._end(overdue))

    def next_deadline(self) -> float | None:
        """The moment the next lease runs out, or None when nothing is leased."""
        while self._deadlines:
            deadline, ack_id = self._deadlines[0]
            lease = self._leases.get(ack_id)
            if lease is not None and lease.deadline == deadline:
                return deadline
            heapq.heappop(self._deadlines)
        return None

    def next_look(self, until: float, limit: int, holder: Holder | None = None) -> float:
        """The moment, `until` at the latest, when `take` may find more than it does now."""
        moments = [until]
        # A full holder waits for its own leases to end, however much is ready.
        if self._ready and (holder is None or holder.room(limit)):
            moments.append(self._ready[0][0])
        deadline = self.next_deadline()
        if deadline is not None:
            moments.append(deadline)
        return min(moments)

    def _end(self, ack_ids: Iterable[str]) -> list[Lease]:
        ended = []
        for ack_id in ack_ids:
            lease = self._leases.pop(ack_id, None)
            if lease is not None:
                ended.append(lease)
                if lease.holder is not None:
                    lease.holder.held -= 1
        return ended

    def _take_back(self, now: float, leases: Sequence[Lease]) -> list[Delivery]:
        exhausted = []
        for lease in leases:
            delivery = lease.delivery
            if self.policy.is_exhausted(delivery.attempts):
                exhausted.append(delivery)
            else:
                self.add(delivery, now + self.policy.backoff(delivery.attempts))
        return exhausted
