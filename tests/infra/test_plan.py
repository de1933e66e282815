"""What infra/ makes: nothing is lost, nothing is public, everything is watched."""

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from docs.generators.source import parse, python_files
from local.table import dead_letter_topic, subscriber, subscription
from tests.infra.deployment import (
    EVERY_OPTION,
    INFRA,
    PROJECT,
    ROOT,
    TABLE,
    VARIABLES,
    Resources,
    Values,
    changes,
    texts,
)
from tests.infra.provider.schemas import GOOGLE_VERSIONS
from tests.infra.terraform import LITTLE, Terraform, TerraformError

pytestmark = pytest.mark.slow

MakeTerraform = Callable[..., Terraform]
FUNCTIONS = list(TABLE.functions)


@dataclass(frozen=True)
class Applied:
    """One deployment, from the first plan to nothing."""

    made: Resources
    second_plan: dict[str, Any]
    outputs: dict[str, Any]
    left: dict[str, Any]


@pytest.fixture(scope="module", params=GOOGLE_VERSIONS)
def applied(
    request: pytest.FixtureRequest, terraform_binary: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Applied]:
    """A deployment with nothing but what must be given, for each provider version."""
    workdir = tmp_path_factory.mktemp("applied")
    with Terraform(
        INFRA, workdir, request.param, binary=terraform_binary, sources=LITTLE
    ) as terraform:
        terraform.init()
        made = Resources(terraform.apply(VARIABLES))
        second, outputs = terraform.plan(VARIABLES), terraform.outputs()
        terraform.destroy(VARIABLES)
        yield Applied(made, second, outputs, terraform.state())


@pytest.fixture(scope="module")
def plan_with(
    terraform_binary: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Resources]]:
    """Plan a deployment with some variables."""
    with ExitStack() as stack:
        workdir = tmp_path_factory.mktemp("planned")
        terraform = stack.enter_context(
            Terraform(INFRA, workdir, binary=terraform_binary, sources=LITTLE)
        )
        terraform.init()

        def plan(**variables: Any) -> Resources:
            return Resources(terraform.plan({**VARIABLES, **variables}))

        yield plan


@pytest.fixture(scope="module")
def full(plan_with: Callable[..., Resources]) -> Resources:
    """What is planned with every option."""
    return plan_with(**EVERY_OPTION)


# The module itself


def test_the_module_is_formatted_and_valid(terraform: MakeTerraform, google_schema: str) -> None:
    module = terraform(INFRA, google_schema)
    module.init()
    module.fmt_check()
    assert module.validate()["warning_count"] == 0


def test_the_schemas_that_are_tested_are_within_the_versions_that_are_allowed() -> None:
    text = (INFRA / "versions.tf").read_text(encoding="utf-8")
    assert '"hashicorp/google"\n      version = ">= 6.50, < 9"' in text
    assert [version.split(".")[:2] for version in GOOGLE_VERSIONS] == [["6", "50"], ["8", "7"]]


def test_a_second_apply_changes_nothing(applied: Applied) -> None:
    assert changes(applied.second_plan) == {}


def test_destroying_an_empty_deployment_leaves_nothing(applied: Applied) -> None:
    assert applied.left.get("values", {}) == {}


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"region": "asia-east1"}, "No base model is tuned in that region"),
        ({"prefix": "staging"}, "and a dash"),
        ({"prefix": "much-too-long-"}, "and a dash"),
        ({"project_id": "A"}, "A project id has"),
        ({"monthly_budget": 10}, "A budget needs billing_account"),
        ({"keep_deleted_days": 3}, "Soft delete takes 7 to 90 days"),
        ({"notification_prefixes": {"datasets": []}}, "at least one prefix"),
        ({"kms_key": "key"}, "A key is projects"),
    ],
)
def test_a_wrong_variable_is_refused_with_a_reason(
    plan_with: Callable[..., Resources], variables: Values, reason: str
) -> None:
    with pytest.raises(TerraformError) as refusal:
        plan_with(**variables)
    assert reason in " ".join(str(refusal.value).split())


# Nothing is lost


def test_every_subscription_of_the_table_is_made_and_no_other(applied: Applied) -> None:
    made = applied.made.of("pubsub_subscription", "subscriptions")
    topics = applied.made.of("pubsub_topic", "topics")
    assert {(item["name"], item["topic"]) for item in made.values()} == {
        (subscription(name, topic), topics[topic]["id"])
        for name, function in TABLE.functions.items()
        for topic in function.topics
    }


