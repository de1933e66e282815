"""Asks the champion about one text, and makes the result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from functions.process_document.alternatives import runners_up, shown_tally
from functions.process_document.combine import combine
from functions.process_document.confidence import confidence_of, wants_rating
from functions.process_document.length import parts_of
from functions.process_document.reading.document import Document
from shared.answer_price import replies_usd
from shared.answers import parse_answer
from shared.candidates import needed_by, prompt_hash, prompt_of, sampling_of
from shared.errors import Rejected
from shared.examples import MAX_TEXT_CHARACTERS, Answer
from shared.ports import Generator, Reply, Sampling, World
from shared.prompts import File, Prompt
from shared.rating import rate
from shared.records import ChampionRecord, Provenance, ResultRecord
from shared.stopping import counted
from shared.task import Serving
from shared.voting import Vote

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
class Asked:
    """What came of asking about a text.

    Attributes:
        parts: The parts that it was asked about in.
        replies: What was said, the rating included.
        samples: For each part the parsed samples that count.
        decided: Their vote.
        rating: What the answer was rated as, empty for what is no rating; None when it was not.
    """

    parts: Sequence[str]
    replies: Sequence[Reply]
    samples: Sequence[Sequence[Answer | None]]
    decided: Vote
    rating: str | None = None


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


@dataclass(frozen=True)
class Requests:
    """What a model is asked about a text.

    Attributes:
        parts: The text, its beginning, or its parts.
        prompts: A prompt for each part.
        sampling: How each is sampled.
        notes: What was done to the text, for the result.
    """

    parts: Sequence[str]
    prompts: Sequence[Prompt]
    sampling: Sampling
    notes: tuple[str, ...]


def requests_of(arrival: Arrival, service: Service, document: Document) -> Requests:
    """Make what the champion is asked about a text. Raises Rejected when the text is too long."""
    champion, serving = service.champion, service.serving
    parts, notes = parts_of(document.text, serving, arrival.name)
    address = f"gs://{service.world.settings.documents_bucket}/{arrival.source}"
    file = File(address, document.media_type) if document.media_type else None
    artifacts = service.world.buckets.artifacts
    prompts = [
        prompt_of(champion.candidate, champion.task, part, artifacts, file) for part in parts
    ]
    return Requests(parts, prompts, sampling_of(serving, arrival.name, document.text), notes)


def answer_text(arrival: Arrival, service: Service, document: Document) -> ResultRecord:
    """Ask the champion about a text.

    Raises:
        Rejected: The text is too long for the task, or refused by the service.
        Retry: A service is busy.
    """
    champion, serving = service.champion, service.serving
    requests = requests_of(arrival, service, document)
    replies = [
        service.generator.generate(
            champion.candidate.model, prompt, requests.sampling, needed_by(champion.task, serving)
        )
        for prompt in requests.prompts
    ]
    said = [[parse_answer(champion.task, text) for text in reply.texts] for reply in replies]
    samples = [counted(each, serving.stop_at, serving.samples) for each in said]
    document = document._replace(notes=(*document.notes, *requests.notes))
    asked = Asked(requests.parts, replies, samples, combine(champion.task, samples))
    result = _result(arrival, service, document, _rated(service, document, asked))
    whole = asked.parts[0] if len(asked.parts) == 1 else document.text
    return _with_text(result, serving, whole)


def _rated(service: Service, document: Document, asked: Asked) -> Asked:
    """Have the champion rate its answer, if that is part of its confidence."""
    champion, answer = service.champion, asked.decided.answer
    is_file = bool(document.media_type)
    if answer is None or not wants_rating(
        asked.decided, champion, service.serving, len(asked.parts), is_file=is_file
    ):
        return asked
    text = asked.parts[0]
    rating, reply = rate(service.generator, champion.candidate, champion.task, text, answer)
    replies = [*asked.replies, reply] if reply else asked.replies
    return replace(asked, rating=rating, replies=replies)


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


def _with_text(result: ResultRecord, serving: Serving, text: str) -> ResultRecord:
    """Keep the text with an answer that a person may review, if it can be learnt from."""
    reviewed = result.status == "review" or serving.review_share > 0
    if not reviewed or len(text) > MAX_TEXT_CHARACTERS:
        return result
    return result.model_copy(update={"text": text})


def _result(
    arrival: Arrival,
    service: Service,
    document: Document,
    asked: Asked,
) -> ResultRecord:
    """Put the answer together with its confidence and its provenance."""
    champion, serving, world = service.champion, service.serving, service.world
    decided, replies = asked.decided, asked.replies
    prompt_tokens = sum(reply.prompt_tokens for reply in replies)
    answer_tokens = sum(reply.answer_tokens for reply in replies)
    usd = replies_usd(champion.candidate.base_model, replies)
    confidence = confidence_of(
        decided,
        champion,
        serving,
        len(asked.parts),
        is_file=bool(document.media_type),
        rating=asked.rating,
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
        rating=asked.rating or "",
        calibrated=not confidence.note,
        calibration_note=confidence.note,
        field_confidences=decided.field_confidences,
        alternatives=runners_up(decided.answer, asked.samples),
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
            samples=sum(map(len, asked.samples)),
            stop_at=serving.stop_at,
            temperature=serving.temperature,
            prompt_tokens=prompt_tokens,
            answer_tokens=answer_tokens,
            seconds=round(sum(reply.seconds for reply in replies), _SECONDS_DIGITS),
            usd=None if usd is None else round(usd, _USD_DIGITS),
            batched=any(reply.batched for reply in replies),
            characters=sum(map(len, asked.parts)),
            parts=len(asked.parts),
            reader=document.reader,
            notes=document.notes,
        ),
        at=world.clock(),
    )
