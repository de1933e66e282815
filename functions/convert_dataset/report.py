"""The data report: what is in the dataset, what was left out of it, and what to mend first."""

import math
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from functions.convert_dataset.checks import Finding
from functions.convert_dataset.checks.registry import FIRST_TO_FIX
from functions.convert_dataset.judge import Judgement
from functions.convert_dataset.opening import Upload
from functions.convert_dataset.price import Price, price_of
from functions.convert_dataset.splits import NONE
from functions.convert_dataset.survey import Survey
from functions.convert_dataset.write import SHOWN_ROWS, TOKEN_SAMPLE, Written
from shared import paths
from shared.answers import answer_text
from shared.examples import ENOUGH_FOR_TUNING
from shared.page import render
from shared.ports import World
from shared.prompts import system_instruction
from shared.records import DatasetRecord
from shared.task import Action, Severity
from shared.tokens import estimate_tokens

SEVERITIES = ("error", "warning", "info")


class Part(BaseModel):
    """What all parts of the report share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ShownRow(Part):
    """One row of a finding: its line (or row, or file), its text and its answer.

    The same of the row that it clashes with, if it does with one.
    """

    line: int
    detail: str = ""
    excerpt: str = ""
    answer: str = ""
    other_line: int | None = None
    other_excerpt: str = ""
    other_answer: str = ""


class ReportedFinding(Part):
    """Something that was found, and what was done about it; at most 20 of its rows."""

    check: str
    severity: Severity
    action: Action
    count: int
    summary: str
    remedy: str
    rows: tuple[ShownRow, ...]


class QuarantineReason(Part):
    """Rows that are in quarantine.jsonl for one reason; at most 20 of them are shown."""

    reason: str
    count: int
    rows: tuple[ShownRow, ...]


class Distribution(Part):
    """How long things are; `histogram` holds (at most so long, how many of them)."""

    median: int
    longest: int
    histogram: tuple[tuple[int, int], ...]


class Lengths(Part):
    """How long `examples` of the file are; all of them, or as many as were looked at.

    `characters` are those of the texts, `tokens` those of texts and answers, estimated.
    `instruction_tokens` come on top, in every line.
    """

    examples: int
    characters: Distribution
    tokens: Distribution
    instruction_tokens: int


class DataReport(Part):
    """report.json: everything the page shows, for programs."""

    schema_version: Literal[1] = 1
    task: str
    dataset: str
    source: str
    how_it_was_read: tuple[str, ...]
    format: str
    rows_are_counted_by: Literal["line", "row", "file"]
    rows: int
    examples: dict[str, int]
    quarantined: int
    quarantine: tuple[QuarantineReason, ...]
    labels: dict[str, dict[str, int]]
    lengths: Lengths | None
    price: Price
    findings: tuple[ReportedFinding, ...]


def write_reports(
    world: World,
    upload: Upload,
    record: DatasetRecord,
    survey: Survey,
    judgement: Judgement,
    written: Written,
) -> None:
    """Write report.json and report.html beside the dataset."""
    report = DataReport(
        task=record.task_name,
        dataset=record.id,
        source=record.source_object,
        how_it_was_read=record.explanation,
        format=upload.format.key,
        rows_are_counted_by=upload.format.counts,
        rows=record.rows,
        examples=record.counts,
        quarantined=record.quarantined,
        quarantine=_quarantine(written),
        labels=record.labels,
        lengths=_lengths(survey, judgement),
        price=price_of(record, world.settings.location, inferred=upload.inferred),
        findings=_findings(survey, judgement, written),
    )
    folder = paths.dataset_folder(record.task_name, record.id)
    content = report.model_dump_json(indent=1).encode()
    world.buckets.artifacts.write(f"{folder}/report.json", content)
    page = render(
        Path(__file__).with_name("report.html.j2"),
        report=report,
        record=record,
        total=sum(report.examples.values()),
        enough=ENOUGH_FOR_TUNING,
        most_shown=SHOWN_ROWS,
        inferred=upload.inferred,
    )
    world.buckets.artifacts.write(
        f"{folder}/report.html", page, content_type="text/html; charset=utf-8"
    )


def _findings(
    survey: Survey, judgement: Judgement, written: Written
) -> tuple[ReportedFinding, ...]:
    """Put findings into words, the worst first, and what to fix first before the rest."""
    reported = [
        ReportedFinding(
            check=found.check,
            severity=found.severity,
            # Rows that are no examples are in quarantine, whatever the policy says.
            action="drop" if found.refused else action,
            count=found.count,
            summary=found.summary,
            remedy=found.remedy,
            rows=_rows(found, survey, written),
        )
        for found, action in judgement.findings
    ]
    return tuple(
        sorted(reported, key=lambda found: (SEVERITIES.index(found.severity), _turn(found)))
    )


def _turn(found: ReportedFinding) -> tuple[int, int]:
    """Say when a finding's turn is among those of its severity."""
    known = found.check in FIRST_TO_FIX
    return (FIRST_TO_FIX.index(found.check) if known else len(FIRST_TO_FIX), -found.count)


