"""The JSON Schemas in docs/: what other programs read or publish."""

import json
from typing import Any, Literal

from pydantic import TypeAdapter

from functions.convert_dataset.report import DataReport
from functions.launch_tuning.request import Request
from shared.facts import Fact
from shared.records import EvaluationRecord, ResultRecord, ReviewLine, VerdictRecord

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REQUEST = "A message on tuning-requested: a request to tune, an approval, or a cancellation."


def schema_files() -> dict[str, str]:
    """Write the schemas: page -> content."""
    return {
        "docs/data-report.json": _schema(DataReport, "serialization"),
        "docs/pipeline-event.json": _schema(Fact, "serialization"),
        "docs/tuning-requested.json": _schema(
            Request, "validation", "A message on tuning-requested"
        ),
        "docs/result.json": _schema(ResultRecord, "serialization"),
        "docs/review-line.json": _schema(ReviewLine, "serialization"),
        "docs/evaluation.json": _schema(EvaluationRecord, "serialization"),
        "docs/verdict.json": _schema(VerdictRecord, "serialization"),
    }


def _schema(kind: Any, mode: Literal["serialization", "validation"], about: str = "") -> str:
    """Write the schema of a model, or of several: of what is written, or of what is accepted."""
    named = {"description": about} if about else {}
    schema = {"$schema": DIALECT, **named, **TypeAdapter(kind).json_schema(mode=mode)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
