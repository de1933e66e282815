"""Commands as they are told to people, to be typed as they stand."""

import shlex
from pathlib import Path

DEFAULT_FOLDER = Path("local-cloud")


def typed(command: str, folder: Path) -> str:
    """Write a command about a local cloud.

    Args:
        command: Such as status.
        folder: The local cloud's folder; it is named unless it is the default.
    """
    words = f".venv/bin/python -m local {command}"
    if folder.resolve() == DEFAULT_FOLDER.resolve():
        return words
    return f"{words} --folder {shlex.quote(str(folder))}"


def nothing_is_up(folder: Path) -> str:
    """Say that no local cloud is up in a folder, and how to start one."""
    return f"No local cloud is up in {folder}. Start one with `{start(folder)}`."


def start(folder: Path) -> str:
    """Write what starts a local cloud in a folder."""
    is_default = folder.resolve() == DEFAULT_FOLDER.resolve()
    return "make local" if is_default else typed("up", folder)
