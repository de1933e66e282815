"""Topics, subscriptions and who holds which message: everything but the network."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.pubsub.backlog import Backlog, Delivery, DeliveryPolicy, Holder, Lease
from local.pubsub.errors import (
    AlreadyExistsError,
    InvalidRequestError,
    NotFoundError,
    StoppedError,
    WrongKindError,
)
from local.pubsub.filters import Predicate, parse_filter
from local.pubsub.journal import Journal
from local.pubsub.messages import Message
from local.pubsub.validation import completed_subscription

_log = logging.getLogger(__name__)

# What Cloud Pub/Sub shows as the topic of a subscription whose topic was deleted.
DELETED_TOPIC = "_deleted-topic_"


@dataclass(slots=True, eq=False)
class _Subscription:
    config: Any
    passes: Predicate
    backlog: Backlog
    changed: threading.Condition

    @property
    def pushes(self) -> bool:
        return bool(self.config.push_config.push_endpoint)


class Broker:
    """The state of one server. Every method may be called from any thread.

    Args:
        journal: Where everything is recorded; what it holds already is taken up again.
        duplicate_deliveries: How often each message is delivered to each subscription.
        redelivery_delay: Seconds before a failed delivery comes again where the subscription
            has no retry policy.
        clock: Monotonic seconds, for deadlines.
        wall_clock_ns: Nanoseconds since 1970, for the time of publishing.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        duplicate_deliveries: int = 1,
        redelivery_delay: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
        wall_clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        if duplicate_deliveries < 1:
            raise ValueError("duplicate_deliveries must be 1 or more")
        self._journal = journal
        self._copies = duplicate_deliveries
        self._redelivery_delay = redelivery_delay
        self._clock = clock
        self._wall_clock_ns = wall_clock_ns
        self._lock = threading.RLock()
        self._deadline_moved = threading.Condition(self._lock)
        self._next_wake: float | None = None
        self._stopping = False
        self._closed = False
        # Ack ids of an earlier process must not acknowledge anything now.
        self._token = secrets.token_hex(4)
        # Counted on from the time in microseconds, so that no id comes twice after a restart.
        self._last_number = max(journal.last_number(), wall_clock_ns() // 1_000)
        self._topics: dict[str, Any] = {topic.name: topic for topic in journal.topics()}
        self._subscriptions = {c.name: self._subscribed(c) for c in journal.subscriptions()}
        for name, delivery in journal.deliveries():
            self._subscriptions[name].backlog.add(delivery, clock())

    # Topics

    def create_topic(self, topic: Any) -> Any:
        """Record a topic whose name is already checked."""
        with self._working():
            if topic.name in self._topics:
                raise AlreadyExistsError(f"Topic already exists: {topic.name}")
            self._journal.save_topic(topic)
            self._topics[topic.name] = topic
            return topic

    def topic(self, name: str) -> Any:
        """Find a topic by its full name."""
        with self._working():
            if name not in self._topics:
                raise NotFoundError(f"Topic not found: {name}")
            return self._topics[name]

    def topics(self, project: str) -> list[Any]:
        """The topics of projects/<project>, by name."""
        with self._working():
            return _of_project(self._topics, project)

    def delete_topic(self, name: str) -> None:
        """Forget a topic; its subscriptions keep what they have."""
        with self._working():
            self.topic(name)
            for subscription in self._subscriptions.values():
                if subscription.config.topic == name:
                    subscription.config.topic = DELETED_TOPIC
                    self._journal.save_subscription(subscription.config)
            self._journal.delete_topic(name)
            del self._topics[name]

    def publish(self, topic: str, messages: Sequence[Any]) -> list[int]:
        """Record checked PubsubMessages for every subscription they pass; return their ids."""
        with self._working():
            self.topic(topic)
            published = [
                self._message(wire.data, dict(wire.attributes), wire.ordering_key)
                for wire in messages
            ]
            self._deliver(topic, published, self._copies)
            return [message.message_id for message in published]

    # Subscriptions

    def create_subscription(self, requested: Any) -> Any:
        """Check and record a subscription; return it with the defaults filled in."""
        config = completed_subscription(requested)
        with self._working():
            if config.name in self._subscriptions:
                raise AlreadyExistsError(f"Subscription already exists: {config.name}")
            self.topic(config.topic)
            if config.HasField("dead_letter_policy"):
                self.topic(config.dead_letter_policy.dead_letter_topic)
            self._journal.save_subscription(config)
            self._subscriptions[config.name] = self._subscribed(config)
            return _copied(config)

    def subscription(self, name: str) -> Any:
        """Find a subscription's settings by its full name."""
        with self._working():
            return _copied(self._found(name).config)

    def subscriptions(self, project: str) -> list[Any]:
        """The subscriptions of projects/<project>, by name."""
        with self._working():
            configs = {name: found.config for name, found in self._subscriptions.items()}
            return [_copied(config) for config in _of_project(configs, project)]

    def push_subscriptions(self) -> list[str]:
        """The names of the subscriptions that have a push endpoint."""
        with self._working():
            return [name for name, found in self._subscriptions.items() if found.pushes]

    def delete_subscription(self, name: str) -> None:
        """Forget a subscription and its messages."""
        with self._working():
            found = self._found(name)
            self._journal.delete_subscription(name)
            del self._subscriptions[name]
            found.changed.notify_all()

    def set_push_config(self, name: str, push_config: Any) -> None:
        """Give a subscription another endpoint, or none, which makes it a pull subscription."""
        with self._working():
            found = self._found(name)
            found.config.push_config.CopyFrom(push_config)
            self._journal.save_subscription(found.config)
            found.changed.notify_all()

    def outstanding(self) -> dict[str, int]:
        """How many deliveries each subscription has not acknowledged yet."""
        with self._lock:
            return {name: len(found.backlog) for name, found in self._subscriptions.items()}

    # Deliveries

    def lease(
        self,
        name: str,
        limit: int,
        wait_seconds: float,
        *,
        for_push: bool = False,
        lease_seconds: float | None = None,
        holder: Holder | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> list[Lease]:
        """Hand out deliveries, waiting until there is one.

        Args:
            name: The subscription.
            limit: The most to hand out at once.
            wait_seconds: How long to wait for the first.
            for_push: Whether they are going to be pushed.
            lease_seconds: The time to acknowledge them; the subscription's own by default.
            holder: Who takes them, when it limits how many it holds.
            wanted: Asked after each `wake`: False ends the wait.

        Returns:
            The leases; empty when the wait ended without any.

        Raises:
            NotFoundError: The subscription does not exist, or was deleted meanwhile.
            WrongKindError: It pushes and for_push is False, or the other way round.
        """
        until = self._clock() + wait_seconds
        with self._working():
            while True:
                if self._stopping:
                    raise StoppedError("The server is stopping")
                found = self._found(name)
                if found.pushes != for_push:
                    raise WrongKindError("This method is not supported for this subscription type")
                if not wanted():
                    return []
                now = self._clock()
                self._expire(found, now)
                seconds = lease_seconds or found.config.ack_deadline_seconds
                leases = found.backlog.take(now, limit, seconds, holder)
                if leases:
                    self._journal.save_attempts(lease.delivery for lease in leases)
                    self._watch(now + seconds)
                    return leases
                if now >= until:
                    return []
                found.changed.wait(found.backlog.next_look(until, limit, holder) - now)

    def acknowledge(self, name: str, ack_ids: Sequence[str]) -> None:
        """Finish deliveries. An ack id whose lease is over does nothing."""
        with self._working():
            found = self._found(name)
            self._check_ack_ids(ack_ids)
            done = found.backlog.acknowledge(ack_ids)
            if done:
                self._journal.move([], leaving=done)
                found.changed.notify_all()

    def modify_ack_deadline(self, name: str, ack_ids: Sequence[str], seconds: int) -> None:
        """Extend leases to that many seconds from now; 0 gives the deliveries back as failed."""
        with self._working():
            found = self._found(name)
            self._check_ack_ids(ack_ids)
            now = self._clock()
            if seconds:
                found.backlog.extend(now, ack_ids, seconds)
                self._watch(now + seconds)
            else:
                self._forward(found, found.backlog.release(now, ack_ids), now)
                found.changed.notify_all()

    def wake(self, name: str) -> None:
        """Make those who wait for this subscription ask again whether they are wanted."""
        with self._lock:
            found = self._subscriptions.get(name)
            if found is not None:
                found.changed.notify_all()

    # Time and the end

    def keep_deadlines(self) -> None:
        """Take overdue deliveries back, until the broker stops. Runs on a thread of its own."""
        with self._lock:
            while not self._stopping:
                now = self._clock()
                deadlines = []
                for found in list(self._subscriptions.values()):
                    self._expire(found, now)
                    deadline = found.backlog.next_deadline()
                    if deadline is not None:
                        deadlines.append(deadline)
                self._next_wake = min(deadlines, default=None)
                self._deadline_moved.wait(
                    None if self._next_wake is None else max(self._next_wake - now, 0)
                )

    def stop_waiting(self) -> None:
        """End every wait and hand nothing out any more; acknowledgements are still taken."""
        with self._lock:
            self._stopping = True
            self._deadline_moved.notify_all()
            for found in self._subscriptions.values():
                found.changed.notify_all()

    def close(self) -> None:
        """Close the journal. Every call afterwards is refused."""
        with self._lock:
            self._closed = True
            self._journal.close()

    # Inside: the lock is held

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise StoppedError("The server has stopped")
            yield

    def _subscribed(self, config: Any) -> _Subscription:
        policy = DeliveryPolicy.from_wire(config, self._redelivery_delay)
        return _Subscription(
            config=config,
            passes=parse_filter(config.filter),
            backlog=Backlog(policy, self._token),
            changed=threading.Condition(self._lock),
        )

    def _found(self, name: str) -> _Subscription:
        found = self._subscriptions.get(name)
        if found is None:
            raise NotFoundError(f"Subscription does not exist: {name}")
        return found

    def _number(self) -> int:
        self._last_number += 1
        return self._last_number

    def _message(self, data: bytes, attributes: Mapping[str, str], ordering_key: str) -> Message:
        return Message(self._number(), data, attributes, ordering_key, self._wall_clock_ns())

    def _deliver(
        self,
        topic: str,
        messages: Sequence[Message],
        copies: int,
        leaving: Sequence[Delivery] = (),
    ) -> None:
        receivers = [s for s in self._subscriptions.values() if s.config.topic == topic]
        arriving = [
            (receiver, Delivery(self._number(), message))
            for message in messages
            for receiver in receivers
            if receiver.passes(message.attributes)
            for _ in range(copies)
        ]
        self._journal.move([(s.config.name, delivery) for s, delivery in arriving], leaving)
        now = self._clock()
        for receiver, delivery in arriving:
            receiver.backlog.add(delivery, now)
        for receiver in receivers:
            receiver.changed.notify_all()

    def _expire(self, found: _Subscription, now: float) -> None:
        ended, exhausted = found.backlog.expire(now)
        if ended:
            self._forward(found, exhausted, now)
            found.changed.notify_all()

    def _forward(self, found: _Subscription, exhausted: Sequence[Delivery], now: float) -> None:
        """Move deliveries to the dead-letter topic, or keep trying while it does not exist."""
        topic = found.backlog.policy.dead_letter_topic
        for delivery in exhausted:
            if topic not in self._topics:
                _log.warning("dead-letter topic %s is gone, message kept", topic)
                found.backlog.add(delivery, now + found.backlog.policy.backoff(delivery.attempts))
                continue
            message = delivery.message
            letter = self._message(
                message.data,
                message.dead_letter_attributes(found.config.name, delivery.attempts),
                message.ordering_key,
            )
            # One copy: the source's copies are each forwarded by themselves.
            self._deliver(topic, [letter], 1, leaving=[delivery])
            _log.info(
                "message %d of %s dead-lettered after %d attempts",
                message.message_id,
                found.config.name,
                delivery.attempts,
            )

    def _watch(self, deadline: float) -> None:
        if self._next_wake is None or deadline < self._next_wake:
            self._deadline_moved.notify()

    @staticmethod
    def _check_ack_ids(ack_ids: Iterable[str]) -> None:
        for ack_id in ack_ids:
            parts = ack_id.split("-")
            if len(parts) != 3 or not all(parts):  # noqa: PLR2004
                raise InvalidRequestError(f"Invalid ack id (ack_id={ack_id})")


def _copied(message: Any) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def _of_project(items: Mapping[str, Any], project: str) -> list[Any]:
    return [items[name] for name in sorted(items) if name.startswith(f"{project}/")]
