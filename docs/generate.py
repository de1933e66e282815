"""Writes the generated pages of docs/: python -m docs.generate [--check]."""

import argparse
import sys

from docs.generators.dependencies_page import dependencies_page
from docs.generators.documents_page import documents_page
from docs.generators.intake_page import intake_page
from docs.generators.lifecycle_page import lifecycle_page
from docs.generators.messages_page import messages_page
from docs.generators.schemas import schema_files
from docs.generators.source import ROOT
from docs.generators.task_page import task_page


def pages() -> dict[str, str]:
    """Write every page in memory: path in the checkout -> content."""
    return {
        "docs/task.md": task_page(),
        "docs/intake.md": intake_page(),
        "docs/documents.md": documents_page(),
        "docs/messages.md": messages_page(),
        "docs/lifecycle.md": lifecycle_page(),
        "docs/dependencies.md": dependencies_page(),
        **schema_files(),
    }


def stale(wanted: dict[str, str]) -> list[str]:
    """List the pages that are not as they should be."""
    return [
        path
        for path, content in wanted.items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != content
    ]


def main() -> int:
    """Write the pages that are stale, or with --check only name them."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if any is stale")
    options = parser.parse_args()
    wanted = pages()
    old = stale(wanted)
    for path in old:
        sys.stdout.write(f"{path} is stale\n" if options.check else f"wrote {path}\n")
        if not options.check:
            (ROOT / path).write_text(wanted[path], encoding="utf-8")
    return 1 if old and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
