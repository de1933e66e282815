"""The rules that the real provider, or Google Cloud behind it, has beyond the schema.

Only what this project could break: a table of the values' checks by their place.
"""

from tests.infra.provider import checks
from tests.infra.provider.checks import Check, between, matching, one_of, seconds
from tests.infra.provider.relations import RELATIONS
from tests.infra.provider.values import Object, at, is_unknown, is_wholly_known
from tests.infra.provider.wire import Problem

DAY = 86_400
MONTH = 31 * DAY

PUBSUB_NAME = matching(
    r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}",
    "a name of 3 to 255 letters, digits and -._~+% that begins with a letter but not with 'goog'",
)
KMS_KEY = matching(
    r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+", "the full name of a key"
)
ADDRESS = matching(r"[^@\s]+@[^@\s]+", "the address of an account")
MEMORY = matching(r"[1-9]\d*(?:[kMGT]i?)?", "an amount of memory such as '512Mi'")
CPU = matching(r"\d+(?:\.\d+)?m?", "a number of CPUs such as '1' or '0.583'")

# Held against every resource that has such an attribute.
EVERYWHERE: dict[str, Check] = {
    "project": matching(
        r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", "the id of a project, 6 to 30 characters"
    ),
    "kms_key_name": KMS_KEY,
    "user_labels": checks.labels,
}

# Held against every grant.
GRANT: dict[str, Check] = {
    "role": matching(
        r"(?:(?:projects|organizations)/[^/]+/)?roles/[A-Za-z0-9_.]+",
        "a role such as 'roles/viewer'",
    ),
    "member": matching(
        r"allUsers|allAuthenticatedUsers|(?:user|serviceAccount|group|domain|principal"
        r"|principalSet|projectOwner|projectEditor|projectViewer):\S+",
        "a member such as 'serviceAccount:name@example.com'",
    ),
}

# What has labels of its own kind, to which the rule for labels does not apply.
OTHER_LABELS = frozenset({"google_monitoring_notification_channel"})

_CONDITION = "conditions.condition_"
_AGGREGATIONS = (
    "threshold.aggregations",
    "threshold.denominator_aggregations",
    "absent.aggregations",
)

