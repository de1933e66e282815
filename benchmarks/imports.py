"""Measures what each function's bundle imports, and writes docs/performance.md.

Run it as `python -m benchmarks.imports`. A cold start begins with these imports. Times on one
machine say little about another one, so each is divided by the time that the bare functions
framework takes on the same machine, in the same minute.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from docs.generators.markdown import fenced, page, paragraph, table
from local.bundles import stage_bundle
from local.table import ROOT, read_table

ROUNDS = 7
HEAVIEST = 5
COMMAND = "python -m benchmarks.imports"
BARE = "functions_framework"
PAGE = ROOT / "docs" / "performance.md"

_MEASURE = """
import sys, time
start = time.process_time()
import {module}
print(time.process_time() - start, len(sys.modules))
"""


@dataclass(frozen=True)
class Figures:
    """What importing one thing takes.

    Attributes:
        seconds: CPU seconds, the median of several runs.
        modules: How many modules are loaded afterwards.
        packages: Top-level package -> its own share of the time that all imports took.
    """

    seconds: float
    modules: int
    packages: dict[str, float]


def measure(folders: dict[str, Path]) -> dict[str, Figures]:
    """Measure `import main` in bundles, and the bare framework under its own name.

    Args:
        folders: Function -> its staged bundle.

    Returns:
        Figures by function, and by the framework's module.
    """
    modules = {BARE: (BARE, Path(tempfile.gettempdir()))}
    modules |= {name: ("main", folder) for name, folder in folders.items()}
    for module, folder in modules.values():
        _run(["-c", f"import {module}"], folder)  # writes the bytecode, as a build does
    seconds: dict[str, list[float]] = defaultdict(list)
    counts: dict[str, int] = {}
    for _ in range(ROUNDS):  # one round after the other, so that a busy moment meets them all
        for name, (module, folder) in modules.items():
            said = _run(["-c", _MEASURE.format(module=module)], folder).stdout.split()
            seconds[name].append(float(said[0]))
            counts[name] = int(said[1])
    return {
        name: Figures(
            statistics.median(seconds[name]),
            counts[name],
            packages(_run(["-X", "importtime", "-c", f"import {module}"], folder).stderr),
        )
        for name, (module, folder) in modules.items()
    }


def packages(report: str) -> dict[str, float]:
    """Read a report of -X importtime: top-level package -> its share of the time, 0 to 1."""
    own: dict[str, int] = defaultdict(int)
    for line in report.splitlines():
        columns = line.removeprefix("import time:").split("|")
        if len(columns) == 3 and columns[0].strip().isdigit():
            own[_package(columns[2].strip())] += int(columns[0])
    total = sum(own.values()) or 1
    ordered = sorted(own.items(), key=lambda item: -item[1])
    return {name: microseconds / total for name, microseconds in ordered}


def _package(module: str) -> str:
    """Name the package that a module is counted under; the standard library is one."""
    top = module.partition(".")[0]
    return "the standard library" if top in sys.stdlib_module_names else top


def _run(arguments: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run Python in a folder, with nothing of this environment but the way to programs."""
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


def performance_page(figures: dict[str, Figures]) -> str:
    """Write docs/performance.md."""
    bare = figures[BARE]
    rows = [
        (
            f"`{name}`",
            f"{one.seconds / bare.seconds:.2f}",
            str(one.modules),
            f"+{one.modules - bare.modules}",
            ", ".join(f"{package} {share:.0%}" for package, share in _heaviest(one)),
        )
        for name, one in figures.items()
    ]
    return page(
        f"<!-- Written by `{COMMAND}` (`make performance`). -->",
        "# What a cold start imports",
        paragraph(
            "A bundle imports the framework, pydantic, YAML and its own code. Google's clients, "
            "scikit-learn and the readers are imported where they are used first, so a request "
            "pays for what it needs. tests/performance holds the packages that each bundle may "
            "import; this page says how heavy they are."
        ),
        fenced("sh", COMMAND),
        paragraph(
            f"Measured with Python {platform.python_version()} on {platform.system()}. CPU time "
            f"is the median of {ROUNDS} runs of `import main` in the staged bundle, divided by "
            f"that of `import {BARE}` alone. Machines are noisy and differ, so absolute times are "
            "left out; ratios are what counts, and small differences mean nothing. Shares "
            "are each package's own time in a report of `-X importtime`."
        ),
        table(
            ("bundle", "CPU, times the framework's", "modules", "more than it", "heaviest"), rows
        ),
    )


def _heaviest(figures: Figures) -> list[tuple[str, float]]:
    return list(figures.packages.items())[:HEAVIEST]


def main() -> None:
    """Stage every bundle, measure, and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        staged = {
            name: stage_bundle(name, function, Path(folder) / name)
            for name, function in read_table().functions.items()
        }
        figures = measure(staged)
    PAGE.write_text(performance_page(figures), encoding="utf-8")
    sys.stdout.write(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
