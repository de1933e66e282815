"""Where a local cloud that is up can be reached, for other processes on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel

from local.processes import is_listening
from shared.settings import Settings

if TYPE_CHECKING:
    from local.cloud import LocalCloud

FILE = "addresses.json"


class Addresses(BaseModel):
    """A local cloud's addresses and names, and its budget."""

    storage: str
    pubsub: str
    vertex: str
    project: str
    buckets: dict[str, str]
    budget_usd_per_month: float = 0.0

    @classmethod
    def of(cls, cloud: "LocalCloud") -> Self:
        """Take the addresses of a running local cloud."""
        settings = Settings.from_environment(cloud.environment)
        return cls(
            storage=cloud.environment["STORAGE_EMULATOR_HOST"],
            pubsub=cloud.environment["PUBSUB_EMULATOR_HOST"],
            vertex=cloud.environment["TUNEDROP_VERTEX_ENDPOINT"],
            project=cloud.environment["TUNEDROP_PROJECT"],
            buckets=cloud.bucket_names(),
            budget_usd_per_month=settings.budget_usd_per_month,
        )

    @classmethod
    def read(cls, state: Path) -> Self | None:
        """Read what `write` left; None when nothing is there."""
        path = state / FILE
        return cls.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else None

    def write(self, state: Path) -> None:
        """Leave the addresses in a local cloud's state folder."""
        (state / FILE).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """Return the variables that point Google's clients there."""
        return {"STORAGE_EMULATOR_HOST": self.storage, "PUBSUB_EMULATOR_HOST": self.pubsub}

    def is_up(self) -> bool:
        """Whether the storage emulator answers."""
        return is_listening(int(self.storage.rpartition(":")[2]))
