"""Builds what every function is given, out of the environment."""

import os
from datetime import UTC, datetime
from functools import cache

from shared.gcp.pubsub import CloudPublisher
from shared.gcp.storage import open_buckets
from shared.ports import World
from shared.settings import Settings


def now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


@cache
def world() -> World:
    """Build the ports once a process, at the first event. Raises SettingsError."""
    settings = Settings.from_environment(os.environ)
    return World(settings, open_buckets(settings), CloudPublisher(settings), now)
