"""What the house rules are held against: the files of this checkout."""

import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))

_HIDDEN_BUT_OURS = {".ci", ".github", ".editorconfig", ".gitignore", ".pre-commit-config.yaml"}


def project_files() -> list[Path]:
    """List the project's own files: not hidden ones, caches, or what .gitignore names."""
    ignored = [
        line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ]
    return sorted(_walk(ROOT, [pattern for pattern in ignored if pattern]))


def relative(path: Path) -> str:
    """Name a file as messages and lists do."""
    return path.relative_to(ROOT).as_posix()


def _walk(folder: Path, ignored: list[str]) -> list[Path]:
    files: list[Path] = []
    for path in folder.iterdir():
        hidden = path.name.startswith(".") and path.name not in _HIDDEN_BUT_OURS
        name = relative(path)
        if hidden or any(fnmatch.fnmatch(path.name, item) or name == item for item in ignored):
            continue
        if path.is_dir():
            files += _walk(path, ignored)
        elif path.is_file():
            files.append(path)
    return files
