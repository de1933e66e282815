"""task.yaml: what is to be learnt, and how far tunedrop may go to learn it.

`docs/task.md` is generated from the descriptions below (`make docs`).
"""

import re
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from shared.errors import Rejected
from shared.examples import MAX_TEXT_CHARACTERS
from shared.validation import explain

TaskType = Literal["classification", "sentiment", "extraction"]
Metric = Literal["exact_match", "macro_f1", "field_f1"]
Strategy = Literal["zero-shot", "few-shot", "nearest-examples", "chain-of-thought"]
AdapterSize = Literal[1, 2, 4, 8, 16]
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

TASK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def _as_text(value: object) -> object:
    """Take a number in YAML for the text it was written as; refuse yes, no, on and off."""
    if isinstance(value, bool):
        raise ValueError("YAML reads this word as true or false; put it in quotes")
    return str(value) if isinstance(value, int | float) else value


def _as_off(value: object) -> object:
    """Take YAML's false for the word off, which it stands for."""
    return "off" if value is False else value


def _as_switch(value: object) -> object:
    """Take YAML's true and false for the words on and off."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


Name = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=200)]


class Part(BaseModel):
    """A part of task.yaml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    severity: dict[str, Annotated[Severity | Literal["off"], BeforeValidator(_as_off)]] = Field(
        {},
        description="Another severity for a check, by its name, or off: "
        "`near-duplicates: error`. docs/intake.md lists the checks.",
    )


class Target(Part):
    """What is good enough."""

    metric: Metric | None = Field(
        None,
        description="exact_match (default for labels), macro_f1, or field_f1 (default for fields).",
    )
    value: float = Field(
        0.9, ge=0, le=1, description="Prompting that reaches this is kept, without tuning."
    )


class Prompting(Part):
    """The prompting candidates, measured first because they may be enough."""

    strategies: tuple[Strategy, ...] = Field(
        ("zero-shot", "few-shot", "nearest-examples"),
        min_length=1,
        description="The strategies to measure: zero-shot (the instruction alone), few-shot (the "
        "same examples for every text), nearest-examples (for each text those of up to 2,000 "
        "training examples that resemble it most) and chain-of-thought (reasons, then the answer). "
        "The last one is left out unless it is named, as it writes many times the tokens; "
        "nearest-examples costs what few-shot does, and a tuned model has to beat it.",
    )
    examples: int = Field(
        12, ge=1, le=100, description="How many training examples such a prompt holds."
    )


class Configuration(Part):
    """One choice of hyperparameters, in Vertex AI's names."""

    epoch_count: int = Field(4, ge=1, le=100, description="Passes over the training data.")
    learning_rate_multiplier: float = Field(
        1.0, gt=0, le=10, description="Factor on the recommended learning rate."
    )
    adapter_size: AdapterSize = Field(1, description="Rank of the adapter: 1, 2, 4, 8 or 16.")


Configurations = Annotated[tuple[Configuration, ...], Field(min_length=1)]


class Grid(Part):
    """Values to combine: every combination is a configuration."""

    epoch_count: tuple[int, ...] = Field((4,), min_length=1, description="Epochs to try.")
    learning_rate_multiplier: tuple[float, ...] = Field(
        (1.0,), min_length=1, description="Learning-rate multipliers to try."
    )
    adapter_size: tuple[AdapterSize, ...] = Field(
        (1,), min_length=1, description="Adapter sizes to try."
    )


Sweep = Literal["recommended", "single"] | Configurations | Grid


class Tuning(Part):
    """When and how to tune."""

    when: Literal["prompting_misses_target", "always", "never"] = Field(
        "prompting_misses_target",
        description="When a converted dataset leads to tuning without anybody asking.",
    )
    base_model: str = Field("gemini-3.5-flash-lite", description="The model that is tuned.")
    sweep: Sweep = Field(
        "recommended",
        description="recommended (Google's five configurations, fewer for small and others for "
        "large datasets), single (4 epochs, multiplier 1, adapter size 1), a list of "
        "configurations, or a grid: lists of values to combine.",
    )
    checkpoints: Literal["last", "all"] = Field(
        "last",
        description="last keeps a job's final model; all keeps one for every epoch, each a "
        "candidate, so that one long job stands for several epoch counts.",
    )
    budget_usd: float = Field(
        50.0, gt=0, description="A run that is estimated to cost more than this is refused."
    )
    budget_usd_per_month: float | None = Field(
        None, gt=0, description="What this task's tuning may cost in a calendar month (UTC)."
    )
    over_budget: Literal["refuse", "ask"] = Field(
        "refuse",
        description="What becomes of a run over one of the task's budgets: it is refused, or it "
        "waits until a person approves it by message.",
    )
    keep_endpoints: Literal["champion_and_last", "all"] = Field(
        "champion_and_last",
        description="Which tuned models keep their endpoints after a verdict; the others' are "
        "removed, the champion's never.",
    )
    retune_before_retirement: bool = Field(
        default=False,
        description="Whether the champion is tuned again on a newer base model, in time before "
        "its own retires.",
    )
    max_concurrent_jobs: int = Field(
        1, ge=1, le=20, description="How many jobs of this task may run at the same time."
    )


