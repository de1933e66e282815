"""The table of base models, models.yaml, and what can be read off it."""

import difflib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from shared import log
from shared.errors import Rejected

WARN_DAYS = (90, 30)
"""How many days before a model's retirement it is warned of."""


class BaseModelSpec(BaseModel):
    """What is known of one base model; models.yaml explains the keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    tuned_in: dict[str, str]
    adapter_sizes: tuple[int, ...] = Field(min_length=1)
    max_epochs: int
    max_training_examples: int
    max_training_bytes: int
    max_validation_examples: int
    max_tokens_an_example: int
    training_price: float = Field(gt=0)
    price_note: str = Field(min_length=1)
    input_price: float = Field(gt=0)
    output_price: float = Field(gt=0)
    batch_price_share: float = Field(gt=0, le=1)
    prices_seen: str
    takes_files: tuple[str, ...] = ()
    retires: date | None = None
    retires_or_later: bool = False


def base_models() -> Mapping[str, BaseModelSpec]:
    """Return the models that are tuned somewhere, the newest first: name -> what is known."""
    return _table()[0]


def retired_models() -> Mapping[str, date]:
    """Return the models that are gone: name -> the day they were retired."""
    return _table()[1]


@cache
def _table() -> tuple[Mapping[str, BaseModelSpec], Mapping[str, date]]:
    """Read the table: the models that are tuned somewhere, and the others' last days."""
    text = Path(__file__).with_name("models.yaml").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = yaml.safe_load(text)
    tuned = {name: spec for name, spec in table.items() if spec["tuned_in"]}
    gone = {name: spec["retires"] for name, spec in table.items() if name not in tuned}
    return {name: BaseModelSpec.model_validate(spec) for name, spec in tuned.items()}, gone


def find_base_model(name: str, region: str, today: date | None = None) -> BaseModelSpec:
    """Look a base model up and check that it can be tuned in a region.

    Args:
        name: The model.
        region: The region.
        today: The day; left out, a model that the table still has as tuned is not checked for
            being retired by now.

    Raises:
        Rejected: The model is not known, is retired, or is not tuned there.
    """
    known = base_models()
    live = {key: spec for key, spec in known.items() if not _has_retired(spec, today)}
    if name not in live:
        near = difflib.get_close_matches(name, list(live), n=1, cutoff=0)
        remedy = f"The nearest live one is {near[0]}; " if near else ""
        last = known[name].retires if name in known else retired_models().get(name)
        raise Rejected(
            f"The base model {name!r} retired on {last}."
            if last
            else f"The base model {name[:60]!r} is not one that can be tuned.",
            f"{remedy}all are in shared/models.yaml.",
        )
    if region not in live[name].tuned_in:
        regions = ", ".join(live[name].tuned_in)
        raise Rejected(
            f"{name} is not tuned in {region}.", f"Deploy tunedrop to one of: {regions}."
        )
    return live[name]


def _has_retired(spec: BaseModelSpec, today: date | None) -> bool:
    """Whether a model's last day is over; a day that may be put off is not held against it."""
    if today is None or spec.retires is None or spec.retires_or_later:
        return False
    return spec.retires <= today


def warn_of_retirement(name: str, today: date, task: str) -> None:
    """Log a warning when a base model that is in use is about to be retired.

    Args:
        name: The model; one that is not in the table is not warned of.
        today: The day.
        task: The task that uses it.
    """
    known = base_models().get(name)
    if known and known.retires and retirement_warning(known, today) is not None:
        days = (known.retires - today).days
        log.warning("a base model retires soon", task=task, base_model=name, days=days)


def retirement_warning(model: BaseModelSpec, today: date) -> int | None:
    """Say which threshold a model's retirement has crossed: 90 or 30 days before it.

    Returns:
        The lowest of WARN_DAYS that the days left do not exceed, also once the day is over; None
        while there is no reason to speak of it.
    """
    if model.retires is None:
        return None
    days = (model.retires - today).days
    return min((threshold for threshold in WARN_DAYS if days <= threshold), default=None)


def serving_location(name: str, region: str) -> str:
    """Return the location that answers for a model tuned in a region, such as "us".

    Raises:
        Rejected: The model is not known, or not tuned there.
    """
    return find_base_model(name, region).tuned_in[region]
