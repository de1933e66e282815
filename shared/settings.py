"""What a deployment is made of, read once from environment variables set by infra/ or local/."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import TunedropError

REQUIRED = (
    "TUNEDROP_CLOUD",
    "TUNEDROP_PROJECT",
    "TUNEDROP_LOCATION",
    "TUNEDROP_DATASETS_BUCKET",
    "TUNEDROP_DOCUMENTS_BUCKET",
    "TUNEDROP_RESULTS_BUCKET",
    "TUNEDROP_ARTIFACTS_BUCKET",
)
LOCAL_ENDPOINTS = ("STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "TUNEDROP_VERTEX_ENDPOINT")


class SettingsError(TunedropError):
    """An environment variable is missing or wrong."""


@dataclass(frozen=True)
class Settings:
    """One deployment of tunedrop.

    Attributes:
        cloud: "google", or "local" for the local cloud. Without it nothing is called at all.
        project: The Google Cloud project.
        location: The region where models are tuned and evaluated, such as us-central1.
        datasets_bucket: Where people put labelled files.
        documents_bucket: Where people put documents to be answered.
        results_bucket: Where answers go.
        artifacts_bucket: Where datasets, runs, evaluations and records are kept.
        topic_prefix: Put before each topic's name, so that two copies can share a project.
        vertex_endpoint: The address of the local stand-in for Vertex AI; empty on Google Cloud.
        max_concurrent_jobs: How many tuning jobs this deployment runs at the same time.
        lease_seconds: How long one delivery may hold a job's start before another takes over.
        revive_after_seconds: How old open work gets before its event is published again.
        request_concurrency: How many generation calls one function makes at the same time.
        budget_usd_per_month: What all tuning of this deployment may cost in a month; 0 for no cap.
        stuck_after_seconds: How long a job may show no progress before it is reported.
        hand_over_after_seconds: How long one delivery asks models before it hands over to another.
    """

    cloud: str
    project: str
    location: str
    datasets_bucket: str
    documents_bucket: str
    results_bucket: str
    artifacts_bucket: str
    topic_prefix: str = ""
    vertex_endpoint: str = ""
    max_concurrent_jobs: int = 1
    lease_seconds: float = 120.0
    revive_after_seconds: float = 900.0
    request_concurrency: int = 8
    budget_usd_per_month: float = 0.0
    stuck_after_seconds: float = 21_600.0
    hand_over_after_seconds: float = 400.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            SettingsError: A variable is missing or wrong, or the local cloud's addresses are not
                on this machine: a local run must never reach Google.
        """
        missing = [name for name in REQUIRED if not environment.get(name)]
        if missing:
            raise SettingsError(
                f"Environment variables are missing: {', '.join(missing)}. "
                "Terraform sets them on Google Cloud; `make local` sets them on this machine."
            )
        cloud = environment["TUNEDROP_CLOUD"]
        if cloud not in {"google", "local"}:
            raise SettingsError(f"TUNEDROP_CLOUD is {cloud!r}; it must be 'google' or 'local'.")
        if cloud == "local":
            for name in LOCAL_ENDPOINTS:
                _require_loopback(name, environment.get(name, ""))
        return cls(
            cloud=cloud,
            project=environment["TUNEDROP_PROJECT"],
            location=environment["TUNEDROP_LOCATION"],
            datasets_bucket=environment["TUNEDROP_DATASETS_BUCKET"],
            documents_bucket=environment["TUNEDROP_DOCUMENTS_BUCKET"],
            results_bucket=environment["TUNEDROP_RESULTS_BUCKET"],
            artifacts_bucket=environment["TUNEDROP_ARTIFACTS_BUCKET"],
            topic_prefix=environment.get("TUNEDROP_TOPIC_PREFIX", ""),
            vertex_endpoint=environment.get("TUNEDROP_VERTEX_ENDPOINT", ""),
            max_concurrent_jobs=_count(environment, "TUNEDROP_MAX_CONCURRENT_JOBS", 1),
            lease_seconds=_number(environment, "TUNEDROP_LEASE_SECONDS", 120),
            revive_after_seconds=_number(environment, "TUNEDROP_REVIVE_AFTER_SECONDS", 900),
            request_concurrency=_count(environment, "TUNEDROP_REQUEST_CONCURRENCY", 8),
            budget_usd_per_month=_amount(environment, "TUNEDROP_BUDGET_USD_PER_MONTH"),
            stuck_after_seconds=_number(environment, "TUNEDROP_STUCK_AFTER_SECONDS", 21_600),
            hand_over_after_seconds=_number(environment, "TUNEDROP_HAND_OVER_AFTER_SECONDS", 400),
        )


def _amount(environment: Mapping[str, str], name: str) -> float:
    """Read an amount of money from the environment; none, or 0, is no cap."""
    return 0.0 if environment.get(name, "") in {"", "0"} else _number(environment, name, 0)


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    """Read a positive number from the environment."""
    text = environment.get(name, "")
    if not text:
        return float(default)
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}; it must be a number.") from None
    if not (value > 0 and math.isfinite(value)):
        raise SettingsError(f"{name} is {text}; it must be above zero.")
    return value


def _count(environment: Mapping[str, str], name: str, default: int) -> int:
    """Read a whole number from the environment, 1 or more."""
    value = _number(environment, name, default)
    if not value.is_integer():
        raise SettingsError(f"{name} is {value:g}; it must be a whole number.")
    return int(value)


def _require_loopback(name: str, address: str) -> None:
    """Refuse an address that is not on this machine."""
    host = urlsplit(address if "//" in address else f"//{address}").hostname
    if host not in {"127.0.0.1", "localhost", "::1"}:
        raise SettingsError(
            f"{name} is {address!r}, but TUNEDROP_CLOUD is 'local': "
            "the local cloud only talks to servers on 127.0.0.1."
        )
