"""The data report on a terminal, as `convert` prints it."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from functions.convert_dataset.report import DataReport, ReportedFinding, ShownRow

MOST_LABELS = 15
FIRST_ROWS = 3
MOST_CHARACTERS = 100
COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def plain(text: str) -> str:
    """Make a text harmless on a terminal: no control or direction characters."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def show_report(console: Console, report: DataReport, folder: Path) -> None:
    """Print how a file was read, what became of its rows, and what to mend first.

    Args:
        console: Where to print.
        report: The report.
        folder: Where the dataset is.
    """
    console.rule(f"[bold]{escape(report.task)}[/bold]")
    read = (f"{text[:1].upper()}{text[1:]}." for text in report.how_it_was_read)
    _print(console, " ".join(read))
    counts = ", ".join(f"{count:,} {split}" for split, count in report.examples.items())
    total = sum(report.examples.values())
    quarantined = f"{report.quarantined:,}" if report.quarantined else "none"
    _print(
        console,
        f"{total:,} examples out of {report.rows:,} rows: {counts}; {quarantined} in quarantine.",
    )
    if report.labels:
        console.print(_labels(report))
    if report.quarantine:
        console.print(_quarantine(report))
    for found in report.findings:
        _show_finding(console, found, report.rows_are_counted_by)
    price = report.price
    _print(
        console,
        f"Tuning would cost about ${price.usd:,.2f} ({price.error}) for {price.configurations} "
        f"jobs: {price.note}.",
    )
    if price.why_not:
        _print(console, f"{price.why_not[:1].upper()}{price.why_not[1:]}.")
    console.rule("Dataset and report")
    for name in ("report.html", "train.jsonl", "quarantine.jsonl"):
        _print(console, str(folder / name))


def _print(console: Console, text: str) -> None:
    console.print(plain(text), markup=False, highlight=False, soft_wrap=True)


def _labels(report: DataReport) -> Table:
    """List the largest labels."""
    table = Table("Label", title_justify="left")
    for head in ("Examples", *report.examples):
        table.add_column(head.capitalize(), justify="right")
    sizes = sorted(report.labels.items(), key=lambda item: -sum(item[1].values()))
    for label, splits in sizes[:MOST_LABELS]:
        counts = (sum(splits.values()), *splits.values())
        table.add_row(escape(plain(label)), *(f"{count:,}" for count in counts))
    if len(sizes) > MOST_LABELS:
        table.caption = f"and {len(sizes) - MOST_LABELS} smaller ones"
    return table


def _quarantine(report: DataReport) -> Table:
    """List why rows are in quarantine."""
    table = Table("In quarantine")
    table.add_column("Rows", justify="right")
    table.add_column(f"First {report.rows_are_counted_by}s")
    for part in report.quarantine:
        first = "\n".join(_row(row) for row in part.rows[:FIRST_ROWS])
        table.add_row(escape(plain(part.reason)), f"{part.count:,}", escape(first))
    return table


def _show_finding(console: Console, found: ReportedFinding, counted: str) -> None:
    """Print a finding, what to do about it, and where it is first."""
    colour = COLOURS[found.severity]
    left_out = ", left out" if found.action == "drop" else ""
    console.print(
        f"[{colour}]{found.severity}[/{colour}] {escape(plain(found.summary))} "
        f"({found.check}{left_out})",
        highlight=False,
        soft_wrap=True,
    )
    _print(console, f"  {found.remedy}")
    for row in found.rows[:FIRST_ROWS]:
        _print(console, f"  {counted} {_row(row)}")


def _row(row: ShownRow) -> str:
    """Write a row in one line."""
    where = f"{row.line}" if row.other_line is None else f"{row.line} and {row.other_line}"
    excerpt = f"“{row.excerpt}”" if row.excerpt else ""
    text = plain(" ".join(part for part in (row.detail, excerpt) if part))
    short = text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
    return f"{where}: {short}" if short else where
