"""Checks a Terraform module without Terraform: what can be told from its text and the schemas.

    for finding in check_module(ROOT / "infra", google_schema("8.7.0"), archive_schema()):
        print(finding)

It finds what each resource, data source and provider may not or must hold, and references to
what is not declared. It knows no types and evaluates nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import hcl2

from tests.infra.provider.schemas import Block, ProviderSchema

META = {
    "resource": {"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner"},
    "data": {"count", "for_each", "provider", "depends_on", "lifecycle"},
    "provider": {"alias", "version"},
}

# What the other blocks of a module may hold; None is not looked into.
PLAIN: dict[str, set[str] | None] = {
    "terraform": {"required_version", "required_providers", "backend", "cloud", "experiments"},
    "variable": {
        *("description", "type", "default", "validation", "sensitive", "nullable", "ephemeral"),
    },
    "output": {"description", "value", "sensitive", "depends_on", "precondition", "ephemeral"},
    "locals": None,
    "module": None,
    "moved": {"from", "to"},
    "removed": {"from", "lifecycle", "provisioner"},
    "import": {"to", "id", "for_each", "provider"},
    "check": {"data", "assert"},
}
LABELS = {"resource": 2, "data": 2, "provider": 1, "variable": 1, "output": 1, "module": 1}
BUILT_IN = {"each", "self", "count", "path", "terraform"}
MARK = "__is_block__"

# Over an expression with no text in it: a first name, a step after it, the variables of a `for`.
ROOT = re.compile(r"(?<![\w.-])[A-Za-z_][\w-]*(?=[.\[])")
STEP = re.compile(r"\.([\w*-]+)|\[")
FOR = re.compile(r"\bfor\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b")

# Over an expression with text in it: what begins and ends text and expressions within it.
TOKEN = re.compile(r"\\.|\$\$\{|%%\{|\$\{|%\{|.", re.DOTALL)
TEXT = -1

Body = dict[str, Any]


@dataclass
class _Module:
    """What a module declares, and what is wrong with it."""

    schemas: tuple[ProviderSchema, ...]
    blocks: list[tuple[str, tuple[str, ...], Body]] = field(default_factory=list)
    declared: set[tuple[str, ...]] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)

    def schema_of(self, kind: str, name: str) -> Block | None:
        """Find the schema of a resource, a data source, or a provider's block."""
        for schema in self.schemas:
            if kind == "provider" and schema.address.endswith(f"/{name}"):
                return schema.configuration
            found = {"resource": schema.resources, "data": schema.data_sources}.get(kind, {})
            if name in found:
                return found[name]
        return None


def check_module(folder: Path, *schemas: ProviderSchema) -> list[str]:
    """Check all files of a module.

    Args:
        folder: The module.
        schemas: The schemas of all providers that it uses.

    Returns:
        What is wrong, a sentence each.
    """
    module = _Module(schemas)
    for path in sorted(folder.glob("*.tf")):
        _read(path, module)
    for kind, labels, body in module.blocks:
        place = ".".join((kind, *labels))
        if kind in META:
            _check_by_schema(module, kind, labels[0], body, place)
        elif (allowed := PLAIN[kind]) is not None:
            module.findings += [
                f"{place}: unknown argument or block {name!r}"
                for name in body
                if name not in allowed and name != MARK
            ]
        if kind not in ("moved", "removed"):
            _check_references(module, body, place, set())
    return module.findings


def admits(constraint: str, version: str) -> bool:
    """Whether a version constraint, such as `>= 6.50, < 9`, allows a version."""
    return all(_admits(part.strip(), version) for part in constraint.split(","))


