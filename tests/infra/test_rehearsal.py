"""The wiring in infra/ is the wiring that works: the demo runs on what Terraform made."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from local.commands import DEMO_TASKS
from local.rehearsal import Deployment, Rehearsal, main, run_demo
from tests.infra.deployment import INFRA, TABLE, VARIABLES
from tests.infra.terraform import Terraform

pytestmark = pytest.mark.slow

PREFIX = "staging-"


@pytest.fixture(scope="module")
def deployed(
    terraform_binary: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], tuple[Deployment, Path]]:
    """Apply infra/ as the second copy in a project; return what was made, and where."""
    workdir = tmp_path_factory.mktemp("rehearsal")
    with Terraform(INFRA, workdir, binary=terraform_binary) as terraform:
        terraform.init()
        state = terraform.apply({**VARIABLES, "prefix": PREFIX})
    return lambda: (Deployment.read(deepcopy(state)), terraform.module)


def test_the_demo_passes_on_what_terraform_made(
    deployed: Callable[[], tuple[Deployment, Path]], tmp_path: Path
) -> None:
    deployment, module = deployed()
    with Rehearsal(tmp_path, deployment, module) as cloud:
        tasks = run_demo(cloud)
        cloud_names = set(cloud.bucket_names().values())
        waiting = cloud.waiting()
    assert [task["task"]["name"] for task in tasks] == list(DEMO_TASKS)
    for task in tasks:
        assert task["verdict"]["reason"]
        assert task["champion"]["name"] == task["verdict"]["winner"]
        assert len(task["documents"]) == 12
        assert {item["status"] for item in task["documents"]} <= {"accepted", "review"}
    assert all(PREFIX in name for name in cloud_names)
    assert not any(count for name, count in waiting.items() if name.endswith(".dead-letter"))


def test_a_rehearsal_takes_everything_from_the_state(
    deployed: Callable[[], tuple[Deployment, Path]],
) -> None:
    deployment, module = deployed()
    assert set(deployment.functions) == set(TABLE.functions)
    assert all(name.startswith(PREFIX) for name in deployment.topics)
    pushed = {item["name"] for item in deployment.subscriptions if item["push_config"]}
    assert len(pushed) == sum(len(function.topics) for function in TABLE.functions.values())
    assert all((module / path).is_file() for path in deployment.zips.values())


def test_a_subscription_that_points_nowhere_is_noticed(
    deployed: Callable[[], tuple[Deployment, Path]], tmp_path: Path
) -> None:
    deployment, module = deployed()
    for item in deployment.subscriptions:
        for push in item["push_config"]:
            push["push_endpoint"] = "https://elsewhere.example"
    with pytest.raises(KeyError, match="elsewhere"), Rehearsal(tmp_path, deployment, module):
        pass


def test_the_command_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "terraform show -json" in capsys.readouterr().out
