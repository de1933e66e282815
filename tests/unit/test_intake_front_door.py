"""Whole files through the front door: any text, any bytes, and what is planted in a good file."""

import csv
import gzip
import io
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.convert_dataset.upload import handle_upload
from shared.errors import Rejected
from shared.prompts import example_of_line
from shared.records import DatasetRecord
from tests.fakes import FakeWorld, fake_world

SPLITS = ("train", "validation", "test")

Rows = list[tuple[str, str]]


def convert(content: bytes, task: str = "") -> tuple[DatasetRecord, dict[str, Any], FakeWorld]:
    """Upload a file; return its dataset's record and report."""
    fakes = fake_world()
    if task:
        fakes.datasets.put("birds/task.yaml", task)
    event = fakes.datasets.put("birds/data", content)
    handle_upload(event, fakes.world)
    (name,) = [name for name in fakes.artifacts.names("tasks/") if name.endswith("/dataset.json")]
    report = fakes.artifacts.json(name.replace("dataset.json", "report.json"))
    return DatasetRecord.model_validate(fakes.artifacts.json(name)), report, fakes


def as_csv(rows: Sequence[tuple[str, ...]], header: Sequence[str] = ("text", "label")) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([header, *rows])
    return stream.getvalue().encode()


def as_json_lines(rows: Rows) -> bytes:
    return "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows).encode()


PLACES = ["harbour", "mill", "bridge", "tower", "garden", "station", "market", "school", "castle"]
THINGS = ["letter", "bicycle", "umbrella", "ticket", "basket", "candle", "hammer", "blanket"]
OTHERS = ["lost", "found", "sold", "mended", "painted", "borrowed", "where", "when", "why", "how"]


def good_rows(count: int = 400) -> Rows:
    """Make a good file: two labels that the words tell, no text like another."""
    chance = random.Random(5)
    rows: Rows = []
    for number in range(count):
        label, names = (("things", THINGS), ("places", PLACES))[number % 2]
        words = [*chance.sample(names, 4), *chance.sample(OTHERS, 4)]
        rows.append((" ".join(chance.sample(words, 8)), label))
    return rows


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip),
        min_size=1,
        max_size=20,
        unique_by=lambda text: " ".join(text.split()).casefold(),
    ),
    st.sampled_from([as_csv, as_json_lines]),
)
def test_any_text_survives_the_way_into_tuning_lines(texts: list[str], write: Any) -> None:
    texts = [text for text in texts if "\0" not in text]
    rows = [*good_rows(120), *((f"{text}", "things") for text in texts)]
    known = {" ".join(text.split()).casefold() for text, _ in rows[:120]}
    rows = [
        row
        for number, row in enumerate(rows)
        if number < 120 or " ".join(row[0].split()).casefold() not in known
    ]
    record, _, fakes = convert(write(rows))
    folder = f"tasks/birds/datasets/{record.id}"
    found = [
        example_of_line(record.task, line)
        for split in SPLITS
        for line in fakes.artifacts.json_lines(f"{folder}/{split}.jsonl")
    ]
    assert sorted(found) == sorted((text.strip(), label) for text, label in rows)


def read_or_rejected(content: bytes) -> None:
    try:
        record, _, _ = convert(content)
    except Rejected:
        pass
    else:
        assert sum(record.counts.values()) + record.quarantined == record.rows


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=2000))
def test_any_bytes_end_in_a_dataset_or_a_rejection(content: bytes) -> None:
    read_or_rejected(content)


GOOD_FILES = [
    as_csv(good_rows(60)),
    as_json_lines(good_rows(60)),
    gzip.compress(as_csv(good_rows(60)), mtime=0),
    "\ufefftext\tlabel\n".encode("utf-16") + "eins\tzwei\n".encode("utf-16-le") * 40,
    as_csv(good_rows(60)).decode().replace("mill", "Mühle").encode("cp1252"),
]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_cut_and_spliced_files_end_in_a_dataset_or_a_rejection(data: st.DataObject) -> None:
    one, other = data.draw(st.sampled_from(GOOD_FILES)), data.draw(st.sampled_from(GOOD_FILES))
    first = one[: data.draw(st.integers(0, len(one)))]
    read_or_rejected(first + other[data.draw(st.integers(0, len(other))) :])


def test_nothing_is_found_in_a_good_file() -> None:
    record, report, _ = convert(as_csv(good_rows()))
    assert report["findings"] == []
    assert record.quarantined == 0
    assert sum(record.counts.values()) == 400


def planted_unusable(rows: Rows) -> Rows:
    return [*rows, ("", "things"), ("a text without a label", "")]


def planted_over_long(rows: Rows) -> Rows:
    return [*rows, ("许多字" * 70_000, "things")]


def planted_duplicates(rows: Rows) -> Rows:
    return [*rows, *rows[:3]]


