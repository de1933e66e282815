"""Tables for people: what became of each task, as `demo`, `run` and `status` print it."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

MAX_ANSWER = 120


def show_task(console: Console, summary: dict[str, Any], *, every_job: bool = False) -> None:
    """Print a task: its dataset, candidates, verdict, champion and documents."""
    task, dataset = summary["task"], summary["dataset"]
    console.rule(f"[bold]{task['name']}[/bold] ({task.get('type', 'not known yet')})")
    if task.get("source") == "inferred":
        sentences = (f"{item[0].upper()}{item[1:]}." for item in task["explanation"])
        console.print(escape(" ".join(sentences)))
    if dataset:
        counts = ", ".join(f"{count} {split}" for split, count in dataset["counts"].items())
        console.print(
            f"Dataset {dataset['id']} from {escape(dataset['source'])}: {counts}; "
            f"{dataset['quarantined']} of {dataset['rows']} rows in quarantine."
        )
    if summary["candidates"]:
        console.print(_candidates(summary))
    shown = [job for job in summary["jobs"] if every_job or job["state"] != "succeeded"]
    for run in summary["runs"]:
        if every_job or run["state"] == "refused":
            console.print(
                f"Run {run['id']} on dataset {run['dataset']}: {run['state']}, {run['jobs']} "
                f"tuning jobs. {run['reason']}".rstrip()
            )
    for job in shown:
        console.print(f"Tuning job {job['id']}: {job['state']} {escape(job['error'])}".rstrip())
    if summary["verdict"]:
        verdict = summary["verdict"]
        console.print(f"Verdict: [bold]{verdict['decision']}[/bold]. {escape(verdict['reason'])}")
    if summary["champion"]:
        console.print(f"Champion: [bold]{summary['champion']['name']}[/bold]")
    if summary["documents"]:
        console.print(_documents(summary["documents"]))


def _candidates(summary: dict[str, Any]) -> Table:
    metric = summary["verdict"]["metric"] if summary["verdict"] else "exact_match"
    metrics = list(dict.fromkeys((metric, "exact_match", "macro_f1", "field_f1")))
    shown = [m for m in metrics if any(m in item["metrics"] for item in summary["candidates"])]
    table = Table("Candidate", "Kind", "Split", *shown, "Rows")
    winner = summary["verdict"]["winner"] if summary["verdict"] else None
    for item in summary["candidates"]:
        figures = [f"{item['metrics'][m]:.3f}" if m in item["metrics"] else "" for m in shown]
        style = "bold" if item["name"] == winner else None
        table.add_row(
            item["name"], item["kind"], item["split"], *figures, str(item["n"]), style=style
        )
    return table


def _documents(documents: list[dict[str, Any]]) -> Table:
    table = Table("Document", "Answer", "Confidence", "Status")
    for item in documents:
        answer = item["answer"]
        text = item.get("reason", "") if answer is None else _in_words(answer)
        short = text if len(text) <= MAX_ANSWER else f"{text[: MAX_ANSWER - 1]}…"
        confidence = "" if item["confidence"] is None else f"{item['confidence']:.2f}"
        table.add_row(escape(item["name"]), escape(short), confidence, item["status"])
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
