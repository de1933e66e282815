"""Records, changed only by compare-and-set."""

from datetime import UTC, datetime

import pytest

from shared.errors import Conflict, NotFound, Retry
from shared.record_store import BrokenRecord, change, create, encode, load, read
from shared.records import OpenMarker
from tests.fakes import FakeBucket, Faults

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
PATH = "open/run/birds/r.json"


def marker(identifier: str = "r", **event: str) -> OpenMarker:
    return OpenMarker(kind="run", task_name="birds", id=identifier, since=SINCE, event=event)


def count_up(old: OpenMarker | None) -> OpenMarker:
    count = int(old.event["count"]) if old else 0
    return marker(count=str(count + 1))


def test_a_record_is_read_as_it_was_written() -> None:
    bucket = FakeBucket("artifacts")
    assert read(bucket, PATH, OpenMarker) is None
    assert create(bucket, PATH, marker())
    assert read(bucket, PATH, OpenMarker) == marker()


def test_creating_twice_keeps_the_first() -> None:
    bucket = FakeBucket("artifacts")
    assert create(bucket, PATH, marker(n="1"))
    assert not create(bucket, PATH, marker(n="2"))
    assert read(bucket, PATH, OpenMarker) == marker(n="1")


def test_a_change_returns_what_is_there_now() -> None:
    bucket = FakeBucket("artifacts")
    assert change(bucket, PATH, OpenMarker, count_up) == marker(count="1")
    assert change(bucket, PATH, OpenMarker, count_up) == marker(count="2")
    assert read(bucket, PATH, OpenMarker) == marker(count="2")


def test_a_change_that_leaves_the_record_alone_writes_nothing() -> None:
    faults = Faults()
    bucket = FakeBucket("artifacts", faults=faults)
    create(bucket, PATH, marker())
    before = bucket.generation(PATH)
    assert change(bucket, PATH, OpenMarker, lambda _old: None) == marker()
    assert change(bucket, PATH, OpenMarker, lambda old: old) == marker()
    assert bucket.generation(PATH) == before
    assert change(bucket, "absent.json", OpenMarker, lambda _old: None) is None
    assert bucket.names() == [PATH]


def test_a_change_that_loses_the_race_is_made_again_on_what_the_other_wrote() -> None:
    bucket = FakeBucket("artifacts")
    rivals = iter([True, True])

    def edit(old: OpenMarker | None) -> OpenMarker:
        if next(rivals, False):
            bucket.put(PATH, encode(count_up(old)))
        return count_up(old)

    assert change(bucket, PATH, OpenMarker, edit) == marker(count="3")


def test_no_increment_is_lost_between_two_writers() -> None:
    bucket = FakeBucket("artifacts")

    def nested(old: OpenMarker | None) -> OpenMarker:
        if old is None or old.event["count"] == "4":
            for _ in range(3):
                change(bucket, PATH, OpenMarker, count_up)
        return count_up(old)

    for _ in range(5):
        change(bucket, PATH, OpenMarker, nested)
    assert read(bucket, PATH, OpenMarker) == marker(count="11")


def test_a_change_gives_up_after_losing_every_time() -> None:
    bucket = FakeBucket("artifacts")
    edits = 0

    def always_late(old: OpenMarker | None) -> OpenMarker:
        nonlocal edits
        edits += 1
        bucket.put(PATH, encode(count_up(old)))
        return marker(mine="yes")

    with pytest.raises(Conflict):
        change(bucket, PATH, OpenMarker, always_late, tries=3)
    assert edits == 3
    found = read(bucket, PATH, OpenMarker)
    assert found is not None
    assert "mine" not in found.event


def test_trouble_with_storage_is_not_taken_for_a_lost_race() -> None:
    faults = Faults()
    bucket = FakeBucket("artifacts", faults=faults)
    faults.fail("write", Retry("down"))
    with pytest.raises(Retry):
        change(bucket, PATH, OpenMarker, count_up)
    assert bucket.names() == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"not json", b'{"schema_version": 2}', encode(marker())[:-3] + b',"new": 1}'],
)
def test_a_record_that_cannot_be_read_is_named(content: bytes) -> None:
    bucket = FakeBucket("artifacts")
    bucket.put(PATH, content)
    with pytest.raises(BrokenRecord, match=f"gs://artifacts/{PATH} is not a OpenMarker"):
        load(bucket, PATH, OpenMarker)


def test_a_stream_that_breaks_off_leaves_no_object() -> None:
    bucket = FakeBucket("artifacts")

    def write_half() -> None:
        with bucket.open_write("x", "text/plain") as stream:
            stream.write(b"half")
            raise NotFound("gone")

    with pytest.raises(NotFound):
        write_half()
    assert bucket.find("x") is None
    with bucket.open_write("x", "text/plain") as stream:
        stream.write(b"whole")
        assert bucket.find("x") is None
    assert bucket.content("x") == b"whole"
