"""From an upload to a dataset, on fakes."""

import csv
import io
import json
import random
from datetime import datetime
from typing import Any

import pytest

from functions.convert_dataset.upload import handle_upload
from shared.errors import Rejected, Retry
from shared.events import ObjectArrived
from shared.prompts import example_of_line
from shared.records import DatasetRecord
from tests.fakes import Crash, FakeClock, FakeWorld, fake_settings, fake_world, message

NAMES = ("train", "validation", "test", "quarantine")


def table(count: int = 120, labels: tuple[str, ...] = ("owl", "crow")) -> list[tuple[str, str]]:
    return [(f"bird number {n}, seen at dawn", labels[n % len(labels)]) for n in range(count)]


def as_csv(rows: list[tuple[str, str]], header: str = "text,label") -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return f"{header}\n{stream.getvalue()}"


def upload(fakes: FakeWorld, content: bytes | str, name: str = "birds/data.csv") -> ObjectArrived:
    event = fakes.datasets.put(name, content)
    fakes.clock.advance(1)
    handle_upload(event, fakes.world)
    return event


def datasets(fakes: FakeWorld) -> list[DatasetRecord]:
    names = [name for name in fakes.artifacts.names("tasks/") if name.endswith("/dataset.json")]
    return [DatasetRecord.model_validate(fakes.artifacts.json(name)) for name in names]


def split_lines(fakes: FakeWorld, record: DatasetRecord, split: str) -> list[Any]:
    folder = f"tasks/{record.task_name}/datasets/{record.id}"
    return list(fakes.artifacts.json_lines(f"{folder}/{split}.jsonl"))


def test_an_upload_becomes_a_dataset_that_accounts_for_every_row() -> None:
    fakes = fake_world()
    rows = [*table(), ("", "owl"), ("bird number 3, seen at dawn", "crow"), ("unsure", "")]
    upload(fakes, as_csv(rows))
    (record,) = datasets(fakes)
    assert record.rows == 123
    assert record.quarantined == 3
    assert record.quarantined_by_reason == {"no text": 1, "exact-duplicates": 1, "no label": 1}
    assert sum(record.counts.values()) == 120
    for split, count in record.counts.items():
        assert len(split_lines(fakes, record, split)) == count > 0
    assert record.task.type == "classification"
    assert record.task.label_names == ("crow", "owl")
    assert record.training_tokens > 0


def test_every_example_is_in_one_split_with_its_own_answer() -> None:
    fakes = fake_world()
    upload(fakes, as_csv(table()))
    (record,) = datasets(fakes)
    found = [
        example_of_line(record.task, line)
        for split in NAMES[:3]
        for line in split_lines(fakes, record, split)
    ]
    assert sorted((example.text, example.answer) for example in found) == sorted(table())


def test_counts_of_labels_add_up_to_the_splits() -> None:
    fakes = fake_world()
    upload(fakes, as_csv(table()))
    (record,) = datasets(fakes)
    for split, count in record.counts.items():
        assert sum(found[split] for found in record.labels.values()) == count


def test_quarantined_rows_keep_their_line_reason_and_content() -> None:
    fakes = fake_world()
    rows = [*table(60), ("", "owl"), ("two\nlines", ""), ("bird number 0, seen at dawn", "crow")]
    upload(fakes, as_csv(rows))
    (record,) = datasets(fakes)
    lines = split_lines(fakes, record, "quarantine")
    assert [(line["line"], line["reason"]) for line in lines] == [
        (2, "conflicting-labels"),
        (62, "no text"),
        (63, "no label"),
        (65, "conflicting-labels"),
    ]
    assert lines[3]["detail"].endswith("line 2")
    assert lines[2]["row"] == {"text": "two\nlines", "label": ""}


def test_lines_that_could_not_be_read_are_quarantined_without_a_row() -> None:
    fakes = fake_world()
    good = [json.dumps({"text": text, "label": label}) for text, label in table(60)]
    upload(fakes, "\n".join([*good[:30], '{"text": ', *good[30:]]), "birds/data.jsonl")
    (record,) = datasets(fakes)
    (line,) = split_lines(fakes, record, "quarantine")
    assert (line["line"], line["reason"], line["row"]) == (31, "not JSON", None)


def test_what_follows_is_published_and_marked_as_open() -> None:
    fakes = fake_world()
    upload(fakes, as_csv(table()))
    (record,) = datasets(fakes)
    wanted = {"task": "birds", "dataset": record.id}
    assert fakes.publisher.on("dataset-converted") == [wanted]
    assert fakes.artifacts.names("open/") == [f"open/dataset/birds/{record.id}.json"]
    (fact,) = fakes.publisher.facts("dataset-converted")
    assert fact["details"] == {
        "dataset": record.id,
        "rows": 120,
        "quarantined": 0,
        **record.counts,
    }


