"""Reads what Terraform planned or made, as the tests of infra/ want to look at it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.table import read_table

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
TABLE = read_table()

PROJECT = "a-project"
VARIABLES: dict[str, Any] = {"project_id": PROJECT, "region": "us-central1"}
EVERY_OPTION: dict[str, Any] = {
    **VARIABLES,
    "labels": {"team": "parcels"},
    "notification_prefixes": {"datasets": ["a/", "b/"]},
    "delete_documents_after_days": 90,
    "force_destroy": True,
    "kms_key": f"projects/{PROJECT}/locations/us-central1/keyRings/ring/cryptoKeys/key",
    "vpc_connector": f"projects/{PROJECT}/locations/us-central1/connectors/connector",
    "build_worker_pool": f"projects/{PROJECT}/locations/us-central1/workerPools/pool",
    "tuning_service_account": True,
    "alert_email": "someone@example.org",
    "billing_account": "012345-6789AB-CDEF01",
    "monthly_budget": 100,
}

Values = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """One resource; `key` is its own within those of its type and name."""

    type: str
    name: str
    key: str
    values: Values


class Resources:
    """All resources of a plan or of a state.

    Args:
        shown: What `terraform show -json` says of a plan or of a state.
    """

    def __init__(self, shown: Mapping[str, Any]) -> None:
        root = shown.get("planned_values", shown.get("values"))
        assert root is not None
        self._all = [
            Resource(item["type"], item["name"], str(item.get("index", "")), item["values"])
            for item in root["root_module"].get("resources", [])
            if item["mode"] == "managed"
        ]

    def __iter__(self) -> Iterator[Resource]:
        """Go through all of them."""
        return iter(self._all)

    def of(self, type_name: str, name: str | None = None) -> dict[str, Values]:
        """Return those of a type, and of a name in infra/ when one is given: key -> values."""
        return {
            item.key: item.values
            for item in self._all
            if item.type == f"google_{type_name}" and name in (None, item.name)
        }


def changes(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what a plan does to resources: address -> actions, where there is anything to do."""
    return {
        item["address"]: item["change"]["actions"]
        for item in plan["resource_changes"]
        if item["mode"] == "managed" and item["change"]["actions"] != ["no-op"]
    }


def texts(value: object) -> Iterator[str]:
    """Go through every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(key)
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
