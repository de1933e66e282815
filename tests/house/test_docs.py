"""The pages of docs/ agree with the code, and their links lead somewhere."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.generate import pages, stale
from docs.generators.dependencies_page import PURPOSE, direct_dependencies
from docs.generators.format_examples import DESCRIBED, EXAMPLES, source_of
from docs.generators.intake_page import POLICY
from docs.generators.markdown import anchor
from docs.generators.messages_page import PROMOTION, ROLLBACK, TUNING, TUNING_FULL
from docs.generators.task_page import EXTRACTION, FULL, MINIMAL
from functions.convert_dataset.formats.registry import FORMATS, choose_format
from functions.evaluate_model.bench import Services
from functions.evaluate_model.evaluate import handle_event
from functions.launch_tuning.request import TuningRequested
from shared.errors import Rejected
from shared.records import EvaluationRecord, ResultRecord, VerdictRecord
from shared.task import FormatKey, Task, parse_task
from tests.fakes import fake_world, message
from tests.house.checkout import ROOT, project_files, relative

MARKDOWN = [path for path in project_files() if path.suffix == ".md"]
LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Go through the blocks of code of a language in the project's pages: (page, code)."""
    for path in MARKDOWN:
        for found in FENCE.finditer(path.read_text(encoding="utf-8")):
            if found[1] == language:
                yield relative(path), found[2]


def test_no_generated_page_is_stale() -> None:
    assert stale(pages()) == [], "run `make docs`"


@pytest.mark.parametrize("path", MARKDOWN, ids=relative)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    broken = [link for link in LINK.findall(text) if not leads_somewhere(path, link)]
    assert broken == []


def leads_somewhere(path: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    file, _, fragment = link.partition("#")
    target = (path.parent / file).resolve() if file else path
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    if not fragment or target.suffix != ".md":
        return True
    headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return fragment in {anchor(heading) for heading in headings}


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*/task.yaml")), ids=relative)
def test_every_example_task_parses(path: Path) -> None:
    assert parse_task(path.read_text(encoding="utf-8"))


def test_every_task_yaml_in_the_pages_parses() -> None:
    found = [(page, code) for page, code in blocks("yaml") if code.startswith("type:")]
    assert {page for page, _ in found} >= {"docs/task.md"}
    for page, code in found:
        assert parse_task(code, source=page)


def test_the_full_task_yaml_names_every_key_that_such_a_task_has() -> None:
    named = keys(yaml.safe_load(FULL))
    known = keys(Task.model_validate(yaml.safe_load(FULL)).model_dump())
    assert known - named == {"fields"}
    assert keys(yaml.safe_load(EXTRACTION)) >= {"fields", "fields.required"}
    assert keys(yaml.safe_load(MINIMAL)) == {"type"}


def test_the_policy_in_the_pages_is_one() -> None:
    policy = parse_task(f"type: classification\n{POLICY}").checks
    assert policy.severity == {"near-duplicates": "info", "personal-data": "off"}


@pytest.mark.parametrize("key", [form.key for form in FORMATS if form.key not in DESCRIBED])
def test_the_example_of_a_format_is_recognised_as_that_format(key: FormatKey) -> None:
    # Labels before texts are believed once they come again and again.
    times = 10 if key == "label-first" else 1
    assert choose_format(source_of(EXAMPLES[key] * times), None).key == key


def keys(value: Any, prefix: str = "") -> set[str]:
    """List the full names of the keys of a task, whatever list they are in."""
    if isinstance(value, list | tuple):
        return set().union(*(keys(item, prefix) for item in value))
    if not isinstance(value, dict):
        return set()
    return {f"{prefix}{key}" for key in value} | {
        name for key, inner in value.items() for name in keys(inner, f"{prefix}{key}.")
    }


def test_the_tuning_requests_in_the_pages_are_understood() -> None:
    assert TuningRequested.model_validate(TUNING).dataset is None
    assert TuningRequested.model_validate(TUNING_FULL).model_dump(exclude_unset=True).keys() == (
        TuningRequested.model_fields.keys()
    )


def test_the_promotion_request_in_the_pages_is_understood() -> None:
    fakes = fake_world()
    services = Services(fakes.generator(lambda *_: []), fakes.exact_match())
    for asked, reason in (
        (PROMOTION, "The task 'parcel_questions' has no dataset '1f0c3a5b7d9e'."),
        (ROLLBACK, "The task 'parcel_questions' has no champion to roll back."),
    ):
        with pytest.raises(Rejected) as rejection:
            handle_event(message("promotion-requested", **asked), fakes.world, services)
        assert rejection.value.reason == reason


def test_python_in_the_pages_is_python() -> None:
    for page, code in blocks("python"):
        assert ast.parse(code, filename=page)


def test_the_schemas_are_json_with_a_description_of_what_they_hold() -> None:
    for path, content in pages().items():
        if path.endswith(".json"):
            schema = json.loads(content)
            assert schema["$schema"].startswith("https://json-schema.org/")
            assert schema["description"]
    for name, kind in (
        ("result", ResultRecord),
        ("evaluation", EvaluationRecord),
        ("verdict", VerdictRecord),
    ):
        schema = json.loads(pages()[f"docs/{name}.json"])
        assert set(schema["properties"]) == set(kind.model_fields)


def test_every_direct_dependency_has_a_purpose() -> None:
    assert set(PURPOSE) == set(direct_dependencies())


def test_a_decision_is_short_and_has_its_three_parts() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [
        f"{number:04}" for number in range(1, len(decisions) + 1)
    ]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 40, path.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]
