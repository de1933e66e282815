"""An embedded Pub/Sub server that Google's own clients talk to, on this machine only."""

from local.pubsub.server import PubSubServer

__all__ = ["PubSubServer"]
