"""Public data sets through the front door, against an independent count."""

import pytest

from docs.generators.intake_counts import COUNTS
from functions.convert_dataset.upload import handle_upload
from shared.records import DatasetRecord
from tests.data_sets import DATA_SETS, FOLDER, DataSet, expected
from tests.fakes import fake_world

PUBLISHED = {line[0]: line for line in COUNTS}


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER.is_dir(), reason="TUNEDROP_TEST_DATA is not there")
@pytest.mark.parametrize("data", DATA_SETS, ids=lambda data: data.path)
def test_a_file_comes_to_what_an_independent_count_gives(data: DataSet) -> None:
    fakes = fake_world()
    if data.task:
        fakes.datasets.put("things/task.yaml", data.task)
    event = fakes.datasets.put("things/data", data.content(FOLDER / data.path))
    handle_upload(event, fakes.world)
    (name,) = [name for name in fakes.artifacts.names("tasks/") if name.endswith("/dataset.json")]
    record = DatasetRecord.model_validate(fakes.artifacts.json(name))
    report = fakes.artifacts.json(name.replace("dataset.json", "report.json"))
    reasons = record.quarantined_by_reason
    copies, contradictions = (
        reasons.get("exact-duplicates", 0),
        reasons.get("conflicting-labels", 0),
    )
    examples = sum(record.counts.values())
    assert {
        "rows": record.rows,
        "examples": examples,
        "exact-duplicates": copies,
        "conflicting-labels": contradictions,
        "unusable": record.quarantined - copies - contradictions,
    } == expected(data.count(FOLDER / data.path))
    assert PUBLISHED[data.path] == (
        data.path,
        report["format"],
        record.task.type,
        record.rows,
        examples,
        copies,
        contradictions,
    )


def test_every_published_count_is_of_a_file_that_is_tested() -> None:
    assert [line[0] for line in COUNTS] == [data.path for data in DATA_SETS]
