"""A module is short enough to be read in one go."""

from docs.generators.source import python_files
from tests.house.checkout import relative

LIMIT = 300

LONGER = {
    "local/pubsub/broker.py": "one lock guards one state; two files would hide that",
}


def lengths() -> dict[str, int]:
    files = python_files("functions", "shared", "local", "docs", "benchmarks")
    return {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}


def test_no_module_is_long_without_a_reason() -> None:
    long = {path: lines for path, lines in lengths().items() if lines > LIMIT}
    assert set(long) - set(LONGER) == set()


def test_the_list_of_long_modules_names_only_modules_that_are_there() -> None:
    assert set(LONGER) <= set(lengths())
    assert all(LONGER.values())
