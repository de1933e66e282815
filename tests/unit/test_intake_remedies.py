"""What a person is told who made a small mistake: what it was, and words to paste."""

import io
import json
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl
import pytest

from docs.generators.intake_page import intake_page
from functions.convert_dataset.tally import declared_label
from functions.convert_dataset.upload import handle_upload
from shared.errors import Rejected
from tests.fakes import fake_world

Rows = Sequence[Mapping[str, object]]

FIELDS = "type: extraction\nfields: [vendor, totall]\n"


def convert(content: bytes | str, task: str = "", name: str = "data") -> dict[str, Any]:
    """Convert a file that is uploaded as it is; return its report."""
    fakes = fake_world()
    if task:
        fakes.datasets.put("birds/task.yaml", task)
    fakes.clock.advance(1)
    handle_upload(fakes.datasets.put(f"birds/{name}", content), fakes.world)
    (report,) = (name for name in fakes.artifacts.names("tasks/") if name.endswith("report.json"))
    found: dict[str, Any] = fakes.artifacts.json(report)
    return found


def rejection(content: bytes | str, task: str = "", name: str = "data") -> Rejected:
    """Convert a file that is rejected; return why."""
    with pytest.raises(Rejected) as caught:
        convert(content, task, name)
    return caught.value


def finding(report: dict[str, Any], check: str) -> dict[str, Any]:
    """Return a report's one finding of a check."""
    (found,) = (item for item in report["findings"] if item["check"] == check)
    return dict(found)


def as_json_lines(rows: Rows) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def receipts(count: int = 120) -> Rows:
    """Make rows of an extraction, a column for each field."""
    return [
        {"text": f"Shop {n} thanks you. Sum {n}.50", "vendor": f"Shop {n}", "total": f"{n}.50"}
        for n in range(count)
    ]


def test_a_field_that_no_row_has_is_an_error_with_the_column_that_was_meant() -> None:
    found = finding(convert(as_json_lines(receipts()), FIELDS), "missing-fields")
    assert found["severity"] == "error"
    assert found["summary"] == (
        "field 'totall' has no value in any of 120 rows; did you mean 'total'?"
    )
    assert "`fields`" in found["remedy"]


def test_the_page_puts_no_full_stop_behind_a_question() -> None:
    fakes = fake_world()
    fakes.datasets.put("birds/task.yaml", FIELDS)
    handle_upload(fakes.datasets.put("birds/data", as_json_lines(receipts())), fakes.world)
    (page,) = (name for name in fakes.artifacts.names("tasks/") if name.endswith("report.html"))
    text = fakes.artifacts.read(page)[0].decode()
    assert "did you mean &#39;total&#39;?</h3>" in text
    assert "?." not in text


def test_a_field_that_no_object_has_is_an_error_with_the_key_that_was_meant() -> None:
    rows = [
        {"text": row["text"], "answer": {"vendor": row["vendor"], "total": row["total"]}}
        for row in receipts()
    ]
    found = finding(convert(as_json_lines(rows), FIELDS), "missing-fields")
    assert found["summary"].endswith("did you mean 'total'?")


def test_a_missing_field_that_resembles_nothing_is_shown_what_else_there_is() -> None:
    found = finding(
        convert(as_json_lines(receipts()), FIELDS.replace("totall", "amount")), "missing-fields"
    )
    assert found["summary"] == "field 'amount' has no value in any of 120 rows"
    assert "'total'" in found["remedy"]


def test_a_required_field_that_no_row_has_is_refused_with_the_column_that_was_meant() -> None:
    task = "type: extraction\nfields: [vendor, {name: totall, required: true}]\n"
    rejected = rejection(as_json_lines(receipts()), task)
    assert "'totall' has no value; did you mean 'total'?" in rejected.reason


def test_a_field_that_some_rows_have_is_none_to_report() -> None:
    rows = [{**row, "total": row["total"] if n == 7 else ""} for n, row in enumerate(receipts())]
    report = convert(as_json_lines(rows), FIELDS.replace("totall", "total"))
    assert "missing-fields" not in [found["check"] for found in report["findings"]]


WORDS = [a + b + c for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]


def labelled(count: int, labels: Sequence[str] = ("owl", "crow"), seed: int = 1) -> list[Any]:
    """Make rows with texts that are not alike, and a label each."""
    chance = random.Random(seed)
    return [
        {"text": " ".join(chance.sample(WORDS, 6)), "label": labels[n % len(labels)]}
        for n in range(count)
    ]


def test_few_examples_are_counted_in_training_where_they_are_needed() -> None:
    report = convert(as_json_lines(labelled(146)))
    train = report["examples"]["train"]
    assert train < 100 < sum(report["examples"].values())
    found = finding(report, "few-examples")
    assert found["count"] == train
    assert found["summary"].startswith(f"{train} examples are left for training")
    rows = int(re.findall(r"[Aa]bout (\d+) more", found["remedy"])[0])
    more = convert(as_json_lines(labelled(146 + rows + 8)))
    assert more["examples"]["train"] >= 95


