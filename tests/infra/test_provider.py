"""What the stand-in for the providers refuses, plans and makes, under the real Terraform."""

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.house.checkout import ROOT
from tests.infra.provider.rules import RULES, broken_rules
from tests.infra.provider.samples import SMALL, ZIPS, rewrite, write_module
from tests.infra.provider.schemas import GOOGLE_VERSIONS
from tests.infra.provider.schemas import google_schema as schema_of
from tests.infra.provider.values import UNKNOWN
from tests.infra.terraform import Terraform, TerraformError

Factory = Callable[..., Terraform]
Change = Callable[[], dict[str, Any]]

# What -> (a block, what Terraform says to it).
REFUSED = {
    "an unknown argument": (
        'resource "google_pubsub_topic" "x" {\n  name = "abc"\n  colour = "red"\n}',
        'An argument named "colour" is not expected here',
    ),
    "an unknown block": (
        'resource "google_pubsub_topic" "x" {\n  name = "abc"\n  colours {}\n}',
        'Blocks of type "colours" are not expected here',
    ),
    "an argument as a block": (
        'resource "google_pubsub_topic" "x" {\n  name = "abc"\n  labels {}\n}',
        'Blocks of type "labels" are not expected here',
    ),
    "a missing argument": (
        'resource "google_pubsub_subscription" "x" {\n  name = "abc"\n}',
        'The argument "topic" is required',
    ),
    "a missing block": (
        'resource "google_billing_budget" "x" {\n  billing_account = "012345-6789AB-CDEF01"\n}',
        'At least 1 "amount" blocks are required',
    ),
    "a block too many": (
        (
            'resource "google_billing_budget" "x" {\n  billing_account = "012345-6789AB-CDEF01"\n'
            "  amount {}\n  amount {}\n}"
        ),
        'No more than 1 "amount" blocks are allowed',
    ),
    "a value of the wrong type": (
        'resource "google_pubsub_topic" "x" {\n  name = "abc"\n  labels = "red"\n}',
        'Inappropriate value for attribute "labels": map of string required',
    ),
    "a reference to no resource": (
        'resource "google_pubsub_topic" "x" {\n  name = google_pubsub_topic.y.name\n}',
        'A managed resource "google_pubsub_topic" "y" has not been declared',
    ),
    "a reference to no attribute": (
        'data "google_project" "x" {}\noutput "x" {\n  value = data.google_project.x.colour\n}',
        'This object has no argument, nested block, or exported attribute named "colour"',
    ),
    "an unknown type of resource": (
        'resource "google_pubsub_colour" "x" {\n  name = "abc"\n}',
        'does not support resource type "google_pubsub_colour"',
    ),
    "an unknown type of data source": (
        'data "google_colour" "x" {}',
        'does not support data source "google_colour"',
    ),
    "a value that the provider decides": (
        'resource "google_pubsub_topic" "x" {\n  name = "abc"\n  effective_labels = { a = "b" }\n}',
        'Can\'t configure a value for "effective_labels"',
    ),
    "a value that Google would refuse": (
        'resource "google_service_account" "x" {\n  account_id = "short"\n}',
        "expected account_id to be an id of 6 to 30 lower-case letters",
    ),
    "a value in a block that Google would refuse": (
        (
            'resource "google_pubsub_subscription" "x" {\n  name = "abc"\n  topic = "abc"\n'
            "  dead_letter_policy {\n    max_delivery_attempts = 3\n  }\n}"
        ),
        "expected dead_letter_policy.max_delivery_attempts to be in the range (5 - 100), got 3",
    ),
    "a value in one of a set of blocks that Google would refuse": (
        (
            'resource "google_logging_metric" "x" {\n  name = "abc"\n  filter = "abc"\n'
            '  label_extractors = { a = "EXTRACT(a)" }\n  metric_descriptor {\n'
            '    metric_kind = "DELTA"\n    value_type = "INT64"\n'
            '    labels {\n      key = "a"\n      value_type = "TEXT"\n    }\n  }\n}'
        ),
        "expected metric_descriptor.labels.value_type to be one of",
    ),
    "two sources of one object": (
        (
            'resource "google_storage_bucket_object" "x" {\n  bucket = "abc"\n  name = "abc"\n'
            '  content = "a"\n  source = "b"\n}'
        ),
        "exactly one of ['content', 'source'] must be set",
    ),
    "an archive of no kind": (
        (
            'data "archive_file" "x" {\n  type = "tar"\n  output_path = "x"\n'
            '  source_content = "x"\n  source_content_filename = "x"\n}'
        ),
        "Only zip is known, not 'tar'",
    ),
    "an archive of nothing": (
        'data "archive_file" "x" {\n  type = "zip"\n  output_path = "x"\n}',
        "Exactly one of [source,source_content,source_file,source_dir] must be set",
    ),
}

