"""The data report: what is in the dataset, and what was left out of it."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from functions.convert_dataset.rows import Refusal
from shared import paths
from shared.examples import ENOUGH_FOR_TUNING
from shared.page import render
from shared.ports import Bucket
from shared.records import DatasetRecord

MAX_ROWS_A_REASON = 20

REMEDIES = {
    "no text": "Fill in the text, or delete the row.",
    "no label": "Fill in the label, or delete the row.",
    "duplicate": "Nothing to do: the first one is kept.",
    "conflicting answer": "Decide which answer is right, and delete the other row.",
    "unknown label": "Correct the label, or declare it in task.yaml.",
    "not JSON": "Each line must be one whole JSON object.",
    "required field missing": "Fill in the field, or drop `required` in task.yaml.",
}


def write_report(bucket: Bucket, record: DatasetRecord, refusals: Sequence[Refusal]) -> None:
    """Write report.html beside the dataset."""
    by_reason: dict[str, list[Refusal]] = defaultdict(list)
    for refusal in refusals:
        by_reason[refusal.reason].append(refusal)
    page = render(
        Path(__file__).with_name("report.html.j2"),
        record=record,
        total=sum(record.counts.values()),
        largest=max((sum(splits.values()) for splits in record.labels.values()), default=1),
        refused=[
            (reason, REMEDIES.get(reason, "Correct the row."), rows, rows[:MAX_ROWS_A_REASON])
            for reason, rows in sorted(by_reason.items(), key=lambda item: -len(item[1]))
        ],
        enough=ENOUGH_FOR_TUNING,
    )
    path = f"{paths.dataset_folder(record.task_name, record.id)}/report.html"
    bucket.write(path, page, content_type="text/html; charset=utf-8")