class Evaluation(Part):
    """How candidates are measured."""

    max_rows: int = Field(
        300,
        ge=10,
        le=5000,
        description="At most this many rows of a split are asked. Of more, a sample is taken in "
        "which each label has its share, the same one for every candidate.",
    )
    batch_above: int | None = Field(
        2000,
        ge=1,
        description="With more rows than this, a candidate is measured through Vertex AI's batch "
        "prediction: at half the price, but it can take a day. Null for never.",
    )
    significance: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="A difference with a p-value above this is not taken for real.",
    )
    min_gain: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="A tuned model has to be ahead of the best prompt by this much of the metric, "
        "0.02 for two points; with less, the prompt is kept.",
    )
    promote: Literal["automatically", "when_target_met", "by_hand"] = Field(
        "automatically",
        description="Whether the verdict's winner becomes the champion by itself: always, only if "
        "it reaches the target on test, or never.",
    )


class Serving(Part):
    """How documents are answered."""

    samples: int = Field(
        5,
        ge=1,
        le=8,
        description="At most so many answers are sampled for each document; the majority wins.",
    )
    stop_at: float = Field(
        0.95,
        gt=0.5,
        le=1,
        description="Sampling stops early when it is this probable that the leading answer would "
        "stay ahead: 0.95 takes four samples that agree. 1 always takes all of them. Several "
        "labels and fields all have to be settled.",
    )
    temperature: float = Field(
        0.7, ge=0, le=2, description="Sampling temperature; above zero, or every sample agrees."
    )
    rating: Annotated[Literal["on", "off"], BeforeValidator(_as_switch)] = Field(
        "on",
        description="Whether models are also asked how likely their answer is right, in words. For "
        "sentiment only. In evaluation it is one more request a row; documents are rated if "
        "that made the champion's confidence better there, and then it is one more request each.",
    )
    review_below: float = Field(
        0.6,
        ge=0,
        le=1,
        description="Answers with a confidence below this go to review. It is held against the "
        "confidence that the result shows: the calibrated one, or the agreement of the samples "
        "where the result says that it is not calibrated.",
    )
    review_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="The share of each day's answers that goes to review besides: the least sure "
        "of those that were accepted, chosen once the day (UTC) is over. 0.02 for two in a "
        "hundred. Results keep their texts while it is above 0.",
    )
    daily_export: Annotated[Literal["off", "jsonl", "csv"], BeforeValidator(_as_off)] = Field(
        "off",
        description="Whether a day's answers are also written as one file, "
        "`<task>/daily/<day>.jsonl` or `.csv` in the results bucket, once the day (UTC) is over. "
        "In the CSV, what a spreadsheet would run as a formula begins with an apostrophe.",
    )
    drift_alert: Annotated[
        Literal["off"] | Annotated[float, Field(gt=0, lt=0.5)], BeforeValidator(_as_off)
    ] = Field(
        0.001,
        description="The p-value below which the latest answers are reported as unlike those of "
        "the champion's evaluation, in labels or in the agreement of samples; or off. It is looked "
        "at once a day, so that 0.001 is a false alarm in three years.",
    )
    before_champion: Literal["answer", "wait"] = Field(
        "wait",
        description="What becomes of documents that arrive before the task has a champion. They "
        "wait for it; or, when task.yaml names the labels or fields, tuning.base_model answers "
        "them zero-shot. Such an answer costs money, nobody has measured how good it is, and the "
        "result is marked as provisional: the champion answers the document again, and replaces "
        "it.",
    )
    max_document_bytes: int = Field(
        1_000_000, ge=1, le=20_000_000, description="Larger documents are rejected unread."
    )
    max_document_characters: int = Field(
        MAX_TEXT_CHARACTERS,
        ge=100,
        le=MAX_TEXT_CHARACTERS,
        description="A text with more characters than this is long.",
    )
    long_documents: Literal["reject", "truncate", "split"] = Field(
        "reject",
        description="What becomes of a long text: it is rejected, as it is from training; only its "
        "beginning is given to the model; or it is given in parts, whose answers are combined. The "
        "result says what was done.",
    )
    read_pictures: bool = Field(
        default=True,
        description="Whether pictures, and PDF files without text, are given to the model as they "
        "are, when its base model takes such files; else they are rejected.",
    )
    batch_above: int | None = Field(
        1000,
        ge=1,
        description="A file with more documents than this is answered through Vertex AI's batch "
        "prediction: at half the price, but it can take a day. Null for never; such a file is then "
        "rejected when it has more than 1,000.",
    )
    email_subject: bool = Field(
        default=True,
        description="Whether an e-mail's subject is given to the model, on a line above its text.",
    )


