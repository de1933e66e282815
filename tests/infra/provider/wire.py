"""Schemas and diagnostics as messages of the protocol."""

import json
from dataclasses import dataclass
from typing import Any

from tests.infra.provider.messages import message
from tests.infra.provider.schemas import Block

NESTING = {"single": 1, "list": 2, "set": 3}
ERROR = 1

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a configuration, and where."""

    summary: str
    detail: str = ""
    steps: Steps = ()


def schema_message(block: Block) -> Any:
    """Write a schema."""
    return message("Schema")(version=0, block=_block_message(block))


def attribute_path(steps: Steps) -> Any:
    """Write the path of an attribute: names, and indices in lists."""
    path = message("AttributePath")()
    for step in steps:
        if isinstance(step, str):
            path.steps.add(attribute_name=step)
        else:
            path.steps.add(element_key_int=step)
    return path


def add_problems(diagnostics: Any, problems: list[Problem]) -> None:
    """Add errors to the diagnostics of a response."""
    for problem in problems:
        diagnostics.add(
            severity=ERROR,
            summary=problem.summary,
            detail=problem.detail,
            attribute=attribute_path(problem.steps) if problem.steps else None,
        )


def _block_message(block: Block) -> Any:
    """Write a block and those within it."""
    written = message("Schema.Block")()
    for name, attribute in block.attributes.items():
        written.attributes.add(
            name=name,
            type=json.dumps(attribute.type).encode(),
            required=attribute.required,
            optional=attribute.optional,
            computed=attribute.computed,
        )
    for name, nested in block.blocks.items():
        counts = (
            {}
            if nested.nesting == "single"
            else {"min_items": nested.minimum, "max_items": nested.maximum}
        )
        written.block_types.add(
            type_name=name,
            block=_block_message(nested.block),
            nesting=NESTING[nested.nesting],
            **counts,
        )
    return written
