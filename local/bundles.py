"""Stages a function's bundle: the same files as in the zip that is deployed.

The rule: a generated main.py, the function's folder, shared/, and the function's locked
requirements.txt at the top. Caches and hidden files are left out.
"""

import shutil
from pathlib import Path

from local.table import ROOT, Function

SKIPPED_FOLDERS = frozenset({"__pycache__"})
REQUIREMENTS = "requirements.txt"


def bundle_files(name: str, function: Function, root: Path = ROOT) -> dict[str, bytes]:
    """List a bundle's files.

    Args:
        name: The function's name, as its folder's.
        function: Its line in the table.
        root: The checkout.

    Returns:
        Path in the bundle -> content, in the paths' order.
    """
    folder = root / "functions" / name
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for top in (folder, root / "shared")
        for path in top.rglob("*")
        if path.is_file() and _belongs(path.relative_to(root)) and path != folder / REQUIREMENTS
    }
    files["main.py"] = (
        f"from functions.{name}.main import {function.entry_point}  # noqa: F401\n".encode()
    )
    files[REQUIREMENTS] = (folder / REQUIREMENTS).read_bytes()
    return dict(sorted(files.items()))


def stage_bundle(name: str, function: Function, into: Path, root: Path = ROOT) -> Path:
    """Write a bundle into a fresh folder and return that folder."""
    shutil.rmtree(into, ignore_errors=True)
    for path, content in bundle_files(name, function, root).items():
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return into


def _belongs(path: Path) -> bool:
    """Whether a file of the checkout is part of the product."""
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and not SKIPPED_FOLDERS.intersection(path.parts) and path.suffix != ".pyc"
