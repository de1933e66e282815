"""What a plan says: which values are decided later, and which changes need a new resource."""

from tests.infra.provider.identities import email_of
from tests.infra.provider.provider import Refused
from tests.infra.provider.schemas import Attribute, Block
from tests.infra.provider.values import UNKNOWN, Object, elements, is_unknown
from tests.infra.provider.wire import Problem

EVERY_ONE = "*"

# Attributes that cannot be changed in place: those of every type, then each type's own.
FIXED = frozenset({"name", "project", "location", "region", "zone", "account_id"})
FIXED_BY_TYPE: dict[str, frozenset[str]] = {
    "google_billing_budget": frozenset({"billing_account"}),
    "google_eventarc_trigger": frozenset({"matching_criteria"}),
    "google_kms_crypto_key": frozenset({"key_ring", "purpose"}),
    "google_project_service": frozenset({"service"}),
    "google_pubsub_subscription": frozenset({"topic", "filter", "enable_message_ordering"}),
    "google_secret_manager_secret": frozenset({"secret_id"}),
    "google_storage_bucket": frozenset({"enable_object_retention"}),
    "google_storage_bucket_object": frozenset(
        {
            "bucket",
            "cache_control",
            "content",
            "content_disposition",
            "content_encoding",
            "content_language",
            "content_type",
            "detect_md5hash",
            "kms_key_name",
            "source",
            "storage_class",
        }
    ),
    "google_storage_notification": frozenset({EVERY_ONE}),
}
FREE_BY_TYPE = {
    "google_monitoring_alert_policy": frozenset({"name"}),
    "google_monitoring_notification_channel": frozenset({"name"}),
}

# What is taken where nothing is set, and known as early as the plan.
DEFAULTS: dict[str, Object] = {
    "google_cloud_scheduler_job": {"time_zone": "Etc/UTC"},
    "google_monitoring_alert_policy": {"enabled": True},
    "google_monitoring_notification_channel": {"enabled": True, "force_delete": False},
    "google_pubsub_subscription": {"message_retention_duration": "604800s"},
    "google_storage_bucket": {"force_destroy": False, "storage_class": "STANDARD"},
}

# What only this provider computes: an object's digest, so that a changed file is noticed.
NOTICED = {"google_storage_bucket_object": frozenset({"detect_md5hash"})}

PROVISIONED = {"goog-terraform-provisioned": "true"}


def with_defaults(types: dict[str, Block]) -> dict[str, Block]:
    """Return the schemas with the attributes that the provider fills in marked as computed.

    The real provider plans a default as if it had been written into the configuration. Only a
    provider of the old kind may do that; to this one, Terraform allows it for what is computed.
    """
    return {
        name: _with_computed(block, {*DEFAULTS.get(name, {}), *NOTICED.get(name, ())})
        for name, block in types.items()
    }


def planned_state(
    type_name: str, block: Block, config: Object, prior: Object | None, proposed: Object
) -> Object:
    """Return what a resource is to become, before anything is filled in by the provider."""
    planned = _fill(block, config, prior, proposed)
    for name, default in DEFAULTS.get(type_name, {}).items():
        if config[name] is None:
            planned[name] = default
    return planned


def fill_in(type_name: str, config: Object, planned: Object, settings: Object) -> None:
    """Fill in what the provider knows at plan time: project, region, labels, addresses."""
    for name in ("project", "region", "zone"):
        if name in config and config[name] is None and name in planned:
            planned[name] = _from_settings(name, planned[name], settings, type_name)
    if "effective_labels" in planned:
        labels = planned.get("labels")
        if is_unknown(labels) or any(is_unknown(value) for value in (labels or {}).values()):
            planned["terraform_labels"] = planned["effective_labels"] = UNKNOWN
        else:
            own = {**(settings.get("default_labels") or {}), **(labels or {})}
            attributed = settings.get("add_terraform_attribution_label") is not False
            planned["terraform_labels"] = {**(PROVISIONED if attributed else {}), **own}
            planned["effective_labels"] = planned["terraform_labels"]
    if type_name == "google_service_account":
        account, project = planned["account_id"], planned["project"]
        if not is_unknown(account) and not is_unknown(project):
            planned["email"] = email_of(account, project)
            planned["member"] = f"serviceAccount:{planned['email']}"


def fixed_changes(type_name: str, block: Block, prior: Object, planned: Object) -> list[str]:
    """List the attributes whose change needs a new resource."""
    fixed = (FIXED | FIXED_BY_TYPE.get(type_name, frozenset())) - FREE_BY_TYPE.get(
        type_name, frozenset()
    )
    every = EVERY_ONE in fixed or type_name.endswith("_iam_member")
    return [
        name
        for name, attribute in block.attributes.items()
        if (every or name in fixed)
        and (attribute.required or attribute.optional)
        and name != "id"
        and prior[name] != planned[name]
    ]


def _with_computed(block: Block, names: set[str]) -> Block:
    """Mark attributes of one block as computed."""
    attributes = {
        name: Attribute(item.type, item.required, item.optional, item.computed or name in names)
        for name, item in block.attributes.items()
    }
    return Block(attributes, block.blocks)


def _fill(block: Block, config: Object, prior: Object | None, proposed: Object) -> Object:
    """Mark what the provider decides as unknown, unless it has been decided before."""
    planned = dict(proposed)
    for name, attribute in block.attributes.items():
        if attribute.computed and config.get(name) is None:
            planned[name] = UNKNOWN if prior is None else prior.get(name)
    for name, nested in block.blocks.items():
        given, before = config.get(name), elements((prior or {}).get(name))
        if isinstance(given, dict):
            planned[name] = _fill(
                nested.block, given, before[0] if before else None, proposed[name]
            )
        elif isinstance(given, list):
            pairs = [*before[: len(given)], *[None] * (len(given) - len(before))]
            if nested.nesting == "set":
                pairs = [_same(nested.block, item, before) for item in given]
            planned[name] = [
                _fill(nested.block, item, old, item) if isinstance(item, dict) else item
                for item, old in zip(given, pairs, strict=True)
            ]
    return planned


def _same(block: Block, given: Object, before: list[Object]) -> Object | None:
    """Find the block of a set, as it was before, that a block of the configuration is."""
    written = [name for name, item in block.attributes.items() if item.required or item.optional]
    for old in before:
        if all(given[name] in (None, old.get(name)) for name in written):
            return old
    return None


def _from_settings(name: str, value: object, settings: Object, type_name: str) -> object:
    """Take the project, the region or the zone from the provider's block."""
    found = settings.get(name) or (None if is_unknown(value) else value)
    if found is None and name == "project":
        raise Refused(
            Problem(
                f"{type_name}: project: required field is not set",
                "Set it in the resource or in the provider's block.",
                ("project",),
            )
        )
    return found if found is not None else value