def planted_near(rows: Rows) -> Rows:
    return [*rows, *((f"{text} again", label) for text, label in rows[:3])]


def planted_conflict(rows: Rows) -> Rows:
    return [*rows, (rows[0][0], "places")]


def planted_misspelling(rows: Rows) -> Rows:
    changed = [(text, "Things") for text, label in rows[:6] if label == "things"]
    return [*(row for row in rows if row[0] not in dict(changed)), *changed]


def planted_rare_label(rows: Rows) -> Rows:
    rare = ("It rains in March", "A fine spring week", "Snow and wind this autumn")
    return [*rows, *((text, "weather") for text in rare)]


def planted_imbalance(rows: Rows) -> Rows:
    return [row for number, row in enumerate(rows) if row[1] == "things" or number < 20]


def planted_script(rows: Rows) -> Rows:
    return [*rows, ("谁在港口丢了那封信和那把伞", "things"), ("有人在市场修好了自行车", "things")]


def planted_wrong_labels(rows: Rows) -> Rows:
    other = {"things": "places", "places": "things"}
    wrong = {text: other[label] for text, label in rows[7::50]}
    return [(text, wrong.get(text, label)) for text, label in rows]


def planted_personal_data(rows: Rows) -> Rows:
    extra = "please write to mary.sue@example.org, who found a candle in some old basket"
    return [*rows, (extra, "things")]


@pytest.mark.parametrize(
    ("plant", "checks"),
    [
        (planted_unusable, {"unusable-rows"}),
        (planted_over_long, {"over-long", "mixed-scripts"}),
        (planted_duplicates, {"exact-duplicates"}),
        (planted_near, {"near-duplicates"}),
        (planted_conflict, {"conflicting-labels"}),
        (planted_misspelling, {"similar-labels", "few-examples-per-label"}),
        (planted_rare_label, {"few-examples-per-label"}),
        (planted_imbalance, {"imbalance"}),
        (planted_script, {"mixed-scripts"}),
        (planted_wrong_labels, {"label-errors"}),
        (planted_personal_data, {"personal-data"}),
        (lambda rows: rows[:80], {"few-examples"}),
    ],
)
def test_what_is_planted_is_found_and_nothing_else(plant: Any, checks: set[str]) -> None:
    _, report, _ = convert(as_csv(plant(good_rows())))
    found = {finding["check"] for finding in report["findings"]}
    assert checks - {"mixed-scripts"} <= found or checks <= found
    assert found <= checks
    assert all(finding["count"] and finding["remedy"] for finding in report["findings"])


def test_a_leak_between_given_splits_is_found() -> None:
    good = enumerate(good_rows())
    rows = [(text, label, "test" if n % 4 == 0 else "train") for n, (text, label) in good]
    leaking = [(rows[1][0], rows[1][1], "test"), (rows[2][0], rows[2][1], "test")]
    header = ("text", "label", "split")
    _, clean, _ = convert(as_csv(rows, header))
    record, report, _ = convert(as_csv([*rows, *leaking], header))
    assert clean["findings"] == []
    assert [(found["check"], found["count"]) for found in report["findings"]] == [
        ("split-overlap", 2)
    ]
    assert record.counts["test"] == 102


def test_a_declared_label_that_never_comes_is_found() -> None:
    task = "type: classification\nlabels: [things, places, people]\n"
    _, report, _ = convert(as_csv(good_rows()), task)
    assert [found["check"] for found in report["findings"]] == ["missing-labels"]


def test_a_value_that_is_not_in_the_text_is_found() -> None:
    rows = [
        {"text": f"{text}, said number {n}", "label": {"number": str(n if n != 7 else 99_999)}}
        for n, (text, _) in enumerate(good_rows())
    ]
    content = "\n".join(map(json.dumps, rows)).encode()
    _, report, _ = convert(content)
    assert [(found["check"], found["count"]) for found in report["findings"]] == [
        ("values-not-in-text", 1)
    ]


def test_personal_data_are_counted_but_never_copied_into_the_report() -> None:
    _, report, fakes = convert(as_csv(planted_personal_data(good_rows())))
    assert "mary.sue" not in json.dumps(report)
    pages = [name for name in fakes.artifacts.names("tasks/") if name.endswith("report.html")]
    assert all(b"mary.sue" not in fakes.artifacts.read(name)[0] for name in pages)


def test_a_dataset_remembers_which_column_the_text_stood_in() -> None:
    record, _, _ = convert(as_csv(good_rows(), ("Meinung", "Urteil")))
    assert record.text_column == "Meinung"
    joined, _, _ = convert(
        as_csv([(text, "a note", label) for text, label in good_rows()], ("a", "b", "label")),
        "type: classification\ncolumns: {text: [a, b], label: label}\n",
    )
    assert joined.text_column == ""
