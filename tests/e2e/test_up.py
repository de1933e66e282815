"""`python -m local up`: watched folders, an end without leftovers, a start that remembers."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.cloud import pubsub_v1
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from local.addresses import Addresses
from tests.e2e.conftest import ROOT, Command

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc"),
]

EXAMPLE = ROOT / "examples" / "parcel_questions"
SECONDS = 120.0


def _until(what: str, look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited in vain for {what}")


@contextmanager
def _up(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    state = folder / ".state" / "addresses.json"
    state.unlink(missing_ok=True)
    with (folder.parent / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "up", "--free-ports", "--folder", str(folder)],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _until("the local cloud to be up", state.exists)
        yield process
    finally:
        process.kill()
        process.wait()


def _end(process: "subprocess.Popen[bytes]", number: signal.Signals) -> int:
    os.kill(process.pid, number)
    return process.wait(30)


def _processes_of(folder: Path) -> list[str]:
    """List the command lines of processes that speak of a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def _status(local_command: Command, folder: Path) -> dict[str, Any]:
    done = local_command("status", "--folder", folder, "--json", timeout=60)
    assert done.returncode == 0, done.stderr
    status: dict[str, Any] = json.loads(done.stdout)
    return status


def _publish(folder: Path, topic: str, message: dict[str, Any]) -> None:
    addresses = Addresses.read(folder / ".state")
    assert addresses is not None
    channel = grpc.insecure_channel(addresses.pubsub)
    publisher = pubsub_v1.PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    path = f"projects/{addresses.project}/topics/{topic}"
    publisher.publish(path, json.dumps(message).encode()).result(timeout=30)
    publisher.stop()
    channel.close()


def test_a_dropped_file_becomes_answers_and_a_restart_finds_everything_again(
    tmp_path: Path, local_command: Command
) -> None:
    folder = tmp_path / "cloud"
    (folder / "datasets" / "parcels").mkdir(parents=True)
    text = (EXAMPLE / "task.yaml").read_text(encoding="utf-8")
    text = re.sub("sweep: recommended", "sweep: single", text)
    (folder / "datasets" / "parcels" / "task.yaml").write_text(text, "utf-8")
    results = folder / "results" / "parcels"
    with _up(folder) as process:
        shutil.copy(EXAMPLE / "parcel_questions.csv", folder / "datasets" / "parcels")
        shutil.copytree(EXAMPLE / "documents", folder / "documents" / "parcels")

        def all_answered() -> bool:
            found = [json.loads(path.read_bytes()) for path in results.glob("*.json")]
            return len(found) == 12 and all(item["status"] != "waiting" for item in found)

        _until("twelve answers", all_answered)
        before = _status(local_command, folder)
        assert _end(process, signal.SIGINT) == 0
    _until("every process to end", lambda: not _processes_of(folder))

    with _up(folder) as process:
        assert _status(local_command, folder) == before
        sweep = {"epoch_count": [1, 2, 3, 5, 6, 7, 8, 9, 10]}
        _publish(folder, "tuning-requested", {"task": "parcels", "sweep": sweep})

        def jobs() -> list[str]:
            return [job["state"] for job in _status(local_command, folder)["tasks"][0]["jobs"]]

        _until("nine more jobs", lambda: len(jobs()) == 10)
        assert jobs().count("succeeded") < 10, "the sweep was over before it could be disturbed"
        _end(process, signal.SIGKILL)
    _until("every process to end, though the parent was killed", lambda: not _processes_of(folder))

    with _up(folder) as process:
        _until("the rest of the sweep", lambda: jobs() == ["succeeded"] * 10)
        made = list((folder / ".state" / "vertex" / "jobs").glob("*.json"))
        assert len(made) == 10
        _end(process, signal.SIGINT)
    _until("every process to end", lambda: not _processes_of(folder))


def test_a_second_local_cloud_in_the_same_folder_says_why_it_will_not_start(
    tmp_path: Path, local_command: Command
) -> None:
    folder = tmp_path / "cloud"
    folder.mkdir()
    with _up(folder):
        done = local_command("up", "--free-ports", "--folder", folder, timeout=60)
    assert done.returncode == 1
    assert "already runs" in done.stderr


def test_status_says_what_to_do_when_nothing_is_up(tmp_path: Path, local_command: Command) -> None:
    done = local_command("status", "--folder", tmp_path, timeout=60)
    assert done.returncode == 1
    assert f"local up --folder {tmp_path}" in done.stderr
