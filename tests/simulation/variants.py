"""The production code, as it is or with a line changed: a copy of its modules, made from source.

A mutant is written down as the module, the text and what it is replaced by, so that anybody can
read what is wrong with it. A text that is not there any more fails loudly.
"""

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

COPIED = ("shared.", "functions.")
KEPT = frozenset({"errors", "ports", "records", "task", "settings", "prompts", "examples", "models"})
"""Types are not copied: an error that a copy raises is the error that everybody catches."""


@dataclass(frozen=True)
class Edit:
    """One change of a module's source."""

    module: str
    old: str
    new: str


def load_together(modules: Sequence[str], edits: Sequence[Edit]) -> list[ModuleType]:
    """Load modules, and all they import of the project, with changes; without any, as they are.

    Raises:
        LookupError: A text that is to be replaced is not in the source, or there twice.
    """
    if not edits:
        return [importlib.import_module(name) for name in modules]
    loader = _Loader(edits)
    return [loader.load(name) for name in modules]


class _Loader:
    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits
        self._modules: dict[str, ModuleType] = {}

    def load(self, name: str) -> ModuleType:
        if name in self._modules:
            return self._modules[name]
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin).read_text(encoding="utf-8")
        for edit in self._edits:
            if edit.module == name:
                if source.count(edit.old) != 1:
                    raise LookupError(f"{name} has not exactly one {edit.old!r}")
                source = source.replace(edit.old, edit.new)
        module = self._modules[name] = ModuleType(f"mutant.{name}")
        module.__dict__["__file__"] = spec.origin
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        sys.modules[module.__name__] = module  # pydantic and dataclasses look it up
        exec(compile(source, spec.origin, "exec"), module.__dict__)
        return module

    def _import(
        self,
        name: str,
        namespace: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        wanted: Sequence[str] | None = None,
        level: int = 0,
    ) -> Any:
        """Import as Python does, but the project's own modules as copies."""
        if name == "shared":
            found = ModuleType("mutant.shared")
            for part in wanted or ():
                found.__dict__[part] = self._part(f"shared.{part}")
            return found
        if name.startswith(COPIED) and name.rpartition(".")[2] not in KEPT:
            return self.load(name)
        return builtins.__import__(name, namespace, local, tuple(wanted or ()), level)

    def _part(self, name: str) -> ModuleType:
        kept = name.rpartition(".")[2] in KEPT
        return importlib.import_module(name) if kept else self.load(name)
