"""The review queue: doubtful answers, gathered by the tick into one file a day and task."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.process_document.process import process
from functions.watch_jobs.reviews import MAX_FILES, gather_reviews, merge
from functions.watch_jobs.watch import watch
from shared.errors import Conflict, Retry
from shared.records import ReviewLine
from tests.fakes import START, Crash, FakeWorld, fake_world
from tests.unit.test_process import DOUBT, REVIEWS, drop, says, stage

DAY = "birds/review/2026-11-01.jsonl"


def tick(fakes: FakeWorld) -> None:
    watch(fakes.world, fakes.tuning)


def queue(fakes: FakeWorld, name: str = DAY) -> list[Any]:
    return list(fakes.results.json_lines(name))


def test_the_tick_puts_a_doubtful_answer_into_the_days_file_with_its_text() -> None:
    fakes, generator = stage(*DOUBT)
    event = drop(fakes, generator)
    tick(fakes)
    (line,) = queue(fakes)
    assert line["document"] == "birds/letter.txt"
    assert line["location"] == "gs://documents/birds/letter.txt"
    assert line["generation"] == event.generation
    assert line["text"] == "hoo hoo"
    assert (line["answer"], line["confidence"], line["correction"]) == ("owl", 0.4, "")
    assert [item["answer"] for item in line["alternatives"]] == ["crow"]
    assert line["reason"] == "Its confidence is below serving.review_below."
    assert fakes.artifacts.names(REVIEWS) == []


def test_a_second_delivery_or_tick_changes_nothing_in_the_days_file() -> None:
    fakes, generator = stage(*DOUBT)
    event = drop(fakes, generator)
    tick(fakes)
    before = fakes.results.generation(DAY)
    tick(fakes)
    process(event, fakes.world, generator)
    tick(fakes)
    assert fakes.results.generation(DAY) == before
    assert fakes.artifacts.names(REVIEWS) == []


def test_answers_stand_in_the_order_in_which_they_came_each_in_the_file_of_its_day() -> None:
    fakes, generator = stage(*DOUBT)
    for name in ("b", "a"):
        drop(fakes, generator, name=f"birds/{name}.txt")
    tick(fakes)
    drop(fakes, generator, name="birds/c.txt")
    fakes.clock.advance(86_400)
    drop(fakes, generator, name="birds/d.txt")
    tick(fakes)
    assert [line["document"] for line in queue(fakes)] == [f"birds/{n}.txt" for n in "bac"]
    (line,) = queue(fakes, "birds/review/2026-11-02.jsonl")
    assert line["document"] == "birds/d.txt"


def test_an_answer_to_a_newer_text_takes_the_place_of_the_older_ones_line() -> None:
    fakes, generator = stage(*DOUBT)
    drop(fakes, generator, "hoo")
    drop(fakes, generator, "caw", name="birds/other.txt")
    tick(fakes)
    drop(fakes, generator, "hoo hoo hoo")
    tick(fakes)
    assert [line["text"] for line in queue(fakes)] == ["hoo hoo hoo", "caw"]


def test_an_answer_that_became_sure_before_the_tick_is_not_reviewed() -> None:
    fakes, generator = stage(*DOUBT)
    drop(fakes, generator)
    drop(fakes, fakes.generator(says("owl")), "clearly an owl")
    tick(fakes)
    assert fakes.results.names("birds/review/") == []
    assert fakes.artifacts.names(REVIEWS) == []


def test_a_crash_of_the_tick_at_any_call_loses_and_doubles_no_line() -> None:
    for point in range(1, 99):
        fakes, generator = stage(*DOUBT)
        for name in ("a", "b"):
            drop(fakes, generator, name=f"birds/{name}.txt")
        before = fakes.faults.points
        fakes.faults.crash_at = before + point
        try:
            gather_reviews(fakes.world)
        except Crash:
            gather_reviews(fakes.world)
        else:
            break
        assert [line["document"] for line in queue(fakes)] == ["birds/a.txt", "birds/b.txt"]
        assert fakes.artifacts.names(REVIEWS) == []
    assert 10 < point < 98


def test_a_file_that_somebody_else_wrote_meanwhile_is_left_for_the_next_tick() -> None:
    fakes, generator = stage(*DOUBT)
    drop(fakes, generator)
    fakes.clock.advance(86_400)
    drop(fakes, generator, name="birds/other.txt")
    fakes.faults.fail("write results", Conflict("x"))
    with pytest.raises(Retry, match=r"birds/review/2026-11-01\.jsonl"):
        tick(fakes)
    assert len(queue(fakes, "birds/review/2026-11-02.jsonl")) == 1
    assert len(fakes.artifacts.names(REVIEWS)) == 1
    tick(fakes)
    assert len(queue(fakes)) == 1


@pytest.mark.parametrize("strange", [b"", b"no json", b"[1]", b'{"document": "x"}', b"[" * 99_999])
def test_what_a_persons_editor_left_in_the_file_stays_and_stops_nothing(strange: bytes) -> None:
    fakes, generator = stage(*DOUBT)
    drop(fakes, generator, name="birds/a.txt")
    tick(fakes)
    (first,) = fakes.results.content(DAY).splitlines()
    fakes.results.put(DAY, strange + b"\n\xef\xbb\xbf" + first + b"\r\n\n")
    drop(fakes, generator, "hoo", name="birds/b.txt")
    drop(fakes, generator, "caw", name="birds/a.txt")
    tick(fakes)
    left, newer, empty, added = fakes.results.content(DAY).split(b"\n")[:-1]
    assert (left, empty) == (strange, b"")
    assert (json.loads(newer)["text"], json.loads(added)["text"]) == ("caw", "hoo")
    assert fakes.artifacts.names(REVIEWS) == []


def test_a_result_that_cannot_be_read_stays_marked_and_keeps_no_other_from_review() -> None:
    fakes, generator = stage(*DOUBT)
    for name in ("a", "b"):
        drop(fakes, generator, name=f"birds/{name}.txt")
    whole = fakes.results.content("birds/a.txt.json")
    fakes.results.put("birds/a.txt.json", "{}")
    tick(fakes)
    assert [line["document"] for line in queue(fakes)] == ["birds/b.txt"]
    assert len(fakes.artifacts.names(REVIEWS)) == 1
    fakes.results.put("birds/a.txt.json", whole)
    tick(fakes)
    assert len(queue(fakes)) == 2
    assert fakes.artifacts.names(REVIEWS) == []


def line(number: int, text: str = "hoo", generation: int = 1) -> ReviewLine:
    return ReviewLine(
        document=f"birds/{number}.txt",
        location=f"gs://documents/birds/{number}.txt",
        generation=generation,
        text=text,
        answer="owl",
        confidence=0.4,
        reason="",
        at=START + timedelta(seconds=number),
    )


def test_a_day_with_much_text_has_several_files_and_at_last_no_room() -> None:
    bucket = fake_world().results
    lines = [line(number, "hoo " * 200) for number in range(7)]
    assert merge(bucket, "birds", START.date(), lines, max_bytes=1500) == MAX_FILES
    names = [DAY, *(f"birds/review/2026-11-01-{part}.jsonl" for part in range(2, MAX_FILES + 1))]
    assert bucket.names() == sorted(names)
    for number, name in enumerate(names):
        (kept,) = bucket.json_lines(name)
        assert kept["document"] == f"birds/{number}.txt"
    later = [line(9, "hoo " * 200), line(1, "caw", generation=2), line(11, "hoo " * 200)]
    later[1] = later[1].model_copy(update={"at": later[0].at + timedelta(seconds=1)})
    assert merge(bucket, "birds", START.date(), later, max_bytes=1500) == 1
    assert bucket.json_lines(names[1])[0]["text"] == "caw"