class Task(Part):
    """What is to be learnt."""

    type: TaskType = Field(description="classification, sentiment or extraction.")
    instruction: str = Field(
        "",
        max_length=20_000,
        description="What the model is asked to do, as you would tell a colleague.",
    )
    labels: tuple[Label, ...] = Field(
        (),
        description="The labels, as names or as name and description. Left out, they are taken "
        "from the data. For sentiment: from worst to best.",
    )
    fields: tuple[FieldSpec, ...] = Field(
        (), description="The fields to extract. Left out, they are taken from the data."
    )
    multi_label: bool = Field(default=False, description="Whether a text can have several labels.")
    ordered: bool = Field(default=False, description="Whether the labels run from low to high.")
    columns: Columns = Field(Columns(), description="Where the file keeps text and label.")
    split: Split = Field(Split(), description="How examples are divided.")
    format: FormatKey | None = Field(
        None, description="The file's format; left out, it is found by its content. docs/intake.md."
    )
    encoding: Name | None = Field(
        None, description="The text's encoding, such as gb18030; left out, it is found."
    )
    sheet: Name | None = Field(
        None, description="The sheet of an Excel workbook; left out, the first."
    )
    offsets: Literal["exclusive", "inclusive"] | None = Field(
        None,
        description="Whether character offsets end behind the last character or on it; left out, "
        "the texts they cut out tell.",
    )
    checks: Checks = Field(Checks(), description="What becomes of findings in the data.")
    lines: Literal["contents", "messages"] = Field(
        "contents",
        description="The shape of the lines that are written: contents, as Gemini is tuned now, "
        "or messages, as gemini-1.0 was and some tools still want.",
    )
    target: Target = Field(Target(), description="What is good enough.")
    prompting: Prompting = Field(Prompting(), description="The prompting candidates.")
    tuning: Tuning = Field(Tuning(), description="When and how to tune.")
    evaluation: Evaluation = Field(Evaluation(), description="How candidates are measured.")
    serving: Serving = Field(Serving(), description="How documents are answered.")

    @model_validator(mode="before")
    @classmethod
    def _take_plain_names(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        named = {
            key: [item if isinstance(item, dict | Part) else {"name": item} for item in items]
            for key in ("labels", "fields")
            if isinstance(items := value.get(key), list | tuple)
        }
        return {**value, **named}

    @model_validator(mode="after")
    def _check_parts_agree(self) -> "Task":
        if self.type == "extraction":
            if self.labels:
                raise ValueError("an extraction task has fields, not labels")
            if self.multi_label:
                raise ValueError("multi_label is for classification; a field can hold a list")
        elif self.fields:
            raise ValueError(f"a {self.type} task has labels, not fields")
        for key, parts in (("labels", self.labels), ("fields", self.fields)):
            names = [part.name for part in parts]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{key} names {twice[0]!r} twice")
        if len(self.labels) == 1:
            raise ValueError("labels has one label only; there is nothing to choose between")
        if (self.target.metric == "field_f1") != (self.type == "extraction") and (
            self.target.metric not in {None, "exact_match"}
        ):
            raise ValueError(f"target.metric {self.target.metric} does not suit a {self.type} task")
        return self

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels' names, in their order."""
        return tuple(label.name for label in self.labels)

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields' names, in their order."""
        return tuple(field.name for field in self.fields)

    @property
    def primary_metric(self) -> Metric:
        """The metric that candidates are compared by."""
        default: Metric = "field_f1" if self.type == "extraction" else "exact_match"
        return self.target.metric or default

    def data_key(self) -> dict[str, Any]:
        """The part of the task that shapes a dataset; the rest is policy and can change freely."""
        shaping = {"type", "instruction", "labels", "fields", "multi_label", "columns", "split"}
        reading = {"format", "encoding", "sheet", "offsets", "checks", "lines"}
        return self.model_dump(mode="json", include=shaping | reading)


def parse_task(text: str, source: str = "task.yaml") -> Task:
    """Read a task.yaml.

    Args:
        text: The file's content.
        source: The file's name, for messages.

    Raises:
        Rejected: It is not YAML, or a key or value is wrong; the message names it.
    """
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Rejected(f"{source} is not YAML{where}.", "Check its indentation.") from error
    if not isinstance(value, dict):
        raise Rejected(f"{source} holds no keys.", "It needs at least `type:`.")
    try:
        return Task.model_validate(value)
    except ValidationError as error:
        raise Rejected(f"{source}: {explain(error, Task)}.", "See docs/task.md.") from None
