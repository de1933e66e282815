"""Converts one uploaded file: survey it, judge it, write its splits and reports, then its record.

The file is read twice as a stream; neither pass holds it in memory. The record is written last,
so a dataset exists once it is whole, and converting again after a crash changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from functions.convert_dataset.checks import Check
from functions.convert_dataset.checks.registry import CHECKS
from functions.convert_dataset.corrections import NO_CORRECTIONS, Corrections
from functions.convert_dataset.infer import late_separator
from functions.convert_dataset.judge import Judgement, judge
from functions.convert_dataset.opening import Upload, open_upload
from functions.convert_dataset.remedies import with_whole_task
from functions.convert_dataset.report import write_reports
from functions.convert_dataset.rows import Refusal
from functions.convert_dataset.survey import Survey, survey_rows
from functions.convert_dataset.write import write_dataset
from shared import log, paths
from shared.errors import Rejected
from shared.events import ObjectArrived
from shared.examples import ENOUGH_FOR_TUNING
from shared.ports import World
from shared.record_store import create, read
from shared.records import DatasetRecord, TaskRecord

MAX_SECONDS = 240
"""Reading a file once may take so long; it is read twice, and a function has 540 seconds."""

PATIENCE_SECONDS = 10
MAX_LABELS = 1000
SHOWN_REFUSALS = 3
FORM_REASONS = frozenset(
    {"wrong number of cells", "stray quotation mark", "not JSON", "not a JSON object", "not a tag",
     "offsets do not fit", "not a conversation"}
)  # fmt: skip
"""Reasons that say that the file was written wrongly, or is read wrongly."""


class NoUsableCorrection(Rejected):
    """None of a task's corrections can be used; the file itself may be fine.

    Args:
        upload: The file that they were to be added to.
        survey: The first pass, with the task's labels or fields.
    """

    def __init__(self, upload: Upload, survey: Survey) -> None:
        rows = upload.corrections.rows(survey.task, 0)
        why = [example.detail for _, example in rows if isinstance(example, Refusal)]
        more = f"; and {len(why) - SHOWN_REFUSALS} more" if len(why) > SHOWN_REFUSALS else ""
        super().__init__(
            f"No correction can be used: {'; '.join(why[:SHOWN_REFUSALS])}{more}.",
            "The dataset is as it was.",
        )


def convert(
    event: ObjectArrived,
    world: World,
    declared: TaskRecord | None,
    corrections: Corrections = NO_CORRECTIONS,
) -> DatasetRecord | None:
    """Convert one file, unless that was done before.

    Args:
        event: The upload.
        world: The ports.
        declared: The task as task.yaml declares it; None to infer it.
        corrections: What people corrected, to be added to the file's rows.

    Returns:
        The dataset's record; None when another delivery converted it at the same moment, and
        announces it.

    Raises:
        NoUsableCorrection: There are corrections, and none of them can be used.
        Rejected: Nothing can be learnt from the file, with the reason.
        NotFound: The upload was replaced or deleted meanwhile.
    """
    try:
        return _convert(event, world, declared, corrections)
    except NoUsableCorrection:
        raise
    except Rejected as error:
        if declared is not None:
            raise
        raise Rejected(error.reason, with_whole_task(error.remedy)) from error


def _convert(
    event: ObjectArrived, world: World, declared: TaskRecord | None, corrections: Corrections
) -> DatasetRecord | None:
    """Convert one file; what it is rejected for speaks to somebody who has a task.yaml."""
    name = paths.task_of(event.name)
    source = world.buckets.datasets
    try:
        upload = replace(open_upload(event, source, declared), corrections=corrections)
        identifier = _identifier(event, upload)
        done = read(world.buckets.artifacts, paths.dataset_record(name, identifier), DatasetRecord)
        if done is not None:
            return done
        survey, checks = _survey(upload, world)
    except UnicodeDecodeError:
        deep = open_upload(event, source, declared, deep=True)
        upload = replace(deep, corrections=corrections)
        identifier = _identifier(event, upload)
        survey, checks = _survey(upload, world)
    used = sum(survey.kept[survey.corrected_from :])
    if corrections and not used:
        raise NoUsableCorrection(upload, survey)
    judgement = judge(survey, checks, declared.task if declared else None, upload.name)
    _check_dataset(survey, judgement, upload.name)
    written = write_dataset(upload, survey, judgement, world.buckets.artifacts, name, identifier)
    record = DatasetRecord(
        id=identifier,
        task_name=name,
        task=survey.task,
        explanation=(*upload.explanation, *survey.tally.explanation, *corrections.explanation),
        source_bucket=event.bucket,
        source_object=event.name,
        source_generation=event.generation,
        rows=len(survey.kept),
        counts=judgement.counts,
        quarantined=sum(written.quarantined.values()),
        quarantined_by_reason=dict(written.quarantined.most_common()),
        labels=judgement.labels,
        training_tokens=written.training_tokens,
        corrections=used,
        text_column="" if upload.columns.joined else upload.columns.text,
        created=world.clock(),
    )
    write_reports(world, upload, record, survey, judgement, written)
    if not create(world.buckets.artifacts, paths.dataset_record(name, identifier), record):
        return None
    log.info("dataset converted", task=name, dataset=identifier, **record.counts)
    return record


def _identifier(event: ObjectArrived, upload: Upload) -> str:
    """Name the dataset that an upload becomes."""
    return paths.dataset_id(
        event.bucket,
        event.name,
        event.generation,
        upload.task.data_key(),
        upload.corrections.identifier,
    )


def _survey(upload: Upload, world: World) -> tuple[Survey, Sequence[Check]]:
    """Go through a file once, with new checks, and stop it when it takes too long."""
    checks = [make() for make in CHECKS]
    watch = _watch_time(upload, world.clock, world.clock())
    survey = survey_rows(
        upload.rows(), upload.task, upload.columns, checks, watch, upload.corrections
    )
    return survey, checks


def _watch_time(
    upload: Upload, clock: Callable[[], datetime], began: datetime
) -> Callable[[int], None]:
    """Make the function that rejects a file as soon as it is clear that it takes too long."""

    def watch(rows: int) -> None:
        seconds = (clock() - began).total_seconds()
        if seconds < PATIENCE_SECONDS:
            return
        share = upload.position() / upload.size
        whole = seconds / share if 0 < share <= 1 else seconds
        if max(whole, seconds) > MAX_SECONDS:
            raise Rejected(
                f"{upload.name} takes too long to convert: {rows:,} rows in {seconds:.0f} s, about "
                f"{whole:.0f} s for the {upload.size:,} bytes; {MAX_SECONDS} s are the limit.",
                "Upload a part of it, or save it as CSV or JSON lines, which are read fastest.",
            )

    return watch


def _check_dataset(survey: Survey, judgement: Judgement, name: str) -> None:
    """Refuse a file that nothing can be learnt from.

    Raises:
        Rejected: There is no example, a split is empty, or there is one label only, or too many.
    """
    total = sum(judgement.counts.values())
    for reason, count in survey.refused.items():
        if total and reason in FORM_REASONS and 2 * count > len(survey.kept):
            raise Rejected(
                f"{count:,} of {len(survey.kept):,} rows of {name} could not be read: {reason}, "
                f"first at {survey.first_refused[reason].line}. What is left would be a biased "
                "sample.",
                "Write the file again in a proper way; if its format was mistaken, name it in "
                "task.yaml: `format: …`.",
            )
    if total == 0:
        raise _no_usable_row(survey, judgement, name)
    used = [label for label, splits in judgement.labels.items() if any(splits.values())]
    if survey.task.type != "extraction" and len(used) < 2:  # noqa: PLR2004 - a choice
        raise Rejected(
            f"Every example of {name} has the label {next(iter(used), None)!r}.",
            "Add examples of the other labels; is the file a part of a sorted one?",
        )
    mark = None if survey.task.multi_label else late_separator(dict.fromkeys(used, 1))
    if mark:
        raise Rejected(
            f"Some labels of {name} are several with {mark!r} between them, further down than its "
            "first rows.",
            "Write `multi_label: true` in task.yaml, or give each row one label.",
        )
    for split, count in judgement.counts.items():
        if count == 0 and total < ENOUGH_FOR_TUNING:
            raise Rejected(
                f"{name} has {total} usable examples, too few to leave any for {split}.",
                f"Add examples: {ENOUGH_FOR_TUNING} are the least that tuning makes sense with.",
            )
        if count == 0:
            raise Rejected(
                f"{name} has {total:,} usable examples, but none for {split}: the splits it gives, "
                "or groups that have to stay together, leave none.",
                "See its column of splits, and `split: {group_by: …}` in task.yaml.",
            )
    if len(survey.task.labels) > MAX_LABELS:
        raise Rejected(
            f"{name} has {len(survey.task.labels)} different labels, too many to classify.",
            "Name the label's column in task.yaml: `columns: {label: …}`.",
        )


def _no_usable_row(survey: Survey, judgement: Judgement, name: str) -> Rejected:
    """Say why nothing is left of a file, and what to do about the most frequent reason."""
    why = [f"{reason}: {count:,}" for reason, count in survey.refused.most_common()]
    why += [found.summary for found, action in judgement.findings if action == "drop"]
    reasons = survey.refused.most_common(1)
    first = survey.first_refused[reasons[0][0]] if reasons else None
    detail = f"; first at {first.line}: {first.detail}" if first else ""
    remedies = [found.remedy for found, _ in judgement.findings if found.refused]
    return Rejected(
        f"{name} has no usable row ({', '.join(why) or 'it is empty'}{detail}).",
        f"{remedies[0]} See docs/intake.md." if remedies else "See docs/intake.md.",
    )
