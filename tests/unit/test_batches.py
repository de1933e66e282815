"""Batches: planned by whoever needs answers, started and followed by the watcher."""

from collections.abc import Iterator, Sequence

import pytest

from functions.watch_jobs.watch import tick as watch_tick
from shared import open_work, paths
from shared.batch_lines import line_key, read_line, request_line
from shared.batches import Answered, AwaitsBatch, BatchedGenerator, answers_of, batch_model
from shared.errors import Conflict, Retry
from shared.ports import Reply, Sampling
from shared.prompts import Prompt
from shared.record_store import create, read
from shared.records import BatchRecord, Candidate, JobRecord, Wake
from shared.task import Configuration
from tests.fakes import Crash, FakeWorld, fake_world

MODEL = "locations/us/publishers/google/models/gemini-3.5-flash-lite"
SAMPLING = Sampling(2, 0.7, 5)
WAKE = Wake(topic="dataset-converted", message={"task": "birds", "dataset": "d"})
OTHER = Wake(topic="tuning-completed", message={"task": "birds", "run": "r"})
RECORD = paths.batch_record("birds", "b1")


def asked(texts: Sequence[str] = ("hoo", "caw")) -> Iterator[tuple[Prompt, Sampling]]:
    for text in texts:
        yield Prompt("Sort.", (("user", text),)), SAMPLING


def says(_model: str, prompt: Prompt, sampling: Sampling) -> list[str]:
    return ["owl" if "hoo" in prompt.turns[-1][1] else "crow"] * sampling.samples


def stage() -> FakeWorld:
    fakes = fake_world()
    fakes.batches.speak = says
    return fakes


def ask(fakes: FakeWorld, wake: Wake = WAKE) -> Answered:
    return answers_of(fakes.world, "birds", "b1", MODEL, asked, wake)


def plan(fakes: FakeWorld, wake: Wake = WAKE) -> None:
    with pytest.raises(AwaitsBatch):
        ask(fakes, wake)


def tick(fakes: FakeWorld, seconds: float = 60) -> None:
    fakes.clock.advance(seconds)
    watch_tick(fakes.world, fakes.tuning, fakes.batches)


def batch_of(fakes: FakeWorld) -> BatchRecord:
    record = read(fakes.artifacts, RECORD, BatchRecord)
    assert record is not None
    return record


def texts_of(answered: Answered) -> list[str]:
    return sorted(reply.texts[0] for reply in answered.replies.values())


def test_a_batch_is_planned_started_followed_and_read() -> None:
    fakes = stage()
    plan(fakes)
    assert fakes.batches.jobs == []
    tick(fakes)
    (request,) = fakes.batches.requests
    assert request.source_uri == "gs://artifacts/tasks/birds/batches/b1/requests.jsonl"
    assert (request.key, request.model) == ("b1", MODEL)
    tick(fakes)
    assert batch_of(fakes).state == "running"
    assert fakes.publisher.messages == []
    fakes.batches.end_all()
    tick(fakes)
    assert fakes.publisher.on("dataset-converted") == [WAKE.message]
    (fact,) = fakes.publisher.facts("batch-ended")
    assert fact["details"] == {"batch": "b1", "state": "succeeded", "lines": 2}
    assert fakes.artifacts.names("open/") == []
    answered = ask(fakes)
    assert texts_of(answered) == ["crow", "owl"]
    assert answered.note == ""
    assert len(fakes.batches.jobs) == 1


def test_everybody_who_waits_is_woken_and_nobody_twice() -> None:
    fakes = stage()
    plan(fakes)
    plan(fakes, OTHER)
    plan(fakes, OTHER)
    tick(fakes)
    fakes.batches.end_all()
    tick(fakes)
    tick(fakes)
    assert fakes.publisher.on("dataset-converted") == [WAKE.message]
    assert fakes.publisher.on("tuning-completed") == [OTHER.message]


def test_an_answer_that_was_lost_is_looked_for_after_the_lease_and_adopted() -> None:
    fakes = stage()
    fakes.batches.lose_responses = 1
    plan(fakes)
    with pytest.raises(Retry):
        tick(fakes)
    tick(fakes, 1)
    assert batch_of(fakes).state == "submitting"
    tick(fakes, 120)
    assert (batch_of(fakes).state, len(fakes.batches.jobs)) == ("running", 1)


def test_of_two_jobs_the_older_is_kept_and_the_other_cancelled() -> None:
    fakes = stage()
    plan(fakes)
    tick(fakes)
    double = fakes.batches.add("b1")
    tick(fakes)
    assert [job.state for job in fakes.batches.jobs] == ["pending", "cancelled"]
    assert batch_of(fakes).resource != double.name


