"""A bundle follows from its files' content, and holds only what belongs to its function."""

import os
import shutil
from pathlib import Path, PurePosixPath

import pytest

from local.bundles import bundle_files
from local.table import read_table
from tests.house.checkout import FUNCTIONS, ROOT

TABLE = read_table()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the product's code that a test may change."""
    for folder in ("functions", "shared"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def bundles(root: Path) -> dict[str, dict[str, bytes]]:
    return {name: bundle_files(name, TABLE.functions[name], root) for name in FUNCTIONS}


def changed(before: dict[str, dict[str, bytes]], after: dict[str, dict[str, bytes]]) -> set[str]:
    return {name for name in FUNCTIONS if before[name] != after[name]}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_holds_its_function_and_shared_and_two_files_on_top(name: str) -> None:
    tops = {PurePosixPath(path).parts[:2] for path in bundles(ROOT)[name]}
    folders = {parts for parts in tops if parts[0] != "shared"}
    assert folders == {("main.py",), ("requirements.txt",), ("functions", name)}
    assert any(parts[0] == "shared" for parts in tops)


def test_a_bundle_holds_no_caches_hidden_files_or_second_lock(checkout: Path) -> None:
    clean = bundles(checkout)
    for folder in (checkout / "functions" / "convert_dataset", checkout / "shared" / "gcp"):
        (folder / "__pycache__").mkdir(exist_ok=True)
        (folder / "__pycache__" / "main.cpython-313.pyc").write_bytes(b"x")
        (folder / "stray.pyc").write_bytes(b"x")
        (folder / ".hidden").write_bytes(b"x")
        (folder / ".cache").mkdir()
        (folder / ".cache" / "file.py").write_bytes(b"x")
    assert bundles(checkout) == clean
    for name, files in clean.items():
        assert f"functions/{name}/requirements.txt" not in files


def test_touching_files_changes_no_bundle(checkout: Path) -> None:
    before = bundles(checkout)
    for path in checkout.rglob("*.py"):
        os.utime(path, (0, 0))
    assert bundles(checkout) == before


def test_the_order_of_files_is_always_the_same(checkout: Path) -> None:
    for files in bundles(checkout).values():
        assert list(files) == sorted(files)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_editing_a_function_changes_only_its_own_bundle(name: str, checkout: Path) -> None:
    before = bundles(checkout)
    path = checkout / "functions" / name / "main.py"
    path.write_bytes(path.read_bytes() + b"# edited\n")
    assert changed(before, bundles(checkout)) == {name}


def test_editing_a_functions_lock_changes_only_its_own_bundle(checkout: Path) -> None:
    before = bundles(checkout)
    path = checkout / "functions" / "watch_jobs" / "requirements.txt"
    path.write_bytes(path.read_bytes() + b"# edited\n")
    assert changed(before, bundles(checkout)) == {"watch_jobs"}


def test_editing_shared_changes_every_bundle(checkout: Path) -> None:
    before = bundles(checkout)
    path = checkout / "shared" / "paths.py"
    path.write_bytes(path.read_bytes() + b"# edited\n")
    assert changed(before, bundles(checkout)) == set(FUNCTIONS)
