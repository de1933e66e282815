"""Says in words what is wrong with somebody's YAML or JSON."""

import difflib
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

MAX_PROBLEMS = 5


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Name the wrong keys and what is wrong with each; for an unknown key, the nearest known one.

    Args:
        error: What pydantic found.
        model: The model that was asked for.
    """
    parts = {part.__name__ for part in _all_models(model)}
    found = [(_path(problem, parts), problem) for problem in error.errors()]
    # Of a union's branches, the one that something was wrong inside of is the one that was meant.
    meant = [
        (path, problem)
        for path, problem in found
        if not any(len(path) < len(other) and other[: len(path)] == path for other, _ in found)
    ]
    return "; ".join(_explain(path, problem, model) for path, problem in meant[:MAX_PROBLEMS])


def _path(problem: Any, parts: set[str]) -> list[str]:
    """List the keys that lead to a problem, without pydantic's names for a union's branches."""
    *outer, last = (str(step) for step in problem["loc"] or ("",))
    path = [step for step in outer if not _is_union_step(step) and step not in parts]
    if problem["type"] == "extra_forbidden" or not (_is_union_step(last) or last in parts):
        path.append(last)
    return path


def _explain(path: list[str], problem: Any, model: type[BaseModel]) -> str:
    """Turn one of pydantic's problems into a phrase."""
    where = ".".join(path) or "the whole"
    if problem["type"] == "extra_forbidden":
        here = {key: key for key in _model_at(model, path[:-1]).model_fields}
        near = _nearest(path[-1], here, cutoff=0.6) or _nearest(path[-1], _all_keys(model), 0)
        return f"{where} is not a known key (the nearest is {near})"
    if problem["type"] == "missing":
        wanted = _choices(_model_at(model, path[:-1]).model_fields.get(path[-1]))
        return f"{where}: missing{wanted}"
    message = problem["msg"].removeprefix("Value error, ")
    if message[1:2].islower():
        message = message[0].lower() + message[1:]
    return f"{where}: {message}"


def _choices(field: FieldInfo | None) -> str:
    """Say which words a field can be, if it can only be some."""
    if field is None or get_origin(field.annotation) is not Literal:
        return ""
    *words, last = get_args(field.annotation)
    return f"; it is {', '.join(words)} or {last}"


def _nearest(key: str, known: dict[str, str], cutoff: float) -> str | None:
    """Find the known key that looks most like this one.

    Args:
        key: The key as somebody wrote it.
        known: Full path -> bare key.
        cutoff: The least similarity, 0 to 1.

    Returns:
        The full path of the nearest key, None when none is near enough.
    """
    near = difflib.get_close_matches(key, list(known.values()), n=1, cutoff=cutoff)
    return next((path for path, bare in known.items() if near and bare == near[0]), None)


def _all_keys(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """List every key of a model and its parts: full path -> bare key."""
    keys: dict[str, str] = {}
    for name, field in model.model_fields.items():
        keys[f"{prefix}{name}"] = name
        for inner in _models_in(field.annotation):
            keys |= _all_keys(inner, f"{prefix}{name}.")
    return keys


def _all_models(model: type[BaseModel]) -> list[type[BaseModel]]:
    """List the models that a model's fields mention, and theirs."""
    inner = [part for each in model.model_fields.values() for part in _models_in(each.annotation)]
    return [*inner, *(deep for part in inner for deep in _all_models(part))]


def _is_union_step(step: str) -> bool:
    """Whether pydantic put this step into an error's path for a branch of a union type."""
    return step.startswith(("literal[", "tuple[", "function-", "constrained-")) or step == "str"


def _model_at(root: type[BaseModel], path: list[str]) -> type[BaseModel]:
    """Find the model that the keys of a path belong to."""
    model = root
    for step in path:
        if step.isdigit():
            continue
        found = _models_in(model.model_fields[step].annotation)
        if found:
            model = found[0]
    return model


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """List the models that a type annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
