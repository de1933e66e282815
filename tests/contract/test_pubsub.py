"""What the product relies on in Pub/Sub, through Google's own clients, over the wire.

The first part runs against the embedded server and, where gcloud and java are installed, the
official emulator. The second part holds what the official emulator does not do.
"""

import base64
import http.server
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from google.api_core import exceptions
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message
from google.pubsub_v1.services.publisher import PublisherClient as GapicPublisher
from google.pubsub_v1.services.subscriber import SubscriberClient as GapicSubscriber
from google.pubsub_v1.types import StreamingPullRequest
from werkzeug.serving import make_server

from local.pubsub import PubSubServer

PROJECT = "contract-tests"


# Servers and clients


@dataclass
class PubSub:
    """Google's clients on one server, with names nobody else uses."""

    publisher: PublisherClient
    subscriber: SubscriberClient

    def topic(self) -> str:
        name = f"projects/{PROJECT}/topics/t-{uuid.uuid4().hex[:10]}"
        self.publisher.create_topic(name=name)
        return name

    def subscription(self, topic: str, **settings: Any) -> str:
        name = f"projects/{PROJECT}/subscriptions/s-{uuid.uuid4().hex[:10]}"
        self.subscriber.create_subscription(request={"name": name, "topic": topic, **settings})
        return name

    def publish(self, topic: str, data: bytes, **attributes: str) -> str:
        message_id: str = self.publisher.publish(topic, data, **attributes).result(timeout=10)
        return message_id

    def pull(self, subscription: str, count: int = 1, seconds: float = 10) -> list[Any]:
        """Pull until there are that many messages or the time is over."""
        messages: list[Any] = []
        until = time.monotonic() + seconds
        while len(messages) < count and (remaining := until - time.monotonic()) > 0:
            with suppress(exceptions.DeadlineExceeded):
                response = self.subscriber.pull(
                    subscription=subscription,
                    max_messages=count - len(messages),
                    timeout=max(remaining, 0.5),
                    retry=None,
                )
                messages.extend(response.received_messages)
        return messages

    def acknowledge(self, subscription: str, *received: Any) -> None:
        ack_ids = [message.ack_id for message in received]
        self.subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids)

    def nack(self, subscription: str, *received: Any) -> None:
        self.give_seconds(0, subscription, *received)

    def give_seconds(self, seconds: int, subscription: str, *received: Any) -> None:
        self.subscriber.modify_ack_deadline(
            subscription=subscription,
            ack_ids=[message.ack_id for message in received],
            ack_deadline_seconds=seconds,
        )


@contextmanager
def clients(address: str) -> Iterator[PubSub]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PUBSUB_EMULATOR_HOST", address)
        publisher, subscriber = PublisherClient(), SubscriberClient()
    try:
        yield PubSub(publisher, subscriber)
    finally:
        publisher.stop()
        publisher.transport.close()
        subscriber.close()


def official_emulator() -> list[str]:
    """The emulator's command without its port, or a skip that says what is missing."""
    gcloud, java = shutil.which("gcloud"), shutil.which("java")
    if gcloud is None or java is None:
        pytest.skip("the official emulator needs gcloud and java on the PATH")
    folder = Path(gcloud).resolve().parent.parent / "platform" / "pubsub-emulator" / "lib"
    jars = sorted(folder.glob("cloud-pubsub-emulator-*.jar"))
    if not jars:
        pytest.skip(f"the official emulator is not installed: no jar in {folder}")
    return [java, "-jar", str(jars[-1]), "--host=127.0.0.1"]


@contextmanager
def running_official_emulator(log: Path) -> Iterator[str]:
    command = official_emulator()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        log.open("wb") as output,
        subprocess.Popen([*command, f"--port={port}"], stdout=output, stderr=output) as process,
    ):
        try:
            until = time.monotonic() + 60
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < until, log.read_text()
                    time.sleep(0.1)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="session", params=["embedded", "official"])
def pubsub(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PubSub]:
    """Every server there is: a test of this fixture is a test of the contract."""
    if request.param == "official":
        log = tmp_path_factory.mktemp("official") / "emulator.log"
        with running_official_emulator(log) as address, clients(address) as pubsub:
            yield pubsub
    else:
        with PubSubServer() as server, clients(server.address) as pubsub:
            yield pubsub


