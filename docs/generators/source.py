"""Reads the project's own source: what each file imports, and which facts are published."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python_files(*folders: str) -> list[Path]:
    """List the Python files of folders of the checkout, in order."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if not any(part.startswith((".", "__pycache__")) for part in path.parts[len(ROOT.parts) :])
    )


@cache
def imports_of(path: Path) -> frozenset[str]:
    """List what a file imports, wherever in it, with full names: a.b for `from a import b`."""
    return frozenset(name for node in ast.walk(parse(path)) for name in imported_names(node))


def imported_names(node: ast.AST) -> Iterator[str]:
    """Name what one import statement imports; other nodes import nothing."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parse(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def distribution_of(module: str) -> str | None:
    """Return the installed distribution that a module comes from, such as google-auth.

    A namespace such as google belongs to many, so the longest known part of the name decides.
    """
    known = _modules()
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        owners = known.get(".".join(parts[:length]), set())
        if len(owners) == 1:
            return next(iter(owners))
    return None


@cache
def _modules() -> dict[str, set[str]]:
    """Map every installed module, and the packages around it, to its distributions."""
    owners: dict[str, set[str]] = defaultdict(set)
    for distribution in distributions():
        name = distribution.metadata["Name"].lower().replace("_", "-").replace(".", "-")
        for file in distribution.files or []:
            if file.suffix not in {".py", ".so"} or ".." in file.parts:
                continue
            stem = [*file.parts[:-1], file.name.partition(".")[0]]
            if stem[-1] == "__init__":
                stem.pop()
            for length in range(1, len(stem) + 1):
                owners[".".join(stem[:length])].add(name)
    return owners


def published_facts() -> dict[str, dict[str, set[str]]]:
    """Find the facts that the product publishes: fact -> detail -> files that give it.

    Details that are given as a whole mapping are under "**".
    """
    facts: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in python_files("functions", "shared"):
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.Call) or not _is_publish_fact(node.func):
                continue
            where = path.relative_to(ROOT).as_posix()
            for fact in _texts_in(node.args[1]):
                facts[fact][""].add(where)
                for keyword in node.keywords:
                    if keyword.arg != "task":
                        facts[fact][keyword.arg or "**"].add(where)
    return facts


def _is_publish_fact(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id == "publish_fact"


def _texts_in(node: ast.expr) -> list[str]:
    """List the texts in an expression such as `"a" if wrong else "b"`."""
    return [
        inner.value
        for inner in ast.walk(node)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    ]