def test_no_text_of_the_upload_is_in_a_message_or_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fakes = fake_world()
    upload(fakes, as_csv([*table(), ("", "owl")]))
    assert "dawn" not in json.dumps(fakes.publisher.messages) + capsys.readouterr().out


def test_the_inferred_task_is_recorded_with_its_reasons() -> None:
    fakes = fake_world()
    upload(fakes, as_csv(table()))
    record = fakes.artifacts.json("tasks/birds/task.json")
    assert record["source"] == "inferred"
    assert any("no task.yaml" in sentence for sentence in record["explanation"])


def test_the_report_escapes_what_comes_from_the_file() -> None:
    fakes = fake_world()
    upload(fakes, as_csv([*table(60), ("<b>bold</b>", "<script>x</script>")] * 2))
    (record,) = datasets(fakes)
    page = fakes.artifacts.content(f"tasks/birds/datasets/{record.id}/report.html").decode()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_the_same_event_ten_times_is_one_dataset() -> None:
    fakes = fake_world()
    event = upload(fakes, as_csv(table()))
    before = {name: fakes.artifacts.generation(name) for name in fakes.artifacts.names("tasks/")}
    for _ in range(9):
        handle_upload(event, fakes.world)
    assert len(datasets(fakes)) == 1
    after = {name: fakes.artifacts.generation(name) for name in fakes.artifacts.names("tasks/")}
    assert after == before
    assert len(fakes.artifacts.names("open/")) == 1


def test_a_second_event_about_the_same_upload_announces_nothing() -> None:
    fakes = fake_world()
    task_file = upload(fakes, YAML, "birds/task.yaml")
    event = upload(fakes, as_csv(table()))
    for _ in range(3):
        handle_upload(task_file, fakes.world)
        handle_upload(event, fakes.world)
    assert len(fakes.publisher.on("dataset-converted")) == 1
    assert len(fakes.publisher.facts("dataset-converted")) == 1


def test_a_new_generation_is_a_new_dataset() -> None:
    fakes = fake_world()
    first = upload(fakes, as_csv(table()))
    upload(fakes, as_csv(table(100)))
    assert {record.rows for record in datasets(fakes)} == {120, 100}
    handle_upload(first, fakes.world)
    assert len(datasets(fakes)) == 2


def test_an_upload_that_was_replaced_meanwhile_is_left_to_its_successor() -> None:
    fakes = fake_world()
    event = fakes.datasets.put("birds/data.csv", as_csv(table()))
    fakes.datasets.put("birds/data.csv", as_csv(table()))
    handle_upload(event, fakes.world)
    fakes.datasets.delete("birds/data.csv")
    handle_upload(event, fakes.world)
    assert datasets(fakes) == []
    assert fakes.publisher.messages == []


def test_shuffled_rows_give_the_same_splits() -> None:
    found = []
    for seed in range(2):
        fakes = fake_world()
        upload(fakes, as_csv(random.Random(seed).sample(table(200), 200)))
        (record,) = datasets(fakes)
        found.append(
            {
                split: sorted(json.dumps(line) for line in split_lines(fakes, record, split))
                for split in NAMES
            }
        )
    assert found[0] == found[1]


YAML = "type: classification\nlabels: [owl, crow, heron]\ninstruction: Name the bird.\n"


def test_a_declared_task_is_used_and_recorded() -> None:
    fakes = fake_world()
    fakes.datasets.put("birds/task.yaml", YAML)
    upload(fakes, as_csv([*table(), ("a swan", "swan")]))
    (record,) = datasets(fakes)
    assert record.task.label_names == ("owl", "crow", "heron")
    assert record.quarantined_by_reason == {"unknown label": 1}
    assert fakes.artifacts.json("tasks/birds/task.json")["source"] == "task.yaml"
    (line, *_rest) = split_lines(fakes, record, "train")
    assert "Name the bird." in line["systemInstruction"]["parts"][0]["text"]


def test_a_new_task_file_converts_the_tasks_files_again() -> None:
    fakes = fake_world()
    upload(fakes, as_csv(table()))
    upload(fakes, as_csv(table(80)), "birds/more/second.csv")
    upload(fakes, as_csv(table()), "trees/data.csv")
    fakes.publisher.messages.clear()
    upload(fakes, YAML, "birds/task.yaml")
    of_birds = [record for record in datasets(fakes) if record.task_name == "birds"]
    assert len(of_birds) == 4
    (told,) = fakes.publisher.on("dataset-converted")
    assert told["dataset"] in {
        record.id for record in of_birds if record.source_object == "birds/more/second.csv"
    }
    assert sum(record.task.label_names == ("owl", "crow", "heron") for record in of_birds) == 2


