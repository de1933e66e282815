"""What people correct in review files becomes examples of the next dataset, on fakes."""

import json
from typing import Any

import pytest

from functions.convert_dataset.upload import handle_upload
from functions.watch_jobs.watch import watch
from shared.current import current_dataset
from shared.errors import Rejected
from shared.prompts import example_of_line
from shared.records import DatasetRecord
from tests.fakes import FakeWorld, fake_world
from tests.unit.test_intake_upload import NAMES, as_csv, split_lines, table, upload
from tests.unit.test_process import DOUBT, drop, stage

FILE = "birds/corrections/monday.jsonl"


def line(number: int, correction: object, **more: object) -> dict[str, object]:
    return {
        "document": f"birds/letter-{number}.txt",
        "generation": 7,
        "text": f"letter {number}: what was that call in the night?",
        "answer": "owl",
        "correction": correction,
        **more,
    }


def jsonl(*lines: object) -> str:
    return "".join(f"{json.dumps(item)}\n" for item in lines)


def labelled(rows: list[tuple[str, str]] | None = None) -> FakeWorld:
    fakes = fake_world()
    upload(fakes, as_csv(rows or table()))
    return fakes


def records(fakes: FakeWorld) -> list[DatasetRecord]:
    names = [name for name in fakes.artifacts.names("tasks/") if name.endswith("/dataset.json")]
    found = [DatasetRecord.model_validate(fakes.artifacts.json(name)) for name in names]
    return sorted(found, key=lambda item: item.created)


def examples(fakes: FakeWorld, record: DatasetRecord) -> dict[str, tuple[Any, str]]:
    """Return text -> (answer, split)."""
    return {
        example.text: (example.answer, split)
        for split in NAMES[:3]
        for item in split_lines(fakes, record, split)
        if (example := example_of_line(record.task, item))
    }


def quarantine(fakes: FakeWorld, record: DatasetRecord) -> list[tuple[str, str]]:
    return [(item["reason"], item["detail"]) for item in split_lines(fakes, record, "quarantine")]


def announced(fakes: FakeWorld) -> list[str]:
    return [item["dataset"] for item in fakes.publisher.on("dataset-converted")]


def test_the_loop_ends_with_the_corrected_document_in_the_next_dataset() -> None:
    fakes, generator = stage(*DOUBT)
    upload(fakes, as_csv(table()))
    drop(fakes, generator, "Was that you, in the barn?")
    watch(fakes.world, fakes.tuning)
    (found,) = fakes.results.json_lines("birds/review/2026-11-01.jsonl")
    upload(fakes, jsonl({**found, "correction": "crow"}), FILE)
    before, after = records(fakes)
    assert "Was that you, in the barn?" not in examples(fakes, before)
    assert examples(fakes, after)["Was that you, in the barn?"][0] == "crow"
    assert (before.corrections, after.corrections) == (0, 1)
    assert after.rows == before.rows + 1
    assert announced(fakes) == [before.id, after.id]
    assert "1 correction was added" in after.explanation[-1]


def test_lines_that_nobody_corrected_change_nothing() -> None:
    fakes = labelled()
    upload(fakes, jsonl(line(1, ""), line(2, None), line(3, "  ")), FILE)
    assert len(records(fakes)) == len(announced(fakes)) == 1


def test_the_same_corrections_again_are_the_same_dataset() -> None:
    fakes = labelled()
    event = upload(fakes, jsonl(line(1, "crow")), FILE)
    handle_upload(event, fakes.world)
    upload(fakes, jsonl(line(9, ""), line(1, "crow")), "birds/corrections/again.jsonl")
    assert len(records(fakes)) == len(announced(fakes)) == 2


def test_a_late_second_delivery_of_an_older_file_makes_no_dataset() -> None:
    fakes = fake_world()
    old = upload(fakes, as_csv(table(100)), "birds/old.csv")
    upload(fakes, as_csv(table(120)), "birds/new.csv")
    upload(fakes, jsonl(line(1, "crow")), FILE)
    handle_upload(old, fakes.world)
    assert [item.source_object for item in records(fakes)] == [
        "birds/old.csv",
        "birds/new.csv",
        "birds/new.csv",
    ]


