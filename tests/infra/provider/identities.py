"""What Google calls things: the values that a resource gets when it is made.

A name is a template over the resource's own values and `project`, `number` (of the project),
`serial` (a number of the resource's own), `place` (its location, spelled as in addresses).
"""

from zlib import crc32

from tests.infra.provider.values import Object

# type -> path of the value -> template
NAMES: dict[str, dict[str, str]] = {
    "google_billing_budget": {
        "id": "billingAccounts/{billing_account}/budgets/{serial}",
        "name": "{serial}",
    },
    "google_cloud_scheduler_job": {"id": "projects/{project}/locations/{region}/jobs/{name}"},
    "google_cloudfunctions2_function": {
        "id": "projects/{project}/locations/{location}/functions/{name}",
        "url": "https://{location}-{project}.cloudfunctions.net/{name}",
        "state": "ACTIVE",
        "environment": "GEN_2",
        "build_config.build": "projects/{number}/locations/{location}/builds/{serial}",
        "service_config.uri": "https://{name}-{serial}-ew.a.run.app",
        "service_config.service": "projects/{project}/locations/{location}/services/{name}",
        "service_config.gcf_uri": "",
        "event_trigger.trigger": "projects/{project}/locations/{location}/triggers/{name}",
    },
    "google_kms_crypto_key": {"id": "{key_ring}/cryptoKeys/{name}"},
    "google_kms_key_ring": {"id": "projects/{project}/locations/{location}/keyRings/{name}"},
    "google_logging_metric": {"id": "{name}"},
    "google_monitoring_alert_policy": {
        "id": "projects/{project}/alertPolicies/{serial}",
        "name": "projects/{project}/alertPolicies/{serial}",
    },
    "google_monitoring_dashboard": {"id": "projects/{number}/dashboards/{serial}"},
    "google_monitoring_notification_channel": {
        "id": "projects/{project}/notificationChannels/{serial}",
        "name": "projects/{project}/notificationChannels/{serial}",
    },
    "google_project_service": {"id": "{project}/{service}"},
    "google_pubsub_subscription": {"id": "projects/{project}/subscriptions/{name}"},
    "google_pubsub_topic": {"id": "projects/{project}/topics/{name}"},
    "google_service_account": {
        "id": "projects/{project}/serviceAccounts/{email}",
        "name": "projects/{project}/serviceAccounts/{email}",
        "unique_id": "1{serial}",
    },
    "google_storage_bucket": {
        "id": "{name}",
        "url": "gs://{name}",
        "self_link": "https://www.googleapis.com/storage/v1/b/{name}",
    },
    "google_storage_bucket_object": {
        "id": "{bucket}-{name}",
        "output_name": "{name}",
        "self_link": "https://www.googleapis.com/storage/v1/b/{bucket}/o/{name}",
        "media_link": "https://storage.googleapis.com/download/storage/v1/b/{bucket}/o/{name}",
    },
    "google_storage_notification": {
        "id": "{bucket}/notificationConfigs/{serial}",
        "notification_id": "{serial}",
        "self_link": "https://www.googleapis.com/storage/v1/b/{bucket}/notificationConfigs/{serial}",
    },
}

# What an IAM member is a member of, by the argument that names it.
TARGETS = (
    "bucket",
    "topic",
    "subscription",
    "service",
    "cloud_function",
    "service_account_id",
    "crypto_key_id",
    "name",
    "project",
)


def project_number(project: str) -> int:
    """Return the number that a project has here, always the same one."""
    return 100_000_000_000 + crc32(project.encode())


def email_of(account_id: str, project: str) -> str:
    """Return a service account's address; a project of a domain is turned around."""
    return f"{account_id}@{'.'.join(reversed(project.split(':')))}.iam.gserviceaccount.com"


def name_for(type_name: str, path: str, state: Object, project: str) -> str | None:
    """Return the value that a resource gets at a path; None if it has no name of Google's.

    Args:
        type_name: The resource's type.
        path: The dotted path of the value.
        state: The resource's other values.
        project: The project that it is in.
    """
    if path == "id" and type_name.endswith("_iam_member"):
        target = next(state[name] for name in TARGETS if state.get(name))
        return f"{target}/{state['role']}/{state['member']}"
    template = NAMES.get(type_name, {}).get(path)
    if template is None:
        if path != "id":
            return None
        kind = type_name.removeprefix("google_")
        return f"projects/{project}/{kind}/{state.get('name') or serial(type_name, state)}"
    known = {name: value for name, value in state.items() if isinstance(value, str)}
    known |= {"project": project, "number": str(project_number(project))}
    return template.format(**known | {"serial": str(serial(type_name, state))})


def serial(type_name: str, state: Object) -> int:
    """Return a number of the resource's own, from what it was given: stable, so is every test."""
    given = sorted((name, value) for name, value in state.items() if isinstance(value, str))
    return 10_000_000_000 + crc32(repr((type_name, given)).encode())