LOCK = """provider "{address}" {{
  version     = "{version}"
  constraints = ">= 6.50.0, < 9.0.0"
  hashes = [
    "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  ]
}}
"""


def function(**service: Any) -> dict[str, Any]:
    return {"name": "a-function", "service_config": [service]}


def conditions(**condition: Any) -> dict[str, Any]:
    return {"conditions": [condition]}


# What the rules find wrong, beside a neighbour in which they find nothing.
RULE_CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("google_pubsub_subscription", {"ack_deadline_seconds": 9}, {"ack_deadline_seconds": 10}),
    ("google_pubsub_subscription", {"ack_deadline_seconds": 601}, {"ack_deadline_seconds": 600}),
    (
        "google_pubsub_subscription",
        {"dead_letter_policy": [{"max_delivery_attempts": 101}]},
        {"dead_letter_policy": [{"max_delivery_attempts": 100}]},
    ),
    (
        "google_pubsub_subscription",
        {"retry_policy": [{"minimum_backoff": "601s"}]},
        {"retry_policy": [{"minimum_backoff": "600s"}]},
    ),
    (
        "google_pubsub_subscription",
        {"retry_policy": [{"minimum_backoff": "20s", "maximum_backoff": "10s"}]},
        {"retry_policy": [{"minimum_backoff": "10s", "maximum_backoff": "20s"}]},
    ),
    (
        "google_pubsub_subscription",
        {"expiration_policy": [{"ttl": "3600s"}]},
        {"expiration_policy": [{"ttl": ""}]},
    ),
    (
        "google_pubsub_subscription",
        {"message_retention_duration": "2678401s"},
        {"message_retention_duration": "2678400s"},
    ),
    (
        "google_pubsub_subscription",
        {"push_config": [{"push_endpoint": "http://x"}]},
        {"push_config": [{"push_endpoint": "https://x"}]},
    ),
    (
        "google_pubsub_subscription",
        {"push_config": [{"push_endpoint": "https://x"}], "bigquery_config": [{"table": "x"}]},
        {"push_config": [{"push_endpoint": "https://x"}], "bigquery_config": []},
    ),
    ("google_pubsub_topic", {"name": "goog-topic"}, {"name": "topic-goog"}),
    ("google_pubsub_topic", {"name": "ab"}, {"name": "abc"}),
    ("google_pubsub_topic", {"labels": {"Owner": "me"}}, {"labels": {"owner": "me"}}),
    ("google_pubsub_topic", {"labels": {"1owner": "me"}}, {"labels": {"owner1": "me"}}),
    ("google_pubsub_topic", {"labels": {"owner": "Me!"}}, {"labels": {"owner": "me_-1"}}),
    ("google_pubsub_topic", {"labels": {"owner": "x" * 64}}, {"labels": {"owner": "x" * 63}}),
    (
        "google_pubsub_topic",
        {"labels": {f"k{number}": "" for number in range(65)}},
        {"labels": {f"k{number}": "" for number in range(64)}},
    ),
    ("google_pubsub_topic", {"kms_key_name": "key"}, {"kms_key_name": UNKNOWN}),
    ("google_storage_bucket", {"name": "My-Bucket"}, {"name": "my-bucket"}),
    ("google_storage_bucket", {"name": "my-google-bucket"}, {"name": "my-bucket.example.org"}),
    ("google_storage_bucket", {"name": "192.168.5.4"}, {"name": "192.168.5.a"}),
    ("google_storage_bucket", {"name": "x" * 64}, {"name": "x" * 63}),
    ("google_storage_bucket", {"storage_class": "HOT"}, {"storage_class": "ARCHIVE"}),
    (
        "google_storage_bucket",
        {"soft_delete_policy": [{"retention_duration_seconds": 3600}]},
        {"soft_delete_policy": [{"retention_duration_seconds": 0}]},
    ),
    ("google_storage_bucket_iam_member", {"role": "viewer"}, {"role": "roles/viewer"}),
    ("google_storage_bucket_iam_member", {"member": "a@b"}, {"member": "user:a@b"}),
    ("google_project_iam_member", {"project": "x"}, {"project": "sample-project"}),
    ("google_storage_notification", {"payload_format": "JSON"}, {"payload_format": "NONE"}),
    (
        "google_storage_notification",
        {"event_types": ["OBJECT_FINALIZE", "OBJECT_MADE"]},
        {"event_types": ["OBJECT_FINALIZE", "OBJECT_DELETE"]},
    ),
    ("google_cloud_scheduler_job", {"schedule": "* * * *"}, {"schedule": "*/5 0-3 1,15 * MON-FRI"}),
    (
        "google_cloud_scheduler_job",
        {"pubsub_target": [{"data": "{}"}]},
        {"pubsub_target": [{"data": "e30="}]},
    ),
    ("google_cloud_scheduler_job", {"pubsub_target": []}, {"pubsub_target": [{"data": "e30="}]}),
    ("google_cloud_scheduler_job", {"attempt_deadline": "5s"}, {"attempt_deadline": "180s"}),
    ("google_service_account", {"account_id": "x" * 31}, {"account_id": "x" * 30}),
    ("google_service_account", {"account_id": "a_account"}, {"account_id": "a-account"}),
    ("google_cloudfunctions2_function", {"name": "a_function"}, {"name": "a-function"}),
    (
        "google_cloudfunctions2_function",
        function(available_memory="512MB"),
        function(available_memory="512Mi"),
    ),
    (
        "google_cloudfunctions2_function",
        function(timeout_seconds=3601),
        function(timeout_seconds=3600),
    ),
    (
        "google_cloudfunctions2_function",
        function(max_instance_request_concurrency=2, available_cpu="0.583"),
        function(max_instance_request_concurrency=2, available_cpu="1"),
    ),
    (
        "google_cloudfunctions2_function",
        function(max_instance_request_concurrency=2, available_cpu=None),
        function(max_instance_request_concurrency=1, available_cpu=None),
    ),
    (
        "google_cloudfunctions2_function",
        function(min_instance_count=3, max_instance_count=2),
        function(min_instance_count=2, max_instance_count=2),
    ),
    (
        "google_cloudfunctions2_function",
        function(environment_variables={"PORT": "1"}),
        function(environment_variables={"PORTAL": "1"}),
    ),
    (
        "google_cloudfunctions2_function",
        function(environment_variables={"a-b": "1"}),
        function(environment_variables={"a_b": "1"}),
    ),
    ("google_project_service", {"service": "pubsub"}, {"service": "pubsub.googleapis.com"}),
    (
        "google_logging_metric",
        {
            "label_extractors": {"task": "EXTRACT(jsonPayload.task)"},
            "metric_descriptor": [{"labels": [{"key": "tasks"}]}],
        },
        {
            "label_extractors": {"task": "EXTRACT(jsonPayload.task)"},
            "metric_descriptor": [{"labels": [{"key": "task"}]}],
        },
    ),
    (
        "google_logging_metric",
        {"metric_descriptor": [{"metric_kind": "COUNT"}]},
        {"metric_descriptor": [{"metric_kind": "DELTA"}]},
    ),
    ("google_monitoring_dashboard", {"dashboard_json": "[]"}, {"dashboard_json": "{}"}),
    ("google_monitoring_dashboard", {"dashboard_json": "{"}, {"dashboard_json": "{}"}),
    ("google_monitoring_alert_policy", {"combiner": "XOR"}, {"combiner": "OR"}),
    (
        "google_monitoring_alert_policy",
        conditions(condition_threshold=[{"duration": "90s"}]),
        conditions(condition_threshold=[{"duration": "120s"}]),
    ),
    (
        "google_monitoring_alert_policy",
        conditions(condition_matched_log=[{"filter": "x"}]),
        {
            **conditions(condition_matched_log=[{"filter": "x"}]),
            "alert_strategy": [{"notification_rate_limit": [{"period": "300s"}]}],
        },
    ),
    (
        "google_monitoring_alert_policy",
        conditions(condition_absent=[{}], condition_threshold=[{}]),
        conditions(condition_absent=[{}], condition_threshold=[]),
    ),
    (
        "google_billing_budget",
        {"billing_account": "1"},
        {"billing_account": "012345-6789AB-CDEF01"},
    ),
    (
        "google_billing_budget",
        {"threshold_rules": [{"threshold_percent": "-0.1"}]},
        {"threshold_rules": [{"threshold_percent": "0.9"}]},
    ),
]