@pytest.fixture(scope="session")
def embedded() -> Iterator[PubSub]:
    with PubSubServer() as server, clients(server.address) as pubsub:
        yield pubsub


# Push endpoints


@dataclass
class Endpoint:
    """A push endpoint that answers from a list of statuses, the last one for ever."""

    statuses: list[int] = field(default_factory=lambda: [204])
    held: threading.Event | None = None
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    open_requests: int = 0
    most_open_requests: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        with self.changed:
            self.times.append(time.monotonic())
            self.headers.append(headers)
            self.bodies.append(json.loads(body))
            status = self.statuses[min(len(self.bodies), len(self.statuses)) - 1]
            self.open_requests += 1
            self.most_open_requests = max(self.most_open_requests, self.open_requests)
            self.changed.notify_all()
        if self.held is not None:
            self.held.wait(20)
        with self.changed:
            self.open_requests -= 1
        return status

    def wait_for(self, count: int, seconds: float = 20) -> None:
        with self.changed:
            arrived = self.changed.wait_for(lambda: len(self.bodies) >= count, seconds)
        assert arrived, f"{len(self.bodies)} of {count} pushes after {seconds} s"

    @property
    def texts(self) -> list[str]:
        return [base64.b64decode(body["message"]["data"]).decode() for body in self.bodies]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    receiver = Endpoint()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.receive(dict(self.headers), body)
            if status == 0:
                # An endpoint that dies without an answer.
                self.close_connection = True
                return
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the test's output quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/push"
    try:
        yield receiver
    finally:
        if receiver.held is not None:
            receiver.held.set()
        server.shutdown()
        server.server_close()
        thread.join()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so after {seconds} s"
        time.sleep(0.01)


FAST_RETRY = {"minimum_backoff": {"nanos": 100_000_000}, "maximum_backoff": {"seconds": 1}}


# Part one: every server


def test_a_published_message_is_pushed_as_wrapped_json(pubsub: PubSub, endpoint: Endpoint) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, push_config={"push_endpoint": endpoint.url})
    message_id = pubsub.publish(topic, "Grüße".encode(), bucketId="b", eventType="OBJECT_FINALIZE")
    endpoint.wait_for(1)
    (body,) = endpoint.bodies
    message = body["message"]
    assert body["subscription"] == subscription
    assert endpoint.texts == ["Grüße"]
    assert message["attributes"] == {"bucketId": "b", "eventType": "OBJECT_FINALIZE"}
    assert message["messageId"] == message["message_id"] == message_id
    assert message["publishTime"] == message["publish_time"]
    assert message["publishTime"].endswith("Z")
    assert endpoint.headers[0]["Content-Type"] == "application/json"


def test_a_push_of_attributes_alone_has_empty_data(pubsub: PubSub, endpoint: Endpoint) -> None:
    topic = pubsub.topic()
    pubsub.subscription(topic, push_config={"push_endpoint": endpoint.url})
    pubsub.publish(topic, b"", tick="1")
    endpoint.wait_for(1)
    assert endpoint.bodies[0]["message"]["data"] == ""
    assert endpoint.bodies[0]["message"]["attributes"] == {"tick": "1"}


@pytest.mark.parametrize("refusal", [301, 400, 429, 500, 503])
def test_a_push_that_is_not_acknowledged_comes_again(
    pubsub: PubSub, endpoint: Endpoint, refusal: int
) -> None:
    endpoint.statuses = [refusal, 204]
    topic = pubsub.topic()
    pubsub.subscription(topic, push_config={"push_endpoint": endpoint.url}, retry_policy=FAST_RETRY)
    message_id = pubsub.publish(topic, b"again")
    endpoint.wait_for(2)
    assert [body["message"]["messageId"] for body in endpoint.bodies] == [message_id] * 2
    assert endpoint.times[1] - endpoint.times[0] >= 0.1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_push_answered_with_success_does_not_come_again(
    pubsub: PubSub, endpoint: Endpoint, status: int
) -> None:
    endpoint.statuses = [status]
    topic = pubsub.topic()
    pubsub.subscription(topic, push_config={"push_endpoint": endpoint.url})
    pubsub.publish(topic, b"once")
    endpoint.wait_for(1)
    time.sleep(0.4)
    assert endpoint.texts == ["once"]


