"""Streaming pull: messages one way; acknowledgements and deadlines the other."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.pubsub_v1 import types

from local.pubsub.backlog import Holder, Lease
from local.pubsub.broker import Broker
from local.pubsub.errors import InvalidRequestError, RequestRefusedError
from local.pubsub.validation import check_ack_deadline

_log = logging.getLogger(__name__)

_StreamingPullResponse: Any = types.StreamingPullResponse.pb()
_ReceivedMessage: Any = types.ReceivedMessage.pb()

_MAX_BATCH = 100
# How long one look for messages lasts; a message, the client's leaving and a stop end it early.
_LOOK_SECONDS = 60.0


def received(lease: Lease, config: Any) -> Any:
    """Make the ReceivedMessage of a lease; the attempt is told under a dead-letter policy only."""
    attempt = lease.attempt if config.HasField("dead_letter_policy") else 0
    message = lease.delivery.message.to_wire()
    return _ReceivedMessage(ack_id=lease.ack_id, message=message, delivery_attempt=attempt)


class PullStream:
    """One client's stream, opened by its first request."""

    def __init__(self, broker: Broker, first: Any) -> None:
        if not first.subscription:
            raise InvalidRequestError("The first request of a stream names the subscription")
        check_ack_deadline(first.stream_ack_deadline_seconds)
        self._broker = broker
        self._name: str = first.subscription
        self._config = broker.subscription(self._name)
        self._seconds: int = first.stream_ack_deadline_seconds
        self._holder = Holder(limit=first.max_outstanding_messages)
        self._open = True
        self._refusal: RequestRefusedError | None = None
        self._apply(first)

    def responses(self, requests: Iterator[Any]) -> Iterator[Any]:
        """Yield StreamingPullResponses while the client stays; follow its further requests.

        Raises:
            RequestRefusedError: A request was wrong, or the subscription or server went away.
        """
        threading.Thread(
            target=self._read, args=(requests,), name=f"pull {self._name}", daemon=True
        ).start()
        while self._open:
            leases = self._broker.lease(
                self._name,
                _MAX_BATCH,
                _LOOK_SECONDS,
                lease_seconds=self._seconds,
                holder=self._holder,
                wanted=lambda: self._open,
            )
            if leases:
                messages = [received(lease, self._config) for lease in leases]
                yield _StreamingPullResponse(received_messages=messages)
        if self._refusal is not None:
            raise self._refusal

    def end(self) -> None:
        """Stop handing out messages: the client is gone."""
        self._open = False
        self._broker.wake(self._name)

    def _read(self, requests: Iterator[Any]) -> None:
        try:
            for request in requests:
                self._apply(request)
        except RequestRefusedError as refusal:
            self._refusal = refusal
        except grpc.RpcError:
            _log.debug("the client of a stream on %s is gone", self._name)
        finally:
            self.end()

    def _apply(self, request: Any) -> None:
        if request.ack_ids:
            self._broker.acknowledge(self._name, request.ack_ids)
        if len(request.modify_deadline_seconds) != len(request.modify_deadline_ack_ids):
            raise InvalidRequestError("As many deadlines as ack ids are needed")
        for ack_id, seconds in zip(
            request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True
        ):
            check_ack_deadline(seconds, minimum=0)
            self._broker.modify_ack_deadline(self._name, [ack_id], seconds)
        if request.stream_ack_deadline_seconds:
            check_ack_deadline(request.stream_ack_deadline_seconds)
            self._seconds = request.stream_ack_deadline_seconds
