"""Which of a task's datasets counts, whatever was converted after it, on fakes."""

import pytest

from functions.convert_dataset.upload import handle_upload
from functions.evaluate_model.bench import Services
from functions.evaluate_model.evaluate import handle_event
from functions.launch_tuning.launch import launch
from local.summary import summarize
from shared.current import current_dataset
from shared.errors import Rejected
from shared.records import DatasetRecord
from tests.fakes import FakeWorld, fake_world, message
from tests.unit.test_corrections import FILE, announced, jsonl, line
from tests.unit.test_intake_upload import as_csv, datasets, table, upload

TASK_FILE = "type: classification\nlabels: [owl, crow]\n"


def current(fakes: FakeWorld) -> DatasetRecord:
    found = current_dataset(fakes.artifacts, "birds")
    assert found is not None
    return found


def measure(fakes: FakeWorld, dataset: str) -> None:
    """Deliver dataset-converted to a model that knows one word."""
    services = Services(fakes.generator(lambda *_: ["owl"]), fakes.exact_match())
    handle_event(message("dataset-converted", task="birds", dataset=dataset), fakes.world, services)


def test_the_latest_dataset_is_that_of_the_latest_file_also_after_a_new_task_file() -> None:
    fakes = fake_world()
    upload(fakes, as_csv(table(60)), "birds/old.csv")
    upload(fakes, as_csv(table(70)), "birds/new.csv")
    upload(fakes, TASK_FILE, "birds/task.yaml")
    launch(message("tuning-requested", task="birds"), fakes.world, fakes.tuning)
    (path,) = (name for name in fakes.artifacts.names() if name.endswith("/run.json"))
    (wanted,) = (
        record.id
        for record in datasets(fakes)
        if record.source_object == "birds/new.csv" and record.task.label_names == ("owl", "crow")
    )
    assert fakes.artifacts.json(path)["dataset"] == wanted == announced(fakes)[-1]
    assert summarize(fakes.world.buckets, "birds")["dataset"]["id"] == wanted


def test_when_the_latest_file_does_not_go_with_a_new_task_file_the_one_before_it_counts() -> None:
    fakes = fake_world()
    upload(fakes, as_csv(table(200)), "birds/old.csv")
    upload(fakes, as_csv(table(220, ("duck", "swan"))), "birds/new.csv")
    with pytest.raises(Rejected):
        upload(fakes, TASK_FILE, "birds/task.yaml")
    assert current(fakes).source_object == "birds/old.csv"
    measure(fakes, announced(fakes)[-1])
    assert len(fakes.publisher.on("tuning-requested")) == 1


def test_an_older_file_that_is_delivered_late_or_again_does_not_come_to_count() -> None:
    fakes = fake_world()
    old = fakes.datasets.put("birds/old.csv", as_csv(table(60)))
    upload(fakes, as_csv(table(70)), "birds/new.csv")
    task_file = fakes.datasets.put("birds/task.yaml", TASK_FILE)
    for event in (old, task_file, old):
        fakes.clock.advance(1)
        handle_upload(event, fakes.world)
        assert current(fakes).source_object == "birds/new.csv"


@pytest.mark.parametrize(
    ("content", "name"),
    [(jsonl(line(1, "crow")), FILE), (TASK_FILE, "birds/task.yaml")],
    ids=["corrections", "task.yaml"],
)
def test_a_dataset_that_corrections_or_a_task_file_replaced_leads_to_no_tuning(
    content: str, name: str
) -> None:
    fakes = fake_world()
    upload(fakes, as_csv(table(200)))
    upload(fakes, content, name)
    first, second = announced(fakes)
    measure(fakes, first)
    assert fakes.publisher.on("tuning-requested") == []
    assert fakes.artifacts.names("open/dataset/") == [f"open/dataset/birds/{second}.json"]
    measure(fakes, second)
    assert fakes.publisher.on("tuning-requested") == [{"task": "birds", "dataset": second}]


def test_corrections_that_are_taken_back_make_the_former_dataset_count_and_announce_it() -> None:
    fakes = fake_world()
    upload(fakes, as_csv(table(60)))
    for answer in ("crow", "owl", "crow"):
        event = upload(fakes, jsonl(line(1, answer)), FILE)
    handle_upload(event, fakes.world)
    _, crow, owl, again = announced(fakes)
    assert crow == again != owl
    assert current(fakes).id == crow
