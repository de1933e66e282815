"""Runs the local cloud as a person would: through its command line, or driven from here."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.cloud import PROJECT, LocalCloud, Options
from local.drive import Driver
from local.open_buckets import open_local_buckets

ROOT = Path(__file__).resolve().parent.parent.parent
Command = Callable[..., "subprocess.CompletedProcess[str]"]
StartCloud = Callable[..., AbstractContextManager[tuple[LocalCloud, Driver]]]


@pytest.fixture(scope="session")
def local_command() -> Command:
    """Run `python -m local …` to its end."""

    def run(*arguments: str | Path, timeout: float = 500) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "local", *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def start_cloud(tmp_path: Path) -> StartCloud:
    """Start a local cloud that the test drives."""

    @contextmanager
    def start(**options: Any) -> Iterator[tuple[LocalCloud, Driver]]:
        with LocalCloud(tmp_path, Options(**options)) as cloud:
            address = cloud.environment["STORAGE_EMULATOR_HOST"]
            buckets = open_local_buckets(address, PROJECT, cloud.bucket_names())
            yield cloud, Driver(cloud, buckets)

    return start


@pytest.fixture(scope="session")
def demo(local_command: Command, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The demo's JSON, from one undisturbed run."""
    out = tmp_path_factory.mktemp("demo")
    done = local_command("demo", "--json", "--out", out)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return {**summary, "stderr": done.stderr}
