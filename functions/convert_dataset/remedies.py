"""Makes what a remedy shows of task.yaml ready to be pasted where there is no task.yaml yet."""

import re

from shared.task import Task

_KEYS = "|".join(key for key in Task.model_fields if key != "type")
_PART = re.compile(rf"`((?:{_KEYS}): [^`]*)`")


def with_whole_task(remedy: str, task: Task | None = None) -> str:
    """Put what is needed besides around each key of task.yaml that a remedy shows.

    Args:
        remedy: What to do, with keys as in `columns: {label: queue}`.
        task: The task as it was inferred; None when it was not.
    """
    kind = task.type if task else "classification"
    several = ", multi_label: true" if task and task.multi_label else ""

    def whole(part: re.Match[str]) -> str:
        fields = part[1].startswith("fields:")
        return f"`{{type: {'extraction' if fields else kind}{several}, {part[1]}}}`"

    return _PART.sub(whole, remedy)
