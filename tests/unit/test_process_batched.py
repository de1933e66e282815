"""Tables of many documents are answered by batches, into the same results."""

import json
from typing import Any

import pytest

from functions.process_document import batched
from functions.process_document.process import process
from functions.process_document.table import MAX_ROWS
from functions.watch_jobs.watch import tick
from shared import paths
from shared.errors import Rejected, Retry
from shared.events import ObjectArrived
from shared.record_store import create, encode
from shared.records import TaskRecord
from tests.fakes import Crash, FakeGenerator, FakeWorld, fake_world, message
from tests.unit.test_process import ENDPOINT, TASK, crown
from tests.unit.test_process_tables import OWN, hears

TABLE = "id,text\n1,hoo hoo\n2,caw\n3,\n4,hoo hoo\n"
ROWS = [f"birds/letters.csv/{number}.json" for number in (1, 2, 3, 4)]


def stage(above: int | None = 3, **serving: Any) -> tuple[FakeWorld, FakeGenerator]:
    fakes = fake_world()
    crown(fakes, kind="prompting", base_model="gemini-3.5-flash-lite")
    fakes.batches.speak = hears
    policy = TASK.serving.model_copy(update={"batch_above": above, **serving})
    now = TASK.model_copy(update={"serving": policy})
    record = TaskRecord(name="birds", task=now, source="task.yaml", source_generation=9)
    create(fakes.artifacts, paths.task_record("birds"), record)
    return fakes, fakes.generator(hears)


def drop(fakes: FakeWorld, generator: FakeGenerator, content: str = TABLE) -> ObjectArrived:
    event = fakes.documents.put("birds/letters.csv", content)
    process(event, fakes.world, generator)
    return event


def goes_on(fakes: FakeWorld, generator: FakeGenerator) -> None:
    """Let the batch run and be followed, then deliver what wakes the table."""
    for _ in range(2):
        fakes.clock.advance(150)
        tick(fakes.world, fakes.tuning, fakes.batches)
        fakes.batches.end_all()
    for data in fakes.publisher.on("document-arrived")[-1:]:
        process(message("document-arrived", **data), fakes.world, generator)


def results(fakes: FakeWorld) -> dict[str, Any]:
    found = {name: fakes.results.json(name) for name in fakes.results.names("birds/letters.csv")}
    for record in found.values():
        record.pop("at")
        for key in ("batched", "seconds", "usd"):
            (record["provenance"] or {}).pop(key, None)
    return found


def texts_left(fakes: FakeWorld) -> list[str]:
    """Name what batches hold besides their records."""
    names = fakes.artifacts.names("tasks/birds/batches/")
    return [name for name in names if not name.endswith("/batch.json")]


def change_champion(fakes: FakeWorld, model: str) -> None:
    champion = fakes.artifacts.json(paths.champion("birds"))
    champion["candidate"]["model"] = model
    fakes.artifacts.put(paths.champion("birds"), json.dumps(champion))


def test_a_table_above_the_threshold_ends_in_the_same_results_through_a_batch() -> None:
    online, asked = stage(above=4)
    drop(online, asked)
    fakes, generator = stage()
    drop(fakes, generator)
    assert fakes.results.json(OWN)["status"] == "waiting"
    assert "batch" in fakes.results.json(OWN)["reason"]
    goes_on(fakes, generator)
    assert generator.asked == []
    assert len(fakes.batches.jobs) == 1
    assert list(results(fakes)) == sorted([*ROWS, OWN])
    assert [results(fakes)[name]["answer"] for name in ROWS] == ["owl", "crow", None, "owl"]
    strip = {"generation", "provenance"}
    for name, record in results(online).items():
        other = results(fakes)[name]
        assert {k: v for k, v in other.items() if k not in strip} == {
            k: v for k, v in record.items() if k not in strip
        }
    assert fakes.publisher.facts("document-divided") != []
    assert texts_left(fakes) == []
    assert fakes.artifacts.names("open/") == []


def test_an_answer_out_of_a_batch_says_so_and_costs_half() -> None:
    online, asked = stage(above=4)
    drop(online, asked)
    fakes, generator = stage()
    drop(fakes, generator)
    goes_on(fakes, generator)
    dear, cheap = (world.results.json(ROWS[0])["provenance"] for world in (online, fakes))
    assert (dear["batched"], cheap["batched"]) == (False, True)
    assert dear["prompt_tokens"] == cheap["prompt_tokens"]
    assert cheap["usd"] == pytest.approx(dear["usd"] / 2, rel=1e-3)


def test_a_second_delivery_while_the_batch_runs_asks_nothing_more() -> None:
    fakes, generator = stage()
    event = drop(fakes, generator)
    process(event, fakes.world, generator)
    goes_on(fakes, generator)
    process(event, fakes.world, generator)
    assert (len(fakes.batches.jobs), generator.asked) == (1, [])


def test_rows_that_the_batch_did_not_answer_are_asked_online() -> None:
    fakes, generator = stage()
    fakes.batches.blocked = "caw"
    drop(fakes, generator)
    goes_on(fakes, generator)
    assert generator.texts() == ["caw"]
    assert [results(fakes)[name]["answer"] for name in ROWS] == ["owl", "crow", None, "owl"]


def test_a_batch_that_is_refused_leaves_everything_to_be_asked_online() -> None:
    fakes, generator = stage()
    fakes.batches.refusal = "no batches here"
    drop(fakes, generator)
    goes_on(fakes, generator)
    assert len(generator.asked) == 3
    assert fakes.results.json(OWN)["status"] == "divided"


