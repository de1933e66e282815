"""Which files of the project a function's front door reaches, and what they import."""

from docs.generators.source import ROOT, imports_of

OWN = ("functions", "shared", "local", "docs", "benchmarks", "tests")


def top_level(module: str) -> str:
    """Return the first part of a module's name."""
    return module.partition(".")[0]


def reached_from(module: str) -> set[str]:
    """List the project's modules that importing one of them can come to load, itself included."""
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        waiting += [owner for item in _imports(name) if (owner := _own_module(item))]
    return reached


def third_party_imports(module: str) -> set[str]:
    """List what a module of the project imports from elsewhere, late imports included."""
    return {name for name in _imports(module) if top_level(name) not in OWN}


def _imports(module: str) -> frozenset[str]:
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return imports_of(file) if file.exists() else frozenset()


def _own_module(name: str) -> str | None:
    """Return the module of the project that an imported name is in."""
    if top_level(name) not in OWN:
        return None
    path = ROOT.joinpath(*name.split("."))
    return name if path.is_dir() or path.with_suffix(".py").exists() else name.rpartition(".")[0]
