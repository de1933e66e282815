"""task.yaml as a whole, and how it is read."""

import re
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from shared.errors import Rejected
from shared.task.data import Checks, Columns, FieldSpec, FormatKey, Label, Split
from shared.task.evaluation import Evaluation, Metric, Prompting, Target
from shared.task.part import Name, Part
from shared.task.serving import Serving
from shared.task.tuning import Tuning
from shared.validation import explain

TaskType = Literal["classification", "sentiment", "extraction"]
TASK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


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
    ordered: bool = Field(
        default=False,
        description="Whether the labels run from low to high, as they are listed. Labels named "
        "here for sentiment do unless this says false; whole numbers always do, by their value. "
        "It can be changed at any time: nothing is asked or tuned again.",
    )
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
        raise Rejected(
            f"{source} holds no keys.",
            "It needs at least `type: classification`; or sentiment, or extraction.",
        )
    try:
        task = Task.model_validate(value)
    except ValidationError as error:
        raise Rejected(f"{source}: {explain(error, Task)}.", "See docs/task.md.") from None
    if task.type == "sentiment" and task.labels and "ordered" not in task.model_fields_set:
        # Only those that somebody listed: those that are found in the data are in no order.
        return task.model_copy(update={"ordered": True})
    return task