def _admits(part: str, version: str) -> bool:
    """Whether one part of a constraint allows a version."""
    found = re.fullmatch(r"(>=|<=|>|<|=|!=|~>)?\s*(\d+(?:\.\d+)*)", part)
    if not found:
        raise ValueError(f"not a version constraint: {part!r}")
    limit = [int(item) for item in found[2].split(".")]
    pairs = list(zip_longest((int(item) for item in version.split(".")), limit, fillvalue=0))
    have, want = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    fixed = len(limit) - 1
    return {
        ">=": have >= want,
        "<=": have <= want,
        ">": have > want,
        "<": have < want,
        "=": have == want,
        "!=": have != want,
        "~>": have >= want and have[:fixed] == want[:fixed],
    }[found[1] or "="]


def _read(path: Path, module: _Module) -> None:
    """Read a file's blocks and take down what they declare."""
    options = hcl2.SerializationOptions(with_comments=False, preserve_heredocs=False)
    parsed = hcl2.loads(path.read_text(encoding="utf-8"), serialization_options=options)
    for kind, found in parsed.items():
        if kind not in META and kind not in PLAIN:
            module.findings.append(f"{path.name}: unknown block {kind!r}")
            continue
        for block in found:
            labels, body = _unlabel(block, LABELS.get(kind, 0) if kind != "check" else 1)
            module.blocks.append((kind, labels, body))
            names = [name for name in body if name != MARK] if kind == "locals" else [None]
            for name in names:
                address = (kind, *labels, *([name] if name else []))
                if address in module.declared and kind in LABELS and "alias" not in body:
                    module.findings.append(f"{'.'.join(address)}: declared twice")
                module.declared.add(address)


def _unlabel(block: Body, count: int) -> tuple[tuple[str, ...], Body]:
    """Take the labels off a block."""
    labels = []
    for _ in range(count):
        label = next(name for name in block if name != MARK)
        labels.append(label.strip('"'))
        block = block[label]
    return tuple(labels), block


def _check_by_schema(module: _Module, kind: str, name: str, body: Body, place: str) -> None:
    """Hold a resource, data source or provider against its schema."""
    schema = module.schema_of(kind, name)
    if schema is None:
        module.findings.append(f"{place}: unknown type {name!r}")
        return
    own = {key: value for key, value in body.items() if key not in META[kind]}
    _check_block(module, schema, own, place)


def _check_block(module: _Module, schema: Block, body: Body, place: str) -> None:
    """Hold a block, and those within it, against a schema."""
    blocks, arguments = _split(body)
    module.findings += [f"{place}: {wrong}" for wrong in _wrong_arguments(schema, arguments)]
    for name, found in blocks.items():
        if name not in schema.blocks:
            what = "an argument" if name in schema.attributes else "unknown"
            module.findings.append(f"{place}: block {name!r} is {what}")
            continue
        for _, inner in found:
            _check_block(module, schema.blocks[name].block, inner, f"{place}.{name}")
    for name, nested in schema.blocks.items():
        found = blocks.get(name, [])
        certain = sum(not dynamic for dynamic, _ in found)
        if nested.minimum and not found and name not in arguments:
            module.findings.append(f"{place}: required block {name!r} is missing")
        if nested.maximum and certain > nested.maximum:
            module.findings.append(f"{place}: more than {nested.maximum} block {name!r}")


def _wrong_arguments(schema: Block, arguments: set[str]) -> Iterator[str]:
    """Find the arguments that a block does not have, and those that it wants."""
    for name in sorted(arguments):
        attribute = schema.attributes.get(name)
        if attribute is None:
            yield f"argument {name!r} is {'a block' if name in schema.blocks else 'unknown'}"
        elif not attribute.required and not attribute.optional:
            yield f"argument {name!r} is decided by the provider"
    for name, attribute in schema.attributes.items():
        if attribute.required and name not in arguments:
            yield f"required argument {name!r} is missing"


def _split(body: Body) -> tuple[dict[str, list[tuple[bool, Body]]], set[str]]:
    """Tell blocks (whether each is dynamic, its content) from arguments."""
    blocks: dict[str, list[tuple[bool, Body]]] = {}
    attributes = set()
    for name, value in body.items():
        if name == "dynamic":
            for item in value:
                (label,), dynamic = _unlabel(item, 1)
                blocks.setdefault(label, []).append((True, dynamic["content"][0]))
        elif _is_blocks(value):
            blocks.setdefault(name, []).extend((False, item) for item in value)
        elif name != MARK:
            attributes.add(name)
    return blocks, attributes


