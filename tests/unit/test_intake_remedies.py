"""What a person is told who made a small mistake: what it was, and words to paste."""

import json
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
