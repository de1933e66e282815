"""Answers one document with the champion, and writes the answer once.

The answer's path follows from the document's name, and it holds the document's generation: a
second delivery finds it and asks nothing. A document that comes before there is a champion waits,
or is answered zero-shot until the champion answers it: the watcher publishes it again.
"""

from functions.process_document.answering import Arrival, Service, answer_text, rejected_result
from functions.process_document.batched import forget_batches
from functions.process_document.before_champion import stand_in
from functions.process_document.reading.document import Hints
from functions.process_document.reading.read import read_documents
from functions.process_document.results import forget_rows, keep, tell
from functions.process_document.table import answer_rows
from shared import log, open_work, paths
from shared.batches import AwaitsBatch
from shared.errors import NotFound, Rejected
from shared.events import Event, ObjectArrived
from shared.file_kinds import refuse_packed
from shared.models import base_models, warn_of_retirement
from shared.ports import Generator, World
from shared.record_store import read
from shared.records import ChampionRecord, ResultRecord, TaskRecord
from shared.task import Task

MAX_NAME_BYTES = 1000
"""An object's name has at most 1,024 bytes; those of results and review copies are longer."""


def process(event: Event, world: World, generator: Generator) -> None:
    """Answer a document, unless that was done before.

    Raises:
        Rejected: The document cannot be answered; its result says so too.
        Retry: A service is busy.
    """
    arrived = _arrived(event)
    if arrived.bucket != world.settings.documents_bucket:
        raise Rejected(f"The event is about the bucket {arrived.bucket!r}, not the documents.")
    if arrived.name.endswith("/"):
        log.info("a folder was made; nothing to do")
        return
    task = paths.task_of(arrived.name)
    arrival = Arrival(arrived.name, arrived.generation, task, arrived.name)
    if arrival.name.split("/")[1] == paths.REVIEW_FOLDER:
        # No result is written: that folder of the results belongs to the review files.
        raise Rejected(
            f"{arrival.name} is in the folder {paths.REVIEW_FOLDER!r}, where answers go to be "
            "reviewed.",
            "Upload the document to a folder with another name.",
        )
    if len(arrival.name.encode()) > MAX_NAME_BYTES:
        raise Rejected(
            f"The name of {arrival.name[:60]}… has more than {MAX_NAME_BYTES:,} bytes, so that its "
            "result would have a name that is too long.",
            "Upload the document under a shorter name.",
        )
    try:
        _answer(arrival, world, generator)
    except AwaitsBatch:
        _note_batch(arrival, world)
        return
    except Rejected as rejection:
        before = read(world.buckets.results, paths.result(arrival.name), ResultRecord)
        outdated = before and (before.generation < arrival.generation or before.provisional)
        if before and before.rows and outdated:
            forget_rows(world, arrival.name, 0)
        keep(world, rejected_result(arrival, world, rejection))
        forget_batches(world, event, arrival)
        raise
    # Documents may be deleted after a while; their texts are not to outlive them elsewhere.
    forget_batches(world, event, arrival)


def _arrived(event: Event) -> ObjectArrived:
    """Read the event: a notification, or the watcher's message about a document that waited."""
    if isinstance(event, ObjectArrived):
        return event
    try:
        bucket, name = str(event.data["bucket"]), str(event.data["name"])
        return ObjectArrived(bucket, name, int(event.data["generation"]))
    except (KeyError, TypeError, ValueError):
        raise Rejected("The message does not name a bucket, an object and a generation.") from None


