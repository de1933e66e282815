"""Measures ways of asking a slow server: each in a process of its own, against a server of its own.

A benchmark names its ways and calls `run`; that is its command line as well.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from docs.generators.markdown import paragraph
from local.table import ROOT

LATENCY = 0.3
"""Seconds until the server answers."""

Figures = dict[str, float]
Measure = Callable[[str, int, int], Figures]
"""From a way's name, the server's port and how many requests, to figures; runs in this process."""


def run(
    module: str,
    ways: Sequence[str],
    count: int,
    measure: Measure,
    report: Callable[[Mapping[str, Figures], int], str],
    page: Path,
) -> int:
    """Measure every way, print the report, and write it to the page.

    Args:
        module: The benchmark's own module, such as benchmarks.evaluation.
        ways: The ways' names.
        count: How many requests each way makes, unless the command line says otherwise.
        measure: Measures one way.
        report: Writes the page out of every way's figures.
        page: Where it goes.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--count", type=int, default=count, help="how many each way has to ask")
    parser.add_argument("--way", choices=ways, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--no-page", action="store_true", help="print only")
    options = parser.parse_args()
    if options.way:
        figures = measure(options.way, options.port, options.count)
        sys.stdout.write(json.dumps(figures) + "\n")
        return 0
    found = {}
    for way in ways:
        sys.stderr.write(f"{way} …\n")
        found[way] = _in_own_process(module, way, options.count)
    text = report(found, options.count)
    sys.stdout.write(text)
    if not options.no_page:
        page.write_text(text, encoding="utf-8")
    return 0


def _in_own_process(module: str, way: str, count: int) -> Figures:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.slow_server", str(LATENCY)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", module, "--way", way,
             "--port", port, "--count", str(count)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        server.kill()
        server.wait()
    if done.returncode:
        raise RuntimeError(f"{way}: {done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def about(ways: Mapping[str, Callable[..., Any]], way: str) -> str:
    """Return the first line of a way's docstring, which says what it is."""
    return (ways[way].__doc__ or way).partition("\n")[0]


def conditions(load: float) -> str:
    """Say on what machine it was measured.

    Args:
        load: How many processes ran or waited when it began.
    """
    return paragraph(
        f"Measured with Python {platform.python_version()} on {os.cpu_count()} cores, with "
        f"{load:.1f} processes running or waiting for them when it began. Anything else that "
        "runs lowers the shares and raises the CPU."
    )
