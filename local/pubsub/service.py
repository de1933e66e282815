"""The remote procedures of Cloud Pub/Sub's Publisher and Subscriber services."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import grpc  # type: ignore[import-untyped]
from google.pubsub_v1 import types

from local.pubsub.broker import Broker
from local.pubsub.errors import InvalidRequestError, RequestRefusedError
from local.pubsub.push import Pusher
from local.pubsub.streaming import PullStream, received
from local.pubsub.validation import (
    check_ack_deadline,
    check_messages,
    check_name,
    check_project,
    check_push_config,
)

_log = logging.getLogger(__name__)


class Service:
    """What each remote procedure does; names are those of google.pubsub.v1.

    Args:
        broker: Holds topics, subscriptions and messages.
        pusher: Told of every subscription that gets a push endpoint.
        pull_wait_seconds: The longest a Pull waits for a message.
    """

    def __init__(self, broker: Broker, pusher: Pusher, pull_wait_seconds: float) -> None:
        self._broker = broker
        self._pusher = pusher
        self._pull_wait_seconds = pull_wait_seconds

    def handlers(self) -> tuple[Any, ...]:
        """The two services; gRPC answers UNIMPLEMENTED to everything else."""
        publisher = {
            "CreateTopic": _unary(types.Topic, self._create_topic),
            "GetTopic": _unary(types.GetTopicRequest, lambda r, _: self._broker.topic(r.topic)),
            "ListTopics": _unary(types.ListTopicsRequest, self._list_topics),
            "DeleteTopic": _unary(
                types.DeleteTopicRequest, lambda r, _: self._broker.delete_topic(r.topic)
            ),
            "Publish": _unary(types.PublishRequest, self._publish),
        }
        subscriber = {
            "CreateSubscription": _unary(types.Subscription, self._create_subscription),
            "GetSubscription": _unary(
                types.GetSubscriptionRequest,
                lambda r, _: self._broker.subscription(r.subscription),
            ),
            "ListSubscriptions": _unary(types.ListSubscriptionsRequest, self._list_subscriptions),
            "DeleteSubscription": _unary(
                types.DeleteSubscriptionRequest,
                lambda r, _: self._broker.delete_subscription(r.subscription),
            ),
            "Pull": _unary(types.PullRequest, self._pull),
            "Acknowledge": _unary(types.AcknowledgeRequest, self._acknowledge),
            "ModifyAckDeadline": _unary(types.ModifyAckDeadlineRequest, self._modify_ack_deadline),
            "ModifyPushConfig": _unary(types.ModifyPushConfigRequest, self._modify_push_config),
            "StreamingPull": grpc.stream_stream_rpc_method_handler(
                self._streaming_pull,
                request_deserializer=types.StreamingPullRequest.pb().FromString,
                response_serializer=_serialized,
            ),
        }
        return (
            grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", publisher),
            grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", subscriber),
        )

    def _create_topic(self, topic: Any, _context: Any) -> Any:
        check_name(topic.name, "topics")
        return self._broker.create_topic(topic)

    def _list_topics(self, request: Any, _context: Any) -> Any:
        check_project(request.project)
        topics, token = _page(self._broker.topics(request.project), request)
        return types.ListTopicsResponse.pb()(topics=topics, next_page_token=token)

    def _publish(self, request: Any, _context: Any) -> Any:
        self._broker.topic(request.topic)
        check_messages(request.messages)
        ids = self._broker.publish(request.topic, request.messages)
        return types.PublishResponse.pb()(message_ids=[str(number) for number in ids])

    def _create_subscription(self, requested: Any, _context: Any) -> Any:
        created = self._broker.create_subscription(requested)
        if created.push_config.push_endpoint:
            self._pusher.serve(created.name)
        return created

    def _list_subscriptions(self, request: Any, _context: Any) -> Any:
        check_project(request.project)
        found, token = _page(self._broker.subscriptions(request.project), request)
        return types.ListSubscriptionsResponse.pb()(subscriptions=found, next_page_token=token)

    def _pull(self, request: Any, context: Any) -> Any:
        if request.max_messages < 1:
            raise InvalidRequestError("No max_messages specified")
        wait = 0.0 if request.return_immediately else self._pull_wait_seconds
        remaining = context.time_remaining()
        if remaining is not None:
            # Answer before the client gives up: what it never sees stays leased to it.
            wait = min(wait, max(remaining * 0.8, 0.0))
        config = self._broker.subscription(request.subscription)
        context.add_callback(lambda: self._broker.wake(request.subscription))
        leases = self._broker.lease(
            request.subscription, request.max_messages, wait, wanted=context.is_active
        )
        messages = [received(lease, config) for lease in leases]
        return types.PullResponse.pb()(received_messages=messages)

    def _acknowledge(self, request: Any, _context: Any) -> None:
        _check_ack_ids_given(request.ack_ids)
        self._broker.acknowledge(request.subscription, request.ack_ids)

    def _modify_ack_deadline(self, request: Any, _context: Any) -> None:
        _check_ack_ids_given(request.ack_ids)
        check_ack_deadline(request.ack_deadline_seconds, minimum=0)
        self._broker.modify_ack_deadline(
            request.subscription, request.ack_ids, request.ack_deadline_seconds
        )

    def _modify_push_config(self, request: Any, _context: Any) -> None:
        check_push_config(request.push_config)
        self._broker.set_push_config(request.subscription, request.push_config)
        if request.push_config.push_endpoint:
            self._pusher.serve(request.subscription)

    def _streaming_pull(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        first = next(requests, None)
        if first is None:
            return
        try:
            stream = PullStream(self._broker, first)
            context.add_callback(stream.end)
            yield from stream.responses(requests)
        except RequestRefusedError as refusal:
            _abort(context, refusal)


def _unary(request_type: Any, procedure: Callable[[Any, Any], Any]) -> Any:
    """Serve a procedure that answers once; None is the empty message."""

    def call(request: Any, context: Any) -> Any:
        try:
            return procedure(request, context)
        except RequestRefusedError as refusal:
            _abort(context, refusal)

    return grpc.unary_unary_rpc_method_handler(
        call,
        request_deserializer=request_type.pb().FromString,
        response_serializer=_serialized,
    )


def _serialized(response: Any) -> bytes:
    return b"" if response is None else response.SerializeToString()


def _abort(context: Any, refusal: RequestRefusedError) -> NoReturn:
    _log.debug("refused with %s: %s", refusal.status, refusal)
    context.abort(grpc.StatusCode[refusal.status], str(refusal))
    raise AssertionError("abort returned")


def _check_ack_ids_given(ack_ids: Sequence[str]) -> None:
    if not ack_ids:
        raise InvalidRequestError("No ack ids specified")


def _page(items: Sequence[Any], request: Any) -> tuple[Sequence[Any], str]:
    """Cut the page a list request asks for; the token is the last name of the page before."""
    rest = [item for item in items if item.name > request.page_token]
    size = request.page_size
    if size <= 0 or len(rest) <= size:
        return rest, ""
    return rest[:size], rest[size - 1].name
