"""The parts of task.yaml about the data: labels, fields, columns, splits and checks."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from shared.task.part import Name, Part, as_off

Severity = Literal["info", "warning", "error"]
Action = Literal["report", "drop", "reject"]
FormatKey = Literal[
    "csv",
    "json",
    "gemini",
    "chat",
    "automl-csv",
    "automl-jsonl",
    "label-studio",
    "doccano",
    "prodigy",
    "spacy",
    "tokens",
    "instructions",
    "fasttext",
    "label-first",
    "conll",
    "tagged-xml",
    "parquet",
    "excel",
    "folders",
]


class Label(Part):
    """One label."""

    name: Name = Field(description="The label, as it stands in the data and as the model says it.")
    description: str = Field("", description="When the label applies. Prompted models read it.")


class FieldSpec(Part):
    """One field to extract."""

    name: Name = Field(description="The field's name: its key in the answer, its column in a file.")
    description: str = Field("", description="What the field holds. Prompted models read it.")
    required: bool = Field(
        default=False, description="Examples without a value for it go to quarantine."
    )


class Columns(Part):
    """Where an uploaded file keeps what."""

    text: Name | Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None,
        description="The column that holds the text: its name, or its number from 1 in a file "
        "without a header; or a list of columns whose texts are joined, each on a line of its "
        "own. Left out, it is found by its usual names.",
    )
    label: Name | None = Field(
        None, description="The column that holds the label, named or numbered in the same way."
    )
    split: Name | None = Field(
        None,
        description="The column that says train, validation or test. Left out, a column that "
        "holds only such words is taken for it.",
    )
    missing: tuple[Name, ...] = Field(
        (), description="Words in the file that mean that there is no label or value, such as n/a."
    )


class Split(Part):
    """How examples are divided. The rule is a hash of the text: the same text, the same split."""

    validation: float = Field(
        0.15, ge=0.02, le=0.4, description="Share of examples that candidates are compared on."
    )
    test: float = Field(
        0.2, ge=0.02, le=0.4, description="Share of examples kept for the final verdict."
    )
    max_validation: int = Field(
        5000, ge=10, le=5000, description="At most this many validation examples (Vertex AI's cap)."
    )
    group_by: Name | None = Field(
        None,
        description="A column, such as a customer's number: rows with the same value are never in "
        "two splits.",
    )


class Checks(Part):
    """What becomes of findings: report them, drop their rows to quarantine, or reject the file."""

    info: Action = Field("report", description="For findings that are good to know.")
    warning: Action = Field("report", description="For findings that probably cost quality.")
    error: Action = Field("drop", description="For rows that spoil training or measurement.")
    severity: dict[str, Annotated[Severity | Literal["off"], BeforeValidator(as_off)]] = Field(
        {},
        description="Another severity for a check, by its name, or off: "
        "`near-duplicates: error`. docs/intake.md lists the checks.",
    )