def test_an_edit_of_policy_leaves_the_dataset_as_it_is_and_hands_it_on_again() -> None:
    fakes = fake_world()
    fakes.datasets.put("birds/task.yaml", YAML)
    upload(fakes, as_csv(table()))
    upload(fakes, YAML + "target: {value: 0.5}\nserving: {samples: 3}\n", "birds/task.yaml")
    (record,) = datasets(fakes)
    wanted = {"task": "birds", "dataset": record.id}
    assert fakes.publisher.on("dataset-converted") == [wanted, wanted]
    assert fakes.artifacts.json("tasks/birds/task.json")["task"]["target"]["value"] == 0.5


def test_an_edit_of_what_is_learnt_makes_another_dataset() -> None:
    fakes = fake_world()
    fakes.datasets.put("birds/task.yaml", YAML)
    upload(fakes, as_csv(table()))
    upload(fakes, YAML.replace("Name the bird", "Say which bird"), "birds/task.yaml")
    assert len(datasets(fakes)) == 2


def test_one_bad_file_does_not_keep_the_others_from_being_converted_again() -> None:
    fakes = fake_world()
    fakes.datasets.put("birds/a-bad.csv", "nothing useful")
    fakes.datasets.put("birds/b-good.csv", as_csv(table()))
    with pytest.raises(Rejected, match=r"a-bad\.csv"):
        upload(fakes, YAML, "birds/task.yaml")
    assert [record.source_object for record in datasets(fakes)] == ["birds/b-good.csv"]


def test_an_older_task_file_never_replaces_a_newer_record() -> None:
    fakes = fake_world()
    upload(fakes, YAML, "birds/task.yaml")
    newer = fakes.artifacts.json("tasks/birds/task.json")
    newer["source_generation"] = 10**9
    fakes.artifacts.put("tasks/birds/task.json", json.dumps(newer))
    upload(fakes, YAML.replace("heron", "swan"), "birds/task.yaml")
    assert fakes.artifacts.json("tasks/birds/task.json") == newer


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data.csv", as_csv(table()), "not in a task's folder"),
        ("Birds!/data.csv", as_csv(table()), "cannot be a task's name"),
        ("birds/data.csv", "", "empty"),
        ("birds/data.csv", "just some words\nin lines\n", "does not look like any"),
        ("birds/data.csv", as_csv(table(3)), "too few"),
        ("birds/data.csv", as_csv(table(60, ("owl",))), "Every example"),
        ("birds/data.csv", as_csv([]), "a header and no rows"),
        ("birds/data.csv", as_csv([(f"a bird {n}", f"l{n}") for n in range(60)]), "too many for"),
        ("birds/task.yaml", "type: tarot", "birds/task.yaml: type"),
        ("birds/task.yaml", b"\xff\xfe", "not UTF-8"),
        ("birds/task.yaml", b"#" * 1_000_001, "bytes"),
    ],
)
def test_an_upload_that_cannot_be_learnt_from_is_rejected_with_the_reason(
    name: str, content: bytes | str, said: str
) -> None:
    fakes = fake_world()
    with pytest.raises(Rejected) as caught:
        upload(fakes, content, name)
    assert said in caught.value.reason
    assert datasets(fakes) == []
    assert fakes.publisher.messages == []
    assert fakes.artifacts.names("open/") == []


LONG = "x" * 201


@pytest.mark.parametrize(
    "lines",
    [
        [{"text": f"t{n}", "label": ("owl", LONG)[n % 2]} for n in range(60)],
        [{"text": f"t{n}", "label": {LONG: "a"}} for n in range(60)],
        [{"text": f"t{n}", "label": {"": "a"}} for n in range(60)],
        [
            {
                "systemInstruction": {"parts": [{"text": "x" * 20_001}]},
                "contents": [
                    {"role": "user", "parts": [{"text": f"t{n}"}]},
                    {"role": "model", "parts": [{"text": ("owl", "crow")[n % 2]}]},
                ],
            }
            for n in range(60)
        ],
    ],
    ids=["long label", "long field", "field without a name", "long instruction"],
)
def test_data_that_no_task_can_be_made_of_is_rejected(lines: list[dict[str, object]]) -> None:
    fakes = fake_world()
    with pytest.raises(Rejected):
        upload(fakes, "\n".join(map(json.dumps, lines)), "birds/data.jsonl")


def test_answers_without_any_field_are_rejected() -> None:
    fakes = fake_world()
    lines = [json.dumps({"text": f"t{n}", "label": {}}) for n in range(60)]
    with pytest.raises(Rejected):
        upload(fakes, "\n".join(lines), "birds/data.jsonl")


def test_a_json_array_is_a_dataset_too() -> None:
    fakes = fake_world()
    content = json.dumps([{"text": text, "label": label} for text, label in table()], indent=1)
    upload(fakes, content, "birds/data.json")
    (record,) = datasets(fakes)
    assert sum(record.counts.values()) == 120