def test_the_price_says_that_nothing_is_tuned_by_itself_with_few_examples() -> None:
    report = convert(as_json_lines(labelled(146)))
    why = report["price"]["why_not"]
    assert f"{report['examples']['train']} training examples" in why
    assert "`{type: classification, tuning: {when: always}}`" in why
    assert not convert(as_json_lines(labelled(200)))["price"]["why_not"]
    always = "type: classification\ntuning: {when: always}\n"
    assert not convert(as_json_lines(labelled(146)), always)["price"]["why_not"]
    never = "type: classification\ntuning: {when: never}\n"
    assert "never" in convert(as_json_lines(labelled(200)), never)["price"]["why_not"]


def in_backticks(remedy: str) -> str:
    """Take the one thing out of a remedy that is there to be pasted."""
    (found,) = (part for part in re.findall(r"`([^`]*)`", remedy) if part.startswith("{"))
    return str(found)


def test_labels_in_several_spellings_come_with_a_list_to_paste_that_reads_them_as_one() -> None:
    rows = labelled(150, ("Refund", "lost parcel", "ham"))
    rows[0]["label"], rows[1]["label"], rows[4]["label"] = "refund", "lost_parcel", "Lost Parcel"
    pasted = in_backticks(finding(convert(as_json_lines(rows)), "similar-labels")["remedy"])
    assert pasted == "{type: classification, labels: [Refund, ham, lost parcel]}"
    report = convert(as_json_lines(rows), pasted)
    assert set(report["labels"]) == {"Refund", "ham", "lost parcel"}
    assert report["quarantined"] == 0
    (said,) = (text for text in report["how_it_was_read"] if "declared ones" in text)
    assert said.startswith("3 labels differed from the declared ones in letter case or marks only")
    assert "'refund' as 'Refund' (1)" in said


def test_several_labels_a_text_in_other_spellings_are_read_as_declared_and_counted() -> None:
    rows = [{**row, "label": ["Red-Wine", "ham"]} for row in labelled(150)]
    task = "type: classification\nmulti_label: true\nlabels: [red wine, ham]\n"
    said = convert(as_json_lines(rows), task)["how_it_was_read"]
    assert any(text.startswith("150 labels differed") for text in said)


def test_a_label_with_the_mark_in_it_is_whole_in_another_spelling_too() -> None:
    rows = [{**row, "label": ("Food, Drink", "ham,egg")[n % 2]} for n, row in
            enumerate(labelled(150))]  # fmt: skip
    task = 'type: classification\nmulti_label: true\nlabels: ["food, drink", ham, egg]\n'
    assert convert(as_json_lines(rows), task)["quarantined"] == 0


def test_labels_as_declared_are_not_spoken_of() -> None:
    report = convert(as_json_lines(labelled(150)), "type: classification\nlabels: [owl, crow]\n")
    assert not any("differed" in text for text in report["how_it_was_read"])


def test_a_spelling_that_fits_two_declared_labels_is_unknown() -> None:
    assert declared_label("US", ("us", "Us")) is None
    assert declared_label("us", ("us", "Us")) == "us"
    assert declared_label("1", ("-1", "0")) is None


@pytest.mark.parametrize(
    "name",
    [
        "task.yml", "Task.yaml", "TASK.YML", "task.yaml.txt", "task.yml.txt", "task (1).yaml",
        "task.yaml.yaml", "tasks.yaml", "old/task.yaml",
    ],
)  # fmt: skip
def test_a_task_file_by_another_name_is_told_its_name(name: str) -> None:
    rejected = rejection("type: classification\n", name=name)
    assert rejected.reason.startswith(f"birds/{name} looks like a task.yaml")
    assert "birds/task.yaml" in rejected.remedy


def test_a_task_file_by_another_name_does_not_keep_the_others_from_being_converted() -> None:
    fakes = fake_world()
    fakes.datasets.put("birds/task.yml", "type: classification\n")
    fakes.datasets.put("birds/data.jsonl", as_json_lines(labelled(150)))
    handle_upload(fakes.datasets.put("birds/task.yaml", "type: classification\n"), fakes.world)
    assert fakes.publisher.on("dataset-converted")


def test_a_labelled_file_called_task_is_a_labelled_file() -> None:
    assert convert(as_json_lines(labelled(150)), name="task.json")["rows"] == 150
    assert convert(as_json_lines(labelled(150)), name="task.csv")["rows"] == 150


