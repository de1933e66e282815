"""The JSON Schemas in docs/: what other programs read or publish."""

import json
from typing import Literal

from pydantic import BaseModel

from functions.convert_dataset.report import DataReport
from functions.launch_tuning.launch import TuningRequested
from shared.facts import Fact
from shared.records import ResultRecord

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_files() -> dict[str, str]:
    """Write the schemas: page -> content."""
    return {
        "docs/data-report.json": _schema(DataReport, "serialization"),
        "docs/pipeline-event.json": _schema(Fact, "serialization"),
        "docs/tuning-requested.json": _schema(TuningRequested, "validation"),
        "docs/result.json": _schema(ResultRecord, "serialization"),
    }


def _schema(model: type[BaseModel], mode: Literal["serialization", "validation"]) -> str:
    """Write a model's schema: of what is written, or of what is accepted."""
    schema = {"$schema": DIALECT, **model.model_json_schema(mode=mode)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