def test_a_new_labelled_file_takes_the_corrections_along() -> None:
    fakes = labelled()
    upload(fakes, jsonl(line(1, "crow")), FILE)
    upload(fakes, as_csv(table(160)), "birds/more.csv")
    last = records(fakes)[-1]
    assert (last.source_object, last.corrections) == ("birds/more.csv", 1)


def test_a_latest_file_that_is_rejected_gives_way_to_the_one_before_it() -> None:
    fakes = labelled()
    with pytest.raises(Rejected):
        upload(fakes, "no labels here", "birds/broken.csv")
    upload(fakes, jsonl(line(1, "crow")), FILE)
    last = records(fakes)[-1]
    assert (last.source_object, last.corrections) == ("birds/data.csv", 1)


def test_corrections_without_a_labelled_file_wait_for_one() -> None:
    fakes = fake_world()
    with pytest.raises(Rejected, match=r"no labelled file to add them to.*taken along"):
        upload(fakes, jsonl(line(1, "crow")), FILE)
    upload(fakes, as_csv(table()))
    (record,) = records(fakes)
    assert record.corrections == 1


def test_a_second_review_of_a_document_replaces_the_first() -> None:
    fakes = labelled()
    upload(fakes, jsonl(line(1, "crow"), line(2, "crow")), FILE)
    upload(fakes, jsonl(line(1, "owl")), "birds/corrections/a-later-one.jsonl")
    last = records(fakes)[-1]
    assert last.corrections == 2
    assert examples(fakes, last)[str(line(1, "")["text"])][0] == "owl"


def test_of_two_documents_with_one_text_the_later_correction_counts() -> None:
    fakes = labelled()
    upload(fakes, jsonl(line(1, "crow", text="Who?"), line(2, "owl", text="who?")), FILE)
    last = records(fakes)[-1]
    assert last.corrections == 1
    assert examples(fakes, last)["who?"][0] == "owl"


def test_a_correction_wins_over_the_labelled_file() -> None:
    fakes = labelled()
    wrong = table()[4]
    upload(fakes, jsonl(line(1, "crow", text=wrong[0].upper())), FILE)
    last = records(fakes)[-1]
    assert wrong[1] == "owl"
    assert examples(fakes, last)[wrong[0].upper()][0] == "crow"
    assert wrong[0] not in examples(fakes, last)
    ((reason, detail),) = quarantine(fakes, last)
    assert reason == "corrected"
    assert detail == "its text has a correction: corrections/monday.jsonl line 1"


def test_most_corrections_are_for_training_and_a_share_for_test_but_none_for_validation() -> None:
    fakes = labelled()
    before = examples(fakes, records(fakes)[0])
    lines = [line(number, ("owl", "crow")[number % 2]) for number in range(400)]
    for number, item in enumerate(lines):
        item["text"] = f"{number * 7919} {number * 104729} was heard {number * 1299709} times"
    upload(fakes, jsonl(*lines), FILE)
    after = examples(fakes, records(fakes)[-1])
    splits = [after[str(item["text"])][1] for item in lines]
    assert splits.count("validation") == 0
    assert 0.12 < splits.count("test") / len(lines) < 0.28
    assert {text: after[text] for text in before} == before


def test_a_correction_of_a_near_copy_is_in_the_split_of_the_text_it_copies() -> None:
    fakes = labelled()
    before = examples(fakes, records(fakes)[0])
    chosen = {split: text for text, (_, split) in before.items()}
    lines = [line(n, "owl", text=f"{chosen[s]}!!") for n, s in enumerate(NAMES[:3])]
    upload(fakes, jsonl(*lines), FILE)
    after = examples(fakes, records(fakes)[-1])
    assert [after[str(item["text"])][1] for item in lines] == list(NAMES[:3])


def test_a_label_that_the_task_does_not_have_is_set_aside_with_place_and_remedy() -> None:
    fakes = labelled()
    upload(fakes, jsonl(line(1, "crow"), line(2, "crwo")), FILE)
    last = records(fakes)[-1]
    assert last.corrections == 1
    ((reason, detail),) = quarantine(fakes, last)
    assert reason == "unknown label"
    assert detail == (
        "corrections/monday.jsonl line 2: 'crwo' is not declared; did you mean 'crow'? "
        "Correct it, and upload the file again; the labels are crow, owl"
    )


