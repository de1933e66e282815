"""Opens an uploaded file: unpacks it, finds its encoding and format, its columns and its task."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO

from functions.convert_dataset.columns import Columns, find_columns, known_columns
from functions.convert_dataset.corrections import NO_CORRECTIONS, Corrections
from functions.convert_dataset.formats.registry import Format, choose_format
from functions.convert_dataset.infer import infer_task
from functions.convert_dataset.reading.packing import open_unpacked
from functions.convert_dataset.reading.source import Hints, Source
from functions.convert_dataset.rows import Refusal, Row
from shared.encodings.detection import (
    as_utf8,
    detect_encoding,
    detect_encoding_at_depth,
)
from shared.errors import NotFound, Rejected
from shared.events import ObjectArrived
from shared.file_kinds import refuse_packed
from shared.ports import Bucket
from shared.records import TaskRecord
from shared.task import Task

SAMPLE_ROWS = 2000
SHOWN_COLUMNS = 12
MAX_FILE_BYTES = 1_000_000_000
MAX_REFERENCED_BYTES = 1_000_000

BINARY = frozenset({"excel", "parquet", "folders"})

_NO_ROWS = {"csv": "a header and no rows", "excel": "no rows, or a header only"}


@dataclass(frozen=True)
class Upload:
    """A file, and all that is known before its rows are gone through.

    Attributes:
        name: Its name below the task's folder.
        size: Its size in bytes, as it is stored.
        source: How to read it.
        format: What it is.
        task: The task; without labels or fields they are to be taken from the data.
        columns: Which column holds what.
        explanation: How it was read, in sentences.
        position: Says how many of its stored bytes have been read.
        corrections: What people corrected, which comes behind its rows.
        inferred: Whether there is no task.yaml.
    """

    name: str
    size: int
    source: Source
    format: Format
    task: Task
    columns: Columns
    explanation: tuple[str, ...]
    position: Callable[[], int]
    corrections: Corrections = NO_CORRECTIONS
    inferred: bool = False

    def rows(self) -> Iterator[Row | Refusal]:
        """Go through its rows."""
        return self.format.read(self.source)


def open_upload(
    event: ObjectArrived, bucket: Bucket, declared: TaskRecord | None, *, deep: bool = False
) -> Upload:
    """Look at the beginning of a file.

    Args:
        event: The upload.
        bucket: The datasets bucket.
        declared: The task as task.yaml declares it; None to infer it.
        deep: Look for the encoding in the whole file, because its beginning misled.

    Raises:
        UnicodeDecodeError: It is not UTF-8, though its beginning is: open it again, deep.
        Rejected: It is not a labelled file, with the reason.
        NotFound: It was replaced or deleted meanwhile.
    """
    name = event.name.partition("/")[2]
    found = bucket.find(event.name)
    if found is None or found.generation != event.generation:
        raise NotFound(event.name)
    if not found.size:
        raise Rejected(f"{name} is empty.", "Upload a file with labelled texts.")
    if found.size > MAX_FILE_BYTES:
        raise Rejected(
            f"{name} has {found.size:,} bytes; Gemini's training files may have "
            f"{MAX_FILE_BYTES:,}.",
            "Upload a part of it.",
        )
    refuse_packed(found, name)
    task = declared.task if declared else None
    hints = Hints(known_columns(task), task.sheet if task else None, task.offsets if task else None)
    raw = _Stored(bucket, event)
    unpacked = open_unpacked(raw.open, name)
    source = Source(name, unpacked.open, hints, _reader_of_texts(event, bucket))
    how: tuple[str, ...] = ()
    if unpacked.kind in {"gzip", "zip member"}:
        inside = f" (the file {unpacked.member} in it)" if unpacked.member else ""
        how = (f"the file was unpacked{inside}",)
    if unpacked.kind not in BINARY:
        named = task.encoding if task else None
        if deep and named:
            raise Rejected(
                f"{name} is not in {named}, though its task.yaml says so.",
                "Correct `encoding`, or leave it out to have it found.",
            )
        encoding = (
            detect_encoding_at_depth(unpacked.open, name)
            if deep
            else detect_encoding(unpacked.open, name, named)
        )
        source = replace(source, open=as_utf8(unpacked.open, encoding.name, name))
        how += (encoding.how,)
    form, columns, task, sentences = _read_beginning(source, task)
    how += sentences
    return Upload(
        name,
        found.size,
        source,
        form,
        task,
        columns,
        how,
        raw.position,
        inferred=declared is None,
    )


def _read_beginning(
    source: Source, task: Task | None
) -> tuple[Format, Columns, Task, tuple[str, ...]]:
    """Find a file's format, columns and task."""
    form = choose_format(source, task.format if task else None)
    try:
        return _read_as(form, source, task)
    except Rejected as error:
        elsewhere = form.elsewhere(source)
        if not elsewhere:
            raise
        raise Rejected(error.reason, f"{elsewhere} Else: {error.remedy}") from error


