"""What importing a bundle loads: the framework and little else, whatever it does later."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.imports import packages
from local.bundles import stage_bundle
from local.table import read_table

TABLE = read_table()

FRAMEWORK = {
    "blinker",
    "click",
    "cloudevents",
    "deprecation",
    "flask",
    "functions_framework",
    "google.cloud.functions",
    "google.cloud.functions_v1",
    "itsdangerous",
    "jinja2",
    "markupsafe",
    "packaging",
    "werkzeug",
}
EVERY = FRAMEWORK | {
    "annotated_types",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
    "yaml",
}
ALLOWED = {
    "convert_dataset": EVERY | {"orjson", "xxhash"},
    "launch_tuning": EVERY,
    "watch_jobs": EVERY,
    "evaluate_model": EVERY,
    "process_document": EVERY,
}
OUR_OWN = {"functions", "main", "shared"}
INSTALLED_BY_OTHERS = ("_distutils_hack", "cython_runtime", "_cython_", "_sysconfigdata_", "__")

LIST = """
import json, sys
import {module}
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module", params=sorted(TABLE.functions))
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, set[str]]:
    """A function's name, and the modules that are loaded once its main.py is imported."""
    name: str = request.param
    folder = tmp_path_factory.mktemp(name) / "bundle"
    stage_bundle(name, TABLE.functions[name], folder)
    return name, modules_after("main", folder)


def modules_after(module: str, folder: Path) -> set[str]:
    return set(json.loads(output_of(LIST.format(module=module), folder)))


def output_of(program: str, folder: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=folder,
        env={"PATH": os.environ.get("PATH", "")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def third_party(modules: set[str]) -> set[str]:
    """Name the packages that are neither the standard library's nor our own."""
    tops = {module.partition(".")[0] for module in modules} - OUR_OWN
    google = {".".join(module.split(".")[:3]) for module in modules if module.count(".") >= 2}
    return {
        top
        for top in tops
        if top not in sys.stdlib_module_names and not top.startswith(INSTALLED_BY_OTHERS)
    } - {"google"} | {name for name in google if name.startswith("google.")}


def test_a_bundle_imports_only_the_packages_it_may(loaded: tuple[str, set[str]]) -> None:
    name, modules = loaded
    assert third_party(modules) - ALLOWED[name] == set()


def test_a_bundle_may_import_only_the_packages_it_does(loaded: tuple[str, set[str]]) -> None:
    name, modules = loaded
    assert ALLOWED[name] - EVERY - third_party(modules) == set()


@pytest.mark.parametrize(
    "heavy",
    ["google.cloud.storage", "google.cloud.aiplatform_v1", "google.cloud.pubsub_v1", "google.genai",
     "google.auth", "google.api_core", "grpc", "sklearn", "numpy", "scipy", "pandas", "bs4",
     "pypdf", "charset_normalizer", "requests", "urllib3", "certifi", "cryptography"],
)  # fmt: skip
def test_a_bundle_imports_nothing_heavy(heavy: str, loaded: tuple[str, set[str]]) -> None:
    _, modules = loaded
    assert heavy not in modules


def test_a_bundle_loads_only_its_own_function(loaded: tuple[str, set[str]]) -> None:
    name, modules = loaded
    functions = {module.split(".")[1] for module in modules if module.startswith("functions.")}
    assert functions == {name}


READ = """
import json, resource, sys
import main
from functions.process_document.reading.read import read_documents
(document,) = read_documents({content!r}, "a document")
children = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([document.text, children.ru_utime, sorted(sys.modules)]))
"""


@pytest.mark.parametrize("content", [b"Caf\xc3\xa9, hoo.", b"# Owls\n\n- hoo\n- *caw*\n"])
def test_a_plain_text_needs_no_library_and_no_child(content: bytes, tmp_path: Path) -> None:
    bundle = stage_bundle("process_document", TABLE.functions["process_document"], tmp_path / "b")
    said, seconds, modules = json.loads(output_of(READ.format(content=content), bundle))
    assert said == content.decode().strip()
    assert seconds == 0
    assert third_party(set(modules)) <= EVERY
    for needless in ("pypdf", "html.parser", "pyexpat", "shared.encodings", "shared.unpacking"):
        assert needless not in modules


def test_a_child_is_lean_until_it_knows_what_it_reads(tmp_path: Path) -> None:
    bundle = stage_bundle("process_document", TABLE.functions["process_document"], tmp_path / "b")
    bare = modules_after("json", bundle)
    more = modules_after("functions.process_document.reading.child", bundle) - bare
    more |= modules_after("functions.process_document.reading.registry", bundle) - bare
    assert third_party(more) == set()
    assert (
        more & {"email", "zipfile", "pyexpat", "html.parser", "dataclasses", "shared.ports"}
        == set()
    )


def test_only_what_writes_reports_imports_more_of_jinja_than_the_framework(tmp_path: Path) -> None:
    bare = modules_after("functions_framework", tmp_path)
    for name in ("launch_tuning", "watch_jobs", "process_document"):
        folder = stage_bundle(name, TABLE.functions[name], tmp_path / name)
        more = modules_after("main", folder) - bare
        assert {module for module in more if module.startswith("jinja2")} == set()


def test_a_report_of_importtime_is_read_as_shares() -> None:
    report = """
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   json
import time:       200 |        200 |     flask.app
import time:       100 |        300 |   flask
"""
    assert packages(report) == {"flask": 0.75, "the standard library": 0.25}
