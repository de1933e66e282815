"""The documents of a task on a terminal: how many there are, and those that need a look first."""

from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.show_report import plain

MOST = 20
MAX_ANSWER = 120
_FIRST = ("rejected", "review", "waiting")


def show_documents(console: Console, documents: list[dict[str, Any]], folder: Path) -> None:
    """Print how many documents came to what, and the first of them.

    Args:
        console: Where to print.
        documents: As summaries have them.
        folder: Where their results are.
    """
    shown = sorted(documents, key=_urgency)[:MOST]
    console.print(_table(shown))
    counts = Counter(item["status"] for item in documents)
    said = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
    what = "1 document" if len(documents) == 1 else f"{len(documents):,} documents"
    more = ""
    if len(documents) > len(shown):
        more = (
            f" Above are {len(shown)}, those to look at first; all are in "
            f"{plain(str(folder))}/, and --json prints them."
        )
    console.print(f"{what}: {said}.{more}", markup=False, highlight=False, soft_wrap=True)


def _urgency(item: dict[str, Any]) -> tuple[int, float]:
    """Order documents: rejected, the least sure ones to review, waiting, then the others."""
    status = item["status"]
    if status not in _FIRST:
        return len(_FIRST), 0.0
    return _FIRST.index(status), item["confidence"] or 0.0


def _table(documents: list[dict[str, Any]]) -> Table:
    table = Table("Document", "Answer", "Confidence", "Status")
    for item in documents:
        answer = item["answer"]
        text = item.get("reason", "") if answer is None else _in_words(answer)
        short = text if len(text) <= MAX_ANSWER else f"{text[: MAX_ANSWER - 1]}…"
        confidence = "" if item["confidence"] is None else f"{item['confidence']:.2f}"
        status = f"{item['status']}, zero-shot" if item["provisional"] else item["status"]
        table.add_row(escape(item["name"]), escape(short), confidence, status)
    return table


def _in_words(answer: str | list[str] | dict[str, Any]) -> str:
    """Write an answer for people: a label, labels, or a line a field."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        return ", ".join(answer) or "(none)"
    return "\n".join(
        f"{name}: {', '.join(value) if isinstance(value, list) else value or '-'}"
        for name, value in answer.items()
    )
