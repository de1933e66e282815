"""The kill switch: an object that a person puts into the artifacts bucket to stop all tuning.

`gcloud storage cp stop.json gs://<artifacts bucket>/stop.json` with `{"reason": "…"}` stops every
creation; with `"cancel_running": true` the jobs that run are cancelled, too. Deleting the object
lets tuning go on where it stopped: what waits is never thrown away.
"""

from pydantic import BaseModel, ConfigDict, ValidationError

from shared import paths
from shared.errors import NotFound
from shared.ports import Bucket, World


class KillSwitch(BaseModel):
    """What the object says."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reason: str = ""
    cancel_running: bool = False

    @property
    def why(self) -> str:
        """Say why no job is created."""
        said = f": {self.reason[:500]}" if self.reason else "."
        return f"The kill switch {paths.KILL_SWITCH} is on{said}"


def read_switch(world: World) -> KillSwitch | None:
    """Read the switch; None when it is off."""
    return switch_in(world.buckets.artifacts)


def switch_in(artifacts: Bucket) -> KillSwitch | None:
    """Read the switch out of the artifacts bucket; None when it is off.

    Content that cannot be read stops creations, but cancels nothing: whoever wrote it wanted
    something stopped. An empty object is enough.
    """
    try:
        content, _ = artifacts.read(paths.KILL_SWITCH)
    except NotFound:
        return None
    try:
        return KillSwitch.model_validate_json(content)
    except ValidationError:
        return KillSwitch(reason="its content is not the JSON that was expected")
