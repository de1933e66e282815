"""Tables for people: what became of each task, as `demo`, `run` and `status` print it."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.show_documents import show_documents
from local.show_report import plain
from shared.paths import KILL_SWITCH

_BY = {"verdict": "", "hand": ", promoted by hand", "rollback": ", by a rollback"}


def show_task(
    console: Console, summary: dict[str, Any], folder: Path, *, every_job: bool = False
) -> None:
    """Print a task: its dataset, candidates, verdict, champion and documents.

    Args:
        console: Where to print.
        summary: The task, as summary.summarize gives it.
        folder: Where results/ and artifacts/ are, or will be.
        every_job: Whether to print runs and jobs that need no attention, and where the pages are.
    """
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
    _show_tuning(console, summary, every_job=every_job)
    if summary["verdict"]:
        verdict = summary["verdict"]
        console.print(f"Verdict: [bold]{verdict['decision']}[/bold]. {escape(verdict['reason'])}")
    if summary["champion"]:
        champion = summary["champion"]
        console.print(f"Champion: [bold]{champion['name']}[/bold]{_BY[champion['by']]}")
    if summary["drift"]:
        _show_drift(console, summary["drift"])
    if summary["documents"]:
        show_documents(console, summary["documents"], folder / "results" / task["name"])
    if every_job and summary["page"]:
        words = f"All of its pages: {folder / 'artifacts' / summary['page']}"
        console.print(plain(words), markup=False, highlight=False, soft_wrap=True)


def _show_drift(console: Console, drift: dict[str, Any]) -> None:
    """Say how the latest answers are unlike those of the evaluation."""
    found: list[str] = []
    if drift["label_p"] is not None:
        found.append(
            f"the share of {drift['label']} moved by {100 * drift['label_shift']:.1f} points "
            f"(p = {drift['label_p']:.2g})"
        )
    if drift["agreement_p"] is not None:
        found.append(
            f"the agreement of samples by {100 * drift['agreement_shift']:.1f} points "
            f"(p = {drift['agreement_p']:.2g})"
        )
    words = f"in {drift['answers']} answers against {drift['rows']} evaluated rows, "
    console.print(f"[red]Drift[/red] {escape(words + ', '.join(found))}.", highlight=False)


def show_money(console: Console, money: dict[str, Any]) -> None:
    """Print the month's budget, and whether tuning is stopped."""
    amounts = f"${money['reserved_usd']:,.2f} reserved, ${money['spent_usd']:,.2f} spent"
    cap = money["cap_usd"]
    limit = "no cap for all tasks together" if cap is None else f"of at most ${cap:,.2f}"
    console.print(f"Tuning in {money['period']}: {amounts}, {limit}.", highlight=False)
    if money["stopped"]:
        running = ", and running ones are cancelled" if money["stopped"]["cancel_running"] else ""
        console.print(
            f"[red]Stopped[/red] {escape(money['stopped']['reason'])} "
            f"No job is started{running} until {KILL_SWITCH} is deleted from the artifacts bucket.",
            soft_wrap=True,
        )


def _show_tuning(console: Console, summary: dict[str, Any], *, every_job: bool) -> None:
    """Print the runs and jobs; without `every_job` only those that need attention."""
    for run in summary["runs"]:
        if every_job or run["state"] in ("refused", "waiting"):
            _show_run(console, run)
    for job in summary["jobs"]:
        if every_job or job["stuck"] or job["state"] != "succeeded":
            console.print(_job(job), soft_wrap=True)


def _show_run(console: Console, run: dict[str, Any]) -> None:
    console.print(
        f"Run {run['id']} on dataset {run['dataset']}: {run['state']}, {run['jobs']} tuning jobs"
        f"{_price(run)}. {escape(run['reason'])}".rstrip(),
        soft_wrap=True,
    )
    if "to_approve" in run:
        message = json.dumps(run["to_approve"]["message"])
        console.print(
            f"  To approve it, publish to {run['to_approve']['topic']}: {message}",
            markup=False,
            soft_wrap=True,
        )


def _price(run: dict[str, Any]) -> str:
    """Say what a run was estimated to cost, and did cost."""
    if run["estimated_usd"] is None:
        return ""
    low, high = run["estimated_range_usd"]
    between = "" if low is None or high is None else f" (${low:,.2f} to ${high:,.2f})"
    actual = "" if run["actual_usd"] is None else f", cost ${run['actual_usd']:,.2f}"
    return f", estimated at ${run['estimated_usd']:,.2f}{between}{actual}"


def _job(job: dict[str, Any]) -> str:
    """Say where a job is: its state, how far it came, and what is wrong with it."""
    epochs = job["configuration"]["epoch_count"]
    progress = (
        f", epoch {job['epochs_done']} of {epochs}, step {job['steps_done']:,}"
        if job["epochs_done"]
        else ""
    )
    stuck = f" [red]stuck since {job['progress_at']}[/red]" if job["stuck"] else ""
    state = f"Tuning job {job['id']}: {job['state']}{progress}{stuck}"
    return f"{state} {escape(job['error'])}".rstrip()


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
