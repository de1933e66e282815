"""Runs the real Terraform on a module, offline, against stand-ins for its providers.

    with Terraform(ROOT / "infra", tmp_path) as terraform:
        terraform.init()
        plan = terraform.plan({"project_id": "a-project"})

Nothing lands in the checkout: the module is copied, and with it the folders beside it that its
zips are made of. Nothing is fetched: the providers are already running, on loopback, and the
configuration of Terraform's own names no place to install others from.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.infra.provider.archive import ArchiveProvider
from tests.infra.provider.google import GoogleProvider
from tests.infra.provider.server import ProviderServer

WHOLE = ("functions/**/*", "shared/**/*")
LITTLE = ("functions/*/main.py", "functions/*/requirements.txt", "shared/models.yaml")
"""What the zips have to be made of at least. Terraform compares each file of a zip with each other,
which takes five times as long as everything else in a plan."""

LEFT_OUT = shutil.ignore_patterns(
    *("__pycache__", "*.pyc", ".terraform", ".bundles", "*.tfplan"),
    *("*.tfstate", "*.tfstate.*", "*.tfvars", "*.tfvars.json"),
)
NOWHERE = "http://127.0.0.1:9"
TIMEOUT = 280

Variables = Mapping[str, Any]


class TerraformError(AssertionError):
    """Terraform refused; the message is its own."""


class Terraform:
    """A copy of a module with a state of its own.

    Attributes:
        module: The copy of the module; edit it to see what changes.
        checkout: The folder that holds the copy and what lay beside the module.
        schema: The version of hashicorp/google that is stood in for.
    """

    def __init__(
        self,
        module: Path,
        workdir: Path,
        schema: str = "8.7.0",
        *,
        binary: str = "terraform",
        sources: Sequence[str] = WHOLE,
    ) -> None:
        self.schema = schema
        self.checkout = workdir / "checkout"
        self.module = self.checkout / module.name
        shutil.copytree(module, self.module, ignore=LEFT_OUT)
        for pattern in sources:
            _copy(module.parent, pattern, self.checkout)
        self._binary = binary
        self._private = workdir / "terraform"
        self._private.mkdir()
        self._server = ProviderServer(
            GoogleProvider(schema, self.module), ArchiveProvider(self.module)
        )
        self._environment = self._clean_environment()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the providers."""
        self._server.close()

    def init(self) -> None:
        """Prepare the module."""
        self._run("init", "-input=false", "-backend=false")

    def validate(self) -> dict[str, Any]:
        """Check the module by itself.

        Returns:
            What Terraform says of a valid one, with its warnings.
        """
        result = self._execute("validate", "-json")
        answer: dict[str, Any] = json.loads(result.stdout)
        if not answer["valid"]:
            raise TerraformError("\n\n".join(_diagnostic(item) for item in answer["diagnostics"]))
        return answer

    def fmt_check(self) -> None:
        """Check that the module is formatted as `terraform fmt` does it."""
        self._run("fmt", "-check", "-diff", "-recursive")

    def plan(self, variables: Variables | None = None, *options: str) -> dict[str, Any]:
        """Plan, and return the plan as `terraform show -json` has it.

        Args:
            variables: The module's variables.
            options: More of the command's own, such as `-refresh=false`.
        """
        file = str(self._private / "plan")
        self._run("plan", "-input=false", f"-out={file}", *self._given(variables), *options)
        return self._show(file)

    def apply(self, variables: Variables | None = None) -> dict[str, Any]:
        """Apply, and return the state afterwards."""
        self._run("apply", "-input=false", "-auto-approve", *self._given(variables))
        return self.state()

    def destroy(self, variables: Variables | None = None) -> None:
        """Destroy everything in the state."""
        self._run("destroy", "-input=false", "-auto-approve", *self._given(variables))

    def state(self) -> dict[str, Any]:
        """Return the state as `terraform show -json` has it."""
        return self._show()

    def outputs(self) -> dict[str, Any]:
        """Return the outputs: name -> value."""
        result = self._run("output", "-json")
        return {name: item["value"] for name, item in json.loads(result.stdout).items()}

    def test(self, *options: str) -> dict[str, str]:
        """Run the module's own tests, `tests/*.tftest.hcl`.

        Returns:
            The result of each: `file/run` -> `pass` or `skip`. One that fails is an error.
        """
        result = self._execute("test", "-json", *options)
        lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
        if result.returncode:
            found = [_diagnostic(line["diagnostic"]) for line in lines if "diagnostic" in line]
            raise TerraformError("\n\n".join(found) or result.stdout + result.stderr)
        return {
            f"{line['@testfile']}/{line['@testrun']}": line["test_run"]["status"]
            for line in lines
            if line["type"] == "test_run" and "status" in line["test_run"]
        }

    def _show(self, *file: str) -> dict[str, Any]:
        """Show a plan or the state as JSON."""
        shown: dict[str, Any] = json.loads(self._run("show", "-json", *file).stdout)
        return shown

    def _given(self, variables: Variables | None) -> list[str]:
        """Write the variables into a file, and return the option that names it."""
        file = self._private / "given.tfvars.json"
        file.write_text(json.dumps(dict(variables or {})), encoding="utf-8")
        return [f"-var-file={file}"]

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command that must succeed, and that must know all variables it is given."""
        result = self._execute(*command)
        said = result.stdout + result.stderr
        if result.returncode or "Value for undeclared variable" in said:
            raise TerraformError(f"terraform {command[0]}:\n{_unframed(result.stderr or said)}")
        return result

    def _execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy of the module."""
        plain = [] if command[0] in {"show", "output"} else ["-no-color"]
        return subprocess.run(
            [self._binary, command[0], *plain, *command[1:]],
            cwd=self.module,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def _clean_environment(self) -> dict[str, str]:
        """Return an environment without credentials, plugins, settings or a way out."""
        home, mirror = self._private / "home", self._private / "no-providers"
        home.mkdir()
        mirror.mkdir()
        settings = self._private / "terraform.rc"
        settings.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n',
            encoding="utf-8",
        )
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "TMPDIR": str(self._private),
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_REATTACH_PROVIDERS": self._server.reattach,
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1",
        }


def _copy(root: Path, pattern: str, target: Path) -> None:
    """Copy the files of a pattern to the same place below another folder."""
    for file in root.glob(pattern):
        if file.is_file() and not LEFT_OUT(str(file.parent), list(file.parts)):
            place = target / file.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)


def _diagnostic(item: Mapping[str, Any]) -> str:
    """Write a diagnostic as one would read it."""
    place = item.get("range")
    where = f" ({place['filename']}:{place['start']['line']})" if place else ""
    return f"{item['severity']}: {item['summary']}{where}\n{item.get('detail', '')}".rstrip()


def _unframed(text: str) -> str:
    """Take the frames off Terraform's messages, which break its sentences."""
    return re.sub(r"^[╷│╵] ?", "", text, flags=re.MULTILINE).strip()
