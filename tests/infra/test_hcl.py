"""The module as text, for where there is no Terraform: the check, and what it says of infra/."""

import re
from collections.abc import Callable
from pathlib import Path

import hcl2
import pytest

from tests.house.checkout import ROOT
from tests.infra.hcl_check import admits, check_module
from tests.infra.provider import schemas
from tests.infra.terraform import Terraform, TerraformError

INFRA = ROOT / "infra"

SAMPLE = """
terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 9"
    }
  }
}

provider "google" {
  project = var.project
}

variable "project" {
  description = "Where"
  type        = string

  validation {
    condition     = length(var.project) > 0
    error_message = "Not ${var.project}, which is \\"nothing.at.all\\"."
  }
}

locals {
  topics = { for name in ["first", "second"] : name => { title = title(name) } }
  owner  = "team-${lower(local.topics["first"].title)}"
}

data "google_project" "here" {}

resource "google_pubsub_topic" "topics" {
  for_each = local.topics

  name   = each.key
  labels = merge({ owner = local.owner }, { (var.project) = "yes" })
}

resource "google_pubsub_subscription" "tail" {
  name  = "tail"
  topic = google_pubsub_topic.topics["first"].id

  dynamic "push_config" {
    for_each = [for item in [var.project] : { address = "https://${item}" }]
    iterator = target

    content {
      push_endpoint = target.value.address
    }
  }

  dead_letter_policy {
    dead_letter_topic = google_pubsub_topic.topics["second"].id
  }

  lifecycle {
    ignore_changes = [labels]
  }

  depends_on = [google_pubsub_topic.topics]
}

resource "google_billing_budget" "month" {
  billing_account = "012345-6789AB-CDEF01"

  amount {
    last_period_amount = true
  }
}

output "topics" {
  value = <<-TEXT
    In ${data.google_project.here.number}, say "publish",
    ${google_pubsub_topic.topics["first"].name},
    $${not.a.reference}
  TEXT
}
"""

TAIL = "resource.google_pubsub_subscription.tail"
TOPICS = "resource.google_pubsub_topic.topics"

# What -> (what is right, what is wrong, what is found then).
FAULTS = {
    "an unknown argument": (
        '  name  = "tail"',
        '  name  = "tail"\n  acknowledge_seconds = 9',
        f"{TAIL}: argument 'acknowledge_seconds' is unknown",
    ),
    "an unknown argument in a block": (
        "    dead_letter_topic =",
        "    attempts = 9\n    dead_letter_topic =",
        f"{TAIL}.dead_letter_policy: argument 'attempts' is unknown",
    ),
    "an unknown argument in a dynamic block": (
        "      push_endpoint =",
        "      url = null\n      push_endpoint =",
        f"{TAIL}.push_config: argument 'url' is unknown",
    ),
    "an argument that only the provider decides": (
        "  name   = each.key",
        "  name   = each.key\n  effective_labels = {}",
        f"{TOPICS}: argument 'effective_labels' is decided by the provider",
    ),
    "an unknown argument of the provider": (
        "  project = var.project",
        "  project = var.project\n  place = 1",
        "provider.google: argument 'place' is unknown",
    ),
    "a missing argument": (
        "  name   = each.key\n",
        "",
        f"{TOPICS}: required argument 'name' is missing",
    ),
    "a missing argument in a dynamic block": (
        "      push_endpoint = target.value.address\n",
        "",
        f"{TAIL}.push_config: required argument 'push_endpoint' is missing",
    ),
    "a missing block": (
        "  amount {\n    last_period_amount = true\n  }\n",
        "",
        "resource.google_billing_budget.month: required block 'amount' is missing",
    ),
    "an unknown block": (
        "  dead_letter_policy {",
        "  dead_letters {",
        f"{TAIL}: block 'dead_letters' is unknown",
    ),
    "a block where an argument belongs": (
        '  labels = merge({ owner = local.owner }, { (var.project) = "yes" })',
        '  labels {\n    owner = "me"\n  }',
        f"{TOPICS}: block 'labels' is an argument",
    ),
    "an argument where a block belongs": (
        "  amount {\n    last_period_amount = true\n  }",
        "  amount = { last_period_amount = true }",
        "resource.google_billing_budget.month: argument 'amount' is a block",
    ),
    "a block too many": (
        "  amount {",
        "  amount {\n  }\n  amount {",
        "resource.google_billing_budget.month: more than 1 block 'amount'",
    ),
    "an unknown type of resource": (
        '"google_billing_budget"',
        '"google_budget"',
        "resource.google_budget.month: unknown type 'google_budget'",
    ),
    "an unknown type of data source": (
        'data "google_project" "here" {}',
        'data "google_project" "here" {}\ndata "google_house" "here" {}',
        "data.google_house.here: unknown type 'google_house'",
    ),
    "an unknown block of the module": (
        'data "google_project" "here" {}',
        'data "google_project" "here" {}\nresources "x" "y" {}',
        "main.tf: unknown block 'resources'",
    ),
    "an unknown argument of a variable": (
        "  type        = string",
        "  kind        = string",
        "variable.project: unknown argument or block 'kind'",
    ),
    "a reference to no resource": (
        "[google_pubsub_topic.topics]",
        "[google_pubsub_topic.topic]",
        f"{TAIL}: google_pubsub_topic.topic is not declared",
    ),
    "a reference to no resource in a text": (
        'google_pubsub_topic.topics["first"].name}',
        'google_pubsub_topics.topics["first"].name}',
        "output.topics: google_pubsub_topics.topics is not declared",
    ),
    "a reference to no data source": (
        "data.google_project.here",
        "data.google_project.there",
        "output.topics: data.google_project.there is not declared",
    ),
    "a reference to no attribute": (
        "here.number",
        "here.numbers",
        "output.topics: google_project has no attribute 'numbers'",
    ),
    "a reference to no attribute of one of several": (
        'google_pubsub_topic.topics["second"].id',
        'google_pubsub_topic.topics["second"].ids',
        f"{TAIL}: google_pubsub_topic has no attribute 'ids'",
    ),
    "a reference to no variable": (
        "  project = var.project",
        "  project = var.projects",
        "provider.google: var.projects is not declared",
    ),
    "a reference to no variable in a key": (
        "{ (var.project)",
        "{ (var.projects)",
        f"{TOPICS}: var.projects is not declared",
    ),
    "a reference to no variable in an index": (
        'topics["first"].name}',
        "topics[var.which].name}",
        "output.topics: var.which is not declared",
    ),
    "a reference to no local": (
        "owner = local.owner",
        "owner = local.owners",
        f"{TOPICS}: local.owners is not declared",
    ),
    "a reference to no module": (
        "[google_pubsub_topic.topics]",
        "[module.topics]",
        f"{TAIL}: module.topics is not declared",
    ),
    "a reference to an iterator of another name": (
        "target.value.address",
        "push_config.value.address",
        f"{TAIL}: push_config.value is not declared",
    ),
    "something declared twice": (
        'data "google_project" "here" {}',
        'data "google_project" "here" {}\ndata "google_project" "here" {}',
        "data.google_project.here: declared twice",
    ),
}


