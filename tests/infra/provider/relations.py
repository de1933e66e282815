"""Rules that hold between values of one resource: each says what is wrong, or nothing."""

from collections.abc import Callable
from typing import Any

from tests.infra.provider.values import Object, elements, is_unknown

Relation = Callable[[Object], str | None]


def exactly_one(*names: str) -> Relation:
    """Want one of some arguments or blocks."""

    def check(config: Object) -> str | None:
        if any(is_unknown(config.get(name)) for name in names):
            return None
        given = [name for name in names if config.get(name) not in (None, [])]
        return None if len(given) == 1 else f"exactly one of {list(names)} must be set, got {given}"

    return check


def at_most_one(*names: str) -> Relation:
    """Want not more than one of some arguments or blocks."""

    def check(config: Object) -> str | None:
        given = [name for name in names if not is_unknown(config.get(name)) and config.get(name)]
        return None if len(given) < 2 else f"{given[0]}: conflicts with {given[1]}"

    return check


def concurrency_has_a_cpu(config: Object) -> str | None:
    """A function that takes several requests at a time needs a whole CPU."""
    for service in elements(config.get("service_config")):
        concurrency = _known(service, "max_instance_request_concurrency")
        cpu = _known(service, "available_cpu")
        if concurrency is None or concurrency <= 1 or is_unknown(service.get("available_cpu")):
            continue
        if cpu is None or float(cpu.rstrip("m")) / (1000 if cpu.endswith("m") else 1) < 1:
            return f"a concurrency of {concurrency} needs available_cpu of 1 or more, got {cpu!r}"
    return None


def instances_are_ordered(config: Object) -> str | None:
    """A function has at most as many instances as its maximum says."""
    for service in elements(config.get("service_config")):
        least, most = _known(service, "min_instance_count"), _known(service, "max_instance_count")
        if least is not None and most is not None and least > most:
            return f"min_instance_count {least} is more than max_instance_count {most}"
    return None


def backoff_is_ordered(config: Object) -> str | None:
    """The shortest time before another delivery is not more than the longest."""
    for policy in elements(config.get("retry_policy")):
        least, most = _known(policy, "minimum_backoff"), _known(policy, "maximum_backoff")
        if least and most and float(least.rstrip("s")) > float(most.rstrip("s")):
            return f"minimum_backoff {least} is more than maximum_backoff {most}"
    return None


def labels_are_extracted(config: Object) -> str | None:
    """Each label of a log-based metric has its extractor, and the other way round."""
    extractors = config.get("label_extractors") or {}
    if is_unknown(extractors) or is_unknown(config.get("metric_descriptor")):
        return None
    described = {
        label["key"]
        for descriptor in elements(config.get("metric_descriptor"))
        for label in elements(descriptor.get("labels"))
    }
    if any(is_unknown(key) for key in described) or described == set(extractors):
        return None
    return f"label_extractors {sorted(extractors)} and labels {sorted(described)} must be the same"


def log_alerts_are_limited(config: Object) -> str | None:
    """An alert on log lines needs a limit of how often it tells."""
    on_logs = any(item.get("condition_matched_log") for item in elements(config.get("conditions")))
    strategy = config.get("alert_strategy")
    limited = is_unknown(strategy) or any(
        item.get("notification_rate_limit") for item in elements(strategy)
    )
    if on_logs and not limited:
        return "condition_matched_log needs alert_strategy.notification_rate_limit"
    return None


def one_condition_each(config: Object) -> str | None:
    """A condition of an alert is of one kind."""
    for item in elements(config.get("conditions")):
        kinds = [name for name, value in item.items() if name.startswith("condition_") and value]
        if len(kinds) != 1:
            return f"a condition has exactly one kind, got {kinds}"
    return None


def deleted_objects_stay_long_enough(config: Object) -> str | None:
    """Deleted objects are kept for 7 to 90 days, or not at all."""
    for policy in elements(config.get("soft_delete_policy")):
        length = _known(policy, "retention_duration_seconds")
        if length not in (None, 0) and not 604_800 <= length <= 7_776_000:
            return f"retention_duration_seconds is 0 or 604800 to 7776000, got {length}"
    return None


def _known(block: Object, name: str) -> Any:
    """Return a value, or None if it is not set or not known yet."""
    value = block.get(name)
    return None if is_unknown(value) else value


RELATIONS: dict[str, tuple[Relation, ...]] = {
    "google_cloud_scheduler_job": (
        exactly_one("pubsub_target", "http_target", "app_engine_http_target"),
    ),
    "google_cloudfunctions2_function": (concurrency_has_a_cpu, instances_are_ordered),
    "google_logging_metric": (labels_are_extracted,),
    "google_monitoring_alert_policy": (one_condition_each, log_alerts_are_limited),
    "google_pubsub_subscription": (
        at_most_one("push_config", "bigquery_config", "cloud_storage_config"),
        backoff_is_ordered,
    ),
    "google_storage_bucket": (deleted_objects_stay_long_enough,),
    "google_storage_bucket_object": (exactly_one("content", "source"),),
}