# What every sample of a type has, so that only what is tried out can be wrong.
NEEDED: dict[str, dict[str, Any]] = {
    "google_cloud_scheduler_job": {"pubsub_target": [{}]},
}


@pytest.fixture
def started(terraform: Factory, tmp_path: Path, google_schema: str) -> Callable[[str], Terraform]:
    """Make a Terraform of a module's text, ready to plan."""

    def start(body: str) -> Terraform:
        made = terraform(write_module(tmp_path, body), google_schema)
        made.init()
        return made

    return start


def changes(plan: dict[str, Any]) -> dict[str, list[str]]:
    """List what a plan changes: address -> actions."""
    return {
        item["address"]: item["change"]["actions"]
        for item in plan["resource_changes"]
        if item["change"]["actions"] not in (["no-op"], ["read"])
    }


def resources(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """List the resources of a state: address -> values."""
    found = state.get("values", {}).get("root_module", {}).get("resources", [])
    return {item["address"]: item["values"] for item in found}


class TestRefusals:
    @pytest.mark.parametrize("what", REFUSED)
    def test_it_refuses(self, what: str, started: Callable[[str], Terraform]) -> None:
        block, message = REFUSED[what]
        terraform = started(block)
        with pytest.raises(TerraformError) as refusal:
            terraform.validate()
        assert message in str(refusal.value)
        assert "main.tf:" in str(refusal.value)

    def test_a_right_module_is_valid_and_formatted(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started(SMALL)
        assert terraform.validate()["valid"]
        terraform.fmt_check()

    def test_a_module_that_is_not_formatted_is_refused(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started('locals {\n  a="b"\n}\n')
        with pytest.raises(TerraformError, match=r'a = "b"'):
            terraform.fmt_check()

    def test_no_project_anywhere_is_refused(self, started: Callable[[str], Terraform]) -> None:
        terraform = started('resource "google_pubsub_topic" "x" {\n  name = "abc"\n}')
        rewrite(terraform.module, '  project = "sample-project"\n', "")
        assert terraform.validate()["valid"]
        with pytest.raises(TerraformError, match="project: required field is not set"):
            terraform.plan()

    def test_a_file_to_upload_that_is_not_there_is_refused_when_it_is_needed(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started(
            'resource "google_storage_bucket_object" "x" {\n  bucket = "abc"\n  name = "abc"\n'
            '  source = "nowhere.txt"\n}'
        )
        terraform.plan()
        with pytest.raises(TerraformError, match=r"open nowhere\.txt: no such file"):
            terraform.apply()


class TestRules:
    @pytest.mark.parametrize(
        ("type_name", "wrong", "right"), RULE_CASES, ids=[str(case[:2]) for case in RULE_CASES]
    )
    def test_the_rules_find_what_is_wrong_and_nothing_else(
        self, type_name: str, wrong: dict[str, Any], right: dict[str, Any]
    ) -> None:
        needed = NEEDED.get(type_name, {})
        assert len(broken_rules(type_name, {**needed, **wrong})) == 1
        assert broken_rules(type_name, {**needed, **right}) == []

    def test_what_is_not_known_yet_breaks_no_rule(self) -> None:
        for type_name, wrong, _ in RULE_CASES:
            unknown = {**NEEDED.get(type_name, {}), **dict.fromkeys(wrong, UNKNOWN)}
            assert broken_rules(type_name, unknown) == []

    @pytest.mark.parametrize("version", GOOGLE_VERSIONS)
    def test_every_rule_is_about_something_that_the_schema_has(self, version: str) -> None:
        types = schema_of(version).resources
        for type_name, paths in RULES.items():
            for path in paths:
                block = types[type_name]
                *outer, name = path.split(".")
                for step in outer:
                    block = block.blocks[step].block
                assert name in block.attributes, f"{type_name}: {path}"


class TestLifecycle:
    def test_a_second_plan_changes_nothing(self, started: Callable[[str], Terraform]) -> None:
        terraform = started(SMALL)
        assert set(map(tuple, changes(terraform.plan()).values())) == {("create",)}
        terraform.apply()
        assert changes(terraform.plan()) == {}
        terraform.apply()
        assert changes(terraform.plan()) == {}

    def test_what_is_made_has_the_names_that_google_gives(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started(SMALL)
        state = resources(terraform.apply())
        assert terraform.outputs() == {
            "bucket": "gs://sample-data",
            "topic": "projects/sample-project/topics/first",
        }
        assert state["google_service_account.reader"]["id"] == (
            "projects/sample-project/serviceAccounts/reader@sample-project.iam.gserviceaccount.com"
        )
        assert state["google_storage_bucket_iam_member.reader"]["id"] == (
            "sample-data/roles/storage.objectViewer/"
            "serviceAccount:reader@sample-project.iam.gserviceaccount.com"
        )
        assert state["google_storage_bucket.data"]["storage_class"] == "STANDARD"

    def test_the_plan_knows_members_but_not_identifiers(
        self, started: Callable[[str], Terraform]
    ) -> None:
        plan = started(SMALL).plan()
        found = {item["address"]: item["change"] for item in plan["resource_changes"]}
        member = found["google_storage_bucket_iam_member.reader"]["after"]["member"]
        assert member == "serviceAccount:reader@sample-project.iam.gserviceaccount.com"
        assert found["google_pubsub_subscription.tail"]["after_unknown"]["topic"] is True
        assert found["google_storage_bucket.data"]["after"]["effective_labels"] == {
            "kind": "data",
            "goog-terraform-provisioned": "true",
        }

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            (
                'labels   = { kind = "data" }',
                'labels   = { kind = "more" }',
                {"google_storage_bucket.data": ["update"]},
            ),
            (
                "max_delivery_attempts = 8",
                "max_delivery_attempts = 9",
                {"google_pubsub_subscription.tail": ["update"]},
            ),
            (
                'name  = "tail"',
                'name  = "head"',
                {"google_pubsub_subscription.tail": ["delete", "create"]},
            ),
            (
                "roles/storage.objectViewer",
                "roles/storage.objectUser",
                {"google_storage_bucket_iam_member.reader": ["delete", "create"]},
            ),
            (
                'location = "EU"',
                'location = "US"',
                {
                    "google_storage_bucket.data": ["delete", "create"],
                },
            ),
            (
                'account_id = "reader"',
                'account_id = "writer"',
                {
                    "google_service_account.reader": ["delete", "create"],
                    "google_storage_bucket_iam_member.reader": ["delete", "create"],
                },
            ),
            (
                'toset(["first", "second"])',
                'toset(["first", "second", "third"])',
                {'google_pubsub_topic.topics["third"]': ["create"]},
            ),
        ],
        ids=["labels", "attempts", "name", "role", "location", "account", "one more"],
    )
    def test_a_change_touches_only_what_it_must(
        self,
        old: str,
        new: str,
        expected: dict[str, list[str]],
        started: Callable[[str], Terraform],
    ) -> None:
        terraform = started(SMALL)
        terraform.apply()
        rewrite(terraform.module, old, new)
        assert changes(terraform.plan()) == expected
        terraform.apply()
        assert changes(terraform.plan()) == {}

    def test_what_is_no_longer_set_goes_back_to_its_default(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started(
            SMALL.replace('location = "EU"', 'location = "EU"\n  force_destroy = true')
        )
        terraform.apply()
        rewrite(terraform.module, "  force_destroy = true\n", "")
        assert changes(terraform.plan()) == {"google_storage_bucket.data": ["update"]}
        state = resources(terraform.apply())
        assert state["google_storage_bucket.data"]["force_destroy"] is False

    def test_two_providers_keep_their_configurations_apart(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started(
            'provider "google" {\n  alias          = "other"\n  project        = "other-project"\n'
            '  default_labels = { owner = "other" }\n}\n'
            'resource "google_pubsub_topic" "a" {\n  name = "abc"\n}\n'
            'resource "google_pubsub_topic" "b" {\n  name     = "abc"\n'
            "  provider = google.other\n}\n"
        )
        state = resources(terraform.apply())
        assert state["google_pubsub_topic.a"]["id"] == "projects/sample-project/topics/abc"
        assert state["google_pubsub_topic.b"]["id"] == "projects/other-project/topics/abc"
        assert state["google_pubsub_topic.b"]["effective_labels"]["owner"] == "other"

    def test_what_was_made_elsewhere_cannot_be_imported(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started(SMALL)
        block = 'import {\n  to = google_service_account.reader\n  id = "x"\n}\n'
        (terraform.module / "import.tf").write_text(block)
        with pytest.raises(TerraformError, match="This stand-in cannot import"):
            terraform.plan()

    def test_destroy_leaves_nothing(self, started: Callable[[str], Terraform]) -> None:
        terraform = started(SMALL)
        assert resources(terraform.apply())
        terraform.destroy()
        assert resources(terraform.state()) == {}

    def test_the_tests_of_a_module_run_and_fail_by_name(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started(SMALL)
        tests = terraform.module / "tests"
        tests.mkdir()
        run = (
            'run "makes_it" {\n  assert {\n    condition     = output.bucket == "%s"\n'
            '    error_message = "The bucket is elsewhere."\n  }\n}\n'
        )
        (tests / "a.tftest.hcl").write_text(run % "gs://sample-data")
        assert terraform.test() == {"tests/a.tftest.hcl/makes_it": "pass"}
        (tests / "b.tftest.hcl").write_text(run % "gs://sample-other")
        with pytest.raises(TerraformError, match=r"The bucket is elsewhere"):
            terraform.test()


class TestArchives:
    @pytest.fixture
    def zips(self, terraform: Factory, tmp_path: Path, google_schema: str) -> Terraform:
        """A module of two zips; that of owl has two files."""
        module = write_module(tmp_path, ZIPS)
        for name in ("owl/main.py", "owl/far/away.py", "crow/main.py"):
            path = tmp_path / "functions" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"print({name!r})\n")
        made = terraform(module, google_schema)
        made.init()
        return made

    def test_a_zip_holds_its_sources_and_its_digests_are_right(self, zips: Terraform) -> None:
        zips.apply()
        owl = zips.outputs()["zips"]["owl"]
        path = zips.module / owl["output_path"]
        content = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == ["far/away.py", "main.py"]
            assert archive.read("main.py") == b"print('owl/main.py')\n"
        assert owl["output_size"] == len(content)
        assert owl["output_md5"] == hashlib.md5(content).hexdigest()
        assert owl["output_sha"] == owl["id"] == hashlib.sha1(content).hexdigest()
        assert owl["output_sha256"] == hashlib.sha256(content).hexdigest()
        assert owl["output_base64sha256"] == digest(hashlib.sha256(content))
        assert owl["output_sha512"] == hashlib.sha512(content).hexdigest()
        assert owl["output_base64sha512"] == digest(hashlib.sha512(content))

    def test_times_and_modes_of_the_sources_change_nothing(self, zips: Terraform) -> None:
        zips.apply()
        before = zips.outputs()
        for number, path in enumerate(sorted((zips.checkout / "functions").rglob("*.py"))):
            os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
            path.chmod(0o755 if number % 2 else 0o600)
        assert changes(zips.plan()) == {}
        zips.apply()
        assert zips.outputs() == before

    def test_a_changed_source_changes_only_its_zip(self, zips: Terraform) -> None:
        zips.apply()
        before = zips.outputs()["zips"]
        (zips.checkout / "functions" / "owl" / "main.py").write_text("print('hoot')\n")
        assert changes(zips.plan()) == {
            'google_storage_bucket_object.zips["owl"]': ["delete", "create"]
        }
        zips.apply()
        after = zips.outputs()["zips"]
        assert after["crow"] == before["crow"]
        assert after["owl"]["output_sha"] != before["owl"]["output_sha"]
        assert changes(zips.plan()) == {}

    def test_a_zip_that_was_lost_is_written_again(self, zips: Terraform) -> None:
        zips.apply()
        (zips.module / "zips" / "owl.zip").unlink()
        assert changes(zips.plan()) == {}
        assert (zips.module / "zips" / "owl.zip").is_file()

    def test_a_folder_without_what_is_excluded_is_archived(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started(
            'data "archive_file" "x" {\n  type = "zip"\n  output_path = "x.zip"\n'
            '  source_dir = "source"\n  excludes = ["cache", "*.pyc"]\n}'
        )
        for name in ("a.py", "b.pyc", "cache/c.py", "far/d.py"):
            path = terraform.module / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        terraform.plan()
        with zipfile.ZipFile(terraform.module / "x.zip") as archive:
            assert archive.namelist() == ["a.py", "far/d.py"]

    def test_a_source_that_is_not_there_is_refused(
        self, started: Callable[[str], Terraform]
    ) -> None:
        terraform = started(
            'data "archive_file" "x" {\n  type = "zip"\n  output_path = "x.zip"\n'
            '  source_file = "nowhere.py"\n}'
        )
        with pytest.raises(TerraformError, match=r"(?s)Archive creation error.*nowhere\.py"):
            terraform.plan()


class TestHarness:
    def test_nothing_lands_in_the_module_it_was_given(
        self, terraform: Factory, tmp_path: Path
    ) -> None:
        module = write_module(tmp_path, SMALL)
        with terraform(module) as made:
            made.init()
            made.apply()
            made.destroy()
        assert [path.name for path in module.rglob("*")] == ["main.tf"]

    def test_a_provider_that_nobody_stands_in_for_is_not_fetched(
        self, terraform: Factory, tmp_path: Path
    ) -> None:
        made = terraform(write_module(tmp_path, 'resource "random_id" "x" {}\n'))
        with pytest.raises(TerraformError, match=r"(?s)hashicorp/random.*no-providers"):
            made.init()

    def test_a_lock_file_of_the_real_providers_is_left_alone(
        self, terraform: Factory, tmp_path: Path
    ) -> None:
        module = write_module(tmp_path, SMALL)
        lock = LOCK.format(address="registry.terraform.io/hashicorp/google", version="8.7.0")
        (module / ".terraform.lock.hcl").write_text(lock)
        made = terraform(module)
        made.init()
        assert changes(made.plan())
        assert (module / ".terraform.lock.hcl").read_text() == lock

    def test_settings_and_states_of_the_checkout_are_not_copied(
        self, terraform: Factory, tmp_path: Path
    ) -> None:
        module = write_module(tmp_path, 'variable "a" {}\n')
        for name in ("terraform.tfvars", "my.auto.tfvars", "terraform.tfstate"):
            (module / name).write_text('a = "mine"\n')
        made = terraform(module)
        made.init()
        with pytest.raises(TerraformError, match="No value for required variable"):
            made.plan()

    def test_a_variable_that_is_not_declared_is_an_error(
        self, terraform: Factory, tmp_path: Path
    ) -> None:
        made = terraform(write_module(tmp_path, 'variable "a" {}\n'))
        made.init()
        made.plan({"a": "x"})
        with pytest.raises(TerraformError, match="undeclared variable"):
            made.plan({"a": "x", "b": "y"})

    def test_the_environment_sets_no_variable(
        self, terraform: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TF_VAR_a", "from outside")
        made = terraform(write_module(tmp_path, 'variable "a" {}\n'))
        made.init()
        with pytest.raises(TerraformError, match="No value for required variable"):
            made.plan()

    def test_a_machine_without_terraform_says_so(self, tmp_path: Path) -> None:
        other = TestHarness.test_the_environment_sets_no_variable.__qualname__
        test = "::".join((str(Path(__file__).relative_to(ROOT)), *other.split(".")))
        result = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test],
            cwd=ROOT,
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "1 skipped" in result.stdout
        assert "NOT PROVED HERE: there is no `terraform` on the PATH" in " ".join(
            result.stdout.split()
        )


def digest(value: Any) -> str:
    return base64.b64encode(value.digest()).decode()
