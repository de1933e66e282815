"""The schemas of the providers that Terraform is shown, read from data/."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

DATA = Path(__file__).resolve().parent / "data"

GOOGLE_VERSIONS = ("6.50.0", "8.7.0")

Nesting = Literal["single", "list", "set"]


@dataclass(frozen=True)
class Attribute:
    """An argument, an exported value, or both.

    Attributes:
        type: Terraform's notation of a type, such as `"string"` or `["map", "string"]`.
        required: Whether it must be set.
        optional: Whether it may be set.
        computed: Whether the provider decides where it is not set.
    """

    type: Any
    required: bool
    optional: bool
    computed: bool


@dataclass(frozen=True)
class NestedBlock:
    """Blocks of one name within a block; `maximum` 0 is no limit."""

    nesting: Nesting
    minimum: int
    maximum: int
    block: "Block"


@dataclass(frozen=True)
class Block:
    """What a block may hold."""

    attributes: dict[str, Attribute]
    blocks: dict[str, NestedBlock]


@dataclass(frozen=True)
class ProviderSchema:
    """All that a provider has to offer."""

    address: str
    version: str
    configuration: Block
    resources: dict[str, Block]
    data_sources: dict[str, Block]


@cache
def google_schema(version: str) -> ProviderSchema:
    """Return the schema of one version of hashicorp/google, cut down to the types in use here."""
    return _read(f"google-{version}.json")


@cache
def archive_schema() -> ProviderSchema:
    """Return the schema of hashicorp/archive."""
    return _read("archive-2.7.1.json")


def _read(file: str) -> ProviderSchema:
    """Read a schema's file."""
    data = json.loads((DATA / file).read_text(encoding="utf-8"))
    types = {name: _block(block) for name, block in data["resources"].items()}
    return ProviderSchema(
        address=f"registry.terraform.io/{data['provider']}",
        version=data["version"],
        configuration=_block(data["configuration"]),
        resources={name: block for name, block in types.items() if not name.startswith("data.")},
        data_sources={
            name.removeprefix("data."): block
            for name, block in types.items()
            if name.startswith("data.")
        },
    )


def _block(data: dict[str, Any]) -> Block:
    """Read a block and those within it."""
    return Block(
        attributes={name: _attribute(item) for name, item in sorted(data["attributes"].items())},
        blocks={
            name: NestedBlock(item["nesting"], item["min"], item["max"], _block(item["block"]))
            for name, item in sorted(data["blocks"].items())
        },
    )


def _attribute(data: dict[str, Any]) -> Attribute:
    """Read an attribute; one that cannot be set is computed."""
    required, optional = bool(data.get("required")), bool(data.get("optional"))
    computed = not required and (bool(data.get("computed")) or not optional)
    return Attribute(data["type"], required, optional and not required, computed)