def test_a_batch_without_room_waits_for_the_next_tick() -> None:
    fakes = stage()
    fakes.batches.no_room = True
    plan(fakes)
    tick(fakes)
    assert batch_of(fakes).state == "planned"
    fakes.batches.no_room = False
    tick(fakes, 1)
    assert batch_of(fakes).state == "running"


def test_no_batch_is_started_while_creations_are_stopped() -> None:
    fakes = stage()
    plan(fakes)
    fakes.artifacts.put(paths.KILL_SWITCH, b"{}")
    tick(fakes)
    assert fakes.batches.jobs == []
    fakes.artifacts.delete(paths.KILL_SWITCH)
    tick(fakes)
    assert len(fakes.batches.jobs) == 1


def test_a_batch_that_is_refused_ends_with_the_reason_and_answers_nothing() -> None:
    fakes = stage()
    fakes.batches.refusal = "the model takes no batches"
    plan(fakes)
    tick(fakes)
    assert fakes.publisher.on("dataset-converted") == [WAKE.message]
    answered = ask(fakes)
    assert answered.replies == {}
    assert answered.note == (
        "The batch b1 left 2 of 2 requests unanswered (the batch refused: the model takes no "
        "batches); they were asked online."
    )


def test_what_a_job_answered_before_it_failed_is_taken() -> None:
    fakes = stage()
    plan(fakes)
    tick(fakes)
    fakes.batches.end_all("failed", "the service broke", answered=0.5)
    tick(fakes)
    answered = ask(fakes)
    assert texts_of(answered) == ["crow"]
    assert "1 of 2 requests unanswered (the batch failed: the service broke)" in answered.note


def test_a_job_that_does_not_end_in_four_days_is_given_up() -> None:
    fakes = stage()
    plan(fakes)
    tick(fakes)
    tick(fakes, 4 * 86_400 + 1)
    assert fakes.batches.jobs[0].state == "cancelled"
    assert (batch_of(fakes).state, batch_of(fakes).outcome) == ("ended", "cancelled")
    assert "did not end in four days" in ask(fakes).note


@pytest.mark.parametrize("why", ["stopped", "no room"])
def test_days_that_a_batch_waited_to_be_started_do_not_count_against_its_job(why: str) -> None:
    fakes = stage()
    plan(fakes)
    fakes.batches.no_room = why == "no room"
    if why == "stopped":
        fakes.artifacts.put(paths.KILL_SWITCH, b"{}")
    for _ in range(5):
        tick(fakes, 86_400)
    fakes.batches.no_room = False
    fakes.artifacts.delete(paths.KILL_SWITCH)
    tick(fakes, 60)
    tick(fakes, 3 * 86_400)
    assert fakes.batches.jobs[0].state == "pending"
    fakes.batches.end_all()
    tick(fakes, 60)
    assert batch_of(fakes).outcome == "succeeded"
    assert ask(fakes).note == ""


def test_the_days_of_an_adopted_job_count_from_when_it_was_created() -> None:
    fakes = stage()
    fakes.batches.lose_responses = 1
    plan(fakes)
    with pytest.raises(Retry):
        tick(fakes)
    tick(fakes, 3 * 86_400)
    tick(fakes, 86_401)
    assert batch_of(fakes).outcome == "cancelled"


def test_one_batchs_trouble_keeps_neither_other_batches_nor_the_rest_of_the_tick() -> None:
    fakes = stage()
    plan(fakes)
    with pytest.raises(AwaitsBatch):
        answers_of(fakes.world, "birds", "b2", MODEL, asked, WAKE)
    open_work.begin(fakes.world, "dataset", "birds", "lost")
    fakes.faults.fail("find_batches", Retry("busy"))
    with pytest.raises(Retry, match="1 batches could not be looked at: b1: busy"):
        tick(fakes, 1000)
    assert [request.key for request in fakes.batches.requests] == ["b2"]
    assert len(fakes.publisher.on("dataset-converted")) == 1


def live_through(fakes: FakeWorld) -> None:
    """Go from nothing to the answers, delivering again whatever was cut off."""
    for _ in range(12):
        try:
            ask(fakes)
        except (AwaitsBatch, Crash):
            pass
        else:
            return
        try:
            tick(fakes, 150)
        except (Crash, Retry, Conflict):
            continue
        fakes.batches.end_all()
    raise AssertionError("there were never any answers")


def test_a_crash_at_any_call_neither_loses_nor_doubles_a_job() -> None:
    point = 1
    while True:
        fakes = stage()
        fakes.faults.crash_at = point
        live_through(fakes)
        if fakes.faults.points < point:
            break
        fakes.faults.crash_at = None
        assert texts_of(ask(fakes)) == ["crow", "owl"], f"after a crash at point {point}"
        assert len(fakes.batches.jobs) == 1, f"after a crash at point {point}"
        tick(fakes)
        assert fakes.publisher.on("dataset-converted"), f"after a crash at point {point}"
        assert fakes.artifacts.names("open/") == [], f"after a crash at point {point}"
        point += 1
    assert point > 40


