"""pipeline-events: one JSON fact for everything that happened. Schema: docs/pipeline-event.json."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.ports import Publisher

TOPIC = "pipeline-events"

Happening = Literal[
    "dataset-converted",
    "prompting-measured",
    "run-planned",
    "run-estimated",
    "run-waiting",
    "run-refused",
    "run-cancelled",
    "job-stuck",
    "job-ended",
    "batch-ended",
    "verdict-reached",
    "champion-promoted",
    "document-answered",
    "document-divided",
    "answers-drifted",
    "input-rejected",
]


class Fact(BaseModel):
    """Something that happened."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    fact: Happening = Field(description="What happened.")
    at: datetime = Field(description="When, in UTC.")
    task: str = Field("", description="The task it happened to; empty when that is not known.")
    details: Mapping[str, str | int | float | bool | None] = Field(
        {}, description="Ids, counts and figures; never a text or a label's example."
    )


def publish_fact(
    publisher: Publisher,
    fact: Happening,
    at: datetime,
    task: str = "",
    **details: str | float | bool | None,
) -> None:
    """Publish a fact. Raises Retry."""
    message = Fact(fact=fact, at=at, task=task, details=details)
    publisher.publish(TOPIC, message.model_dump(mode="json"))
