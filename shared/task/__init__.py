"""task.yaml: what is to be learnt, and how far tunedrop may go to learn it.

`docs/task.md` is generated from the descriptions in here (`make docs`).
"""

from shared.task.data import Action, Checks, Columns, FieldSpec, FormatKey, Label, Severity, Split
from shared.task.evaluation import Evaluation, Metric, Strategy
from shared.task.serving import Serving
from shared.task.task import TASK_NAME, Task, TaskType, parse_task
from shared.task.tuning import Configuration, Configurations, Grid, Sweep, Tuning

__all__ = [
    "TASK_NAME",
    "Action",
    "Checks",
    "Columns",
    "Configuration",
    "Configurations",
    "Evaluation",
    "FieldSpec",
    "FormatKey",
    "Grid",
    "Label",
    "Metric",
    "Serving",
    "Severity",
    "Split",
    "Strategy",
    "Sweep",
    "Task",
    "TaskType",
    "Tuning",
    "parse_task",
]