def test_every_subscription_is_retried_and_dead_lettered_as_the_table_says(
    applied: Applied,
) -> None:
    made = applied.made.of("pubsub_subscription", "subscriptions")
    letters = applied.made.of("pubsub_topic", "dead_letters")
    for key, item in made.items():
        name = key.partition("/")[0]
        function = TABLE.functions[name]
        least, most = function.backoff_seconds
        assert item["retry_policy"] == [
            {"minimum_backoff": f"{least:g}s", "maximum_backoff": f"{most:g}s"}
        ]
        assert item["dead_letter_policy"] == [
            {
                "dead_letter_topic": letters[name]["id"],
                "max_delivery_attempts": function.max_delivery_attempts,
            }
        ]
        assert item["ack_deadline_seconds"] == function.ack_deadline_seconds
        assert function.ack_deadline_seconds > function.timeout_seconds


def test_every_dead_letter_topic_has_a_subscription_that_keeps_a_month(applied: Applied) -> None:
    topics = applied.made.of("pubsub_topic", "dead_letters")
    kept = applied.made.of("pubsub_subscription", "dead_letters")
    assert {name: item["name"] for name, item in topics.items()} == {
        name: dead_letter_topic(name) for name in FUNCTIONS
    }
    for name, item in kept.items():
        assert item["topic"] == topics[name]["id"]
        assert item["message_retention_duration"] == f"{31 * 24 * 3600}s"
        assert item["push_config"] == []


def test_no_subscription_expires_or_leaves_messages_out(applied: Applied) -> None:
    for item in applied.made.of("pubsub_subscription").values():
        assert item["expiration_policy"] == [{"ttl": ""}]
        assert not item["filter"]


def test_every_notified_topic_has_a_subscription(applied: Applied) -> None:
    listened = {item["topic"] for item in applied.made.of("pubsub_subscription").values()}
    notified = {item["topic"] for item in applied.made.of("storage_notification").values()}
    assert len(notified) == len(TABLE.notifications)
    assert notified <= listened


def test_the_tick_goes_to_the_watchers_topic_as_a_message_that_it_reads(applied: Applied) -> None:
    (job,) = applied.made.of("cloud_scheduler_job").values()
    topics = applied.made.of("pubsub_topic", "topics")
    (target,) = job["pubsub_target"]
    assert target["topic_name"] == topics[TABLE.schedule.topic]["id"]
    assert target["data"] == "e30="  # {} in base64
    assert job["schedule"] == TABLE.schedule.cron


def test_buckets_keep_what_was_replaced_or_deleted_and_are_not_destroyed_when_full(
    applied: Applied,
) -> None:
    buckets = applied.made.of("storage_bucket")
    assert set(buckets) == {"datasets", "documents", "results", "artifacts", "code"}
    for bucket in buckets.values():
        assert bucket["force_destroy"] is False
        assert bucket["versioning"] == [{"enabled": True}]
        (soft,) = bucket["soft_delete_policy"]
        assert soft["retention_duration_seconds"] == 7 * 24 * 3600
        deleting = [rule for rule in bucket["lifecycle_rule"]
                    if rule["action"][0]["type"] == "Delete"]  # fmt: skip
        assert [rule["condition"][0]["with_state"] for rule in deleting] == ["ARCHIVED"]


# Functions


def test_every_function_runs_as_the_table_says_as_an_account_of_its_own(applied: Applied) -> None:
    accounts = applied.made.of("service_account", "functions")
    functions = applied.made.of("cloudfunctions2_function")
    assert set(functions) == set(FUNCTIONS)
    for name, function in functions.items():
        wanted, (service,) = TABLE.functions[name], function["service_config"]
        assert function["name"] == subscriber(name)
        assert service["service_account_email"] == accounts[name]["email"]
        assert service["available_memory"] == wanted.memory
        assert service["available_cpu"] == str(wanted.cpu)
        assert service["timeout_seconds"] == wanted.timeout_seconds
        assert service["max_instance_request_concurrency"] == wanted.concurrency
        assert service["min_instance_count"] == wanted.min_instances
        assert service["max_instance_count"] == wanted.max_instances > 0
        (build,) = function["build_config"]
        assert (build["runtime"], build["entry_point"]) == (TABLE.runtime, wanted.entry_point)


def test_a_functions_threads_follow_its_concurrency(applied: Applied) -> None:
    for name, function in applied.made.of("cloudfunctions2_function").items():
        environment = function["service_config"][0]["environment_variables"]
        assert environment["THREADS"] == str(TABLE.functions[name].concurrency)
        assert TABLE.functions[name].environment.items() <= environment.items()


