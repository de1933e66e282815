"""Tells a person whose documents go to a task without a labelled file: its name may be misspelt."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from local.show_report import plain
from shared.ports import Buckets
from shared.task import TASK_NAME


class Strays:
    """Looks at documents that are uploaded, and speaks up once for each task without a file.

    Args:
        buckets: The buckets.
        datasets: The folder whose files are uploaded as labelled files, maybe a moment later.
        console: Where to print.
    """

    def __init__(self, buckets: Buckets, datasets: Path, console: Console) -> None:
        self._buckets = buckets
        self._datasets = datasets
        self._console = console
        self._looked_at: set[str] = set()

    def uploaded(self, name: str) -> None:
        """Look at a document that was uploaded to <task>/<file>."""
        task, _, file = name.partition("/")
        if not file or not TASK_NAME.fullmatch(task) or task in self._looked_at:
            return
        self._looked_at.add(task)
        known = {found.name.partition("/")[0] for found in self._buckets.datasets.list("")}
        known |= {path.name for path in self._datasets.iterdir() if path.is_dir()}
        if task in known:
            return
        others = f"tasks there are {', '.join(sorted(known))}" if known else "no task has one"
        self._console.print(
            f"         [bold]{task:<20}[/bold] documents wait: there is no labelled "
            f"file for it yet; {escape(plain(others))}",
            highlight=False,
            soft_wrap=True,
        )
