"""What arrives at a function's front door."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import Rejected
from shared.events import (
    MAX_BODY_BYTES,
    MESSAGE_PUBLISHED,
    OBJECT_FINALIZED,
    Event,
    Message,
    ObjectArrived,
    Sender,
    describe,
    parse_event,
)

SENDER = Sender("p", "convert-dataset", ("dataset-uploaded",), "blue-")
SUBSCRIPTION = "projects/p/subscriptions/blue-convert-dataset.dataset-uploaded"
NOTIFICATION = {
    "eventType": "OBJECT_FINALIZE",
    "bucketId": "datasets",
    "objectId": "birds/a.csv",
    "objectGeneration": "17",
}
ARRIVED = ObjectArrived("datasets", "birds/a.csv", 17)
BUCKET_SOURCE = "//storage.googleapis.com/projects/_/buckets/datasets"
TOPIC_SOURCE = "//pubsub.googleapis.com/projects/p/topics/blue-dataset-uploaded"


def encoded(data: object) -> str:
    return base64.b64encode(json.dumps(data).encode()).decode()


def push(message: object, subscription: object = SUBSCRIPTION) -> Event:
    body = json.dumps({"message": message, "subscription": subscription}).encode()
    return parse_event(body, {"Content-Type": "application/json"}, SENDER)


def binary(kind: str, source: str, data: object) -> Event:
    return parse_event(json.dumps(data).encode(), {"CE-Type": kind, "ce-source": source}, SENDER)


def structured(content: object) -> Event:
    headers = {"content-type": "application/cloudevents+json; charset=utf-8"}
    return parse_event(json.dumps(content).encode(), headers, SENDER)


def test_a_bucket_notification_in_a_push_names_the_object() -> None:
    assert push({"attributes": NOTIFICATION, "data": encoded({}), "messageId": "1"}) == ARRIVED


def test_a_plain_message_in_a_push_is_read() -> None:
    event = push({"data": encoded({"task": "birds"}), "messageId": "5", "attributes": {"k": "v"}})
    assert event == Message("dataset-uploaded", {"task": "birds"}, "5", None, {"k": "v"})


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T10:00:00.5Z", datetime(2026, 11, 22, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-22T10:00:00", None),
        ("yesterday", None),
        (7, None),
    ],
)
def test_a_message_keeps_the_time_of_its_publication(text: object, time: datetime | None) -> None:
    event = push({"data": encoded({}), "publishTime": text})
    assert isinstance(event, Message)
    assert event.published == time


def test_a_message_without_data_is_an_empty_object() -> None:
    assert push({"message_id": "5"}) == Message("dataset-uploaded", {}, "5")


def test_a_storage_cloud_event_names_the_object_in_both_modes() -> None:
    data = {"bucket": "datasets", "name": "birds/a.csv", "generation": "17"}
    assert binary(OBJECT_FINALIZED, BUCKET_SOURCE, data) == ARRIVED
    event = {"type": OBJECT_FINALIZED, "source": BUCKET_SOURCE, "data": data}
    assert structured(event) == ARRIVED


def test_a_message_cloud_event_is_read_in_both_modes() -> None:
    data = {"message": {"data": encoded({"task": "birds"}), "messageId": "5"}}
    wanted = Message("dataset-uploaded", {"task": "birds"}, "5")
    assert binary(MESSAGE_PUBLISHED, TOPIC_SOURCE, data) == wanted
    assert structured({"type": MESSAGE_PUBLISHED, "source": TOPIC_SOURCE, "data": data}) == wanted


def test_a_bucket_notification_inside_a_cloud_event_names_the_object() -> None:
    data = {"message": {"attributes": NOTIFICATION}}
    assert binary(MESSAGE_PUBLISHED, TOPIC_SOURCE, data) == ARRIVED


@pytest.mark.parametrize(
    "subscription",
    [
        "projects/q/subscriptions/blue-convert-dataset.dataset-uploaded",
        "projects/p/subscriptions/convert-dataset.dataset-uploaded",
        "projects/p/subscriptions/blue-launch-tuning.dataset-uploaded",
        "projects/p/subscriptions/blue-convert-dataset.tuning-requested",
        "projects/p/subscriptions/blue-convert-dataset.",
        "",
        None,
        17,
    ],
)
def test_a_push_from_another_subscription_is_refused(subscription: object) -> None:
    with pytest.raises(Rejected):
        push({"attributes": NOTIFICATION}, subscription)


@pytest.mark.parametrize(
    "source",
    [
        "//pubsub.googleapis.com/projects/q/topics/blue-dataset-uploaded",
        "//pubsub.googleapis.com/projects/p/topics/dataset-uploaded",
        "//pubsub.googleapis.com/projects/p/topics/blue-scheduler-tick",
        "",
    ],
)
def test_a_cloud_event_from_another_topic_is_refused(source: str) -> None:
    with pytest.raises(Rejected):
        binary(MESSAGE_PUBLISHED, source, {"message": {"data": encoded({})}})


def test_a_storage_event_that_speaks_of_another_bucket_than_its_source_is_refused() -> None:
    data = {"bucket": "secrets", "name": "birds/a.csv", "generation": "17"}
    with pytest.raises(Rejected, match="not the bucket"):
        binary(OBJECT_FINALIZED, BUCKET_SOURCE, data)


@pytest.mark.parametrize("kind", ["", "google.cloud.storage.object.v1.deleted", "com.example"])
def test_a_cloud_event_of_another_type_is_refused(kind: str) -> None:
    data = {"bucket": "datasets", "name": "birds/a.csv", "generation": "17"}
    with pytest.raises(Rejected, match="type"):
        binary(kind, BUCKET_SOURCE, data)


@pytest.mark.parametrize("kind", ["OBJECT_DELETE", "OBJECT_METADATA_UPDATE", None])
def test_a_notification_of_anything_but_a_new_object_is_refused(kind: str | None) -> None:
    with pytest.raises(Rejected, match="not about a new object"):
        push({"attributes": {**NOTIFICATION, "eventType": kind}})


@pytest.mark.parametrize(
    "change",
    [
        {"objectId": ""},
        {"objectId": None},
        {"bucketId": 7},
        {"objectGeneration": None},
        {"objectGeneration": "new"},
        {"objectGeneration": "9" * 5000},
    ],
)
def test_a_notification_that_does_not_name_an_object_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        push({"attributes": {**NOTIFICATION, **change}})


@pytest.mark.parametrize(
    "body",
    [b"", b"no", b"[1]", b"17", b"null", b"\xff\xfe\xfa", b"[" * 100_000, b'{"message": 1'],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected, match="JSON"):
        parse_event(body, {}, SENDER)


@pytest.mark.parametrize("data", ["%%%", "YQ", "a b=", "é", "日本", encoded([1]), encoded("x"), 17])
def test_message_data_that_is_no_base64_of_a_json_object_is_refused(data: object) -> None:
    with pytest.raises(Rejected):
        push({"data": data, "messageId": "1"})


@pytest.mark.parametrize("message", [None, [], "text", {"attributes": "text", "data": ""}])
def test_a_push_without_a_proper_message_is_refused(message: object) -> None:
    with pytest.raises(Rejected):
        push(message)


def test_a_body_larger_than_any_message_is_refused_unread() -> None:
    with pytest.raises(Rejected, match="bytes"):
        parse_event(b" " * (MAX_BODY_BYTES + 1), {}, SENDER)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
headers = st.dictionaries(
    st.sampled_from(["ce-type", "ce-source", "Content-Type"]),
    st.sampled_from(
        [
            OBJECT_FINALIZED,
            MESSAGE_PUBLISHED,
            TOPIC_SOURCE,
            BUCKET_SOURCE,
            "application/cloudevents+json",
            "",
        ]
    ),
)


@settings(deadline=None, max_examples=60)
@given(body=st.binary(max_size=60), headers=headers)
@example(body=b'{"message": {}, "subscription": null}', headers={})
def test_arbitrary_bytes_give_an_event_or_a_rejection(body: bytes, headers: dict[str, str]) -> None:
    with suppress(Rejected):
        assert isinstance(parse_event(body, headers, SENDER), ObjectArrived | Message)


@settings(deadline=None, max_examples=60)
@given(
    data=json_values | st.text(), attributes=json_values, values=st.lists(json_values, min_size=4)
)
def test_arbitrary_json_in_the_right_places_gives_an_event_or_a_rejection(
    data: object, attributes: object, values: list[object]
) -> None:
    notification = dict(zip(NOTIFICATION, values, strict=False))
    for held in (attributes, {**NOTIFICATION, "objectId": data}, notification):
        message = {"data": data, "attributes": held}
        for body in (
            {"message": message, "subscription": SUBSCRIPTION},
            {"type": MESSAGE_PUBLISHED, "source": TOPIC_SOURCE, "data": {"message": message}},
            {"type": OBJECT_FINALIZED, "source": BUCKET_SOURCE, "data": held},
        ):
            kind = "application/cloudevents+json" if "type" in body else "application/json"
            with suppress(Rejected):
                event = parse_event(json.dumps(body).encode(), {"content-type": kind}, SENDER)
                assert isinstance(event, ObjectArrived | Message)


def test_an_event_is_named_for_people() -> None:
    assert describe(ARRIVED) == "gs://datasets/birds/a.csv"
    assert describe(Message("scheduler-tick", {})) == "message on scheduler-tick"
    assert "could not be read" in describe(None)
