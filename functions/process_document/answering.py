"""Asks the champion about one text, and makes the result."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.process_document.alternatives import runners_up, shown_tally
from functions.process_document.combine import combine
from functions.process_document.confidence import confidence_of
from functions.process_document.length import parts_of
from functions.process_document.reading.document import Document
from shared.answer_price import answer_usd
from shared.answers import parse_answer
from shared.candidates import needed_by, prompt_hash, prompt_of, sampling_of
from shared.errors import Rejected
from shared.examples import Answer
from shared.ports import Generator, Reply, World
from shared.prompts import File
from shared.records import ChampionRecord, Provenance, ResultRecord
from shared.stopping import counted
from shared.task import Serving

_SECONDS_DIGITS = 3
_USD_DIGITS = 9


@dataclass(frozen=True)
class Arrival:
    """A document to be answered.

    Attributes:
        name: Its name; for a row of a table, that of the table and the row's number.
        generation: The generation of the object.
        task: The task.
        source: The object's name.
        row: The row's number, for a row of a table.
    """

    name: str
    generation: int
    task: str
    source: str
    row: int | None = None


@dataclass(frozen=True)
class Service:
    """How a task's documents are answered now.

    Attributes:
        world: Where things are.
        generator: Asks the model.
        champion: Who answers.
        serving: How it is asked.
        provisional: Whether it only stands in for a champion that is yet to come.
    """

    world: World
    generator: Generator
    champion: ChampionRecord
    serving: Serving
    provisional: bool = False


def answer_text(arrival: Arrival, service: Service, document: Document) -> ResultRecord:
    """Ask the champion about a text.

    Raises:
        Rejected: The text is too long for the task, or refused by the service.
        Retry: A service is busy.
    """
    champion, serving = service.champion, service.serving
    parts, notes = parts_of(document.text, serving, arrival.name)
    address = f"gs://{service.world.settings.documents_bucket}/{arrival.source}"
    file = File(address, document.media_type) if document.media_type else None
    sampling = sampling_of(serving, arrival.name, document.text)
    artifacts = service.world.buckets.artifacts
    replies = [
        service.generator.generate(
            champion.candidate.model,
            prompt_of(champion.candidate, champion.task, part, artifacts, file),
            sampling,
            needed_by(champion.task, serving),
        )
        for part in parts
    ]
    said = [[parse_answer(champion.task, text) for text in reply.texts] for reply in replies]
    samples = [counted(each, serving.stop_at, serving.samples) for each in said]
    document = document._replace(notes=(*document.notes, *notes))
    characters = sum(map(len, parts))
    return _result(arrival, service, document, characters, replies, samples)


def rejected_result(arrival: Arrival, world: World, rejection: Rejected) -> ResultRecord:
    """Make the result that says why there is no answer."""
    return ResultRecord(
        document=arrival.name,
        task_name=arrival.task,
        status="rejected",
        reason=rejection.reason,
        remedy=rejection.remedy,
        row=arrival.row,
        generation=arrival.generation,
        at=world.clock(),
    )


def _result(
    arrival: Arrival,
    service: Service,
    document: Document,
    characters: int,
    replies: list[Reply],
    samples: Sequence[Sequence[Answer | None]],
) -> ResultRecord:
    """Let the samples vote, and put the answer together with its provenance."""
    champion, serving, world = service.champion, service.serving, service.world
    decided = combine(champion.task, samples)
    prompt_tokens = sum(reply.prompt_tokens for reply in replies)
    answer_tokens = sum(reply.answer_tokens for reply in replies)
    usd = answer_usd(champion.candidate.base_model, prompt_tokens, answer_tokens)
    confidence = confidence_of(
        decided, champion, serving, len(replies), is_file=bool(document.media_type)
    )
    doubtful = decided.answer is None or confidence.value < serving.review_below
    return ResultRecord(
        document=arrival.name,
        task_name=arrival.task,
        status="review" if doubtful else "accepted",
        provisional=service.provisional,
        answer=decided.answer,
        confidence=confidence.value,
        agreement=decided.confidence,
        calibrated=not confidence.note,
        calibration_note=confidence.note,
        field_confidences=decided.field_confidences,
        alternatives=runners_up(decided.answer, samples),
        tally=shown_tally(decided.tally),
        reason="" if decided.answer is not None else "No sample was an answer to this task.",
        row=arrival.row,
        generation=arrival.generation,
        provenance=Provenance(
            document=f"gs://{world.settings.documents_bucket}/{arrival.source}",
            generation=arrival.generation,
            champion=champion.candidate.name,
            model=champion.candidate.model,
            model_version=replies[-1].model_version,
            dataset=champion.dataset,
            prompt_hash=prompt_hash(champion.candidate, champion.task),
            samples=sum(map(len, samples)),
            stop_at=serving.stop_at,
            temperature=serving.temperature,
            prompt_tokens=prompt_tokens,
            answer_tokens=answer_tokens,
            seconds=round(sum(reply.seconds for reply in replies), _SECONDS_DIGITS),
            usd=None if usd is None else round(usd, _USD_DIGITS),
            characters=characters,
            parts=len(replies),
            reader=document.reader,
            notes=document.notes,
        ),
        at=world.clock(),
    )
