"""Each function's folder has a front door as infra/functions.yaml has it, and its own locks."""

import ast
import re
import sys
from pathlib import Path

import pytest

from docs.generators.source import distribution_of, parse
from local.table import read_table
from tests.house.checkout import FUNCTIONS, ROOT
from tests.house.imports import reached_from, third_party_imports, top_level

TABLE = read_table()
LOCKS = [
    *(f"functions/{name}/requirements.txt" for name in FUNCTIONS),
    "local/requirements.txt",
    "tests/requirements.txt",
]


def main_file(name: str) -> Path:
    return ROOT / "functions" / name / "main.py"


def answer_call(name: str) -> dict[str, ast.expr]:
    """Return the keyword arguments that a front door calls `answer` with."""
    calls = [
        node
        for node in ast.walk(parse(main_file(name)))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "answer"
    ]
    assert len(calls) == 1
    return {keyword.arg: keyword.value for keyword in calls[0].keywords if keyword.arg}


def locked(lock: str) -> dict[str, str]:
    """Return a lock file's packages: name -> everything that is said of it."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return {re.split(r"[=\[ ]", line)[0].lower(): line for line in lines}


def test_the_table_and_the_folders_name_the_same_functions() -> None:
    folders = {path.name for path in (ROOT / "functions").iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == set(FUNCTIONS) == set(TABLE.functions)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_front_door_is_short(name: str) -> None:
    assert len(main_file(name).read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_front_door_has_the_entry_point_that_the_table_names(name: str) -> None:
    defined = {
        node.name for node in parse(main_file(name)).body if isinstance(node, ast.FunctionDef)
    }
    assert TABLE.functions[name].entry_point == "handle"
    assert "handle" in defined


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_front_door_takes_the_topics_of_the_table_and_says_its_own_name(name: str) -> None:
    arguments = answer_call(name)
    assert ast.literal_eval(arguments["topics"]) == TABLE.functions[name].topics
    assert ast.literal_eval(arguments["function"]) == name


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_a_hash_and_no_address(lock: str) -> None:
    for name, line in locked(lock).items():
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ ", line), f"{name} has no exact version"
        assert "--hash=sha256:" in line, f"{name} has no hash"
        assert "//" not in line, f"{name} has an address"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_everything_that_a_bundle_imports_is_in_its_lock(name: str) -> None:
    lock = locked(f"functions/{name}/requirements.txt")
    missing = {
        f"{module} imports {item}"
        for module in reached_from(f"functions.{name}.main")
        for item in third_party_imports(module)
        if top_level(item) not in sys.stdlib_module_names and distribution_of(item) not in lock
    }
    assert missing == set()


def test_a_function_can_reach_only_the_clients_that_it_needs() -> None:
    ports = {
        name: {
            module.removeprefix("shared.gcp.")
            for module in reached_from(f"functions.{name}.main")
            if module.startswith("shared.gcp.")
        }
        - {"world", "storage", "pubsub", "errors", "addresses"}
        for name in FUNCTIONS
    }
    assert ports == {
        "convert_dataset": set(),
        "launch_tuning": {"tuning"},
        "watch_jobs": {"batch", "tuning"},
        "evaluate_model": {"generation", "generate_content", "evaluation"},
        "process_document": {"generation", "generate_content"},
    }
