"""docs/task.md, out of the models of shared/task/."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from docs.generators.markdown import anchor, fenced, generated_from, page, paragraph, table
from docs.generators.types import describe_default, describe_type
from shared.task import Task

MINIMAL = """
type: classification
"""

FULL = """
type: classification
instruction: >-
  Sort a customer's message to a parcel carrier by what the customer wants.
labels:
  - name: where_is_my_parcel
    description: asks where a parcel is or when it will arrive
  - name: damaged_parcel
    description: a parcel arrived broken, wet or with contents missing
  - something_else             # a bare name will do
multi_label: false
ordered: false
columns:
  text: message
  label: 2                     # the second column of a file without a header
  split: part
  missing: [n/a]
split:
  validation: 0.15
  test: 0.2
  max_validation: 2000
  group_by: customer
format: csv
encoding: utf-8
sheet: Messages                # of an Excel workbook
offsets: exclusive             # of formats that count characters
checks:
  info: report
  warning: report
  error: drop
  severity: {near-duplicates: error, personal-data: off}
lines: contents
target:
  metric: macro_f1
  value: 0.9
prompting:
  strategies: [zero-shot, few-shot, nearest-examples, chain-of-thought]
  examples: 12
tuning:
  when: prompting_misses_target
  base_model: gemini-3.5-flash-lite
  sweep:
    - {epoch_count: 4, learning_rate_multiplier: 1, adapter_size: 1}
    - {epoch_count: 6, learning_rate_multiplier: 0.5, adapter_size: 4}
  checkpoints: last
  budget_usd: 20
  budget_usd_per_month: 60
  over_budget: ask
  keep_endpoints: champion_and_last
  retune_before_retirement: true
  max_concurrent_jobs: 2
evaluation:
  max_rows: 3000
  batch_above: 1000
  significance: 0.05
  min_gain: 0.02
  promote: by_hand
serving:
  samples: 5
  stop_at: 0.95
  temperature: 0.7
  rating: off
  review_below: 0.6
  review_share: 0.02
  daily_export: csv
  drift_alert: 0.001
  before_champion: wait
  max_document_bytes: 200000
  max_document_characters: 50000
  long_documents: truncate
  read_pictures: false
  batch_above: 500
  email_subject: false
"""

EXTRACTION = """
type: extraction
fields:
  - name: event
    description: the name of the event
    required: true
  - contact
"""


def task_page() -> str:
    """Write the page."""
    return page(
        generated_from("shared/task/", "docs/generators/task_page.py"),
        "# task.yaml",
        paragraph(
            "A task says what is to be learnt and how far tunedrop may go to learn it. Put the "
            "file into the datasets bucket as `<task>/task.yaml`; the folder's name is the task's "
            "name. Without one, the task is inferred from the first labelled file, and the data "
            "report says what was inferred."
        ),
        paragraph(
            "An unknown key is refused, and the refusal names the nearest key that there is. "
            f"A change of {_data_keys()} converts the task's files again, into new datasets. All "
            "other keys are policy: they change what happens next, and no dataset."
        ),
        "The least there can be. Labels, columns and instruction are taken from the data:",
        fenced("yaml", MINIMAL),
        "With every key that a classification task has:",
        fenced("yaml", FULL),
        "An extraction task has fields in the place of labels:",
        fenced("yaml", EXTRACTION),
        *(block for path, model in _sections() for block in _section(path, model)),
    )


def model_table(model: type[BaseModel], page_of_parts: str = "") -> str:
    """Write the table of a model's keys.

    Args:
        model: The model.
        page_of_parts: The page that has the sections about parts; empty for the same page.
    """
    headings = {part: path for path, part in _sections()}

    def link(part: type[BaseModel]) -> str:
        heading = headings[part]
        return f"[{heading}]({page_of_parts}#{anchor(heading)})"

    rows = [
        (f"`{name}`", describe_type(field, link), describe_default(field), field.description or "")
        for name, field in model.model_fields.items()
    ]
    return table(("key", "type", "default", "meaning"), rows)


def _section(path: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"## {path}"
    yield paragraph((model.__doc__ or "").split("\n\n")[0])
    yield model_table(model)


def _sections() -> list[tuple[str, type[BaseModel]]]:
    """List the parts of the file, outer ones first: (the keys that lead there, model)."""
    return [("The task", Task), *_parts_of(Task, "")]


def _parts_of(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        parts = _models_in(field.annotation)
        for part in parts:
            which = f" as a {part.__name__.lower()}" if len(parts) > 1 else ""
            yield f"{prefix}{name}{which}", part
            yield from _parts_of(part, f"{prefix}{name}.")


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for inner in get_args(annotation) for part in _models_in(inner)]


def _data_keys() -> str:
    """Name the keys that shape a dataset."""
    known = Task(type="classification").data_key()
    *most, last = [f"`{key}`" for key in Task.model_fields if key in known]
    return f"{', '.join(most)} or {last}"