def test_a_function_holds_no_secret(applied: Applied) -> None:
    for function in applied.made.of("cloudfunctions2_function").values():
        (service,) = function["service_config"]
        assert service["secret_environment_variables"] == []
        assert service["secret_volumes"] == []


def test_every_push_goes_to_its_function_signed_in_as_the_functions_own_invoker(
    applied: Applied,
) -> None:
    functions = applied.made.of("cloudfunctions2_function")
    invokers = applied.made.of("service_account", "invokers")
    for key, item in applied.made.of("pubsub_subscription", "subscriptions").items():
        name = key.partition("/")[0]
        (push,), address = item["push_config"], functions[name]["service_config"][0]["uri"]
        assert push["push_endpoint"] == address
        (token,) = push["oidc_token"]
        assert token == {"service_account_email": invokers[name]["email"], "audience": address}


def test_the_environment_is_what_the_settings_read(applied: Applied) -> None:
    buckets = applied.made.of("storage_bucket")
    for function in applied.made.of("cloudfunctions2_function").values():
        told = function["service_config"][0]["environment_variables"]
        ours = {name: value for name, value in told.items() if name.startswith("TUNEDROP_")}
        assert set(ours) <= _variables_that_settings_read()
        assert (ours["TUNEDROP_CLOUD"], ours["TUNEDROP_PROJECT"]) == ("google", PROJECT)
        for bucket in ("datasets", "documents", "results", "artifacts"):
            assert ours[f"TUNEDROP_{bucket.upper()}_BUCKET"] == buckets[bucket]["name"]


def _variables_that_settings_read() -> set[str]:
    text = (ROOT / "shared" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r"TUNEDROP_[A-Z_]+", text))


# Nothing is public, and nothing goes in circles


def test_nothing_writes_where_it_listens(applied: Applied) -> None:
    names = {item["name"]: key for key, item in applied.made.of("storage_bucket").items()}
    listeners = applied.made.of("pubsub_subscription", "subscriptions")
    graph: dict[str, set[str]] = {}
    for item in applied.made.of("storage_notification").values():
        for key, listener in listeners.items():
            if listener["topic"] == item["topic"]:
                graph.setdefault(key.partition("/")[0], set()).add(names[item["bucket"]])
    for key, grant in applied.made.of("storage_bucket_iam_member", "functions").items():
        if grant["role"] != "roles/storage.objectViewer":
            function, _, bucket = key.partition("/")
            graph.setdefault(bucket, set()).add(function)
    assert graph["convert_dataset"] == {"datasets"}
    assert graph["process_document"] == {"documents"}
    assert list(TopologicalSorter(graph).static_order())


def test_no_resource_is_public(applied: Applied, full: Resources) -> None:
    for made in (applied.made, full):
        for resource in made:
            assert not {"allUsers", "allAuthenticatedUsers"} & set(texts(resource.values))
        for bucket in made.of("storage_bucket").values():
            assert bucket["public_access_prevention"] == "enforced"
            assert bucket["uniform_bucket_level_access"] is True
        for function in made.of("cloudfunctions2_function").values():
            assert function["service_config"][0]["ingress_settings"] == "ALLOW_INTERNAL_ONLY"


# Options


def test_two_copies_share_a_project_without_sharing_a_name(
    applied: Applied, plan_with: Callable[..., Resources]
) -> None:
    copy = plan_with(prefix="staging-")
    assert _names(applied.made) & _names(copy) == set()
    environment = copy.of("cloudfunctions2_function")["watch_jobs"]["service_config"][0]
    assert environment["environment_variables"]["TUNEDROP_TOPIC_PREFIX"] == "staging-"


def _names(made: Resources) -> set[tuple[str, str]]:
    keys = ("name", "account_id", "repository_id", "display_name")
    return {
        (item.type, item.values[key])
        for item in made
        for key in keys
        if key in item.values and not item.type.endswith(("_iam_member", "bucket_object"))
    }


def test_names_stay_within_googles_limits_with_the_longest_prefix(
    plan_with: Callable[..., Resources],
) -> None:
    made = plan_with(prefix="abcdefgh-", project_id="p" * 30, tuning_service_account=True)
    for account in made.of("service_account").values():
        assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", account["account_id"])
    for bucket in made.of("storage_bucket").values():
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket["name"])
    for function in made.of("cloudfunctions2_function").values():
        assert len(function["name"]) <= 49


