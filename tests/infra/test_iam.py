"""Who may do what: docs/security.md lists every grant, and there is no other."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from docs.generators.source import parse
from shared.facts import TOPIC
from tests.house.imports import reached_from
from tests.infra.deployment import (
    EVERY_OPTION,
    INFRA,
    PROJECT,
    ROOT,
    TABLE,
    VARIABLES,
    Resources,
    Values,
)
from tests.infra.provider.identities import project_number
from tests.infra.terraform import LITTLE, Terraform

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "security.md"
AGENTS = {
    "gcp-sa-pubsub": "Pub/Sub's agent",
    "gs-project-accounts": "Cloud Storage's agent",
    "gcp-sa-aiplatform": "Vertex AI's agent",
    "gcp-sa-artifactregistry": "Artifact Registry's agent",
    "gcf-admin-robot": "Cloud Functions' agent",
    "serverless-robot-prod": "Cloud Run's agent",
}
# type of the grant -> (what it is on, argument that names it)
TARGETS = {
    "artifact_registry_repository": ("repository", "repository"),
    "cloud_run_v2_service": ("function", "name"),
    "kms_crypto_key": ("key", "crypto_key_id"),
    "project": ("project", "project"),
    "pubsub_subscription": ("subscription", "subscription"),
    "pubsub_topic": ("topic", "topic"),
    "service_account": ("account", "service_account_id"),
    "storage_bucket": ("bucket", "bucket"),
}


@dataclass(frozen=True, order=True)
class Grant:
    """One account, one thing, one role."""

    account: str
    on: str
    role: str


@dataclass(frozen=True)
class Inventory:
    """What was made with nothing but what must be given, and with every option."""

    least: Resources
    most: Resources


@pytest.fixture(scope="module")
def inventory(terraform_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    """Both inventories, from two applies of one deployment."""
    workdir = tmp_path_factory.mktemp("iam")
    with Terraform(INFRA, workdir, binary=terraform_binary, sources=LITTLE) as terraform:
        terraform.init()
        least = Resources(terraform.apply(VARIABLES))
        return Inventory(least, Resources(terraform.apply(EVERY_OPTION)))


def grants(made: Resources) -> list[Grant]:
    """List the grants, as the page writes them."""
    return sorted(
        Grant(_account(item.values["member"]), _target(item.type, item.values), _role(item.values))
        for item in made
        if item.type.endswith("_iam_member")
    )


def _account(member: str) -> str:
    name, _, domain = member.removeprefix("serviceAccount:").partition("@")
    if domain == f"{PROJECT}.iam.gserviceaccount.com":
        return name
    assert name == f"service-{project_number(PROJECT)}"
    return AGENTS[domain.partition(".")[0]]


def _target(type_name: str, values: Values) -> str:
    kind, argument = TARGETS[type_name.removeprefix("google_").removesuffix("_iam_member")]
    name = values[argument].rpartition("/")[2].removeprefix(f"{PROJECT}-").partition("@")[0]
    return {"project": "the project", "key": "the key"}.get(kind, f"{kind} {name}")


def _role(values: Values) -> str:
    """Return the role, with a star when it is bound to a condition."""
    return f"{values['role']}*" if values["condition"] else str(values["role"])


def rows(heading: str) -> Iterator[Grant]:
    """Go through the grants in the table below a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    for line in section.partition("\n## ")[0].splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if line.startswith(("| `", "| Pub", "| Cloud", "| Vertex", "| Artifact")):
            yield Grant(*cells[:3])


def test_the_table_lists_every_grant_and_no_other(inventory: Inventory) -> None:
    assert sorted(rows("Who may do what")) == grants(inventory.least)


def test_the_table_of_options_lists_what_they_add(inventory: Inventory) -> None:
    added = sorted(set(grants(inventory.most)) - set(grants(inventory.least)))
    assert sorted(rows("What options add")) == added


def test_no_grant_is_made_twice(inventory: Inventory) -> None:
    listed = grants(inventory.most)
    assert len(listed) == len(set(listed))


def test_nothing_is_granted_to_everyone_and_no_basic_role_is_granted(
    inventory: Inventory,
) -> None:
    for item in inventory.most:
        if item.type.endswith("_iam_member"):
            assert item.values["member"].startswith("serviceAccount:")
            assert item.values["role"] not in {"roles/owner", "roles/editor", "roles/viewer"}


def test_no_account_of_ours_has_a_service_agents_role_unless_tuning_asks_for_it(
    inventory: Inventory,
) -> None:
    def of_agents(made: Resources) -> list[Grant]:
        return [grant for grant in grants(made) if grant.role.lower().endswith("serviceagent")]

    assert of_agents(inventory.least) == []
    assert of_agents(inventory.most) == [
        Grant("tunedrop-tuning", "the project", "roles/aiplatform.tuningServiceAgent")
    ]


def test_only_vertex_ai_and_the_build_have_roles_on_the_project(inventory: Inventory) -> None:
    roles = {grant.role for grant in grants(inventory.least) if grant.on == "the project"}
    assert roles == {
        "roles/aiplatform.user",
        "roles/logging.logWriter",
        "roles/storage.objectViewer*",
    }


def test_a_condition_on_the_project_names_one_bucket(inventory: Inventory) -> None:
    bound = [item.values for item in inventory.most if item.values.get("condition")]
    (condition,) = (grant["condition"][0] for grant in bound)
    number = project_number(PROJECT)
    assert condition["expression"] == (
        f'resource.name.startsWith("projects/_/buckets/gcf-v2-sources-{number}-us-central1")'
    )


def test_every_function_can_be_called_by_its_own_invoker_only(inventory: Inventory) -> None:
    callers = [grant for grant in grants(inventory.most) if grant.role == "roles/run.invoker"]
    assert len(callers) == 5
    for grant in callers:
        assert grant.account == f"{grant.on.removeprefix('function ')}-push"


def test_no_function_may_change_a_bucket_that_people_write_into(inventory: Inventory) -> None:
    for grant in grants(inventory.most):
        if grant.on in {"bucket datasets", "bucket documents"}:
            assert grant.role == "roles/storage.objectViewer"


def test_every_function_may_publish_to_the_topics_that_its_code_names_and_no_other(
    inventory: Inventory,
) -> None:
    granted: dict[str, set[str]] = {name: set() for name in TABLE.functions}
    for key in inventory.least.of("pubsub_topic_iam_member", "functions"):
        function, _, topic = key.partition("/")
        granted[function].add(topic)
    for name in TABLE.functions:
        assert granted[name] == _topics_named_by(name), name


def _topics_named_by(function: str) -> set[str]:
    """Return the topics that a function's code, or what it imports of shared/, publishes to."""
    topics = set()
    for module in reached_from(f"functions.{function}.main"):
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        for node in ast.walk(parse(path)) if path.exists() else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr == "publish" and isinstance(node.args[0], ast.Constant):
                    topics.add(str(node.args[0].value))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                topics |= {TOPIC} if node.func.id == "publish_fact" else set()
    return topics


def test_every_grant_is_a_member_so_that_nobody_elses_is_taken_away() -> None:
    for path in INFRA.glob("*.tf"):
        assert not re.search(r"_iam_(binding|policy)\"", path.read_text(encoding="utf-8"))
