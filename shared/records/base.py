"""What all records share."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """What all records share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