def _answer(arrival: Arrival, world: World, generator: Generator) -> None:
    """Read the document, ask the champion and write the answer."""
    known = read(world.buckets.results, paths.result(arrival.name), ResultRecord)
    stays = known and known.status != "waiting" and not known.provisional
    if known and stays and known.generation >= arrival.generation:
        if known.generation == arrival.generation:
            tell(world, known)
        return
    found = world.buckets.documents.find(arrival.name)
    if found is None or found.generation != arrival.generation:
        log.info("the document was replaced; its successor has its own event", task=arrival.task)
        return
    champion, provisional = _who_answers(arrival, world, known)
    if champion is None:
        return
    refuse_packed(found, arrival.name)
    task = _task(world, champion)
    serving = task.serving
    if found.size > serving.max_document_bytes:
        raise Rejected(
            f"{arrival.name} has {found.size:,} bytes; "
            f"the task takes {serving.max_document_bytes:,}.",
            "Split it, or raise serving.max_document_bytes in task.yaml.",
        )
    try:
        content, _ = world.buckets.documents.read(arrival.name, arrival.generation)
    except NotFound:
        return
    documents = read_documents(content, arrival.name, _hints(task, champion))
    service = Service(world, generator, champion, serving, provisional)
    if documents[0].row is None:
        result = answer_text(arrival, service, documents[0])
    else:
        result = answer_rows(arrival, service, documents)
    if known and known.rows:
        forget_rows(world, arrival.name, result.rows or 0)
    _write(arrival, service, result)


def _write(arrival: Arrival, service: Service, result: ResultRecord) -> None:
    """Write an answer, and do what follows from it."""
    world = service.world
    written = keep(world, result)
    if service.provisional:
        _revisit(arrival, world)
    if written:
        log.info(
            "document answered",
            task=arrival.task,
            status=result.status,
            provisional=result.provisional,
            confidence=None if result.confidence is None else round(result.confidence, 4),
        )
        base_model = service.champion.candidate.base_model
        warn_of_retirement(base_model, world.clock().date(), arrival.task)
        tell(world, result)


def _who_answers(
    arrival: Arrival, world: World, known: ResultRecord | None
) -> tuple[ChampionRecord | None, bool]:
    """Find who answers a document.

    Returns:
        (The champion or what stands in for it, whether it only stands in). None when there is
        nobody and the document waits, or when the stand-in has answered it already.
    """
    champion = read(world.buckets.artifacts, paths.champion(arrival.task), ChampionRecord)
    if champion is not None:
        return champion, False
    if known and known.provisional and known.generation == arrival.generation:
        _revisit(arrival, world)
        tell(world, known)
        return None, True
    champion, why_not = stand_in(world, arrival.task)
    if champion is None:
        _wait(arrival, world, why_not)
    return champion, True


def _wait(arrival: Arrival, world: World, why_not: str) -> None:
    """Note that a document waits for a champion."""
    result = ResultRecord(
        document=arrival.name,
        task_name=arrival.task,
        status="waiting",
        reason=f"There is no model for this task yet. {why_not}".rstrip(),
        remedy=f"Upload labelled examples to the datasets bucket as {arrival.task}/<file>.",
        generation=arrival.generation,
        at=world.clock(),
    )
    keep(world, result)
    _revisit(arrival, world)


def _note_batch(arrival: Arrival, world: World) -> None:
    """Note that a batch answers a table, which is woken by itself once it has ended."""
    before = read(world.buckets.results, paths.result(arrival.name), ResultRecord)
    result = ResultRecord(
        document=arrival.name,
        task_name=arrival.task,
        status="waiting",
        reason="A batch answers its documents, which can take a day.",
        # Of the table that it replaces, so that what it had more is forgotten in the end.
        rows=before.rows if before else None,
        generation=arrival.generation,
        at=world.clock(),
    )
    keep(world, result)
    log.info("a batch answers a table", task=arrival.task)


def _revisit(arrival: Arrival, world: World) -> None:
    """Have the watcher publish a document again once there is a champion."""
    event = {
        "bucket": world.settings.documents_bucket,
        "name": arrival.name,
        "generation": str(arrival.generation),
    }
    identifier = paths.content_id(arrival.name, arrival.generation)
    open_work.begin(world, "document", arrival.task, identifier, event)


def _task(world: World, champion: ChampionRecord) -> Task:
    """Return the task as it is now, which says how documents are to be answered."""
    current = read(world.buckets.artifacts, paths.task_record(champion.task_name), TaskRecord)
    return current.task if current else champion.task


def _hints(task: Task, champion: ChampionRecord) -> Hints:
    """Return what a task says about reading documents, and what files its model takes."""
    named = task.columns.text or ()
    columns = (named,) if isinstance(named, str) else named
    model = base_models().get(champion.candidate.base_model)
    files = model.takes_files if model and task.serving.read_pictures else ()
    subject = task.serving.email_subject
    return Hints(columns, task.encoding, subject, files, champion.text_column)
