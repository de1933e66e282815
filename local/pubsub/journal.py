"""What survives a restart: topics, subscriptions and unacknowledged messages, in SQLite."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from google.pubsub_v1 import types

from local.pubsub.backlog import Delivery
from local.pubsub.messages import Message, PubsubMessage

_Topic: Any = types.Topic.pb()
_Subscription: Any = types.Subscription.pb()

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS subscriptions (name TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY,
    subscription TEXT NOT NULL,
    message INTEGER NOT NULL,
    attempts INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_message ON deliveries (message);
CREATE INDEX IF NOT EXISTS deliveries_subscription ON deliveries (subscription);
"""
_DROP_DELIVERY = "DELETE FROM deliveries WHERE number = ?"
_DROP_UNUSED_MESSAGE = (
    "DELETE FROM messages WHERE id = ?"
    " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = messages.id)"
)


class Journal:
    """The record of one server; without a file it is kept in memory.

    Each method is one transaction. A committed one survives the death of this process; the
    last ones may be lost when the machine itself loses power. The broker's lock keeps calls
    apart.

    Raises:
        sqlite3.Error: The file cannot be used, for instance because another server has it.
    """

    def __init__(self, state: Path | None) -> None:
        if state is not None:
            state.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            ":memory:" if state is None else state, check_same_thread=False, timeout=1
        )
        try:
            # Exclusive: two servers on one file would deliver everything twice.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; nothing can be recorded afterwards."""
        self._connection.close()

    def last_number(self) -> int:
        """The largest message id or delivery number in use, 0 when there is none."""
        query = "SELECT max(id) FROM messages UNION ALL SELECT max(number) FROM deliveries"
        return max(row[0] or 0 for row in self._connection.execute(query))

    def topics(self) -> list[Any]:
        """Every recorded Topic."""
        rows = self._connection.execute("SELECT body FROM topics")
        return [_Topic.FromString(body) for (body,) in rows]

    def subscriptions(self) -> list[Any]:
        """Every recorded Subscription."""
        rows = self._connection.execute("SELECT body FROM subscriptions")
        return [_Subscription.FromString(body) for (body,) in rows]

    def deliveries(self) -> Iterator[tuple[str, Delivery]]:
        """Every unacknowledged delivery with its subscription's name, oldest first."""
        messages: dict[int, Message] = {}
        for number, body in self._connection.execute("SELECT id, body FROM messages"):
            messages[number] = Message.from_wire(PubsubMessage.FromString(body))
        rows = self._connection.execute(
            "SELECT subscription, number, message, attempts FROM deliveries ORDER BY number"
        )
        for subscription, number, message, attempts in rows:
            yield subscription, Delivery(number, messages[message], attempts)

    def save_topic(self, topic: Any) -> None:
        """Record a Topic."""
        self._save("topics", topic)

    def save_subscription(self, subscription: Any) -> None:
        """Record a Subscription, or its new settings."""
        self._save("subscriptions", subscription)

    def delete_topic(self, name: str) -> None:
        """Forget a topic."""
        with self._connection:
            self._connection.execute("DELETE FROM topics WHERE name = ?", (name,))

    def delete_subscription(self, name: str) -> None:
        """Forget a subscription and what it had not acknowledged."""
        with self._connection:
            self._connection.execute("DELETE FROM subscriptions WHERE name = ?", (name,))
            self._connection.execute("DELETE FROM deliveries WHERE subscription = ?", (name,))
            self._connection.execute(
                "DELETE FROM messages WHERE id NOT IN (SELECT message FROM deliveries)"
            )

    def move(
        self, arriving: Sequence[tuple[str, Delivery]], leaving: Sequence[Delivery] = ()
    ) -> None:
        """Record new deliveries (by subscription) and drop finished ones, in one transaction."""
        messages = {delivery.message.message_id: delivery.message for _, delivery in arriving}
        with self._connection:
            self._connection.executemany(
                "INSERT INTO messages VALUES (?, ?)",
                [(number, m.to_wire().SerializeToString()) for number, m in messages.items()],
            )
            self._connection.executemany(
                "INSERT INTO deliveries VALUES (?, ?, ?, ?)",
                [(d.number, name, d.message.message_id, d.attempts) for name, d in arriving],
            )
            self._connection.executemany(_DROP_DELIVERY, [(d.number,) for d in leaving])
            self._connection.executemany(
                _DROP_UNUSED_MESSAGE, [(d.message.message_id,) for d in leaving]
            )

    def save_attempts(self, deliveries: Iterable[Delivery]) -> None:
        """Record how often these deliveries were handed out."""
        with self._connection:
            self._connection.executemany(
                "UPDATE deliveries SET attempts = ? WHERE number = ?",
                [(delivery.attempts, delivery.number) for delivery in deliveries],
            )

    def _save(self, table: str, item: Any) -> None:
        statement = f"INSERT OR REPLACE INTO {table} VALUES (?, ?)"  # noqa: S608
        with self._connection:
            self._connection.execute(statement, (item.name, item.SerializeToString()))