def test_everything_that_takes_labels_has_them(full: Resources) -> None:
    wanted = {"app": "tunedrop", "copy": "default", "team": "parcels"}
    without = {"google_monitoring_notification_channel", "google_storage_bucket_object"}
    for item in full:
        for key in ("labels", "user_labels"):
            if key in item.values and not (key == "labels" and item.type in without):
                assert wanted.items() <= (item.values[key] or {}).items(), item


def test_a_key_encrypts_everything_that_keeps_data(full: Resources) -> None:
    key = EVERY_OPTION["kms_key"]
    for kind in ("pubsub_topic", "cloudfunctions2_function", "artifact_registry_repository"):
        assert {item["kms_key_name"] for item in full.of(kind).values()} == {key}
    for bucket in full.of("storage_bucket").values():
        assert bucket["encryption"][0]["default_kms_key_name"] == key


def test_with_a_connector_all_traffic_leaves_through_it(full: Resources) -> None:
    for function in full.of("cloudfunctions2_function").values():
        (service,), (build,) = function["service_config"], function["build_config"]
        assert service["vpc_connector"] == EVERY_OPTION["vpc_connector"]
        assert service["vpc_connector_egress_settings"] == "ALL_TRAFFIC"
        assert build["worker_pool"] == EVERY_OPTION["build_worker_pool"]


def test_a_bucket_can_be_told_of_under_some_prefixes_only(full: Resources) -> None:
    told = {
        (item["bucket"].removeprefix(f"{PROJECT}-"), item["object_name_prefix"])
        for item in full.of("storage_notification").values()
    }
    assert told == {("datasets", "a/"), ("datasets", "b/"), ("documents", None)}


def test_buckets_are_destroyed_with_their_content_only_when_asked(full: Resources) -> None:
    assert all(bucket["force_destroy"] for bucket in full.of("storage_bucket").values())


def test_a_budget_tells_the_alerts_channels(full: Resources) -> None:
    (budget,) = full.of("billing_budget").values()
    assert budget["amount"][0]["specified_amount"][0]["units"] == "100"
    assert [rule["threshold_percent"] for rule in budget["threshold_rules"]] == [0.5, 0.9, 1, 1]


# Monitoring


def test_every_dead_letter_subscription_has_an_alert(applied: Applied) -> None:
    alerts = applied.made.of("monitoring_alert_policy", "dead_letters")
    for name, item in applied.made.of("pubsub_subscription", "dead_letters").items():
        (condition,) = alerts[name]["conditions"]
        (threshold,) = condition["condition_threshold"]
        assert f'subscription_id = "{item["name"]}"' in threshold["filter"]
        assert (threshold["comparison"], threshold["threshold_value"]) == ("COMPARISON_GT", 0)


def test_every_function_has_an_alert_on_messages_that_wait_while_none_is_processed(
    applied: Applied,
) -> None:
    alerts = applied.made.of("monitoring_alert_policy", "stalled")
    for name, function in TABLE.functions.items():
        (condition,) = alerts[name]["conditions"]
        query = condition["condition_prometheus_query_language"][0]["query"]
        patterns = set(re.findall(r'subscription_id=~"([^"]+)"', query))
        assert len(patterns) == 1
        (pattern,) = patterns
        for topic in function.topics:
            assert re.fullmatch(pattern, subscription(name, topic))
        assert not re.fullmatch(pattern, dead_letter_topic(name))


def test_every_alert_goes_to_the_channels_and_says_what_to_do(
    plan_with: Callable[..., Resources],
) -> None:
    channel = f"projects/{PROJECT}/notificationChannels/1"
    made = plan_with(notification_channels=[channel])
    alerts = made.of("monitoring_alert_policy")
    assert alerts
    for alert in alerts.values():
        assert alert["notification_channels"] == [channel]
        assert len(alert["documentation"][0]["content"]) > 50


def test_every_message_that_a_metric_counts_is_logged_with_the_fields_it_takes(
    applied: Applied,
) -> None:
    logged = _logged()
    for metric in applied.made.of("logging_metric").values():
        (message,) = re.findall(r'jsonPayload\.message="([^"]+)"', metric["filter"])
        fields = {
            re.fullmatch(r"EXTRACT\(jsonPayload\.(\w+)\)", item)
            for item in metric["label_extractors"].values()
        }
        assert all(fields)
        assert {item[1] for item in fields if item} <= logged.get(message, set()), message
        if metric["value_extractor"]:
            assert metric["value_extractor"][20:-1] in logged[message]
        described = metric["metric_descriptor"][0]["labels"]
        assert {item["key"] for item in described} == set(metric["label_extractors"])


