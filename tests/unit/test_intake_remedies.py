"""What a person is told who made a small mistake: what it was, and words to paste."""

import json
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

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
