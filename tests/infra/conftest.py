"""The real Terraform, where there is one."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.infra.provider.schemas import GOOGLE_VERSIONS
from tests.infra.terraform import Terraform

NOT_PROVED = "NOT PROVED HERE"
REMEDY = (
    "So infra/ was only read, not planned or applied. Install Terraform 1.9 or later to run this."
)
OLDEST = (1, 9)


@pytest.fixture(scope="session")
def terraform_binary() -> str:
    """The path of the binary; without one, the tests that need it say that they did not run."""
    found = shutil.which("terraform")
    if found is None:
        pytest.skip(f"{NOT_PROVED}: there is no `terraform` on the PATH. {REMEDY}")
    said = subprocess.run(
        [found, "version", "-json"], capture_output=True, check=True, timeout=60
    ).stdout
    version = json.loads(said)["terraform_version"]
    if tuple(map(int, version.partition("-")[0].split("."))) < OLDEST:
        pytest.skip(f"{NOT_PROVED}: `terraform` is of version {version}. {REMEDY}")
    return found


@pytest.fixture(params=GOOGLE_VERSIONS)
def google_schema(request: pytest.FixtureRequest) -> str:
    """The version of hashicorp/google to stand in for: the oldest allowed, and a current one."""
    return str(request.param)


@pytest.fixture
def terraform(
    terraform_binary: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Terraform]]:
    """Make Terraforms, each with a copy of a module and a state of its own."""
    with ExitStack() as stack:

        def make(module: Path, schema: str = GOOGLE_VERSIONS[-1], **options: Any) -> Terraform:
            workdir = tmp_path_factory.mktemp("terraform")
            made = Terraform(module, workdir, schema, binary=terraform_binary, **options)
            return stack.enter_context(made)

        yield make
