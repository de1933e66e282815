"""The generated tables of infra/README.md: python -m docs.generators.infra_page [--check].

The rest of that page is written by hand, so the tables stand between marks in it.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from docs.generators.markdown import table
from docs.generators.source import ROOT

PAGE = ROOT / "infra" / "README.md"
MINUTES_A_MONTH = 30 * 24 * 60

_BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(r"^  (\w+) += (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Cost:
    """One line of an estimate.

    Attributes:
        what: What is paid for.
        quantity: How much of it.
        unit: What it is counted in.
        price: US dollars for `per` units.
        per: For how many units the price is.
    """

    what: str
    quantity: float
    unit: str
    price: float
    per: float = 1

    @property
    def dollars(self) -> float:
        """What it comes to, without any free tier."""
        return self.quantity / self.per * self.price


# An idle tick makes five lists of open work and reads three records (counted with the fakes of
# tests/), and takes a second.
IDLE_MONTH = (
    Cost("watch_jobs, 1 s a tick: CPU", MINUTES_A_MONTH, "vCPU seconds", 24, 1_000_000),
    Cost("watch_jobs, 1 s a tick: memory", MINUTES_A_MONTH * 0.5, "GiB seconds", 2.5, 1_000_000),
    Cost("watch_jobs: requests", MINUTES_A_MONTH, "requests", 0.40, 1_000_000),
    Cost("watch_jobs: lists of open work", MINUTES_A_MONTH * 6, "class A operations", 0.005, 1000),
    Cost(
        "watch_jobs: ledgers and records", MINUTES_A_MONTH * 4, "class B operations", 0.0004, 1000
    ),
    Cost("ticks, published and delivered at 1 kB", MINUTES_A_MONTH * 2e-6, "GB", 0.04),
    Cost("Cloud Scheduler", 1, "jobs", 0.10),
    Cost("container images", 2, "GB", 0.10),
)
# Each document is asked about once, with five samples of 10 tokens to a prompt of 600.
THOUSAND_DOCUMENTS = (
    Cost("model: prompts of 600 tokens", 600_000, "tokens", 0.10, 1_000_000),
    Cost("model: five samples of 10 tokens", 50_000, "tokens", 0.40, 1_000_000),
    Cost("process_document, 3 s each, unshared: CPU", 3000, "vCPU seconds", 24, 1_000_000),
    Cost("process_document, 3 s each: memory", 1500, "GiB seconds", 2.5, 1_000_000),
    Cost("upload, result and mark for review", 3000, "class A operations", 0.005, 1000),
    Cost("reads of records and documents", 7000, "class B operations", 0.0004, 1000),
    Cost("messages of 1 kB: arrival and fact", 0.004, "GB", 0.04),
)


def blocks() -> dict[str, str]:
    """Write every table: its name in the page -> content."""
    return {
        "inputs": inputs(),
        "outputs": outputs(),
        "functions": functions(),
        "an idle month": costs(IDLE_MONTH),
        "1,000 documents": costs(THOUSAND_DOCUMENTS),
    }


def inputs() -> str:
    """Describe the variables, those first that must be given."""
    rows = [
        (f"`{name}`", kind(said["type"]), said.get("default", "**required**"), said["description"])
        for name, said in read("variables.tf", "variable")
    ]
    rows = [(name, type_, _default(default), about) for name, type_, default, about in rows]
    return table(("variable", "type", "default", "meaning"), rows)


def outputs() -> str:
    """Describe the outputs."""
    rows = [(f"`{name}`", said["description"]) for name, said in read("outputs.tf", "output")]
    return table(("output", "what it is"), rows)


def functions() -> str:
    """Describe the functions' sizes, as functions.yaml has them."""
    heads = ("function", "topics", "memory", "at a time", "instances", "tries", "then")
    text = (ROOT / "infra" / "functions.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    rows = [
        (
            f"`{name}`",
            ", ".join(f"`{topic}`" for topic in function["topics"]),
            function["memory"],
            str(function["concurrency"]),
            f"{function['min_instances']} to {function['max_instances']}",
            str(function["max_delivery_attempts"]),
            f"`{name.replace('_', '-')}.dead-letter`",
        )
        for name, own in content["functions"].items()
        for function in [{**content["defaults"], **own}]
    ]
    return table(heads, rows)


def costs(lines: tuple[Cost, ...]) -> str:
    """Write an estimate with its sum."""
    rows = [
        (
            line.what,
            f"{line.quantity:,.4g} {line.unit}"
            if line.quantity < 1
            else f"{line.quantity:,.0f} {line.unit}",
            _price(line),
            f"${line.dollars:.2f}",
        )
        for line in lines
    ]
    total = sum(line.dollars for line in lines)
    return table(
        ("what", "how much", "assumed price", "comes to"),
        [*rows, ("**together**", "", "", f"**${total:.2f}**")],
    )


def read(file: str, block: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Go through a file's blocks of one kind: (name, its arguments as they are written)."""
    text = (ROOT / "infra" / file).read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        if found[1] == block:
            said = {item[1]: item[2] for item in _ARGUMENT.finditer(found[3])}
            yield found[2], {**said, "description": _text(said["description"])}


def kind(written: str) -> str:
    """Name a variable's type for people."""
    plain = {"string": "text", "number": "number", "bool": "true or false"}
    if written in plain:
        return plain[written]
    return {"list": "list of texts", "map": "map of texts"}.get(written.partition("(")[0], "object")


def page(old: str) -> str:
    """Put the tables into the page.

    Raises:
        ValueError: The page lacks a table's marks.
    """
    for name, content in blocks().items():
        begin, end = f"<!-- {name}: generated by docs/generators/infra_page.py -->", "<!-- end -->"
        before, mark, rest = old.partition(begin)
        _, closed, after = rest.partition(end)
        if not mark or not closed:
            raise ValueError(f"infra/README.md has no place for the table {name!r}")
        old = f"{before}{begin}\n\n{content}\n\n{end}{after}"
    return old


def main() -> int:
    """Write the tables, or with --check only say whether they are stale."""
    parser = argparse.ArgumentParser(prog="python -m docs.generators.infra_page")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")
    options = parser.parse_args()
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if not options.check:
        PAGE.write_text(new, encoding="utf-8")
    return 1 if options.check and new != old else 0


def _price(line: Cost) -> str:
    """Write a price, with the cents or with all the digits that it has."""
    cents = f"{line.price:.2f}"
    price = cents if float(cents) == line.price else f"{line.price:g}"
    return f"${price}" + (f" for {line.per:,.0f}" if line.per != 1 else "")


def _text(written: str) -> str:
    """Return what a text in quotes says."""
    return written.strip().removeprefix('"').removesuffix('"').replace('\\"', '"')


def _default(written: str) -> str:
    if written == "**required**":
        return written
    return {'""': "none", "[]": "none", "{}": "none"}.get(written, f"`{written}`")


if __name__ == "__main__":
    sys.exit(main())
