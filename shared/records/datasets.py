"""Records of tasks and of the datasets that were made for them."""

from datetime import datetime

from shared.records.base import Record
from shared.task import Task


class TaskRecord(Record):
    """A task as it is now: task.yaml, or what was inferred in its place."""

    name: str
    task: Task
    source: str
    source_generation: int
    explanation: tuple[str, ...] = ()


class DatasetRecord(Record):
    """One upload, converted, and the corrections that there were then.

    `task` is the task as it was resolved for this upload: its labels or fields are complete.
    `counts` holds examples a split, `labels` examples a label and split. `announced_for` is the
    generation of the task.yaml (0 when there is none) that dataset-converted was published under:
    a new policy is announced again, a second event about the same upload is not. `chosen_by` is
    the generation of the latest upload, of a file, task.yaml or corrections, that made it the one
    that counts; None when it was converted as history. `corrections` is how many rows are
    corrections of answers, which were added to the upload's. `text_column` is the column that the
    texts stood in, where it was one: tables of documents are likely to have it too.
    """

    id: str
    task_name: str
    task: Task
    explanation: tuple[str, ...]
    source_bucket: str
    source_object: str
    source_generation: int
    rows: int
    counts: dict[str, int]
    quarantined: int
    quarantined_by_reason: dict[str, int]
    labels: dict[str, dict[str, int]]
    training_tokens: int
    corrections: int = 0
    text_column: str = ""
    created: datetime
    announced_for: int | None = None
    chosen_by: int | None = None
