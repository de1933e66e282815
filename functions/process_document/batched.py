"""Has a table of many documents answered by a batch, which costs half and takes its time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from functions.process_document.answering import Arrival, Service, requests_of
from functions.process_document.reading.document import Document
from shared.batches import BatchedGenerator, answers_of, batch_model, forget_texts
from shared.candidates import prompt_hash
from shared.errors import Rejected
from shared.events import Event, Message
from shared.paths import content_id
from shared.ports import Sampling, World
from shared.prompts import Prompt
from shared.records import Wake

MAX_ROWS = 20_000
"""What a function can write in a few deliveries once a batch has answered it."""


def takes_batch(table: Arrival, service: Service, rows: int) -> bool:
    """Whether a table of so many rows is answered by a batch."""
    above = service.serving.batch_above
    if above is None or not above < rows <= MAX_ROWS:
        return False
    return bool(batch_model(service.world, table.task, service.champion.candidate))


def through_batch(table: Arrival, service: Service, documents: Sequence[Document]) -> Service:
    """Put a batch's answers in front of the model.

    Returns:
        The service that gives them out, and asks online what the batch did not answer.

    Raises:
        AwaitsBatch: The batch has not ended; the table's event comes again once it has.
    """
    champion, serving, world = service.champion, service.serving, service.world

    def requests() -> Iterator[tuple[Prompt, Sampling]]:
        for document in documents:
            if document.flaw:
                continue
            try:
                asked = requests_of(row_of(table, document), service, document)
            except Rejected:
                # Its own result will say so.
                continue
            yield from ((prompt, asked.sampling) for prompt in asked.prompts)

    model = batch_model(world, table.task, champion.candidate)
    asked_so = content_id(
        *(model, prompt_hash(champion.candidate, champion.task)),
        *(serving.samples, serving.temperature),
        *(serving.max_document_characters, serving.long_documents),
    )
    identifier = f"{_all_batches(table)}{asked_so}"
    event = {
        "bucket": world.settings.documents_bucket,
        "name": table.name,
        "generation": str(table.generation),
        "batch": identifier,
    }
    wake = Wake(topic="document-arrived", message=event)
    answered = answers_of(world, table.task, identifier, model, requests, wake)
    generator = BatchedGenerator(answered, service.generator)
    return replace(service, generator=generator)


def _all_batches(table: Arrival) -> str:
    """Return what the ids of all batches begin with that ask about a table of this generation.

    There are several when its task or champion changes while one runs.
    """
    return f"{content_id(table.name, table.generation)}-"


def forget_batches(world: World, event: Event, table: Arrival) -> None:
    """After a batch has woken a table, and it awaits none: delete what its batches hold of it.

    So it is when its results are written, by whichever of them, and when the table was deleted,
    replaced or rejected meanwhile. Every batch wakes its table, so the last one's texts go, too.
    """
    if isinstance(event, Message) and "batch" in event.data:
        forget_texts(world, table.task, _all_batches(table))


def row_of(table: Arrival, document: Document) -> Arrival:
    """Name a row of a table as a document of its own."""
    return replace(table, name=f"{table.name}/{document.row}", row=document.row)