def test_the_same_request_is_asked_once() -> None:
    fakes = stage()

    def thrice() -> Iterator[tuple[Prompt, Sampling]]:
        return asked(["hoo", "hoo", "caw"])

    with pytest.raises(AwaitsBatch):
        answers_of(fakes.world, "birds", "b1", MODEL, thrice, WAKE)
    assert len(fakes.artifacts.json_lines(paths.batch_requests("birds", "b1"))) == 2
    assert batch_of(fakes).lines == 2


def test_what_a_batch_did_not_answer_is_asked_online() -> None:
    (first, sampling), (second, _) = asked()
    reply = Reply(("owl", "owl"), 10, 2, "v", batched=True)
    online = stage().generator(says)
    both = BatchedGenerator(Answered({line_key(first, 5): reply}), online)
    assert both.generate(MODEL, first, sampling) == reply
    assert both.generate(MODEL, first, Sampling(1, 0.7, 5)).texts == ("owl",)
    assert online.asked == []
    both.generate(MODEL, second, sampling)
    both.generate(MODEL, first, Sampling(3, 0.7, 5))
    both.generate(MODEL, first, Sampling(2, 0.7, 6))
    assert len(online.asked) == 3


PREDICTION = """{"status": "", "processed_time": "2026-11-01T18:13:16.826+00:00",
"request": {"contents": [{"parts": [{"text": "hoo"}]}],
"system_instruction": {"parts": [{"text": "Sort."}]},
"generation_config": {"candidate_count": 1, "seed": 5}},
"response": {"candidates": [{"content": {"parts": [{"text": "hm", "thought": true},
{"text": "owl"}], "role": "model"}, "finishReason": "STOP"}], "modelVersion": "m@1",
"usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 1, "thoughtsTokenCount": 3}}}"""


def test_an_answer_is_matched_however_its_request_is_written_back() -> None:
    (prompt, _), _ = asked()
    key, reply = read_line(PREDICTION.encode())
    assert key == line_key(prompt, 5)
    assert reply == Reply(("owl",), 8, 4, "m@1", batched=True)


@pytest.mark.parametrize("sampling", [SAMPLING, Sampling(1, 0.0, 5)])
def test_a_line_is_matched_by_its_own_request(sampling: Sampling) -> None:
    prompt = Prompt("Sort 中文.", (("user", "a"), ("model", "b"), ("user", "“c”\n")), {"type": "X"})
    line = request_line(prompt, sampling)
    assert b"\n" not in line
    assert read_line(line) == (line_key(prompt, 5), None)


def test_a_line_with_a_status_or_with_too_few_answers_is_unanswered() -> None:
    assert read_line(PREDICTION.replace('"status": ""', '"status": "429"').encode())[1] is None
    assert read_line(PREDICTION.replace('count": 1', 'count": 2').encode())[1] is None


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"request": 1}', b"\xff", b"[" * 100_000])
def test_what_is_no_line_is_told(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a line of predictions"):
        read_line(line)


def test_lines_that_cannot_be_read_are_passed_over() -> None:
    fakes = stage()
    plan(fakes)
    tick(fakes)
    fakes.batches.end_all()
    fakes.artifacts.put("tasks/birds/batches/b1/predictions/extra.jsonl", b"no json\n\n")
    tick(fakes)
    assert texts_of(ask(fakes)) == ["crow", "owl"]


def test_a_batch_asks_a_tuned_model_and_not_its_endpoint() -> None:
    fakes = stage()
    endpoint = "projects/p/locations/us/endpoints/7"
    job = JobRecord(
        id="j",
        run="r",
        task_name="birds",
        dataset="d",
        base_model="m",
        configuration=Configuration(),
        endpoint=endpoint,
        model="projects/p/locations/us/models/7@1",
        created=fakes.clock(),
    )
    create(fakes.artifacts, paths.job_record("birds", "r", "j"), job)
    tuned = Candidate(name="t", kind="tuned", model=endpoint, base_model="m", run="r", job="j")
    assert batch_model(fakes.world, "birds", tuned) == job.model
    checkpoint = tuned.model_copy(update={"model": "projects/p/locations/us/endpoints/6"})
    assert batch_model(fakes.world, "birds", checkpoint) == ""
    plain = Candidate(name="z", kind="prompting", model=MODEL, base_model="m")
    assert batch_model(fakes.world, "birds", plain) == MODEL
