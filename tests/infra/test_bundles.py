"""The zips: the files of the local cloud's bundles, replaced only when one of them changes."""

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.bundles import bundle_files
from local.processes import free_port
from tests.infra.deployment import INFRA, TABLE, VARIABLES, Resources, changes
from tests.infra.terraform import LITTLE, Terraform

pytestmark = pytest.mark.slow

FUNCTIONS = list(TABLE.functions)
START_SECONDS = 60.0


@pytest.fixture(scope="module")
def deployed(
    terraform_binary: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terraform]:
    """A deployment of the whole code."""
    workdir = tmp_path_factory.mktemp("deployed")
    with Terraform(INFRA, workdir, binary=terraform_binary) as terraform:
        terraform.init()
        terraform.apply(VARIABLES)
        yield terraform


@pytest.fixture(scope="module")
def editable(
    terraform_binary: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terraform]:
    """A deployment of a little code, to be edited."""
    workdir = tmp_path_factory.mktemp("editable")
    some = (*LITTLE, "shared/paths.py", "shared/gcp/world.py")
    with Terraform(INFRA, workdir, binary=terraform_binary, sources=some) as terraform:
        terraform.init()
        terraform.apply(VARIABLES)
        yield terraform


@pytest.fixture
def edit(editable: Terraform) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Add a line to a file of the checkout and plan; the file is put back afterwards."""
    kept: dict[Path, bytes] = {}

    def edited(name: str) -> dict[str, Any]:
        path = editable.checkout / name
        kept[path] = path.read_bytes()
        path.write_bytes(kept[path] + b"# edited\n")
        return editable.plan(VARIABLES)

    yield edited
    for path, content in kept.items():
        path.write_bytes(content)


def zipped(terraform: Terraform, name: str) -> dict[str, bytes]:
    """Return a function's zip: path -> content, in the order of the archive."""
    with zipfile.ZipFile(terraform.module / ".bundles" / f"{name}.zip") as archive:
        return {item: archive.read(item) for item in archive.namelist()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_zip_holds_what_the_local_cloud_runs_byte_for_byte(
    deployed: Terraform, name: str
) -> None:
    staged = bundle_files(name, TABLE.functions[name])
    made = zipped(deployed, name)
    assert list(made) == list(staged)
    assert made == staged


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_framework_starts_inside_the_unpacked_zip_and_the_front_door_answers(
    deployed: Terraform, name: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(deployed.module / ".bundles" / f"{name}.zip") as archive:
        archive.extractall(tmp_path)
    port = free_port()
    command = [sys.executable, "-m", "functions_framework", "--source", "main.py"]
    command += ["--target", TABLE.functions[name].entry_point, "--signature-type", "http"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        # Without its environment it can do no work, and says so: the code in the zip has run.
        assert _answer(port, process) == (500, b"internal error")
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
    assert b'"error": "SettingsError"' in said


def _answer(port: int, process: "subprocess.Popen[bytes]") -> tuple[int, bytes]:
    """Send an event as soon as somebody listens."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", b"{}", method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError):
            try:
                with opener.open(request, timeout=10) as response:
                    return response.status, response.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read()
        time.sleep(0.1)
    raise AssertionError("nobody listened")


def test_a_zip_is_named_by_its_content(deployed: Terraform) -> None:
    objects = Resources(deployed.state()).of("storage_bucket_object")
    functions = Resources(deployed.state()).of("cloudfunctions2_function")
    for name, item in objects.items():
        folder, _, file = item["name"].partition("/")
        assert folder == name
        assert len(file.removesuffix(".zip")) == 16
        (source,) = functions[name]["build_config"][0]["source"][0]["storage_source"]
        assert (source["bucket"], source["object"]) == (item["bucket"], item["name"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_edit_in_one_function_replaces_that_function_only(
    edit: Callable[[str], dict[str, Any]], name: str
) -> None:
    assert changes(edit(f"functions/{name}/main.py")) == {
        f'google_storage_bucket_object.bundles["{name}"]': ["create", "delete"],
        f'google_cloudfunctions2_function.functions["{name}"]': ["update"],
    }


def test_an_edit_of_a_lock_replaces_that_function_only(
    edit: Callable[[str], dict[str, Any]],
) -> None:
    assert changes(edit("functions/watch_jobs/requirements.txt")) == {
        'google_storage_bucket_object.bundles["watch_jobs"]': ["create", "delete"],
        'google_cloudfunctions2_function.functions["watch_jobs"]': ["update"],
    }


def test_an_edit_in_shared_replaces_every_function(
    edit: Callable[[str], dict[str, Any]],
) -> None:
    changed = changes(edit("shared/paths.py"))
    assert {address for address, actions in changed.items() if actions == ["update"]} == {
        f'google_cloudfunctions2_function.functions["{name}"]' for name in FUNCTIONS
    }


def test_touching_chmod_caches_and_hidden_files_change_nothing(editable: Terraform) -> None:
    for path in (*editable.checkout.glob("functions/**/*.py"), *editable.checkout.glob("shared/*")):
        os.utime(path, (0, 0))
        path.chmod(0o755)
    for folder in ("functions/convert_dataset", "shared/gcp"):
        cache = editable.checkout / folder / "__pycache__"
        cache.mkdir(exist_ok=True)
        (cache / "main.cpython-313.pyc").write_bytes(b"\x00\xff")
        (editable.checkout / folder / "stray.pyc").write_bytes(b"\x00\xff")
        (editable.checkout / folder / ".hidden").write_bytes(b"\x00\xff")
        (editable.checkout / folder / ".cache").mkdir()
        (editable.checkout / folder / ".cache" / "file.py").write_bytes(b"\x00\xff")
    assert changes(editable.plan(VARIABLES)) == {}
