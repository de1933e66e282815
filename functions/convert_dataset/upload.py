"""Decides what an upload to the datasets bucket means: a labelled file, task.yaml, corrections."""

import re

from functions.convert_dataset.convert import NoUsableCorrection, convert
from functions.convert_dataset.corrections import (
    NO_CORRECTIONS,
    Corrections,
    is_correction,
    read_corrections,
)
from shared import log, open_work, paths
from shared.current import current_dataset
from shared.errors import NotFound, Rejected
from shared.events import Event, ObjectArrived
from shared.facts import publish_fact
from shared.models import find_base_model
from shared.ports import World
from shared.record_store import change
from shared.records import DatasetRecord, TaskRecord
from shared.task import parse_task

TASK_FILE = "task.yaml"
MAX_TASK_FILE_BYTES = 1_000_000

_ALMOST_TASK_FILE = re.compile(r"tasks?(?: ?\(\d+\))?(?:\.ya?ml)+(?:\.txt)?", re.IGNORECASE)


def handle_upload(event: Event, world: World) -> None:
    """Convert what was uploaded; a new task.yaml converts all of its task's files again.

    Raises:
        Rejected: The upload is not something that can be learnt from.
        Retry: Storage or Pub/Sub is not to be had.
    """
    if not isinstance(event, ObjectArrived):
        raise Rejected("The event is not about an object in the datasets bucket.")
    if event.bucket != world.settings.datasets_bucket:
        raise Rejected(f"The event is about the bucket {event.bucket!r}, not the datasets bucket.")
    if _is_ignored(event.name):
        log.info("the object is a folder, or its path has a part that begins with . or _")
        return
    name = paths.task_of(event.name)
    if is_almost_task_file(event.name.partition("/")[2]):
        raise Rejected(
            f"{event.name} looks like a task.yaml, but is not where one is read from.",
            f"Rename it to {name}/{TASK_FILE}.",
        )
    declared = _declared_task(world, name)
    corrections = read_corrections(world.buckets.datasets, name, _is_ignored)
    if event.name == f"{name}/{TASK_FILE}":
        _convert_all(world, event, declared, corrections)
        return
    if corrections or is_correction(event.name):
        _convert_latest(world, event, declared, corrections)
        return
    try:
        record = convert(event, world, declared)
    except NotFound:
        log.info("the upload was replaced; its successor has its own event", task=name)
        return
    _announce(world, event, record, declared)


def is_almost_task_file(name: str) -> bool:
    """Whether a name below a task's folder is one that people give to a task.yaml."""
    almost = _ALMOST_TASK_FILE.fullmatch(name.rpartition("/")[2])
    return almost is not None and name != TASK_FILE


def _is_ignored(name: str) -> bool:
    """Whether an object is no labelled file: a folder, .DS_Store, _SUCCESS, _texts/1.txt."""
    return name.endswith("/") or any(part[:1] in {".", "_"} for part in name.split("/")[1:])


def _convert_all(
    world: World, event: ObjectArrived, declared: TaskRecord | None, corrections: Corrections
) -> None:
    """Convert every file of a task, and announce the latest; the others are history.

    Raises:
        Rejected: Some files were rejected; all of them are named.
    """
    name = paths.task_of(event.name)
    rejected: list[str] = []
    record, latest = None, False
    for file in _files(world, name):
        try:
            added = NO_CORRECTIONS if latest else corrections
            converted, _ = _convert_with(file, world, declared, added)
        except NotFound:
            log.info("a file was replaced while it was converted", task=name)
        except Rejected as rejection:
            rejected.append(str(rejection))
        else:
            record, latest = record if latest else converted, True
    _announce(world, event, record, declared)
    if rejected:
        raise Rejected(" ".join(rejected))


def _convert_latest(
    world: World, event: ObjectArrived, declared: TaskRecord | None, corrections: Corrections
) -> None:
    """Convert a task's latest file that can be, with its corrections, and announce it.

    Raises:
        Rejected: What arrived cannot be used: the file, or all of the corrections in it; or there
            are corrections and no file.
    """
    name = paths.task_of(event.name)
    rejected: dict[str, Rejected] = {}
    unusable: NoUsableCorrection | None = None
    for file in _files(world, name):
        try:
            record, unusable = _convert_with(file, world, declared, corrections)
        except NotFound:
            log.info("a file was replaced while it was converted", task=name)
        except Rejected as rejection:
            rejected[file.name] = rejection
        else:
            _announce(world, event, record, declared)
            break
    else:
        if is_correction(event.name):
            raise next(iter(rejected.values()), None) or Rejected(
                f"{event.name} corrects answers, but {name} has no labelled file to add them to.",
                f"Upload one as {name}/<file>; the corrections are taken along then.",
            )
    if event.name in rejected:
        raise rejected[event.name]
    if is_correction(event.name):
        if unusable is not None:
            raise unusable
        corrections.check(event.name.partition("/")[2])


