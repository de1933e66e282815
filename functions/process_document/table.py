"""Answers a table of documents: each row as a document, with a result of its own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from functions.process_document import batched
from functions.process_document.answering import Arrival, Service, answer_text, rejected_result
from functions.process_document.reading.document import Document
from functions.process_document.results import keep, tell
from shared import log, paths
from shared.errors import Rejected
from shared.record_store import read
from shared.records import ResultRecord

MAX_ROWS = 1000
"""What a function can answer before its time is up, with a slow model."""

ROWS_AT_A_TIME = 8


def answer_rows(arrival: Arrival, service: Service, documents: Sequence[Document]) -> ResultRecord:
    """Answer the rows of a table, some at a time.

    A row that has its result is not asked about again: what a crash or a busy service cut short
    goes on where it was. Only the champion asks again about what its stand-in answered.

    Returns:
        The table's own result, which says how many rows it has.

    Raises:
        Rejected: It has too many rows.
        AwaitsBatch: A batch answers it, which has not ended.
        Retry: A service is busy; the rows that were answered are kept.
    """
    if batched.takes_batch(arrival, service, len(documents)):
        service = batched.through_batch(arrival, service, documents)
    elif len(documents) > MAX_ROWS:
        too_many = service.serving.batch_above and len(documents) > batched.MAX_ROWS
        most = batched.MAX_ROWS if too_many else MAX_ROWS
        raise Rejected(
            f"{arrival.name} has {len(documents):,} rows; {most:,} are taken in one file.",
            "Split it into several files.",
        )
    with ThreadPoolExecutor(ROWS_AT_A_TIME) as pool:
        statuses = list(pool.map(lambda row: _answer_row(arrival, service, row), documents))
    rejected = statuses.count("rejected")
    log.info("table answered", task=arrival.task, rows=len(statuses), rejected=rejected)
    return ResultRecord(
        document=arrival.name,
        task_name=arrival.task,
        status="divided",
        provisional=service.provisional,
        reason=f"It has {len(statuses):,} documents, a row each; {rejected:,} rejected.",
        remedy=f"The answers are in {arrival.name}/<row>.json.",
        rows=len(statuses),
        generation=arrival.generation,
        at=service.world.clock(),
    )


def _answer_row(table: Arrival, service: Service, document: Document) -> str:
    """Answer one row, unless that was done before; return its status."""
    world = service.world
    arrival = batched.row_of(table, document)
    known = read(world.buckets.results, paths.result(arrival.name), ResultRecord)
    stays = known and not (known.provisional and not service.provisional)
    if known and known.row and stays and known.generation >= arrival.generation:
        if known.generation == arrival.generation:
            tell(world, known)
        return known.status
    try:
        _check(document, table.name)
        result = answer_text(arrival, service, document)
    except Rejected as rejection:
        result = rejected_result(arrival, world, rejection)
    if keep(world, result):
        tell(world, result)
    return result.status


def _check(document: Document, name: str) -> None:
    """Refuse a row that holds no document."""
    if document.flaw:
        raise Rejected(
            f"Row {document.row:,} of {name} cannot be answered: {document.flaw}.",
            "Correct it, and upload the file again.",
        )
