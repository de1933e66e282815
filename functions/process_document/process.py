"""Answers one document with the champion, and writes the answer once.

The answer's path follows from the document's name, and it holds the document's generation: a
second delivery finds it and asks nothing. A document that comes before there is a champion waits.
"""

from dataclasses import dataclass

from functions.process_document.reading import Document, read_document
from shared import log, open_work, paths
from shared.candidates import prompt_hash, prompt_of, sampling_of
from shared.errors import NotFound, Rejected
from shared.events import Event, ObjectArrived
from shared.facts import publish_fact
from shared.file_kinds import refuse_packed
from shared.models import warn_of_retirement
from shared.ports import Generator, Reply, World
from shared.prompts import parse_answer
from shared.record_store import change, encode, read
from shared.records import ChampionRecord, Provenance, ResultRecord, TaskRecord
from shared.task import Serving
from shared.voting import Vote, vote

REVIEW_FOLDER = "review"


@dataclass(frozen=True)
class Arrival:
    """A document to be answered."""

    name: str
    generation: int
    task: str


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
    arrival = Arrival(arrived.name, arrived.generation, paths.task_of(arrived.name))
    if arrival.name.split("/")[1] == REVIEW_FOLDER:
        # No result is written: its path would be that of another document's review copy.
        raise Rejected(
            f"{arrival.name} is in the folder {REVIEW_FOLDER!r}, where answers to be reviewed go.",
            "Upload the document to a folder with another name.",
        )
    try:
        _answer(arrival, world, generator)
    except Rejected as rejection:
        result = ResultRecord(
            document=arrival.name,
            task_name=arrival.task,
            status="rejected",
            reason=rejection.reason,
            remedy=rejection.remedy,
            generation=arrival.generation,
            at=world.clock(),
        )
        _keep(world, result)
        raise


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
    if known and known.generation >= arrival.generation and known.status != "waiting":
        if known.generation == arrival.generation:
            _tell(world, known)
        return
    found = world.buckets.documents.find(arrival.name)
    if found is None or found.generation != arrival.generation:
        log.info("the document was replaced; its successor has its own event", task=arrival.task)
        return
    champion = read(world.buckets.artifacts, paths.champion(arrival.task), ChampionRecord)
    if champion is None:
        _wait(arrival, world)
        return
    refuse_packed(found, arrival.name)
    serving = _serving(world, champion)
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
    document = read_document(content, arrival.name)
    prompt = prompt_of(champion.candidate, champion.task, document.text, world.buckets.artifacts)
    sampling = sampling_of(serving, arrival.name, document.text)
    reply = generator.generate(champion.candidate.model, prompt, sampling)
    decided = vote([parse_answer(champion.task, text) for text in reply.texts])
    result = _result(arrival, world, champion, serving, document, reply, decided)
    if _keep(world, result):
        log.info(
            "document answered",
            task=arrival.task,
            status=result.status,
            confidence=round(decided.confidence, 4),
        )
        warn_of_retirement(champion.candidate.base_model, world.clock().date(), arrival.task)
        _tell(world, result)


def _wait(arrival: Arrival, world: World) -> None:
    """Note that a document waits for a champion; the watcher publishes it again."""
    event = {
        "bucket": world.settings.documents_bucket,
        "name": arrival.name,
        "generation": str(arrival.generation),
    }
    identifier = paths.content_id(arrival.name, arrival.generation)
    result = ResultRecord(
        document=arrival.name,
        task_name=arrival.task,
        status="waiting",
        reason="There is no model for this task yet.",
        remedy=f"Upload labelled examples to the datasets bucket as {arrival.task}/<file>.",
        generation=arrival.generation,
        at=world.clock(),
    )
    _keep(world, result)
    open_work.begin(world, "document", arrival.task, identifier, event)


def _serving(world: World, champion: ChampionRecord) -> Serving:
    """Return how the task wants documents answered, as it is now."""
    current = read(world.buckets.artifacts, paths.task_record(champion.task_name), TaskRecord)
    return (current.task if current else champion.task).serving


def _result(
    arrival: Arrival,
    world: World,
    champion: ChampionRecord,
    serving: Serving,
    document: Document,
    reply: Reply,
    decided: Vote,
) -> ResultRecord:
    """Put the answer together with its provenance."""
    doubtful = decided.answer is None or decided.confidence < serving.review_below
    return ResultRecord(
        document=arrival.name,
        task_name=arrival.task,
        status="review" if doubtful else "accepted",
        answer=decided.answer,
        confidence=decided.confidence,
        field_confidences=decided.field_confidences,
        tally=decided.tally,
        reason="" if decided.answer is not None else "No sample was an answer to this task.",
        generation=arrival.generation,
        provenance=Provenance(
            document=f"gs://{world.settings.documents_bucket}/{arrival.name}",
            generation=arrival.generation,
            champion=champion.candidate.name,
            model=champion.candidate.model,
            model_version=reply.model_version,
            dataset=champion.dataset,
            prompt_hash=prompt_hash(champion.candidate, champion.task),
            samples=len(reply.texts),
            temperature=serving.temperature,
            prompt_tokens=reply.prompt_tokens,
            answer_tokens=reply.answer_tokens,
            characters=len(document.text),
            reader=document.reader,
        ),
        at=world.clock(),
    )


def _keep(world: World, result: ResultRecord) -> bool:
    """Write a result and say so, unless one of the same or a later generation is there already."""

    def newer(old: ResultRecord | None) -> ResultRecord | None:
        if old is None or old.status == "waiting":
            outdated = old is None or old.generation <= result.generation
        else:
            outdated = old.generation < result.generation
        return result if outdated else None

    path = paths.result(result.document)
    return change(world.buckets.results, path, ResultRecord, newer) == result


def _tell(world: World, result: ResultRecord) -> None:
    """Do what follows from a result that is written; a second delivery repairs what a crash cut.

    The fact may therefore be published twice, and a review copy is always that of the result.
    """
    if result.status == "review":
        world.buckets.results.write(paths.review(result.document), encode(result))
    else:
        world.buckets.results.delete(paths.review(result.document))
    if result.status != "rejected":
        publish_fact(
            world.publisher,
            "document-answered",
            world.clock(),
            task=result.task_name,
            result=paths.result(result.document),
            status=result.status,
            confidence=result.confidence,
        )
