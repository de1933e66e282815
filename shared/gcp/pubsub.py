"""Pub/Sub behind the Publisher port."""

import json
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import cached_property
from typing import TYPE_CHECKING

from shared.errors import Retry
from shared.settings import Settings

if TYPE_CHECKING:
    from google.cloud import pubsub_v1

TIMEOUT_SECONDS = 30


class CloudPublisher:
    """Publishes to the deployment's topics. The client is built at the first message."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def publish(self, topic: str, message: Mapping[str, object]) -> None:
        """Publish one JSON message and return once Pub/Sub has stored it."""
        from google.api_core.exceptions import GoogleAPICallError

        path = f"projects/{self._settings.project}/topics/{self._settings.topic_prefix}{topic}"
        data = json.dumps(message, ensure_ascii=False).encode()
        try:
            self._client.publish(path, data).result(timeout=TIMEOUT_SECONDS)
        except (GoogleAPICallError, FutureTimeoutError) as error:
            raise Retry(f"Pub/Sub: {type(error).__name__} on {topic}") from error

    @cached_property
    def _client(self) -> "pubsub_v1.PublisherClient":
        from google.cloud import pubsub_v1

        # One message at a time: nobody waits for a batch to fill.
        return pubsub_v1.PublisherClient(
            batch_settings=pubsub_v1.types.BatchSettings(max_messages=1)
        )
