"""Converts one uploaded file: survey it, write its splits, then its record.

The file is read twice as a stream; neither pass holds it in memory. The record is written last,
so a dataset exists once it is whole, and converting again after a crash changes nothing.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice

import orjson

from functions.convert_dataset.columns import Columns, find_columns, known_columns
from functions.convert_dataset.formats import SNIFF_BYTES, Format, choose_format
from functions.convert_dataset.infer import infer_task
from functions.convert_dataset.labelled import example_of
from functions.convert_dataset.report import write_report
from functions.convert_dataset.rows import Refusal, Row
from functions.convert_dataset.splits import QUARANTINE, SPLITS, TRAIN
from functions.convert_dataset.survey import Survey, check_survey, survey_rows
from shared import log, paths
from shared.errors import NotFound, Rejected
from shared.events import ObjectArrived
from shared.examples import Example
from shared.file_kinds import refuse_packed
from shared.ports import Bucket, World
from shared.prompts import answer_text, system_instruction, tuning_line
from shared.record_store import create, read
from shared.records import DatasetRecord, TaskRecord
from shared.task import FieldSpec, Task
from shared.tokens import estimate_tokens

SAMPLE_ROWS = 2000
MAX_FILE_BYTES = 1_000_000_000
TOKEN_SAMPLE = 500
JSON_LINES = "application/jsonl"


@dataclass(frozen=True)
class Upload:
    """A file, and all that is known before its rows are gone through."""

    bucket: Bucket
    event: ObjectArrived
    name: str
    format: Format
    task: Task
    columns: Columns
    explanation: tuple[str, ...]

    @contextmanager
    def rows(self) -> Iterator[Iterator[Row | Refusal]]:
        """Open the file and go through its rows."""
        with self.bucket.open_read(self.event.name, self.event.generation) as stream:
            yield self.format.rows(stream, known_columns(self.task))


def convert(
    event: ObjectArrived, world: World, declared: TaskRecord | None
) -> DatasetRecord | None:
    """Convert one file, unless that was done before.

    Args:
        event: The upload.
        world: The ports.
        declared: The task as task.yaml declares it; None to infer it.

    Returns:
        The dataset's record; None when another delivery converted it at the same moment, and
        announces it.

    Raises:
        Rejected: Nothing can be learnt from the file, with the reason.
        NotFound: The upload was replaced or deleted meanwhile.
    """
    name = paths.task_of(event.name)
    upload = _open_upload(event, world.buckets.datasets, declared)
    identifier = paths.dataset_id(
        event.bucket, event.name, event.generation, upload.task.data_key()
    )
    path = paths.dataset_record(name, identifier)
    done = read(world.buckets.artifacts, path, DatasetRecord)
    if done is not None:
        return done
    with upload.rows() as rows:
        survey = survey_rows(rows, upload.task, upload.columns)
    check_survey(survey, upload.name)
    tokens = _write_splits(upload, survey, world.buckets.artifacts, name, identifier)
    record = DatasetRecord(
        id=identifier,
        task_name=name,
        task=survey.task,
        explanation=upload.explanation,
        source_bucket=event.bucket,
        source_object=event.name,
        source_generation=event.generation,
        rows=len(survey.codes),
        counts=survey.counts,
        quarantined=len(survey.refusals),
        quarantined_by_reason=survey.reasons,
        labels=survey.labels,
        training_tokens=tokens,
        created=world.clock(),
    )
    write_report(world.buckets.artifacts, record, list(survey.refusals.values()))
    if not create(world.buckets.artifacts, path, record):
        return None
    log.info("dataset converted", task=name, dataset=identifier, **record.counts)
    return record


def _open_upload(event: ObjectArrived, bucket: Bucket, declared: TaskRecord | None) -> Upload:
    """Look at the beginning of a file: its format, its columns, its task."""
    name = event.name.partition("/")[2]
    found = bucket.find(event.name)
    if found is None or found.generation != event.generation:
        raise NotFound(event.name)
    if found.size > MAX_FILE_BYTES:
        raise Rejected(
            f"{name} has {found.size:,} bytes; Gemini's training files may have "
            f"{MAX_FILE_BYTES:,}.",
            "Upload a part of it.",
        )
    refuse_packed(found, name)
    task = declared.task if declared else None
    with bucket.open_read(event.name, event.generation) as stream:
        chosen = choose_format(stream.read(SNIFF_BYTES), name)
    with bucket.open_read(event.name, event.generation) as stream:
        rows = chosen.rows(stream, known_columns(task))
        first = list(islice(rows, SAMPLE_ROWS))
    sample = [row for row in first if isinstance(row, Row)]
    if not sample:
        raise Rejected(_nothing_readable(name, chosen.name, first))
    columns = find_columns(sample, task, name)
    named = ", ".join(sample[0].values)
    explanation: tuple[str, ...] = (
        f"the file was read as {chosen.name}, with the columns {named}",
    )
    if task is None:
        inference = infer_task(sample, columns, name)
        task = inference.task
        explanation += inference.explanation
    else:
        explanation += ("the task is the one in task.yaml", *columns.explanation)
        if task.type == "extraction" and not task.fields:
            inferred = infer_task(sample, columns, name).task
            fields = tuple(FieldSpec(name=field) for field in inferred.field_names)
            task = task.model_copy(update={"fields": fields})
    return Upload(bucket, event, name, chosen, task, columns, explanation)


def _nothing_readable(name: str, form: str, first: list[Row | Refusal]) -> str:
    """Say what is wrong with the rows of a file that has no good one."""
    refusals = [row for row in first if isinstance(row, Refusal)]
    shown = "; ".join(f"line {row.line}: {row.reason}, {row.detail}" for row in refusals[:3])
    return f"No row of {name}, read as {form}, can be used: {shown or 'it has none'}."


def _write_splits(
    upload: Upload, survey: Survey, bucket: Bucket, task: str, identifier: str
) -> int:
    """Write the split files and the quarantine; return the training tokens, estimated."""
    sampled = sampled_tokens = training_characters = 0.0
    instruction = system_instruction(survey.task)
    with ExitStack() as stack:
        rows = stack.enter_context(upload.rows())
        files = [
            stack.enter_context(
                bucket.open_write(paths.split_file(task, identifier, split), JSON_LINES)
            )
            for split in (*SPLITS, "quarantine")
        ]
        written = 0
        for index, (row, code) in enumerate(zip(rows, survey.codes, strict=True)):
            if code == QUARANTINE:
                refusal = survey.refusals[index]
                values = dict(row.values) if isinstance(row, Row) else None
                line = {"line": refusal.line, "reason": refusal.reason, "detail": refusal.detail}
                content = orjson.dumps({**line, "row": values}, default=str)
                files[code].write(content + b"\n")
                continue
            example = example_of(row, survey.task, upload.columns) if isinstance(row, Row) else row
            if not isinstance(example, Example):
                raise NotFound(f"{upload.name} changed while it was read")
            content = orjson.dumps(tuning_line(survey.task, example)) + b"\n"
            files[code].write(content)
            if code == TRAIN:
                said = f"{instruction}{example.text}{answer_text(example.answer)}"
                training_characters += len(said)
                written += 1
                if written <= TOKEN_SAMPLE:
                    sampled += len(said)
                    sampled_tokens += estimate_tokens(said)
    return round(sampled_tokens * training_characters / sampled) if sampled else 0
