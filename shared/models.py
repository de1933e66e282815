"""The table of base models, models.yaml, and what can be read off it."""

import difflib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from shared import log
from shared.errors import Rejected

WARN_DAYS = 90


class BaseModelSpec(BaseModel):
    """What is known of one base model; models.yaml explains the keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    tuned_in: dict[str, str]
    adapter_sizes: tuple[int, ...]
    training_price: float
    price_note: str
    retires: date | None = None


@cache
def base_models() -> Mapping[str, BaseModelSpec]:
    """Read the table: model name -> what is known of it."""
    table = yaml.safe_load(Path(__file__).with_name("models.yaml").read_text(encoding="utf-8"))
    return {name: BaseModelSpec.model_validate(spec) for name, spec in table.items()}


def find_base_model(name: str, region: str) -> BaseModelSpec:
    """Look a base model up and check that it can be tuned in a region.

    Raises:
        Rejected: The model is not known, or not tuned there.
    """
    known = base_models()
    if name not in known:
        near = difflib.get_close_matches(name, list(known), n=1, cutoff=0)
        raise Rejected(
            f"The base model {name!r} is not one that can be tuned.",
            f"The nearest that can is {near[0]}; all are in shared/models.yaml.",
        )
    if region not in known[name].tuned_in:
        regions = ", ".join(known[name].tuned_in)
        raise Rejected(
            f"{name} is not tuned in {region}.", f"Deploy tunedrop to one of: {regions}."
        )
    return known[name]


def warn_of_retirement(name: str, today: date, task: str) -> None:
    """Log a warning when a base model that is in use is about to be retired.

    Args:
        name: The model; one that is not in the table is not warned of.
        today: The day.
        task: The task that uses it.
    """
    known = base_models().get(name)
    days = retirement_warning(known, today) if known else None
    if days is not None:
        log.warning("a base model retires soon", task=task, base_model=name, days=days)


def retirement_warning(model: BaseModelSpec, today: date) -> int | None:
    """Count the days until a model is retired; None while there is no reason to speak of it."""
    if model.retires is None:
        return None
    days = (model.retires - today).days
    return days if days <= WARN_DAYS else None


def serving_location(name: str, region: str) -> str:
    """Return the location that answers for a model tuned in a region, such as "us".

    Raises:
        Rejected: The model is not known, or not tuned there.
    """
    return find_base_model(name, region).tuned_in[region]
