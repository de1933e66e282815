"""Goes through a file's rows in batches, and then through what people corrected."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from functions.convert_dataset.columns import SPLIT_WORDS, Columns
from functions.convert_dataset.corrections import Corrections
from functions.convert_dataset.labelled import Reader, example_reader
from functions.convert_dataset.rows import Refusal, Row
from functions.convert_dataset.tally import LabelTally
from shared.examples import Example
from shared.task import Task

BATCH_ROWS = 1024

RawRow = Row | Refusal
ReadBatch = tuple[int, Sequence[RawRow], Sequence[Example | Refusal]]
"""The first row's index, the rows, and what became of them."""


def file_batches(
    rows: Iterable[RawRow],
    task: Task,
    columns: Columns,
    corrections: Corrections,
    tally: LabelTally | None = None,
) -> Iterator[ReadBatch]:
    """Go through a file; rows whose text has a correction become refusals."""
    read = _with_split(example_reader(task, columns, tally), columns)
    if corrections.keys:
        read = _without_corrected(read, corrections)
    rows = iter(rows)
    first = 0
    while chunk := list(islice(rows, BATCH_ROWS)):
        yield first, chunk, [read(row) if isinstance(row, Row) else row for row in chunk]
        first += len(chunk)


def correction_batches(
    corrections: Corrections, task: Task, first: int, last: int
) -> Iterator[ReadBatch]:
    """Go through the corrections.

    Args:
        corrections: The corrections.
        task: The task, its labels or fields complete.
        first: The index of the first of them: how many rows the file has.
        last: The number of the file's last line; they are numbered on from there.
    """
    found = corrections.rows(task, last)
    while part := list(islice(found, BATCH_ROWS)):
        yield first, [row for row, _ in part], [example for _, example in part]
        first += len(part)


def all_batches(
    rows: Iterable[RawRow], task: Task, columns: Columns, corrections: Corrections
) -> Iterator[ReadBatch]:
    """Go through both, with the task that the first pass completed."""
    count = last = 0
    for first, chunk, examples in file_batches(rows, task, columns, corrections):
        yield first, chunk, examples
        count, last = first + len(chunk), chunk[-1].line
    yield from correction_batches(corrections, task, count, last)


def _without_corrected(read: Reader, corrections: Corrections) -> Reader:
    """Refuse rows whose text a person has corrected."""

    def checked(row: Row) -> Example | Refusal:
        example = read(row)
        if isinstance(example, Refusal):
            return example
        return corrections.refusal_of(example.text, row.line) or example

    return checked


def _with_split(read: Reader, columns: Columns) -> Reader:
    """Refuse rows whose split is not one."""
    if columns.split is None:
        return read
    column = columns.split

    def checked(row: Row) -> Example | Refusal:
        if split_word(row, column) in SPLIT_WORDS:
            return read(row)
        detail = f"{split_word(row, column)[:60]!r} is none of train, validation and test"
        return Refusal(row.line, "unknown split", detail)

    return checked


def split_word(row: Row, column: str) -> str:
    """Return what a row says of its split."""
    return str(row.values.get(column) or "").strip().lower()
