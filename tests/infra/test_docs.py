"""infra/README.md and docs/security.md say what is so."""

import ast
import re

import pytest

from docs.generators.infra_page import IDLE_MONTH, PAGE, THOUSAND_DOCUMENTS, blocks, page, read
from docs.generators.source import parse, python_files
from local.table import read_table
from tests.infra.deployment import INFRA, ROOT

SECURITY = ROOT / "docs" / "security.md"
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
FILES = {
    "accounts", "apis", "buckets", "budget", "bundles", "dashboard", "functions", "iam", "locals",
    "monitoring", "outputs", "scheduler", "subscriptions", "topics", "variables", "versions",
}  # fmt: skip


def attacks() -> list[list[str]]:
    """Return the rows of the table of attacks."""
    section = (
        SECURITY.read_text(encoding="utf-8").partition("## Attacks\n")[2].partition("\n## ")[0]
    )
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_no_table_of_the_readme_is_stale() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run `python -m docs.generators.infra_page`"


def test_a_readme_without_a_place_for_a_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for the table 'inputs'"):
        page("")


def test_every_variable_and_output_is_in_its_table_with_a_meaning() -> None:
    for file, block, name in (
        ("variables.tf", "variable", "inputs"),
        ("outputs.tf", "output", "outputs"),
    ):
        text = (INFRA / file).read_text(encoding="utf-8")
        declared = re.findall(rf'^{block} "(\w+)"', text, re.MULTILINE)
        described = dict(read(file, block))
        assert list(described) == declared
        for item in declared:
            assert len(described[item]["description"]) > 20
            assert f"| `{item}` |" in blocks()[name]


def test_the_readme_says_what_is_to_be_done_and_when() -> None:
    headings = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for heading in (
        "Before the first time", "Inputs", "Outputs", "Update", "Roll back", "Tear down",
        "What it costs",
    ):  # fmt: skip
        assert heading in headings


def test_the_estimate_of_an_idle_month_has_a_tick_as_often_as_the_schedule() -> None:
    assert read_table().schedule.cron == "* * * * *"
    requests = next(line for line in IDLE_MONTH if line.unit == "requests")
    assert requests.quantity == 30 * 24 * 60
    memory = next(line for line in IDLE_MONTH if line.unit == "GiB seconds")
    assert read_table().functions["watch_jobs"].memory == "512Mi"
    assert memory.quantity == requests.quantity / 2


def test_the_estimates_add_up() -> None:
    for lines, name in ((IDLE_MONTH, "an idle month"), (THOUSAND_DOCUMENTS, "1,000 documents")):
        total = sum(line.quantity / line.per * line.price for line in lines)
        assert f"**${total:.2f}**" in blocks()[name]


def test_every_attack_has_what_stops_it_and_a_test_that_is_there() -> None:
    for attack, stopped, shown in attacks():
        assert attack
        assert len(stopped) > 20
        found = REFERENCE.findall(shown)
        assert found, attack
        for file, name in found:
            tree = parse(ROOT / file)
            defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert name in defined, f"{file}::{name}"


def test_tables_for_a_spreadsheet_are_written_in_one_place_only() -> None:
    harmless = ROOT / "functions" / "watch_jobs" / "export.py"
    for path in python_files("functions", "shared"):
        if path == harmless:
            continue
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in {("csv", "writer"), ("csv", "DictWriter")}


def test_each_concern_has_the_file_that_its_name_suggests() -> None:
    assert {path.stem for path in INFRA.glob("*.tf")} == FILES
    where = {
        "google_storage_bucket": "buckets",
        "google_pubsub_topic": "topics",
        "google_pubsub_subscription": "subscriptions",
        "google_cloudfunctions2_function": "functions",
        "google_service_account": "accounts",
        "google_cloud_scheduler_job": "scheduler",
        "google_billing_budget": "budget",
        "google_monitoring_dashboard": "dashboard",
        "google_project_service": "apis",
    }
    for path in INFRA.glob("*.tf"):
        for kind in re.findall(
            r'^resource "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            wanted = "iam" if kind.endswith("_iam_member") else where.get(kind, path.stem)
            assert path.stem == wanted, kind