RULES: dict[str, dict[str, Check]] = {
    "google_artifact_registry_repository": {
        "repository_id": matching(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", "a repository's id"),
        "format": one_of("DOCKER", "MAVEN", "NPM", "APT", "YUM", "PYTHON", "KFP", "GO", "GENERIC"),
    },
    "google_billing_budget": {
        "billing_account": matching(r"[0-9A-F]{6}(?:-[0-9A-F]{6}){2}", "a billing account's id"),
        "amount.specified_amount.units": matching(r"\d+", "a whole amount"),
        "threshold_rules.threshold_percent": between(0, 100),
        "threshold_rules.spend_basis": one_of("CURRENT_SPEND", "FORECASTED_SPEND"),
    },
    "google_cloud_scheduler_job": {
        "name": matching(r"[A-Za-z0-9_-]{1,500}", "a job's name"),
        "schedule": checks.cron,
        "attempt_deadline": seconds(15, 1800),
        "pubsub_target.data": checks.base64,
        "pubsub_target.topic_name": matching(
            r"projects/[^/]+/topics/[^/]+", "the full name of a topic"
        ),
    },
    "google_cloudfunctions2_function": {
        "name": matching(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", "a function's name"),
        "build_config.runtime": matching(r"[a-z]+\d+", "a runtime such as 'python313'"),
        "build_config.entry_point": matching(r"[A-Za-z_][\w.]*", "the name of a function"),
        "service_config.available_memory": MEMORY,
        "service_config.available_cpu": CPU,
        "service_config.timeout_seconds": between(1, 3600),
        "service_config.max_instance_request_concurrency": between(1, 1000),
        "service_config.min_instance_count": between(0, 1000),
        "service_config.max_instance_count": between(1, 1000),
        "service_config.environment_variables": checks.environment,
        "service_config.service_account_email": ADDRESS,
        "service_config.ingress_settings": one_of(
            "ALLOW_ALL", "ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"
        ),
        "service_config.vpc_connector_egress_settings": one_of(
            "PRIVATE_RANGES_ONLY", "ALL_TRAFFIC"
        ),
        "event_trigger.retry_policy": one_of("RETRY_POLICY_RETRY", "RETRY_POLICY_DO_NOT_RETRY"),
    },
    "google_kms_crypto_key_iam_member": {"crypto_key_id": KMS_KEY},
    "google_logging_metric": {
        "name": matching(r"(?!/)[\w.,+!*',()%/-]{1,100}", "a metric's name"),
        "metric_descriptor.metric_kind": one_of("DELTA", "GAUGE", "CUMULATIVE"),
        "metric_descriptor.value_type": one_of(
            "BOOL", "INT64", "DOUBLE", "STRING", "DISTRIBUTION", "MONEY"
        ),
        "metric_descriptor.labels.value_type": one_of("STRING", "BOOL", "INT64"),
    },
    "google_monitoring_alert_policy": {
        "combiner": one_of("AND", "OR", "AND_WITH_MATCHING_RESOURCE"),
        "severity": one_of("CRITICAL", "ERROR", "WARNING"),
        "alert_strategy.auto_close": seconds(1800, 7 * DAY),
        "alert_strategy.notification_rate_limit.period": seconds(1, 2 * DAY),
        f"{_CONDITION}threshold.comparison": one_of(
            *(f"COMPARISON_{name}" for name in ("GT", "GE", "LT", "LE", "EQ", "NE"))
        ),
        f"{_CONDITION}threshold.duration": seconds(0, DAY, step=60),
        f"{_CONDITION}absent.duration": seconds(120, DAY, step=60),
        f"{_CONDITION}prometheus_query_language.duration": seconds(0, DAY, step=60),
        f"{_CONDITION}prometheus_query_language.evaluation_interval": seconds(30, DAY, step=30),
        **{
            f"{_CONDITION}{place}.{name}": check
            for place in _AGGREGATIONS
            for name, check in {
                "alignment_period": seconds(60, 104 * 7 * DAY),
                "per_series_aligner": matching(r"ALIGN_[A-Z0-9_]+", "an aligner"),
                "cross_series_reducer": matching(r"REDUCE_[A-Z0-9_]+", "a reducer"),
            }.items()
        },
    },
    "google_monitoring_dashboard": {"dashboard_json": checks.json_object},
    "google_project_service": {
        "service": matching(r"(?:[a-z0-9-]+\.)+googleapis\.com", "a service of Google's")
    },
    "google_pubsub_subscription": {
        "name": PUBSUB_NAME,
        "ack_deadline_seconds": between(10, 600),
        "message_retention_duration": seconds(600, MONTH),
        "expiration_policy.ttl": seconds(DAY, 100 * 365 * DAY, empty=True),
        "push_config.push_endpoint": matching(r"https://\S+", "an address that begins with https"),
        "push_config.oidc_token.service_account_email": ADDRESS,
        "retry_policy.minimum_backoff": seconds(0, 600),
        "retry_policy.maximum_backoff": seconds(0, 600),
        "dead_letter_policy.max_delivery_attempts": between(5, 100),
    },
    "google_pubsub_topic": {
        "name": PUBSUB_NAME,
        "message_retention_duration": seconds(600, MONTH),
    },
    "google_service_account": {
        "account_id": matching(
            r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])",
            "an id of 6 to 30 lower-case letters, digits and dashes that begins with a letter",
        ),
    },
    "google_storage_bucket": {
        "name": checks.bucket_name,
        "storage_class": one_of("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL"),
        "public_access_prevention": one_of("inherited", "enforced"),
        "encryption.default_kms_key_name": KMS_KEY,
        "lifecycle_rule.action.type": one_of(
            "Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"
        ),
    },
    "google_storage_notification": {
        "payload_format": one_of("JSON_API_V1", "NONE"),
        "event_types": one_of(
            "OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE"
        ),
    },
}


def broken_rules(type_name: str, config: Object) -> list[Problem]:
    """List the rules that a resource breaks, as far as its values are known."""
    return [
        Problem(f"expected {path} {wrong}", steps=steps)
        for path, check in rules_of(type_name).items()
        for steps, value in at(config, path)
        if not is_unknown(value)
        and (isinstance(value, dict) or is_wholly_known(value))
        and (wrong := check(value)) is not None
    ] + [
        Problem(wrong)
        for relation in RELATIONS.get(type_name, ())
        if (wrong := relation(config)) is not None
    ]


def rules_of(type_name: str) -> dict[str, Check]:
    """Return the checks of one type, with those of every type."""
    labels = {} if type_name in OTHER_LABELS else {"labels": checks.labels}
    grant = GRANT if type_name.endswith("_iam_member") else {}
    return {**EVERYWHERE, **labels, **grant, **RULES.get(type_name, {})}
