"""Answering documents, on fakes."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from functions.process_document.process import process
from functions.watch_jobs.watch import watch
from shared import paths
from shared.errors import NotFound, Rejected, Retry
from shared.events import ObjectArrived
from shared.models import base_models
from shared.ports import Sampling
from shared.prompts import Prompt
from shared.record_store import create, encode
from shared.records import Calibration, Candidate, ChampionRecord, Shot, TaskRecord
from shared.task import Task
from tests.fakes import Crash, FakeGenerator, FakeWorld, Speaker, fake_world, message

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
RESULT = "birds/letter.txt.json"
REVIEWS = "open/review/birds/"
DOUBT = ("owl", "crow", "an owl or a crow")
ENDPOINT = "projects/p/locations/us/endpoints/1"


def crown(
    fakes: FakeWorld,
    task: Task = TASK,
    kind: str = "tuned",
    calibration: Calibration | None = None,
    base_model: str = "base",
) -> None:
    candidate = Candidate.model_validate(
        {"name": "tuned-e4-m1-a1", "kind": kind, "model": ENDPOINT, "base_model": base_model}
    )
    champion = ChampionRecord(
        task_name="birds",
        candidate=candidate,
        task=task,
        dataset="dataset1",
        run="run",
        at=fakes.clock(),
        calibration=calibration,
    )
    fakes.artifacts.put(paths.champion("birds"), encode(champion))


def says(*texts: str) -> Speaker:
    def speak(_model: str, _prompt: Prompt, sampling: Sampling) -> Sequence[str]:
        return [texts[number % len(texts)] for number in range(sampling.samples)]

    return speak


def stage(*texts: str, task: Task = TASK) -> tuple[FakeWorld, FakeGenerator]:
    fakes = fake_world()
    crown(fakes, task)
    return fakes, fakes.generator(says(*texts))


def drop(
    fakes: FakeWorld,
    generator: FakeGenerator,
    content: bytes | str = "hoo hoo",
    name: str = "birds/letter.txt",
) -> ObjectArrived:
    event = fakes.documents.put(name, content)
    fakes.clock.advance(1)
    process(event, fakes.world, generator)
    return event


def test_an_answer_that_all_samples_agree_on_is_accepted() -> None:
    fakes, generator = stage("owl")
    event = drop(fakes, generator)
    result = fakes.results.json(RESULT)
    assert result["status"] == "accepted"
    assert (result["answer"], result["confidence"]) == ("owl", 1.0)
    assert result["tally"] == {"owl": 4}
    assert result["generation"] == event.generation
    assert fakes.results.names() == [RESULT]


def test_an_answer_says_where_it_comes_from() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator)
    provenance = fakes.results.json(RESULT)["provenance"]
    assert provenance["document"] == "gs://documents/birds/letter.txt"
    assert provenance["champion"] == "tuned-e4-m1-a1"
    assert provenance["model"] == ENDPOINT
    assert provenance["dataset"] == "dataset1"
    assert (provenance["samples"], provenance["temperature"]) == (4, 0.7)
    assert provenance["stop_at"] == 0.95
    assert provenance["characters"] == len("hoo hoo")


def test_an_answer_says_how_long_it_took_and_what_it_cost() -> None:
    fakes, generator = stage("owl")
    crown(fakes, base_model="gemini-3.5-flash-lite")
    generator.seconds = iter([0.25])
    drop(fakes, generator)
    provenance = fakes.results.json(RESULT)["provenance"]
    model = base_models()["gemini-3.5-flash-lite"]
    read, written = provenance["prompt_tokens"], provenance["answer_tokens"]
    assert read > written == 5
    price = (read * model.input_price + written * model.output_price) / 1_000_000
    assert provenance["usd"] == pytest.approx(price, abs=1e-9)
    assert provenance["seconds"] == 0.25


def test_an_answer_in_parts_took_and_cost_what_all_parts_did() -> None:
    task = Task.model_validate(
        {
            **TASK.model_dump(),
            "serving": {"long_documents": "split", "max_document_characters": 100},
        }
    )
    fakes, generator = stage("owl", task=task)
    crown(fakes, task, base_model="gemini-3.5-flash-lite")
    generator.seconds = iter([0.25, 0.5])
    drop(fakes, generator, "hoo hoo. " * 20)
    provenance = fakes.results.json(RESULT)["provenance"]
    assert (provenance["parts"], provenance["seconds"]) == (2, 0.75)
    assert provenance["answer_tokens"] == 10
    assert provenance["usd"] > 0


def test_an_answer_of_a_model_without_a_price_has_none() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator)
    assert fakes.results.json(RESULT)["provenance"]["usd"] is None


def test_an_answer_is_published_without_a_word_of_the_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator, "a secret letter")
    (fact,) = fakes.publisher.facts("document-answered")
    assert fact["details"] == {
        "result": RESULT,
        "status": "accepted",
        "confidence": 1.0,
        "provisional": False,
    }
    assert "secret" not in json.dumps(fakes.publisher.messages) + capsys.readouterr().out


def test_doubtful_answers_are_marked_for_review_and_keep_their_text() -> None:
    fakes, generator = stage(*DOUBT)
    drop(fakes, generator)
    result = fakes.results.json(RESULT)
    assert (result["status"], result["answer"], result["confidence"]) == ("review", "owl", 0.4)
    assert result["text"] == "hoo hoo"
    (marker,) = fakes.artifacts.names(REVIEWS)
    assert fakes.artifacts.json(marker)["event"] == {"document": "birds/letter.txt"}


def test_an_answer_that_nobody_needs_to_review_keeps_no_text() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator)
    assert fakes.results.json(RESULT)["text"] == ""
    assert fakes.artifacts.names(REVIEWS) == []


def test_samples_that_are_no_answers_go_to_review_with_the_reason() -> None:
    fakes, generator = stage("I would rather not say")
    drop(fakes, generator)
    result = fakes.results.json(RESULT)
    assert (result["status"], result["answer"], result["confidence"]) == ("review", None, 0.0)
    assert "No sample was an answer" in result["reason"]


def test_the_model_is_asked_as_it_was_taught() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator)
    ((model, prompt, sampling),) = generator.asked
    assert model == ENDPOINT
    assert prompt.turns == (("user", "hoo hoo"),)
    assert prompt.schema is None
    assert (sampling.samples, sampling.temperature) == (5, 0.7)


def test_a_prompting_champion_shows_its_examples() -> None:
    fakes, generator = stage("owl")
    crown(fakes, kind="prompting")
    record = json.loads(fakes.artifacts.content(paths.champion("birds")))
    shot = Shot(text="caw", answer="crow").model_dump(mode="json")
    record["candidate"]["shots"] = [shot]
    fakes.artifacts.put(paths.champion("birds"), json.dumps(record))
    drop(fakes, generator)
    ((_, prompt, _),) = generator.asked
    assert prompt.turns == (("user", "caw"), ("model", "crow"), ("user", "hoo hoo"))


def test_the_same_document_is_sampled_with_the_same_seed() -> None:
    seeds = []
    for _ in range(2):
        fakes, generator = stage("owl")
        drop(fakes, generator)
        seeds.append(generator.asked[0][2].seed)
    assert seeds[0] == seeds[1]


def test_serving_follows_the_task_as_it_is_now() -> None:
    fakes, generator = stage("owl", "owl", "crow")
    now = Task.model_validate(
        {**TASK.model_dump(), "serving": {"samples": 3, "review_below": 0.9, "temperature": 1.5}}
    )
    record = TaskRecord(name="birds", task=now, source="task.yaml", source_generation=1)
    create(fakes.artifacts, paths.task_record("birds"), record)
    drop(fakes, generator)
    assert generator.asked[0][2].samples == 3
    assert generator.asked[0][2].temperature == 1.5
    assert fakes.results.json(RESULT)["status"] == "review"


def test_fields_are_answered_with_a_confidence_each() -> None:
    task = Task.model_validate({"type": "extraction", "fields": ["place", "date"]})
    fakes, generator = stage(
        '{"place":"mill","date":"May"}', '{"place":"mill","date":null}', task=task
    )
    drop(fakes, generator)
    result = fakes.results.json(RESULT)
    assert result["answer"] == {"place": "mill", "date": "May"}
    assert result["field_confidences"] == {"place": 1.0, "date": 0.6}
    assert result["confidence"] == 0.6


def test_a_second_delivery_asks_the_model_nothing() -> None:
    fakes, generator = stage("owl")
    event = drop(fakes, generator)
    before = fakes.results.generation(RESULT)
    for _ in range(3):
        process(event, fakes.world, generator)
    assert len(generator.asked) == 1
    assert fakes.results.generation(RESULT) == before
    facts = fakes.publisher.facts("document-answered")
    assert {fact["details"]["result"] for fact in facts} == {RESULT}


def test_a_newer_generation_replaces_the_answer() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator)
    second = drop(fakes, generator, "caw caw")
    assert generator.texts() == ["hoo hoo", "caw caw"]
    assert fakes.results.json(RESULT)["generation"] == second.generation


def test_an_older_generation_is_left_to_its_successor() -> None:
    fakes, generator = stage("owl")
    older = fakes.documents.put("birds/letter.txt", "hoo")
    newer = drop(fakes, generator, "caw")
    process(older, fakes.world, generator)
    assert generator.texts() == ["caw"]
    assert fakes.results.json(RESULT)["generation"] == newer.generation


def overtaken(first: str, second: str) -> FakeWorld:
    """Let a newer generation be answered while the model still thinks about the older one."""
    fakes = fake_world()
    crown(fakes)
    quick = fakes.generator(says(second))

    def slow(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
        if prompt.turns[-1][1] == "old text":
            event = fakes.documents.put("birds/letter.txt", "new text")
            process(event, fakes.world, quick)
        return says(*first.split("|"))(model, prompt, sampling)

    drop(fakes, FakeGenerator(slow), "old text")
    return fakes


def test_an_answer_that_was_overtaken_never_overwrites_the_newer_one() -> None:
    fakes = overtaken("crow", "owl")
    assert fakes.results.json(RESULT)["answer"] == "owl"


def test_a_doubtful_answer_that_was_overtaken_is_not_marked_for_review() -> None:
    fakes = overtaken("|".join(DOUBT), "owl")
    assert fakes.artifacts.names(REVIEWS) == []


def test_a_document_that_is_gone_is_not_answered() -> None:
    fakes, generator = stage("owl")
    event = fakes.documents.put("birds/letter.txt", "hoo")
    fakes.documents.delete("birds/letter.txt")
    process(event, fakes.world, generator)
    fakes.faults.fail("read documents", NotFound("x"))
    drop(fakes, generator)
    assert generator.asked == []
    assert fakes.results.names() == []


def test_a_document_without_a_champion_waits_and_is_answered_once_there_is_one() -> None:
    fakes = fake_world()
    generator = fakes.generator(says("owl"))
    drop(fakes, generator)
    waiting = fakes.results.json(RESULT)
    assert waiting["status"] == "waiting"
    assert "birds/<file>" in waiting["remedy"]
    assert len(fakes.artifacts.names("open/document/birds/")) == 1
    assert generator.asked == []
    crown(fakes)
    watch(fakes.world, fakes.tuning)
    (data,) = fakes.publisher.on("document-arrived")
    process(message("document-arrived", **data), fakes.world, generator)
    assert fakes.results.json(RESULT)["status"] == "accepted"
    assert fakes.artifacts.names("open/") == []


def rejected(fakes: FakeWorld, name: str = RESULT) -> dict[str, Any]:
    result: dict[str, Any] = fakes.results.json(name)
    assert result["status"] == "rejected"
    assert result["reason"]
    return result


def test_a_document_that_cannot_be_read_gets_a_result_that_says_so() -> None:
    fakes, generator = stage("owl")
    with pytest.raises(Rejected, match="no PDF"):
        drop(fakes, generator, b"%PDF-1.7")
    result = rejected(fakes)
    assert "no PDF" in result["reason"]
    assert result["remedy"]
    assert generator.asked == []


def test_a_document_larger_than_the_task_takes_is_rejected_unread() -> None:
    fakes, generator = stage("owl")
    with pytest.raises(Rejected, match="bytes; the task takes"):
        drop(fakes, generator, "a" * 1_000_001)
    rejected(fakes)
    assert "read documents" not in fakes.faults.calls


def test_a_document_that_the_model_refuses_is_rejected_with_its_reason() -> None:
    fakes, generator = stage("owl")
    fakes.faults.fail("generate", Rejected("blocked by a filter"))
    with pytest.raises(Rejected):
        drop(fakes, generator)
    assert "blocked by a filter" in rejected(fakes)["reason"]


def test_a_rejected_document_is_not_looked_at_again_until_it_is_replaced() -> None:
    fakes, generator = stage("owl")
    with pytest.raises(Rejected):
        drop(fakes, generator, b"%PDF-1.7")
    event = ObjectArrived("documents", "birds/letter.txt", 1)
    process(event, fakes.world, generator)
    rejected(fakes)
    drop(fakes, generator)
    assert fakes.results.json(RESULT)["status"] == "accepted"


def test_a_busy_model_leaves_no_result_and_is_asked_again() -> None:
    fakes, generator = stage("owl")
    fakes.faults.fail("generate", Retry("busy"))
    event = fakes.documents.put("birds/letter.txt", "hoo")
    with pytest.raises(Retry):
        process(event, fakes.world, generator)
    assert fakes.results.names() == []
    process(event, fakes.world, generator)
    assert fakes.results.json(RESULT)["status"] == "accepted"


@pytest.mark.parametrize("name", ["letter.txt", "Birds/letter.txt", "../letter.txt"])
def test_a_document_outside_of_a_tasks_folder_is_rejected(name: str) -> None:
    fakes, generator = stage("owl")
    with pytest.raises(Rejected):
        drop(fakes, generator, name=name)
    assert fakes.results.names() == []


def test_making_a_folder_is_nothing_to_answer() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator, name="birds/")
    assert fakes.results.names() == []
    assert generator.asked == []


def test_the_folder_of_reviews_is_reserved() -> None:
    fakes, generator = stage("owl")
    with pytest.raises(Rejected, match="'review'"):
        drop(fakes, generator, name="birds/review/letter.txt")
    assert generator.asked == []


def test_a_document_in_the_folder_of_reviews_leaves_the_reviews_alone() -> None:
    fakes, generator = stage(*DOUBT)
    with pytest.raises(Rejected):
        drop(fakes, generator, name="birds/review/2026-11-01.jsonl")
    assert fakes.results.names() == []


def test_a_folder_is_nothing_to_answer() -> None:
    fakes, generator = stage("owl")
    drop(fakes, generator, b"", "birds/more/")
    assert fakes.results.names() == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"bucket": "documents", "name": "birds/a"},
        {"bucket": "documents", "name": "birds/a", "generation": "x"},
        {"bucket": "documents", "name": "birds/a", "generation": None},
        {"bucket": "elsewhere", "name": "birds/a", "generation": "1"},
    ],
)
def test_a_message_that_names_no_document_is_rejected(data: dict[str, Any]) -> None:
    fakes, generator = stage("owl")
    with pytest.raises(Rejected):
        process(message("document-arrived", **data), fakes.world, generator)
    assert fakes.results.names() == []


def crash_at_every_point(*texts: str) -> list[FakeWorld]:
    worlds: list[FakeWorld] = []
    crashed = True
    while crashed:
        fakes, generator = stage(*texts)
        event = fakes.documents.put("birds/letter.txt", "hoo")
        fakes.faults.crash_at = len(worlds) + 1
        crashed = False
        for _ in range(2):
            try:
                process(event, fakes.world, generator)
            except Crash:
                crashed = True
        worlds.append(fakes)
    assert len(worlds) > 10
    return worlds


def test_a_crash_at_any_call_ends_in_one_answer_when_delivered_again() -> None:
    for fakes in crash_at_every_point("owl"):
        assert fakes.results.json(RESULT)["status"] == "accepted"


def test_a_crash_at_any_call_ends_with_one_mark_for_review_when_delivered_again() -> None:
    for fakes in crash_at_every_point(*DOUBT):
        assert len(fakes.artifacts.names(REVIEWS)) == 1


def test_a_crash_at_any_call_ends_with_the_fact_when_delivered_again() -> None:
    for fakes in crash_at_every_point("owl"):
        assert fakes.publisher.facts("document-answered")
