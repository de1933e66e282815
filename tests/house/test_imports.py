"""The four import rules, held against every file."""

import ast
from pathlib import Path

import pytest

from docs.generators.source import ROOT, imported_names, imports_of, parse, python_files
from tests.house.checkout import FUNCTIONS, project_files, relative

EVERYTHING = [path for path in project_files() if path.suffix == ".py"]


def offenders(files: list[Path], forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{relative(path)} imports {name}"
        for path in files
        for name in sorted(imports_of(path))
        if any(name == item or name.startswith(f"{item}.") for item in forbidden)
    ]


def outside(*folders: str) -> list[Path]:
    return [path for path in EVERYTHING if not relative(path).startswith(folders)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_imports_no_other_function(name: str) -> None:
    others = tuple(f"functions.{other}" for other in FUNCTIONS if other != name)
    assert offenders(python_files(f"functions/{name}"), others) == []


def test_shared_does_not_import_functions() -> None:
    assert offenders(python_files("shared"), ("functions",)) == []


def test_only_shared_gcp_and_the_local_cloud_import_google() -> None:
    files = outside("shared/gcp/", "local/", "tests/", "benchmarks/")
    assert offenders(files, ("google",)) == []


def test_nothing_but_tests_and_benchmarks_imports_the_local_cloud() -> None:
    assert offenders(outside("local/", "tests/", "benchmarks/"), ("local",)) == []


def test_the_product_imports_neither_tests_nor_docs_nor_benchmarks() -> None:
    files = python_files("functions", "shared", "local")
    assert offenders(files, ("tests", "docs", "benchmarks")) == []


@pytest.mark.parametrize("path", python_files("shared/gcp"), ids=relative)
def test_shared_gcp_imports_google_only_where_it_is_used(path: Path) -> None:
    at_import = [name for node in runs_at_import(parse(path)) for name in imported_names(node)]
    assert [name for name in at_import if name.startswith("google.")] == []


def runs_at_import(node: ast.AST) -> list[ast.AST]:
    """List the nodes that run when the module is imported: no function, no TYPE_CHECKING."""
    found: list[ast.AST] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        found += [child, *runs_at_import(child)]
    return found


def test_the_rules_see_late_imports_and_whole_modules(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text("def f():\n    import google.auth\n    from local import cloud\n")
    assert imports_of(path) == {"google.auth", "local.cloud"}


def test_every_folder_of_code_is_looked_at() -> None:
    folders = {relative(path).partition("/")[0] for path in EVERYTHING}
    assert {"functions", "shared", "local", "docs", "benchmarks", "tests"} <= folders
    assert all(path.is_relative_to(ROOT) for path in EVERYTHING)