def test_a_push_refused_too_often_goes_to_the_dead_letter_topic(
    pubsub: PubSub, endpoint: Endpoint
) -> None:
    endpoint.statuses = [500]
    topic, dead_topic = pubsub.topic(), pubsub.topic()
    dead = pubsub.subscription(dead_topic)
    source = pubsub.subscription(
        topic,
        push_config={"push_endpoint": endpoint.url},
        retry_policy=FAST_RETRY,
        dead_letter_policy={"dead_letter_topic": dead_topic, "max_delivery_attempts": 5},
    )
    pubsub.publish(topic, b"poison", task="spam")
    (letter,) = pubsub.pull(dead, seconds=30)
    pubsub.acknowledge(dead, letter)
    attributes = dict(letter.message.attributes)
    publish_time = attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime")
    assert len(endpoint.bodies) == 5
    assert letter.message.data == b"poison"
    assert publish_time == endpoint.bodies[0]["message"]["publishTime"]
    assert attributes == {
        "task": "spam",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": source.rsplit("/", 1)[1],
        "CloudPubSubDeadLetterSourceSubscriptionProject": PROJECT,
    }


def test_each_subscription_of_a_topic_gets_every_message(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    subscriptions = [pubsub.subscription(topic) for _ in range(2)]
    ids = [pubsub.publish(topic, b"x%d" % number) for number in range(3)]
    for subscription in subscriptions:
        received = pubsub.pull(subscription, count=3)
        assert sorted(item.message.message_id for item in received) == sorted(ids)


def test_an_acknowledged_message_is_not_delivered_again(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"done", key="value")
    (received,) = pubsub.pull(subscription)
    assert received.message.data == b"done"
    assert dict(received.message.attributes) == {"key": "value"}
    pubsub.acknowledge(subscription, received)
    assert pubsub.pull(subscription, seconds=0.7) == []


def test_a_message_given_back_is_delivered_again(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    message_id = pubsub.publish(topic, b"back")
    (first,) = pubsub.pull(subscription)
    pubsub.nack(subscription, first)
    (second,) = pubsub.pull(subscription)
    assert second.message.message_id == message_id
    pubsub.acknowledge(subscription, second)


def test_a_message_not_acknowledged_in_time_is_delivered_again(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    message_id = pubsub.publish(topic, b"late")
    (first,) = pubsub.pull(subscription)
    pubsub.give_seconds(1, subscription, first)
    started = time.monotonic()
    (second,) = pubsub.pull(subscription)
    assert second.message.message_id == message_id
    assert time.monotonic() - started >= 0.8
    pubsub.acknowledge(subscription, second)


def test_a_leased_message_is_not_delivered_to_a_second_subscriber(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"mine")
    assert len(pubsub.pull(subscription)) == 1
    assert pubsub.pull(subscription, seconds=0.7) == []


def test_streaming_pull_hands_each_message_to_the_callback_once_it_is_acknowledged(
    pubsub: PubSub,
) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    seen: list[bytes] = []
    given_back = threading.Event()
    finished = threading.Event()

    def callback(message: Message) -> None:
        if message.data == b"3" and not given_back.is_set():
            given_back.set()
            message.nack()
            return
        seen.append(message.data)
        message.ack()
        if len(seen) == 5:
            finished.set()

    future = pubsub.subscriber.subscribe(subscription, callback=callback)
    try:
        for number in range(5):
            pubsub.publish(topic, b"%d" % number)
        assert finished.wait(20)
        time.sleep(0.5)
    finally:
        future.cancel()
        future.result(timeout=10)
    assert given_back.is_set()
    assert sorted(seen) == [b"0", b"1", b"2", b"3", b"4"]
    assert pubsub.pull(subscription, seconds=0.7) == []


def test_a_pull_subscription_given_an_endpoint_pushes_what_it_holds(
    pubsub: PubSub, endpoint: Endpoint
) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"waiting")
    pubsub.subscriber.modify_push_config(
        subscription=subscription, push_config={"push_endpoint": endpoint.url}
    )
    endpoint.wait_for(1)
    assert endpoint.texts == ["waiting"]


def test_a_subscription_outlives_its_topic(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"kept")
    pubsub.publisher.delete_topic(topic=topic)
    assert pubsub.subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    (received,) = pubsub.pull(subscription)
    assert received.message.data == b"kept"


def test_what_was_created_is_listed_until_it_is_deleted(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    project = f"projects/{PROJECT}"

    def topics() -> list[str]:
        request = {"project": project, "page_size": 2}
        return [item.name for item in pubsub.publisher.list_topics(request=request)]

    def subscriptions() -> list[str]:
        request = {"project": project, "page_size": 2}
        return [item.name for item in pubsub.subscriber.list_subscriptions(request=request)]

    assert topics().count(topic) == 1
    assert subscriptions().count(subscription) == 1
    pubsub.subscriber.delete_subscription(subscription=subscription)
    pubsub.publisher.delete_topic(topic=topic)
    assert topic not in topics()
    assert subscription not in subscriptions()


def test_a_new_subscription_has_the_documented_defaults(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    name = pubsub.subscription(
        topic, retry_policy={}, dead_letter_policy={"dead_letter_topic": topic}
    )
    created = pubsub.subscriber.get_subscription(subscription=name)
    assert created.ack_deadline_seconds == 10
    assert created.retry_policy.minimum_backoff.total_seconds() == 10
    assert created.retry_policy.maximum_backoff.total_seconds() == 600
    assert created.dead_letter_policy.max_delivery_attempts == 5
    assert created.message_retention_duration.days == 7


# BadRequest: the emulator says OUT_OF_RANGE where Cloud Pub/Sub documents INVALID_ARGUMENT.
BAD = exceptions.BadRequest


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"topic": f"projects/{PROJECT}/topics/absent"}, exceptions.NotFound),
        ({"dead_letter_policy": {"max_delivery_attempts": 4}}, BAD),
        ({"dead_letter_policy": {"max_delivery_attempts": 101}}, BAD),
        (
            {"dead_letter_policy": {"dead_letter_topic": f"projects/{PROJECT}/topics/absent"}},
            exceptions.NotFound,
        ),
        ({"ack_deadline_seconds": 601}, BAD),
        ({"push_config": {"push_endpoint": "nowhere"}}, BAD),
        ({"retry_policy": {"maximum_backoff": {"seconds": 601}}}, BAD),
        ({"retry_policy": {"maximum_backoff": {"seconds": 5}}}, BAD),
        ({"name": "wrong"}, BAD),
        ({"name": f"projects/{PROJECT}/subscriptions/1"}, BAD),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(
    pubsub: PubSub, settings: dict[str, Any], error: type[GoogleAPICallError]
) -> None:
    topic = pubsub.topic()
    if "dead_letter_policy" in settings:
        policy = {"dead_letter_topic": topic, **settings["dead_letter_policy"]}
        settings = {**settings, "dead_letter_policy": policy}
    with pytest.raises(error):
        pubsub.subscription(**{"topic": topic, **settings})


def test_a_name_that_is_taken_is_refused(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    with pytest.raises(exceptions.AlreadyExists):
        pubsub.publisher.create_topic(name=topic)
    with pytest.raises(exceptions.AlreadyExists):
        pubsub.subscriber.create_subscription(name=subscription, topic=topic)


@pytest.mark.parametrize("name", ["wrong", f"projects/{PROJECT}/topics/goog-1"])
def test_a_malformed_topic_name_is_refused(pubsub: PubSub, name: str) -> None:
    with pytest.raises(BAD):
        pubsub.publisher.create_topic(name=name)


def test_what_does_not_exist_is_not_found(pubsub: PubSub) -> None:
    topic = f"projects/{PROJECT}/topics/absent"
    subscription = f"projects/{PROJECT}/subscriptions/absent"
    calls: list[Callable[[], Any]] = [
        lambda: pubsub.publisher.get_topic(topic=topic),
        lambda: pubsub.publisher.delete_topic(topic=topic),
        lambda: pubsub.publish(topic, b"x"),
        lambda: pubsub.subscriber.get_subscription(subscription=subscription),
        lambda: pubsub.subscriber.delete_subscription(subscription=subscription),
        lambda: pubsub.subscriber.pull(subscription=subscription, max_messages=1),
    ]
    for call in calls:
        with pytest.raises(exceptions.NotFound):
            call()


def test_a_malformed_request_is_refused(pubsub: PubSub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    calls: list[Callable[[], Any]] = [
        lambda: pubsub.publish(topic, b""),
        lambda: pubsub.subscriber.pull(subscription=subscription, max_messages=0),
        lambda: pubsub.subscriber.acknowledge(subscription=subscription, ack_ids=[]),
        lambda: pubsub.subscriber.acknowledge(subscription=subscription, ack_ids=["bogus"]),
        lambda: pubsub.subscriber.modify_ack_deadline(
            subscription=subscription, ack_ids=["bogus"], ack_deadline_seconds=-1
        ),
    ]
    for call in calls:
        with pytest.raises(exceptions.InvalidArgument):
            call()


# Part two: the embedded server alone. The official emulator accepts filters without applying
# them, pushes neither deliveryAttempt nor orderingKey nor a token, lets a push subscription be
# pulled, takes ack deadlines below 10 s and rounds backoff up; Java's HTTP client sends a
# request again by itself when the connection drops. It has no state file and cannot duplicate.


def test_a_push_that_gets_no_answer_at_all_comes_again_after_the_backoff(
    embedded: PubSub, endpoint: Endpoint
) -> None:
    endpoint.statuses = [0, 204]
    topic = embedded.topic()
    embedded.subscription(
        topic, push_config={"push_endpoint": endpoint.url}, retry_policy=FAST_RETRY
    )
    embedded.publish(topic, b"again")
    endpoint.wait_for(2)
    assert endpoint.times[1] - endpoint.times[0] >= 0.1


def test_an_endpoint_that_is_not_there_yet_gets_the_message_when_it_is(
    embedded: PubSub, endpoint: Endpoint
) -> None:
    topic = embedded.topic()
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/"
    subscription = embedded.subscription(topic, push_config={"push_endpoint": closed})
    embedded.publish(topic, b"patient")
    time.sleep(0.3)
    embedded.subscriber.modify_push_config(
        subscription=subscription, push_config={"push_endpoint": endpoint.url}
    )
    endpoint.wait_for(1)
    assert endpoint.texts == ["patient"]


def test_only_messages_that_pass_the_filter_are_delivered(embedded: PubSub) -> None:
    topic = embedded.topic()
    subscription = embedded.subscription(topic, filter='hasPrefix(attributes.name, "spam/")')
    embedded.publish(topic, b"no", name="ham/1")
    embedded.publish(topic, b"neither")
    embedded.publish(topic, b"yes", name="spam/1")
    received = embedded.pull(subscription, count=2, seconds=0.7)
    assert [item.message.data for item in received] == [b"yes"]


@pytest.mark.parametrize(
    "settings",
    [
        {"filter": "attributes.name ="},
        {"ack_deadline_seconds": 9},
        {"dead_letter_policy": {"dead_letter_topic": "wrong"}},
    ],
)
def test_settings_the_emulator_lets_pass_are_refused(
    embedded: PubSub, settings: dict[str, Any]
) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        embedded.subscription(embedded.topic(), **settings)


@pytest.mark.parametrize(
    "settings", [{"enable_message_ordering": True}, {"enable_exactly_once_delivery": True}]
)
def test_what_the_server_cannot_do_is_refused_rather_than_ignored(
    embedded: PubSub, settings: dict[str, Any]
) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        embedded.subscription(embedded.topic(), **settings)


def test_a_procedure_that_is_not_offered_is_unimplemented(embedded: PubSub) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        embedded.publisher.detach_subscription(
            request={"subscription": "projects/p/subscriptions/abc"}
        )


def test_backoff_doubles_from_the_minimum_to_the_maximum(
    embedded: PubSub, endpoint: Endpoint
) -> None:
    endpoint.statuses = [500, 500, 500, 500, 204]
    topic = embedded.topic()
    retry = {"minimum_backoff": {"nanos": 200_000_000}, "maximum_backoff": {"nanos": 500_000_000}}
    embedded.subscription(topic, push_config={"push_endpoint": endpoint.url}, retry_policy=retry)
    embedded.publish(topic, b"x")
    endpoint.wait_for(5)
    gaps = [later - earlier for earlier, later in pairwise(endpoint.times)]
    for gap, least in zip(gaps, [0.2, 0.4, 0.5, 0.5], strict=True):
        assert least - 0.02 <= gap


def test_the_delivery_attempt_is_pushed_under_a_dead_letter_policy_only(
    embedded: PubSub, endpoint: Endpoint
) -> None:
    endpoint.statuses = [500, 500, 204]
    topic = embedded.topic()
    embedded.subscription(
        topic,
        push_config={"push_endpoint": endpoint.url},
        dead_letter_policy={"dead_letter_topic": topic},
    )
    embedded.publish(topic, b"counted")
    endpoint.wait_for(3)
    assert [body["deliveryAttempt"] for body in endpoint.bodies] == [1, 2, 3]
    plain = embedded.topic()
    embedded.subscription(plain, push_config={"push_endpoint": endpoint.url})
    embedded.publish(plain, b"not counted")
    endpoint.wait_for(4)
    assert "deliveryAttempt" not in endpoint.bodies[3]


def test_a_push_carries_a_token_that_says_it_is_local(embedded: PubSub, endpoint: Endpoint) -> None:
    topic = embedded.topic()
    token = {"service_account_email": "invoker@p.iam.gserviceaccount.com"}
    embedded.subscription(topic, push_config={"push_endpoint": endpoint.url, "oidc_token": token})
    embedded.publish(topic, b"x")
    endpoint.wait_for(1)
    assert endpoint.headers[0]["Authorization"] == "Bearer local-invoker@p.iam.gserviceaccount.com"


def test_a_pushed_message_names_its_ordering_key(embedded: PubSub, endpoint: Endpoint) -> None:
    topic = embedded.topic()
    embedded.subscription(topic, push_config={"push_endpoint": endpoint.url})
    # The high-level client takes an ordering key only when it orders by itself.
    message = {"data": b"x", "ordering_key": "k"}
    GapicPublisher.publish(embedded.publisher, topic=topic, messages=[message])
    endpoint.wait_for(1)
    assert endpoint.bodies[0]["message"]["orderingKey"] == "k"


def test_a_push_subscription_cannot_be_pulled(embedded: PubSub, endpoint: Endpoint) -> None:
    subscription = embedded.subscription(
        embedded.topic(), push_config={"push_endpoint": endpoint.url}
    )
    with pytest.raises(exceptions.FailedPrecondition):
        embedded.subscriber.pull(subscription=subscription, max_messages=1)


def test_a_pulled_message_tells_its_attempt_and_ends_in_the_dead_letter_topic(
    embedded: PubSub,
) -> None:
    topic, dead_topic = embedded.topic(), embedded.topic()
    dead = embedded.subscription(dead_topic)
    subscription = embedded.subscription(
        topic, dead_letter_policy={"dead_letter_topic": dead_topic, "max_delivery_attempts": 5}
    )
    embedded.publish(topic, b"poison")
    attempts = []
    for _ in range(5):
        (received,) = embedded.pull(subscription)
        attempts.append(received.delivery_attempt)
        embedded.nack(subscription, received)
    (letter,) = embedded.pull(dead)
    assert attempts == [1, 2, 3, 4, 5]
    assert letter.message.data == b"poison"
    assert letter.delivery_attempt == 0
    assert embedded.pull(subscription, seconds=0.5) == []


def test_a_deadline_missed_with_nobody_pulling_still_ends_in_the_dead_letter_topic(
    embedded: PubSub,
) -> None:
    topic, dead_topic = embedded.topic(), embedded.topic()
    dead = embedded.subscription(dead_topic)
    subscription = embedded.subscription(
        topic, dead_letter_policy={"dead_letter_topic": dead_topic, "max_delivery_attempts": 5}
    )
    embedded.publish(topic, b"dropped")
    for _ in range(4):
        embedded.nack(subscription, *embedded.pull(subscription))
    embedded.give_seconds(1, subscription, *embedded.pull(subscription))
    (letter,) = embedded.pull(dead)
    assert letter.message.data == b"dropped"


def test_a_stale_ack_id_acknowledges_nothing(embedded: PubSub) -> None:
    topic = embedded.topic()
    subscription = embedded.subscription(topic)
    embedded.publish(topic, b"x")
    (first,) = embedded.pull(subscription)
    embedded.nack(subscription, first)
    embedded.acknowledge(subscription, first)
    assert len(embedded.pull(subscription)) == 1


def test_pushes_to_one_subscription_are_bounded(endpoint: Endpoint) -> None:
    endpoint.held = threading.Event()
    with (
        PubSubServer(max_outstanding_pushes=3) as server,
        clients(server.address) as pubsub,
    ):
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic, push_config={"push_endpoint": endpoint.url})
        for number in range(8):
            pubsub.publish(topic, b"%d" % number)
        endpoint.wait_for(3)
        time.sleep(0.3)
        assert len(endpoint.bodies) == 3
        assert server.outstanding() == {subscription: 8}
        endpoint.held.set()
        endpoint.wait_for(8)
        until(lambda: server.outstanding() == {subscription: 0})
    assert endpoint.most_open_requests == 3
    assert sorted(endpoint.texts) == [str(number) for number in range(8)]


def test_an_endpoint_that_fails_is_asked_little_and_then_gets_everything(
    embedded: PubSub, endpoint: Endpoint
) -> None:
    endpoint.statuses = [503]
    topic, dead_topic = embedded.topic(), embedded.topic()
    embedded.subscription(
        topic,
        push_config={"push_endpoint": endpoint.url},
        retry_policy=FAST_RETRY,
        dead_letter_policy={"dead_letter_topic": dead_topic, "max_delivery_attempts": 5},
    )
    dead = embedded.subscription(dead_topic)
    for number in range(60):
        embedded.publish(topic, b"%d" % number)
    time.sleep(1)
    failed = len(endpoint.bodies)
    assert failed < 30
    endpoint.statuses = [204]
    until(lambda: len(set(endpoint.texts[failed:])) == 60, 20)
    assert embedded.pull(dead, seconds=0.5) == []


def test_a_server_told_to_duplicate_delivers_every_message_that_often(
    endpoint: Endpoint,
) -> None:
    with PubSubServer(duplicate_deliveries=3) as server, clients(server.address) as pubsub:
        topic = pubsub.topic()
        pulled = pubsub.subscription(topic)
        pushed = pubsub.subscription(topic, push_config={"push_endpoint": endpoint.url})
        message_id = pubsub.publish(topic, b"x")
        received = pubsub.pull(pulled, count=3)
        assert [item.message.message_id for item in received] == [message_id] * 3
        endpoint.wait_for(3)
        assert {body["message"]["messageId"] for body in endpoint.bodies} == {message_id}
        until(lambda: server.outstanding() == {pulled: 3, pushed: 0})


def test_unacknowledged_messages_survive_a_restart(tmp_path: Path, endpoint: Endpoint) -> None:
    state = tmp_path / "pubsub.sqlite"
    with PubSubServer(state) as server, clients(server.address) as pubsub:
        topic = pubsub.topic()
        subscription = pubsub.subscription(
            topic, dead_letter_policy={"dead_letter_topic": topic}, filter="attributes:wanted"
        )
        ids = [pubsub.publish(topic, b"%d" % number, wanted="") for number in range(3)]
        done, held = pubsub.pull(subscription, count=2)
        pubsub.acknowledge(subscription, done)
    with PubSubServer(state) as server, clients(server.address) as pubsub:
        assert server.outstanding() == {subscription: 2}
        pubsub.acknowledge(subscription, held)
        received = pubsub.pull(subscription, count=2)
        attempts = {item.message.message_id: item.delivery_attempt for item in received}
        assert attempts == {ids[1]: 2, ids[2]: 1}
        assert received[0].message.publish_time == held.message.publish_time
        pubsub.publish(topic, b"filtered")
        new_id = pubsub.publish(topic, b"new", wanted="")
        assert new_id not in ids
        pubsub.acknowledge(subscription, *received)
        pubsub.acknowledge(subscription, *pubsub.pull(subscription))
        pubsub.subscriber.modify_push_config(
            subscription=subscription, push_config={"push_endpoint": "http://127.0.0.1:9/"}
        )
        pubsub.publish(topic, b"pushed at last", wanted="")
    with PubSubServer(state) as server, clients(server.address) as pubsub:
        pubsub.subscriber.modify_push_config(
            subscription=subscription, push_config={"push_endpoint": endpoint.url}
        )
        endpoint.wait_for(1)
        until(lambda: server.outstanding() == {subscription: 0})
    assert endpoint.texts == ["pushed at last"]


def test_a_killed_server_loses_nothing_it_has_accepted(tmp_path: Path) -> None:
    state = tmp_path / "pubsub.sqlite"
    command = [sys.executable, "-m", "local.pubsub", "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().removeprefix("export PUBSUB_EMULATOR_HOST=")
        with clients(address) as pubsub:
            topic = pubsub.topic()
            subscription = pubsub.subscription(topic)
            ids = {pubsub.publish(topic, b"x") for _ in range(20)}
            process.kill()
    with PubSubServer(state) as server, clients(server.address) as pubsub:
        received = pubsub.pull(subscription, count=20)
    assert {item.message.message_id for item in received} == ids


def test_two_servers_cannot_share_a_state_file_or_a_port(tmp_path: Path) -> None:
    state = tmp_path / "pubsub.sqlite"
    with PubSubServer(state) as server:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            PubSubServer(state).start()
        with pytest.raises(RuntimeError):
            PubSubServer(port=int(server.address.rsplit(":", 1)[1])).start()


def test_stopping_does_not_wait_for_an_endpoint_that_hangs_or_for_open_streams(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    endpoint.held = threading.Event()
    server = PubSubServer(tmp_path / "pubsub.sqlite").start()
    with clients(server.address) as pubsub:
        topic = pubsub.topic()
        pushed = pubsub.subscription(topic, push_config={"push_endpoint": endpoint.url})
        streamed = pubsub.subscription(topic)
        left = threading.Event()

        def requests() -> Iterator[StreamingPullRequest]:
            yield StreamingPullRequest(subscription=streamed, stream_ack_deadline_seconds=10)
            left.wait(20)

        stream = GapicSubscriber.streaming_pull(pubsub.subscriber, requests=requests())
        pubsub.publish(topic, b"x")
        endpoint.wait_for(1)
        assert len(next(iter(stream)).received_messages) == 1
        assert server.outstanding() == {pushed: 1, streamed: 1}
        started = time.monotonic()
        server.stop(grace=0.2)
        assert time.monotonic() - started < 3
        with pytest.raises(exceptions.ServiceUnavailable):
            next(iter(stream))
        left.set()
        until(lambda: not any(streamed in thread.name for thread in threading.enumerate()))
        assert not any(pushed in thread.name for thread in threading.enumerate())


def test_functions_framework_takes_a_push_as_a_cloud_event(
    tmp_path: Path, embedded: PubSub
) -> None:
    seen = tmp_path / "seen.json"
    source = tmp_path / "main.py"
    source.write_text(
        "import json, pathlib\n"
        "import functions_framework\n"
        "@functions_framework.cloud_event\n"
        "def handle(event):\n"
        f"    pathlib.Path({str(seen)!r}).write_text(json.dumps([event['type'], event.data]))\n"
    )
    app = functions_framework.create_app("handle", str(source))
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        topic = embedded.topic()
        url = f"http://127.0.0.1:{server.server_port}/"
        embedded.subscription(topic, push_config={"push_endpoint": url})
        embedded.publish(topic, b"hello", task="spam")
        until(lambda: seen.exists() and seen.stat().st_size > 0)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    kind, data = json.loads(seen.read_text())
    assert kind == "google.cloud.pubsub.topic.v1.messagePublished"
    assert base64.b64decode(data["message"]["data"]) == b"hello"
    assert data["message"]["attributes"] == {"task": "spam"}
