"""The data report: what is in the dataset, what was left out of it, and what to mend first."""

from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from functions.convert_dataset.checks import Finding
from functions.convert_dataset.checks.unusable_rows import UnusableRows
from functions.convert_dataset.judge import Judgement
from functions.convert_dataset.opening import Upload
from functions.convert_dataset.survey import Survey
from functions.convert_dataset.write import SHOWN_ROWS, TOKEN_SAMPLE, Written
from shared import paths
from shared.examples import ENOUGH_FOR_TUNING
from shared.models import find_base_model
from shared.page import render
from shared.ports import World
from shared.prompts import answer_text, system_instruction
from shared.records import DatasetRecord
from shared.sweep import estimate_price, plan_sweep
from shared.task import Action, Severity
from shared.tokens import estimate_tokens

TOKEN_STEPS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
SEVERITIES = ("error", "warning", "info")
ESTIMATE_ERROR = "±25 %"


class Part(BaseModel):
    """What all parts of the report share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ShownRow(Part):
    """One row of a finding: its line (or row, or file), the one it clashes with, its text."""

    line: int
    other_line: int | None = None
    detail: str = ""
    excerpt: str = ""


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


class Lengths(Part):
    """How long examples are in tokens, estimated: text, instruction and answer.

    `histogram` holds (at most so many tokens, number of examples) of `examples` looked at.
    """

    examples: int
    median: int
    longest: int
    histogram: tuple[tuple[int, int], ...]


class Price(Part):
    """What the planned sweep would cost."""

    base_model: str
    configurations: int
    training_tokens: int
    error: str
    usd: float
    note: str


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
        lengths=_lengths(survey),
        price=_price(record, world.settings.location),
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
    )
    world.buckets.artifacts.write(
        f"{folder}/report.html", page, content_type="text/html; charset=utf-8"
    )


def _findings(
    survey: Survey, judgement: Judgement, written: Written
) -> tuple[ReportedFinding, ...]:
    """Put findings into words, the worst first, then those that concern the most."""
    reported = [
        ReportedFinding(
            check=found.check,
            severity=found.severity,
            # Rows that are no examples are in quarantine, whatever the policy says.
            action="drop" if found.check == UnusableRows.name else action,
            count=found.count,
            summary=found.summary,
            remedy=found.remedy,
            rows=_rows(found, survey, written),
        )
        for found, action in judgement.findings
    ]
    return tuple(
        sorted(reported, key=lambda found: (SEVERITIES.index(found.severity), -found.count))
    )


def _rows(found: Finding, survey: Survey, written: Written) -> tuple[ShownRow, ...]:
    """Describe the first rows of a finding."""
    return tuple(
        ShownRow(
            line=survey.lines[row],
            other_line=survey.lines[found.others[place]] if found.others else None,
            detail=found.details.get(row, ""),
            excerpt=written.excerpts.get(row, "") if found.excerpts else "",
        )
        for place, row in enumerate(found.rows[:SHOWN_ROWS])
    )


def _quarantine(written: Written) -> tuple[QuarantineReason, ...]:
    """List what is in quarantine, the most frequent reason first."""
    return tuple(
        QuarantineReason(
            reason=reason,
            count=count,
            rows=tuple(ShownRow(line=row.line, detail=row.detail) for row in written.shown[reason]),
        )
        for reason, count in written.quarantined.most_common()
    )


def _lengths(survey: Survey) -> Lengths | None:
    """Estimate how long examples are, from the sample."""
    pairs = list(zip(survey.sample.texts, survey.sample.answers, strict=True))[:TOKEN_SAMPLE]
    if not pairs:
        return None
    fixed = estimate_tokens(system_instruction(survey.task))
    tokens = sorted(
        round(fixed + estimate_tokens(text) + estimate_tokens(answer_text(answer)))
        for text, answer in pairs
    )
    steps = Counter(_step(length) for length in tokens)
    first, last = TOKEN_STEPS.index(min(steps)), TOKEN_STEPS.index(max(steps))
    return Lengths(
        examples=len(tokens),
        median=tokens[len(tokens) // 2],
        longest=tokens[-1],
        histogram=tuple((step, steps[step]) for step in TOKEN_STEPS[first : last + 1]),
    )


def _step(tokens: int) -> int:
    """Find the step of the histogram that a length belongs to."""
    return next((step for step in TOKEN_STEPS if tokens <= step), TOKEN_STEPS[-1])


def _price(record: DatasetRecord, location: str) -> Price:
    """Price the sweep that the task plans."""
    tuning = record.task.tuning
    model = find_base_model(tuning.base_model, location)
    plan = plan_sweep(tuning.sweep, model, record.counts["train"]).configurations
    estimate = estimate_price(record.training_tokens, plan, model)
    return Price(
        base_model=tuning.base_model,
        configurations=len(plan),
        training_tokens=record.training_tokens,
        error=ESTIMATE_ERROR,
        usd=estimate.usd,
        note=estimate.note,
    )