def test_corrections_that_are_all_wrong_are_rejected_and_the_dataset_stays() -> None:
    fakes = labelled()
    with pytest.raises(Rejected, match=r"monday.jsonl line 1: 'eagle' is not declared"):
        upload(fakes, jsonl(line(1, "eagle")), FILE)
    assert len(records(fakes)) == len(announced(fakes)) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"document;correction\n", r"monday.jsonl line 1 is not JSON"),
        (b'{"correction": "owl"}\n', "names no document"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (rb'{"document": "a", "text": "\ud800", "correction": "owl"}', "half of a surrogate pair"),
    ],
)
def test_a_file_that_is_no_review_file_is_rejected_and_the_dataset_stays(
    content: bytes, why: str
) -> None:
    fakes = labelled()
    with pytest.raises(Rejected, match=why):
        upload(fakes, content, FILE)
    assert len(records(fakes)) == len(announced(fakes)) == 1


def test_a_document_without_a_text_is_set_aside_until_somebody_writes_it_in() -> None:
    fakes = labelled()
    upload(fakes, jsonl(line(1, "crow"), line(2, "crow", text="")), FILE)
    ((reason, detail),) = quarantine(fakes, records(fakes)[-1])
    assert reason == "no text"
    assert "line 2 has no text" in detail
    assert "Write the document's text into `text`" in detail


def extraction(*corrections: object) -> FakeWorld:
    fakes = fake_world()
    fakes.datasets.put("birds/task.yaml", "type: extraction\nfields: [bird, place]\n")
    rows = [
        {"text": f"sighting {n} at dawn", "bird": f"bird{n}", "place": f"place{n}"}
        for n in range(120)
    ]
    upload(fakes, jsonl(*rows), "birds/data.jsonl")
    answer = {"bird": "owl", "place": "barn"}
    lines = [line(n, item, answer=answer) for n, item in enumerate(corrections)]
    upload(fakes, jsonl(*lines), FILE)
    return fakes


def test_fields_that_a_correction_leaves_out_are_as_they_were_answered() -> None:
    fakes = extraction({"place": "church"}, {"bird": None})
    found = examples(fakes, records(fakes)[-1])
    answers = [found[str(line(number, "")["text"])][0] for number in range(2)]
    assert answers == [{"bird": "owl", "place": "church"}, {"bird": None, "place": "barn"}]


def test_a_field_that_the_task_does_not_have_is_set_aside_with_place_and_remedy() -> None:
    fakes = extraction({"place": "church"}, {"plaice": "church"}, "church")
    found = quarantine(fakes, records(fakes)[-1])
    assert [reason for reason, _ in found] == ["unknown field", "no fields"]
    assert "monday.jsonl line 2: 'plaice' is not declared; did you mean 'place'?" in found[0][1]
    assert "the fields are bird, place" in found[0][1]


def test_several_labels_are_corrected_with_a_list_and_an_empty_list_means_none() -> None:
    fakes = fake_world()
    fakes.datasets.put(
        "birds/task.yaml", "type: classification\nmulti_label: true\nlabels: [owl, crow]\n"
    )
    rows = [{"text": text, "labels": [label]} for text, label in table()]
    upload(fakes, jsonl(*rows), "birds/data.jsonl")
    upload(fakes, jsonl(line(1, ["owl", "crow"]), line(2, []), line(3, "crow")), FILE)
    found = examples(fakes, records(fakes)[-1])
    answers = [found[str(line(number, "")["text"])][0] for number in (1, 2, 3)]
    assert answers == [["owl", "crow"], [], ["crow"]]


def test_a_new_task_file_converts_the_latest_file_with_its_corrections_and_older_ones_without() -> (
    None
):
    fakes = fake_world()
    upload(fakes, as_csv(table(100)), "birds/old.csv")
    upload(fakes, as_csv(table(120)), "birds/new.csv")
    upload(fakes, jsonl(line(1, "crow")), FILE)
    count = len(records(fakes))
    event = fakes.datasets.put("birds/task.yaml", "type: classification\nlabels: [owl, crow]\n")
    handle_upload(event, fakes.world)
    made = records(fakes)[count:]
    assert {(item.source_object, item.corrections) for item in made} == {
        ("birds/old.csv", 0),
        ("birds/new.csv", 1),
    }
    latest = next(item for item in made if item.corrections)
    assert announced(fakes)[-1] == latest.id
    assert current_dataset(fakes.artifacts, "birds") == latest