def _rows(found: Finding, survey: Survey, written: Written) -> tuple[ShownRow, ...]:
    """Describe the first rows of a finding."""
    if found.refused:
        return _refused(written, found.refused)
    excerpts = written.excerpts if found.excerpts else {}
    answers = written.answers if found.excerpts else {}
    others: list[int | None] = [*found.others[:SHOWN_ROWS]] or [None] * SHOWN_ROWS
    return tuple(
        ShownRow(
            line=survey.lines[row],
            detail=found.details.get(row, ""),
            excerpt=excerpts.get(row, ""),
            answer=answers.get(row, ""),
            other_line=None if other is None else survey.lines[other],
            other_excerpt="" if other is None else excerpts.get(other, ""),
            other_answer="" if other is None else answers.get(other, ""),
        )
        for row, other in zip(found.rows[:SHOWN_ROWS], others, strict=False)
    )


def _refused(written: Written, reason: str) -> tuple[ShownRow, ...]:
    """Describe the first rows that are in quarantine for a reason."""
    return tuple(
        ShownRow(line=row.line, detail=row.detail) for row in written.shown.get(reason, ())
    )


def _quarantine(written: Written) -> tuple[QuarantineReason, ...]:
    """List what is in quarantine, the most frequent reason first."""
    return tuple(
        QuarantineReason(
            reason=reason,
            count=count,
            rows=_refused(written, reason),
        )
        for reason, count in written.quarantined.most_common()
    )


def _lengths(survey: Survey, judgement: Judgement) -> Lengths | None:
    """Measure how long examples are, in the sample."""
    sample = zip(survey.sample.rows, survey.sample.texts, survey.sample.answers, strict=True)
    kept = ((text, answer) for row, text, answer in sample if judgement.splits[row] != NONE)
    pairs = list(islice(kept, TOKEN_SAMPLE))
    if not pairs:
        return None
    tokens = [
        estimate_tokens(text) + estimate_tokens(answer_text(answer)) for text, answer in pairs
    ]
    return Lengths(
        examples=len(pairs),
        characters=_distribution([len(text) for text, _ in pairs]),
        tokens=_distribution([math.ceil(count) for count in tokens]),
        instruction_tokens=round(estimate_tokens(system_instruction(survey.task))),
    )


def _distribution(lengths: list[int]) -> Distribution:
    """Count lengths in steps that double, with one between."""
    steps = [round(2 ** (step / 2)) for step in range(2, 2 * max(lengths).bit_length() + 1)]
    counts = Counter(next(step for step in steps if length <= step) for length in lengths)
    shown = [step for step in steps if min(counts) <= step <= max(counts)]
    return Distribution(
        median=sorted(lengths)[len(lengths) // 2],
        longest=max(lengths),
        histogram=tuple((step, counts[step]) for step in shown),
    )