def check(folder: Path, version: str) -> list[str]:
    return check_module(folder, schemas.google_schema(version), schemas.archive_schema())


def started(
    terraform: Callable[..., Terraform], folder: Path, text: str, version: str
) -> Terraform:
    """Make a Terraform of a module's text, ready to validate."""
    module = folder / "module"
    module.mkdir()
    (module / "main.tf").write_text(text)
    made = terraform(module, version)
    made.init()
    return made


def test_nothing_is_found_in_a_module_that_is_right(tmp_path: Path, google_schema: str) -> None:
    (tmp_path / "main.tf").write_text(SAMPLE)
    assert check(tmp_path, google_schema) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_finds(fault: str, tmp_path: Path, google_schema: str) -> None:
    right, wrong, finding = FAULTS[fault]
    assert SAMPLE.count(right) == 1
    (tmp_path / "main.tf").write_text(SAMPLE.replace(right, wrong))
    assert check(tmp_path, google_schema) == [finding]


def test_terraform_finds_nothing_in_it_either(
    tmp_path: Path, google_schema: str, terraform: Callable[..., Terraform]
) -> None:
    started(terraform, tmp_path, SAMPLE, google_schema).validate()


@pytest.mark.parametrize("fault", FAULTS)
def test_terraform_refuses_what_the_check_finds(
    fault: str, tmp_path: Path, terraform: Callable[..., Terraform]
) -> None:
    right, wrong, _ = FAULTS[fault]
    with pytest.raises(TerraformError):
        started(terraform, tmp_path, SAMPLE.replace(right, wrong), "8.7.0").validate()


def test_declarations_and_references_may_be_in_different_files(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text('output "x" {\n  value = var.x\n}\n')
    (tmp_path / "b.tf").write_text('variable "x" {}\n')
    assert check(tmp_path, "8.7.0") == []


def test_a_provider_may_be_configured_again_under_an_alias(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(
        'provider "google" {}\nprovider "google" {\n  alias = "other"\n}\n'
    )
    assert check(tmp_path, "8.7.0") == []


def test_what_was_moved_need_not_be_declared(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(
        "moved {\n  from = google_pubsub_topic.a\n  to   = google_pubsub_topic.b\n}\n"
    )
    assert check(tmp_path, "8.7.0") == []


def test_a_version_constraint_allows_what_it_says() -> None:
    assert admits(">= 6.50, < 9", "6.50.0")
    assert admits(">= 6.50, < 9", "8.7.0")
    assert not admits(">= 6.50, < 9", "6.49.3")
    assert not admits(">= 6.50, < 9", "9.0.0")
    assert admits("~> 2.7", "2.9.1")
    assert not admits("~> 2.7", "3.0.0")
    assert not admits("~> 2.7.1", "2.8.0")
    assert admits("2.7.1", "2.7.1")
    assert not admits("!= 2.7.1, > 2", "2.7.1")
    with pytest.raises(ValueError, match="not a version constraint: 'latest'"):
        admits("latest", "1.0.0")


@pytest.mark.skipif(not list(INFRA.glob("*.tf")), reason="there is no module in infra/")
class TestInfra:
    def test_the_check_finds_nothing(self, google_schema: str) -> None:
        assert check(INFRA, google_schema) == []

    def test_its_version_constraints_allow_what_it_is_tested_against(self) -> None:
        text = "\n".join(path.read_text(encoding="utf-8") for path in INFRA.glob("*.tf"))
        parsed = hcl2.loads(text)
        required = [
            block["required_providers"][0]
            for block in parsed["terraform"]
            if "required_providers" in block
        ]
        assert len(required) == 1
        versions = map(schemas.google_schema, schemas.GOOGLE_VERSIONS)
        for schema in (*versions, schemas.archive_schema()):
            name = schema.address.rpartition("/")[2]
            constraint = re.sub(r'^"|"$', "", required[0][name]["version"])
            assert admits(constraint, schema.version), f"{name} {constraint}"