def test_events_about_something_else_are_rejected() -> None:
    fakes = fake_world()
    with pytest.raises(Rejected):
        handle_upload(message("dataset-uploaded", task="birds"), fakes.world)
    with pytest.raises(Rejected):
        handle_upload(ObjectArrived("elsewhere", "birds/a.csv", 1), fakes.world)


@pytest.mark.parametrize(
    "name",
    [
        "birds/more/",
        pytest.param(
            "birds/",
        ),
    ],
)
def test_a_folder_is_nothing_to_convert(name: str) -> None:
    fakes = fake_world()
    upload(fakes, b"", name)
    assert fakes.publisher.messages == []


def test_trouble_with_publishing_asks_for_another_delivery_which_ends_the_same() -> None:
    fakes = fake_world()
    fakes.faults.fail("publish dataset-converted", Retry("down"))
    event = fakes.datasets.put("birds/data.csv", as_csv(table()))
    with pytest.raises(Retry):
        handle_upload(event, fakes.world)
    handle_upload(event, fakes.world)
    assert len(datasets(fakes)) == 1
    assert len(fakes.publisher.on("dataset-converted")) == 1


def test_a_crash_at_any_call_leaves_a_whole_dataset_when_delivered_again() -> None:
    whole = fake_world()
    upload(whole, as_csv(table(40)))
    (wanted,) = datasets(whole)
    point = 0
    crashed = True
    while crashed:
        point += 1
        fakes = fake_world()
        event = fakes.datasets.put("birds/data.csv", as_csv(table(40)))
        fakes.faults.crash_at = point
        crashed = False
        for _ in range(2):
            try:
                handle_upload(event, fakes.world)
            except Crash:
                crashed = True
                for record in datasets(fakes):
                    assert len(split_lines(fakes, record, "train")) == record.counts["train"]
        (record,) = datasets(fakes)
        assert (record.id, record.counts) == (wanted.id, wanted.counts)
        assert fakes.publisher.on("dataset-converted")
        assert fakes.artifacts.names("open/dataset/birds/")
    assert point > 20


def test_fields_are_extracted_from_columns_without_a_task_file() -> None:
    fakes = fake_world()
    lines = [
        json.dumps({"text": f"party {n} at the mill", "name": f"party {n}", "place": "the mill"})
        for n in range(60)
    ]
    upload(fakes, "\n".join(lines), "parties/data.jsonl")
    (record,) = datasets(fakes)
    assert record.task.type == "extraction"
    assert record.task.field_names == ("name", "place")
    example = example_of_line(record.task, split_lines(fakes, record, "train")[0])
    assert isinstance(example.answer, dict)
    assert example.answer["place"] == "the mill"


def test_two_deliveries_at_once_leave_the_record_of_the_first() -> None:
    rivals: list[ObjectArrived] = []
    first: list[DatasetRecord] = []

    class Overtaken(FakeClock):
        """Lets another delivery finish while this one writes its files."""

        def __call__(self) -> datetime:
            if rivals:
                handle_upload(rivals.pop(), fakes.world)
                first.extend(datasets(fakes))
            self.advance(1)
            return super().__call__()

    fakes = FakeWorld(fake_settings(), Overtaken())
    event = fakes.datasets.put("birds/data.csv", as_csv(table()))
    rivals.append(event)
    handle_upload(event, fakes.world)
    assert len(first) == 1
    assert datasets(fakes) == first


def automl_lines(address: str) -> str:
    lines = [
        {"textGcsUri": address.format(n), "classificationAnnotation": {"displayName": label}}
        for n, label in enumerate(["owl", "crow"] * 60)
    ]
    return "\n".join(map(json.dumps, lines))


def test_texts_that_a_dataset_refers_to_are_read_from_its_own_bucket() -> None:
    fakes = fake_world()
    for n in range(120):
        fakes.datasets.put(f"birds/_texts/{n}.txt", f"bird number {n}, seen at dawn")
    upload(fakes, automl_lines(f"gs://{fakes.datasets.name}/birds/_texts/{{}}.txt"))
    (record,) = datasets(fakes)
    assert sum(record.counts.values()) == 120


def test_texts_of_another_bucket_are_not_read() -> None:
    fakes = fake_world()
    fakes.artifacts.put("secret/0.txt", "nobody else's business")
    with pytest.raises(Rejected) as caught:
        upload(fakes, automl_lines(f"gs://{fakes.artifacts.name}/secret/{{}}.txt"))
    assert "not in the bucket" in str(caught.value)


@pytest.mark.parametrize("name", ["birds/_texts/1.txt", "birds/.DS_Store", "birds/_SUCCESS"])
def test_objects_whose_names_begin_with_a_dot_or_a_line_are_no_datasets(name: str) -> None:
    fakes = fake_world()
    upload(fakes, "anything", name)
    assert datasets(fakes) == []
