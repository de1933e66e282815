"""Words that do not belong into the project's files."""

import re
from pathlib import Path

import pytest

from tests.house.checkout import project_files, relative

FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.:/$}-])/(?:work|root|(?:home|Users)/\w+)/",
    "the address of a package index": r"pypi\.org/simple|pythonhosted\.org|(?i:index[-_]url)",
    "work that is left to do": r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b",
}


def readable(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_has(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{relative(path)}:{number}"
        for path in project_files()
        if path != Path(__file__).resolve()
        for number, line in enumerate(readable(path).splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


def test_the_patterns_find_what_they_are_for() -> None:
    samples = ["see /wo" + "rk/x", "pip --index-url=https://example.org", "# " + "TO" + "DO: later"]
    for pattern, sample in zip(FORBIDDEN.values(), samples, strict=True):
        assert re.search(pattern, sample)