def test_every_log_line_that_an_alert_waits_for_is_logged(applied: Applied) -> None:
    logged = _logged()
    for alert in applied.made.of("monitoring_alert_policy", "logged").values():
        (match,) = alert["conditions"][0]["condition_matched_log"]
        for message in re.findall(r'jsonPayload\.message="([^"]+)"', match["filter"]):
            assert message in logged
            read = re.findall(r"jsonPayload\.(\w+)", match["filter"])
            read += re.findall(r"\.(\w+)\)", "".join(match["label_extractors"].values()))
            assert set(read) - {"message"} <= logged[message]


def _logged() -> dict[str, set[str]]:
    """Return what the product logs: message -> names of the fields that come with it."""
    found: dict[str, set[str]] = {}
    for path in python_files("functions", "shared"):
        for node in ast.walk(parse(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "log"
            ):
                message = ast.literal_eval(node.args[0])
                fields = {item.arg for item in node.keywords if item.arg}
                more = {"error"} if node.func.attr == "failure" else set()
                found[message] = fields | more
    return found


def test_only_metrics_that_exist_are_looked_at(applied: Applied) -> None:
    counted = {
        f"logging.googleapis.com/user/{item['name']}"
        for item in applied.made.of("logging_metric").values()
    }
    known = counted | {
        "pubsub.googleapis.com/subscription/num_undelivered_messages",
        "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
        "pubsub.googleapis.com/topic/send_request_count",
        "run.googleapis.com/request_count",
        "run.googleapis.com/request_latencies",
    }
    looked_at = set()
    for kind in ("monitoring_alert_policy", "monitoring_dashboard"):
        for item in applied.made.of(kind).values():
            written = " ".join(texts(item)).replace('\\"', '"')
            looked_at |= set(re.findall(r'metric\.type ?= ?"([^"]+)"', written))
    assert looked_at
    assert looked_at <= known


def test_the_dashboard_shows_what_people_ask_for(applied: Applied) -> None:
    (dashboard,) = applied.made.of("monitoring_dashboard").values()
    tiles = json.loads(dashboard["dashboard_json"])["mosaicLayout"]["tiles"]
    titles = " ".join(tile["widget"]["title"] for tile in tiles)
    for subject in ("Arrivals", "Results", "Confidence", "Queue", "Spend", "Dead letters"):
        assert subject in titles
    assert titles.count("Latency") == 2
    places = [(tile.get("xPos", 0), tile.get("yPos", 0)) for tile in tiles]
    assert len(set(places)) == len(places)


# Outputs


def test_the_commands_that_are_printed_name_what_was_made(applied: Applied) -> None:
    buckets = {item["name"] for item in applied.made.of("storage_bucket").values()}
    topics = {item["name"] for item in applied.made.of("pubsub_topic").values()}
    # A text, as the values of a map would be printed with backslashes in the messages.
    commands: str = applied.outputs["commands"]
    assert set(re.findall(r"gs://([^/]+)/", commands)) <= buckets
    assert set(re.findall(r"topics publish (\S+)", commands)) == {
        "tuning-requested",
        "promotion-requested",
    }
    assert set(re.findall(r"topics publish (\S+)", commands)) <= topics
    for path in re.findall(r"examples/[\w/.]+\w", commands):
        assert (ROOT / path).exists()
    messages = [json.loads(found) for found in re.findall(r"--message='([^']+)'", commands)]
    assert all(message["task"] == "parcel_questions" for message in messages)
    assert {"task": "parcel_questions", "rollback": True} in messages
    assert not re.search(r"\b[A-Z]{4,}\b", commands.replace("$PWD", "")), "has to be filled in"
    assert "/tasks/parcel_questions out/reports" in commands
    assert "out/reports/parcel_questions/index.html" in commands


# Checkov


def test_checkov_finds_nothing() -> None:
    checkov = shutil.which("checkov")
    if checkov is None:
        pytest.skip("NOT PROVED HERE: there is no `checkov` on the PATH. pip install checkov.")
    options = ("--framework", "terraform", "--compact", "--skip-download", "--output", "json")
    done = subprocess.run(
        [checkov, "-d", str(INFRA), *options], capture_output=True, text=True, check=False
    )
    summary = json.loads(done.stdout)["summary"]
    assert (summary["failed"], summary["parsing_errors"]) == (0, 0), done.stdout
    assert summary["passed"] > 0


@pytest.mark.parametrize("path", sorted(INFRA.glob("*.tf")), ids=lambda path: path.name)
def test_every_check_that_is_skipped_has_its_reason_beside_it(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        if "checkov:skip" in line:
            assert re.search(r"#checkov:skip=CKV\w*_\d+:\S.{20,}\.$", line), line