def _is_blocks(value: Any) -> bool:
    """Whether a parsed value is blocks rather than an argument."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and MARK in item for item in value)
    )


def _check_references(module: _Module, value: Any, place: str, known: set[str]) -> None:
    """Find references to what is not declared, in a value and all that is in it."""
    if isinstance(value, list):
        for item in value:
            _check_references(module, item, place, known)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "dynamic":
                _check_dynamic(module, item, place, known)
            elif name not in ("required_providers", "ignore_changes"):
                _check_references(module, name if "${" in name else None, place, known)
                _check_references(module, item, place, known)
    elif isinstance(value, str):
        code = _code(value)
        names = known | {name for pair in FOR.findall(code) for name in pair if name}
        for root, steps in _traversals(code):
            if root not in names and (wrong := _dangling(module, root, steps)):
                module.findings.append(f"{place}: {wrong}")


def _check_dynamic(module: _Module, items: list[Body], place: str, known: set[str]) -> None:
    """Check dynamic blocks, whose content knows an iterator."""
    for item in items:
        (label,), body = _unlabel(item, 1)
        _check_references(module, body["for_each"], place, known)
        _check_references(module, body["content"], place, {*known, body.get("iterator", label)})


def _dangling(module: _Module, root: str, steps: list[str]) -> str | None:
    """Say what is wrong with a reference; `steps` has an empty text for an index."""
    if root in BUILT_IN:
        return None
    if root in ("var", "local", "module"):
        kind = {"var": "variable", "local": "locals"}.get(root, root)
        wanted = (kind, *steps[:1])
        return None if wanted in module.declared else f"{root}.{steps[0]} is not declared"
    kind, name = ("data", steps) if root == "data" else ("resource", [root, *steps])
    if len(name) < 2 or (kind, *name[:2]) not in module.declared:
        return f"{'.'.join([root, *steps[: 2 if root == 'data' else 1]])} is not declared"
    schema = module.schema_of(kind, name[0])
    exported = next((step for step in name[2:] if step not in ("", "*")), None)
    if exported is None or schema is None:
        return None
    found = exported in schema.attributes or exported in schema.blocks
    return None if found else f"{name[0]} has no attribute {exported!r}"


def _traversals(code: str) -> Iterator[tuple[str, list[str]]]:
    """Find the references in an expression: (first name, names that follow), "" for an index."""
    for found in ROOT.finditer(code):
        steps: list[str] = []
        position = found.end()
        while step := STEP.match(code, position):
            position = step.end()
            if step[1] is None:
                position = _closing(code, position)
            steps.append(step[1] or "")
        yield found[0], steps


def _closing(code: str, position: int) -> int:
    """Find the end of an index whose bracket was opened just before."""
    depth = 1
    while depth and position < len(code):
        depth += {"[": 1, "]": -1}.get(code[position], 0)
        position += 1
    return position


def _code(value: str) -> str:
    """Return what is expression in a parsed value: all text in it is left out."""
    if value.startswith("${"):
        modes, rest = [0], value[2:-1]  # the braces that are open in each expression we are in
    elif value.startswith('"'):
        modes, rest = [TEXT], value[1:-1]
    else:
        return ""
    code = []
    for found in TOKEN.finditer(rest):
        token = found[0]
        if modes[-1] == TEXT:
            if token in ("${", "%{"):
                modes.append(0)
                code.append(" ")
            elif token == '"' and len(modes) > 1:
                modes.pop()
        elif token == '"':
            modes.append(TEXT)
            code.append('""')
        elif token == "}" and modes[-1] == 0 and len(modes) > 1:
            modes.pop()
        else:
            modes[-1] += {"{": 1, "}": -1}.get(token, 0)
            code.append(token)
    return "".join(code)
