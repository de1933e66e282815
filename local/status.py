"""What the local cloud that is up has come to."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from local.addresses import Addresses
from local.clients import Clients
from local.dead_letters import look
from local.money import summarize_money
from local.open_buckets import open_local_buckets
from local.rejections import current_rejections
from local.show import show_money, show_task
from local.show_report import plain
from local.summary import summarize, task_names
from local.table import read_table
from local.typed import nothing_is_up, typed

DONE, BROKEN = 0, 1
MOST_REJECTED = 20


def status(options: argparse.Namespace) -> int:
    """Show what the local cloud that is up has come to."""
    console = Console()
    addresses = Addresses.read(options.folder / ".state")
    if addresses is None or not addresses.is_up():
        said = nothing_is_up(options.folder)
        Console(stderr=True).print(said, markup=False, highlight=False, soft_wrap=True)
        return BROKEN
    buckets = open_local_buckets(addresses.storage, addresses.project, addresses.buckets)
    with Clients(addresses.environment(), addresses.project) as clients:
        letters = look(clients, read_table())
    found = {
        "tasks": [summarize(buckets, name) for name in task_names(buckets)],
        "rejected": [item.model_dump(mode="json") for item in current_rejections(buckets)],
        "given_up": [letter.summary() for letter in letters],
        "tuning": summarize_money(
            buckets.artifacts, datetime.now(UTC), addresses.budget_usd_per_month
        ),
    }
    if options.json:
        console.print_json(data=found)
    else:
        show_status(console, found, options.folder)
    return DONE


def show_status(console: Console, found: dict[str, Any], folder: Path) -> None:
    """Print what `status --json` gives, for people.

    Args:
        console: Where to print.
        found: Tasks, rejections, what was given up, and the month's tuning.
        folder: The local cloud's folder.
    """
    show_money(console, found["tuning"])
    if not found["tasks"] and not found["rejected"] and not found["given_up"]:
        console.print(f"Nothing yet. Put a labelled file into {folder}/datasets/<task>/.")
    known = [item["task"]["name"] for item in found["tasks"] if item["labelled_file"]]
    for summary in found["tasks"]:
        show_task(console, summary, folder, every_job=True)
        if not summary["labelled_file"]:
            _show_missing(console, summary, known, folder)
    refused = found["rejected"]
    if len(refused) > MOST_REJECTED:
        console.print(
            f"{len(refused) - MOST_REJECTED:,} earlier rejections are left out here; --json prints "
            "them."
        )
    for item in refused[-MOST_REJECTED:]:
        words = escape(f"{item['subject']}: {item['reason']} {item['remedy']}")
        console.print(f"[red]Rejected[/red] {words}")
    for item in found["given_up"]:
        words = f"{item['about']}: {item['function']} failed it {item['attempts']} times, the last "
        words += f"time at {item['given_up_at']}."
        console.print(f"[red]Given up[/red] {escape(plain(words))}", soft_wrap=True)
    if found["given_up"]:
        words = f"`{typed('replay', folder)}` publishes them again; logs say why."
        console.print(words, markup=False, highlight=False, soft_wrap=True)


def _show_missing(
    console: Console, summary: dict[str, Any], known: list[str], folder: Path
) -> None:
    """Say that a task has no labelled file, and which tasks have one: its name may be misspelt."""
    name = summary["task"]["name"]
    count = sum(item["status"] == "waiting" for item in summary["documents"])
    waiting = "1 document waits; " if count == 1 else f"{count:,} documents wait; "
    others = f"tasks there are {', '.join(known)}" if known else "no task has one"
    console.print(
        f"{escape(plain(name))}: {waiting if count else ''}there is no labelled file for it yet; "
        f"{others}. It belongs into {escape(plain(str(folder / 'datasets' / name)))}/.",
        highlight=False,
        soft_wrap=True,
    )