def _convert_with(
    event: ObjectArrived, world: World, declared: TaskRecord | None, corrections: Corrections
) -> tuple[DatasetRecord | None, NoUsableCorrection | None]:
    """Convert a file with the corrections; without them, and saying why, when none can be used."""
    try:
        return convert(event, world, declared, corrections), None
    except NoUsableCorrection as why:
        log.warning("no correction can be used", task=paths.task_of(event.name))
        return convert(event, world, declared), why


def _files(world: World, name: str) -> list[ObjectArrived]:
    """List a task's labelled files, the latest first."""
    found = [
        item
        for item in world.buckets.datasets.list(f"{name}/")
        if item.name != f"{name}/{TASK_FILE}"
        and not is_almost_task_file(item.name.partition("/")[2])
        and not _is_ignored(item.name)
        and not is_correction(item.name)
    ]
    found.sort(key=lambda item: item.generation, reverse=True)
    bucket = world.settings.datasets_bucket
    return [ObjectArrived(bucket, item.name, item.generation) for item in found]


def _declared_task(world: World, name: str) -> TaskRecord | None:
    """Read task.yaml and keep it as the task's record; None when there is no task.yaml."""
    path = f"{name}/{TASK_FILE}"
    found = world.buckets.datasets.find(path)
    if found is None:
        return None
    if found.size > MAX_TASK_FILE_BYTES:
        raise Rejected(f"{path} has {found.size:,} bytes; a task.yaml is small.")
    try:
        content, generation = world.buckets.datasets.read(path)
    except NotFound:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Rejected(f"{path} is not UTF-8.", "Save it as UTF-8.") from None
    task = parse_task(text, path)
    find_base_model(task.tuning.base_model, world.settings.location, world.clock().date())
    record = TaskRecord(name=name, task=task, source=TASK_FILE, source_generation=generation)
    _keep_task(world, record)
    return record


def _keep_task(world: World, record: TaskRecord) -> None:
    """Write the task's record, unless a newer source has written it already."""

    def newer(old: TaskRecord | None) -> TaskRecord | None:
        outdated = old is None or old.source_generation < record.source_generation
        return record if outdated else None

    change(world.buckets.artifacts, paths.task_record(record.name), TaskRecord, newer)


def _announce(
    world: World, event: ObjectArrived, record: DatasetRecord | None, declared: TaskRecord | None
) -> None:
    """Hand on the dataset that an upload made the one that counts.

    It is announced once under each task.yaml, and again when it counts again after another one;
    after a crash it may be twice.
    """
    if record is None:
        return
    # First: whoever is told of a dataset that does not count leaves it alone.
    record = _choose(world, record, event.generation)
    policy = declared.source_generation if declared else 0
    if record.announced_for == policy:
        return
    if declared is None:
        inferred = TaskRecord(
            name=record.task_name,
            task=record.task,
            source="inferred",
            source_generation=record.source_generation,
            explanation=record.explanation,
        )
        _keep_task(world, inferred)
    open_work.begin(world, "dataset", record.task_name, record.id)
    message = {"task": record.task_name, "dataset": record.id}
    world.publisher.publish("dataset-converted", message)
    publish_fact(
        world.publisher,
        "dataset-converted",
        world.clock(),
        task=record.task_name,
        dataset=record.id,
        rows=record.rows,
        quarantined=record.quarantined,
        **record.counts,
    )

    def announced(old: DatasetRecord | None) -> DatasetRecord | None:
        return old.model_copy(update={"announced_for": policy}) if old else None

    path = paths.dataset_record(record.task_name, record.id)
    change(world.buckets.artifacts, path, DatasetRecord, announced)


def _choose(world: World, record: DatasetRecord, generation: int) -> DatasetRecord:
    """Keep which upload made a dataset the one that counts, unless a later one has."""
    artifacts = world.buckets.artifacts
    before = current_dataset(artifacts, record.task_name)
    again = before is not None and before.id != record.id

    def chosen(old: DatasetRecord | None) -> DatasetRecord | None:
        if old is None or (old.chosen_by or 0) >= generation:
            return None
        told = None if again else old.announced_for
        return old.model_copy(update={"chosen_by": generation, "announced_for": told})

    path = paths.dataset_record(record.task_name, record.id)
    return change(artifacts, path, DatasetRecord, chosen) or record