def test_a_table_that_was_replaced_meanwhile_is_answered_anew() -> None:
    fakes, generator = stage()
    drop(fakes, generator)
    newer = drop(fakes, generator, TABLE.replace("caw", "hoo"))
    assert len(fakes.artifacts.names("open/batch/")) == 2
    for _ in range(2):
        fakes.clock.advance(150)
        tick(fakes.world, fakes.tuning, fakes.batches)
        fakes.batches.end_all()
    for data in fakes.publisher.on("document-arrived"):
        process(message("document-arrived", **data), fakes.world, generator)
    assert {record["generation"] for record in results(fakes).values()} == {newer.generation}
    assert results(fakes)[ROWS[1]]["answer"] == "owl"
    assert generator.asked == []
    assert texts_left(fakes) == []


def test_of_a_table_that_was_deleted_meanwhile_no_text_is_left() -> None:
    fakes, generator = stage()
    drop(fakes, generator)
    fakes.documents.delete("birds/letters.csv")
    assert len(texts_left(fakes)) == 1
    goes_on(fakes, generator)
    assert (texts_left(fakes), generator.asked) == ([], [])


def test_of_a_table_that_its_task_refuses_meanwhile_no_text_is_left() -> None:
    fakes, generator = stage()
    drop(fakes, generator)
    record = TaskRecord.model_validate(fakes.artifacts.json(paths.task_record("birds")))
    policy = record.task.serving.model_copy(update={"max_document_bytes": 10})
    task = record.task.model_copy(update={"serving": policy})
    fakes.artifacts.put(
        paths.task_record("birds"), encode(record.model_copy(update={"task": task}))
    )
    with pytest.raises(Rejected):
        goes_on(fakes, generator)
    assert texts_left(fakes) == []


def test_of_a_table_that_another_champion_answers_no_text_is_left_once_both_batches_end() -> None:
    fakes, generator = stage()
    event = drop(fakes, generator)
    change_champion(fakes, "another")
    process(event, fakes.world, generator)
    tick(fakes.world, fakes.tuning, fakes.batches)
    slow = fakes.batches.requests.pop(0)
    goes_on(fakes, generator)
    assert results(fakes)[ROWS[0]]["provenance"]["model"] == "another"
    assert [name.split("/")[3] for name in texts_left(fakes)] == [slow.key]
    fakes.batches.requests.append(slow)
    goes_on(fakes, generator)
    assert (texts_left(fakes), generator.asked) == ([], [])
    assert results(fakes)[ROWS[0]]["provenance"]["model"] == "another"


def test_a_champion_that_comes_back_while_another_ones_batch_runs_answers_with_its_own() -> None:
    fakes, generator = stage()
    drop(fakes, generator)
    before = fakes.artifacts.content(paths.champion("birds"))
    change_champion(fakes, "another")
    goes_on(fakes, generator)
    assert fakes.results.json(OWN)["status"] == "waiting"
    fakes.artifacts.put(paths.champion("birds"), before)
    goes_on(fakes, generator)
    assert results(fakes)[ROWS[0]]["provenance"]["model"] == ENDPOINT
    assert (texts_left(fakes), generator.asked) == ([], [])


def test_a_shorter_table_that_is_answered_by_a_batch_forgets_the_rows_it_had_more() -> None:
    fakes, generator = stage()
    drop(fakes, generator, "id,text\n" + "".join(f"{n},hoo {n}\n" for n in range(6)))
    goes_on(fakes, generator)
    assert "birds/letters.csv/6.json" in results(fakes)
    drop(fakes, generator)
    goes_on(fakes, generator)
    assert list(results(fakes)) == sorted([*ROWS, OWN])


@pytest.mark.parametrize(
    ("above", "rows", "reason"),
    [
        (3, batched.MAX_ROWS + 1, "20,001 rows; 20,000 are taken"),
        (None, MAX_ROWS + 1, "1,001 rows; 1,000 are taken"),
    ],
)
def test_a_table_with_too_many_rows_is_rejected(above: int | None, rows: int, reason: str) -> None:
    fakes, generator = stage(above)
    with pytest.raises(Rejected, match=reason):
        drop(fakes, generator, "id,text\n" + "1,hoo\n" * rows)
    assert (fakes.artifacts.names("open/"), generator.asked) == ([], [])


@pytest.mark.slow
def test_a_crash_at_any_call_loses_no_row_and_makes_one_batch() -> None:
    wanted = results_of_a_whole_run()
    point = 1
    while True:
        fakes, generator = stage()
        fakes.faults.crash_at = fakes.faults.points + point
        event = fakes.documents.put("birds/letters.csv", TABLE)
        crashed = False
        for _ in range(3):
            try:
                process(event, fakes.world, generator)
                goes_on(fakes, generator)
            except (Crash, Retry):
                crashed = True
            else:
                break
        if not crashed:
            break
        found = {name: record["answer"] for name, record in results(fakes).items()}
        assert found == wanted, f"after a crash at point {point}"
        assert len(fakes.batches.jobs) == 1, f"after a crash at point {point}"
        point += 7
    assert point > 100


def results_of_a_whole_run() -> dict[str, Any]:
    fakes, generator = stage()
    drop(fakes, generator)
    goes_on(fakes, generator)
    return {name: record["answer"] for name, record in results(fakes).items()}
