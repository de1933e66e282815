"""The table of base models, models.yaml, and what can be read off it."""

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from shared.errors import Rejected


class BaseModelSpec(BaseModel):
    """What is known of one base model; models.yaml explains the keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    tuned_in: dict[str, str]
    adapter_sizes: tuple[int, ...]
    training_price: float
    price_note: str


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


def serving_location(name: str, region: str) -> str:
    """Return the location that answers for a model tuned in a region, such as "us".

    Raises:
        Rejected: The model is not known, or not tuned there.
    """
    return find_base_model(name, region).tuned_in[region]
