"""Which rejections `python -m local status` still shows."""

from functions.convert_dataset.upload import handle_upload
from local.rejections import current_rejections
from shared import paths
from shared.errors import Rejected
from shared.events import describe
from shared.record_store import create
from shared.records import RejectionRecord
from tests.fakes import FakeWorld, fake_world

GOOD = "text,label\n" + "".join(
    f"the {bird} says {number},{bird}\n" for number in range(30) for bird in ("owl", "crow")
)
FEW = "text,label\nhoo,owl\ncaw,crow\n"
TASK = "type: classification\n"
TYPO = "type: classification\nlables: [owl, crow]\n"


def upload(fakes: FakeWorld, name: str, content: str) -> None:
    """Upload a file, and keep the reason when it is rejected."""
    fakes.clock.advance(1)
    event = fakes.datasets.put(name, content)
    fakes.clock.advance(1)
    try:
        handle_upload(event, fakes.world)
    except Rejected as rejection:
        record = RejectionRecord(
            function="convert_dataset",
            subject=describe(event),
            generation=event.generation,
            reason=rejection.reason,
            remedy=rejection.remedy,
            at=fakes.clock(),
        )
        create(fakes.artifacts, paths.rejection(record.function, event), record)


def rejected(fakes: FakeWorld) -> list[str]:
    return [item.subject for item in current_rejections(fakes.world.buckets)]


def test_a_file_that_was_rejected_for_its_task_is_shown_until_it_is_converted() -> None:
    fakes = fake_world()
    upload(fakes, "birds/task.yaml", TYPO)
    upload(fakes, "birds/birds.csv", GOOD)
    assert set(rejected(fakes)) == {
        "gs://datasets/birds/task.yaml",
        "gs://datasets/birds/birds.csv",
    }
    upload(fakes, "birds/task.yaml", TASK)
    assert rejected(fakes) == []


def test_a_task_that_was_rejected_for_a_file_is_shown_until_the_file_is_mended() -> None:
    fakes = fake_world()
    fakes.datasets.put("birds/birds.csv", FEW)
    upload(fakes, "birds/task.yaml", TASK)
    assert rejected(fakes) == ["gs://datasets/birds/task.yaml"]
    upload(fakes, "birds/birds.csv", GOOD)
    assert rejected(fakes) == []


def test_a_wrong_task_is_shown_although_its_file_was_converted_before() -> None:
    fakes = fake_world()
    upload(fakes, "birds/birds.csv", GOOD)
    upload(fakes, "birds/task.yaml", TYPO)
    assert rejected(fakes) == ["gs://datasets/birds/task.yaml"]


def test_what_was_deleted_is_not_shown() -> None:
    fakes = fake_world()
    upload(fakes, "birds/birds.csv", FEW)
    assert rejected(fakes) == ["gs://datasets/birds/birds.csv"]
    fakes.datasets.delete("birds/birds.csv")
    assert rejected(fakes) == []
