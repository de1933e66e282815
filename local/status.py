"""What the local cloud that is up has come to."""

import argparse
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

from local.addresses import Addresses
from local.clients import Clients
from local.dead_letters import look
from local.money import summarize_money
from local.open_buckets import open_local_buckets
from local.show import show_money, show_task
from local.show_report import plain
from local.summary import current_rejections, summarize, task_names
from local.table import read_table

DONE, BROKEN = 0, 1


def status(options: argparse.Namespace) -> int:
    """Show what the local cloud that is up has come to."""
    console = Console()
    addresses = Addresses.read(options.folder / ".state")
    if addresses is None or not addresses.is_up():
        Console(stderr=True).print(
            f"No local cloud is up in {options.folder}. Start one with `make local`."
        )
        return BROKEN
    buckets = open_local_buckets(addresses.storage, addresses.project, addresses.buckets)
    summaries = [summarize(buckets, name) for name in task_names(buckets.artifacts)]
    refused = [item.model_dump(mode="json") for item in current_rejections(buckets)]
    cap = addresses.budget_usd_per_month
    with Clients(addresses.environment(), addresses.project) as clients:
        letters = look(clients, read_table())
    money = summarize_money(buckets.artifacts, datetime.now(UTC), cap)
    if options.json:
        given_up = [letter.summary() for letter in letters]
        console.print_json(
            data={"tasks": summaries, "rejected": refused, "given_up": given_up, "tuning": money}
        )
        return DONE
    show_money(console, money)
    if not summaries and not refused and not letters:
        console.print(f"Nothing yet. Put a labelled file into {options.folder}/datasets/<task>/.")
    for summary in summaries:
        show_task(console, summary, every_job=True)
    for item in refused:
        words = escape(f"{item['subject']}: {item['reason']} {item['remedy']}")
        console.print(f"[red]Rejected[/red] {words}")
    for letter in letters:
        words = f"{letter.about}: {letter.function} failed it {letter.attempts} times, the last "
        words += f"time at {letter.published}."
        console.print(f"[red]Given up[/red] {escape(plain(words))}", soft_wrap=True)
    if letters:
        console.print("`.venv/bin/python -m local replay` publishes them again; logs say why.")
    return DONE