def _read_as(
    form: Format, source: Source, task: Task | None
) -> tuple[Format, Columns, Task, tuple[str, ...]]:
    """Find a file's columns and task."""
    first = list(islice(form.read(source), SAMPLE_ROWS))
    sample = [row for row in first if isinstance(row, Row)]
    if not sample:
        if not first:
            raise Rejected(
                f"{source.name}, read as {form.name}, has {_NO_ROWS.get(form.key, 'no rows')}.",
                "Add a row for each text, with its answer.",
            )
        refusals = [row for row in first if isinstance(row, Refusal)]
        shown = "; ".join(
            f"{form.counts} {row.line}: {row.reason}, {row.detail}" for row in refusals[:3]
        )
        raise Rejected(
            f"No row of {source.name}, read as {form.name}, can be used: {shown}.",
            "If it is another format, say so in task.yaml: `format: …`; docs/intake.md lists them.",
        )
    columns = find_columns(sample, task, source.name)
    names = list(sample[0].values)
    named = ", ".join(names[:SHOWN_COLUMNS]) + (" …" if len(names) > SHOWN_COLUMNS else "")
    note = form.note(source)
    how: tuple[str, ...] = (
        f"the file was read as {form.name}, with the columns {named}",
        *([note] if note else []),
    )
    if task is not None:
        return form, columns, task, (*how, "the task is the one in task.yaml", *columns.explanation)
    inference = infer_task(sample, columns, source.name)
    return form, columns, inference.task, how + inference.explanation


class _Stored:
    """The stored object: opens it, and says how far it has been read."""

    def __init__(self, bucket: Bucket, event: ObjectArrived) -> None:
        self._bucket, self._event = bucket, event
        self._stream: BinaryIO | None = None
        self._position = 0

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the object from its beginning."""
        with self._bucket.open_read(self._event.name, self._event.generation) as stream:
            self._stream = stream
            yield stream

    def position(self) -> int:
        """Return how many bytes of it have been read, in the reading that began last."""
        if self._stream is not None and not self._stream.closed:
            self._position = self._stream.tell()
        return self._position


def _reader_of_texts(event: ObjectArrived, bucket: Bucket) -> Callable[[str], str]:
    """Make the function that reads the texts that a file refers to, in its own bucket only."""

    def read(address: str) -> str:
        name = address.removeprefix(f"gs://{event.bucket}/")
        if name == address:
            raise Rejected(
                f"{address[:100]!r} is not in the bucket {event.bucket}.",
                "Put the texts into the bucket of the file that refers to them.",
            )
        found = bucket.find(name)
        if found is None:
            raise Rejected(f"{address[:100]!r} is not there.", "Upload it first.")
        if found.size > MAX_REFERENCED_BYTES:
            raise Rejected(f"{address[:100]!r} has {found.size:,} bytes.", "Shorten it.")
        try:
            content, _ = bucket.read(name)
            return content.decode("utf-8-sig")
        except NotFound:
            raise Rejected(f"{address[:100]!r} is not there.", "Upload it first.") from None
        except UnicodeDecodeError:
            raise Rejected(f"{address[:100]!r} is not UTF-8.", "Save it as UTF-8.") from None

    return read