NOTES: list[list[object]] = [
    ["About these data"],
    ["exported in May by the help desk"],
    ["ask Ann about it"],
]


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, cells in sheets:
        sheet = made.create_sheet(title)
        for row in cells:
            sheet.append(row)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


DATA: list[list[object]] = [
    ["text", "label"],
    *([row["text"], row["label"]] for row in labelled(150)),
]


@pytest.mark.parametrize("first", [NOTES, [], [["text", "label"]], [["a", "b"], [1, 2], [3, 4]]])
def test_a_workbook_whose_rows_are_on_another_sheet_is_told_how_to_name_it(first: Any) -> None:
    data = workbook(("Notes", first), ("My data", DATA))
    remedy = rejection(data).remedy
    assert "'Notes' was read" in remedy
    assert "'My data'" in remedy
    assert convert(data, in_backticks(remedy.partition(" Else")[0]))["rows"] == 150


def test_a_workbook_with_one_sheet_is_not_told_of_others() -> None:
    assert "sheet" not in rejection(workbook(("Notes", NOTES))).remedy
    task = "type: classification\nsheet: Absent\n"
    rejected = rejection(workbook(("Notes", NOTES), ("Data", DATA)), task)
    assert rejected.remedy == "Correct `sheet:` in task.yaml."


@pytest.mark.parametrize("content", ["text,label\n", "text,label", "Text;Label\r\n"])
def test_a_table_with_a_header_only_is_told_that_it_has_no_rows(content: str) -> None:
    rejected = rejection(content, name="data.csv")
    assert rejected.reason == "data.csv, read as CSV, has a header and no rows."
    assert "format" not in rejected.remedy


def test_the_column_to_name_comes_in_a_whole_task_file_unless_there_is_one() -> None:
    rows = [{**row, "queue": row["label"], "urgency": "high"[n % 2 :]} for n, row in
            enumerate(labelled(150))]  # fmt: skip
    for row in rows:
        row["kind"] = row.pop("label")
    pasted = in_backticks(rejection(as_json_lines(rows)).remedy)
    assert pasted.startswith("{type: classification, columns: {label: ")
    assert convert(as_json_lines(rows), pasted)["rows"] == 150
    there = rejection(as_json_lines(rows), "type: classification\n").remedy
    assert "`columns: {label: " in there


def test_remedies_of_findings_are_whole_task_files_too() -> None:
    rows = labelled(150, ("owl", "crow", "n/a"))
    pasted = in_backticks(finding(convert(as_json_lines(rows)), "placeholder-labels")["remedy"])
    assert pasted == '{type: classification, columns: {missing: ["n/a"]}}'
    report = convert(as_json_lines(rows), pasted)
    assert set(report["labels"]) == {"owl", "crow"}


def test_unknown_labels_are_counted_by_name_and_can_be_pasted() -> None:
    rows = labelled(220, ("owl", "crow"))
    for n in range(12):
        rows[n]["label"] = f"bird {n}"
    for row in rows[12:40]:
        row["label"] = "jay: blue"
    report = convert(as_json_lines(rows), "type: classification\nlabels: [owl, crow]\n")
    found = finding(report, "unusable-rows")
    assert found["summary"] == (
        "40 rows could not be used: unknown label: 'jay: blue' (28), 'bird 0' (1), 'bird 1' (1), "
        "'bird 2' (1), 'bird 3' (1), 'bird 4' (1), 'bird 5' (1), 'bird 6' (1), 'bird 7' (1), "
        "'bird 8' (1) and 3 more"
    )
    pasted = re.findall(r"`([^`]*)`", found["remedy"])[-1]
    assert pasted.startswith('"jay: blue", bird 0, bird 1, ')
    again = convert(as_json_lines(rows), f"type: classification\nlabels: [owl, crow, {pasted}]\n")
    assert again["quarantined"] == 3


def test_a_file_without_a_known_label_is_told_the_labels_it_has() -> None:
    rejected = rejection(
        as_json_lines(labelled(150)), "type: classification\nlabels: [hawk, kite]\n"
    )
    assert "unknown label: 150" in rejected.reason
    assert "`crow, owl`" in rejected.remedy or "`owl, crow`" in rejected.remedy


def test_a_field_with_an_object_in_it_is_named_with_the_way_to_write_it() -> None:
    rows = [
        {"text": row["text"], "answer": {"vendor": {"name": row["vendor"], "city": "Bonn"}}}
        for row in receipts(60)
    ]
    rejected = rejection(as_json_lines(rows))
    assert "nested field: 60" in rejected.reason
    assert "'vendor' holds an object" in rejected.reason
    assert '{"vendor_name": …, "vendor_city": …}' in rejected.reason
    assert "a text or a list of texts" in rejected.remedy


def test_docs_intake_says_what_a_nested_field_is() -> None:
    assert "nested field" in intake_page()
