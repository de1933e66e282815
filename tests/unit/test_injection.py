"""Documents that want to be obeyed, answered by a model that obeys: nothing but their own answer.

The model here is as gullible as can be: it says whatever a document tells it to, in the form that
the document wants. What is tested is therefore what is around the model.
"""

import base64
import io
import json
import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from functions.process_document.process import process
from shared import paths
from shared.entry import answer
from shared.events import ObjectArrived
from shared.ports import Sampling
from shared.prompts import Prompt
from shared.records import ResultRecord
from shared.task import Task
from tests.fakes import FakeGenerator, FakeWorld, fake_world
from tests.unit.injection_corpus import AIMS, Attack, attack_table, attacks
from tests.unit.test_entry import FakeRequest
from tests.unit.test_process import ENDPOINT, TASK, crown

CORPUS = {attack.mark: attack for attack in attacks()}
MARK = re.compile(r"qz-\d{3}")
HONEST = {f"birds/honest-{number}.txt": f"hoo hoo, bird {number}" for number in (1, 2, 3)}
SEVERAL = Task.model_validate({**TASK.model_dump(), "multi_label": True})
FIELDS = Task.model_validate({"type": "extraction", "fields": ["place", "date"]})
TASKS = {
    "a label": (TASK, "tuned"),
    "a label, by a prompt": (TASK, "prompting"),
    "several labels": (SEVERAL, "tuned"),
    "fields": (FIELDS, "prompting"),
}
every_task = pytest.mark.parametrize("served", TASKS)


def obey(_model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
    found = MARK.search(prompt.turns[-1][1])
    said = (found and CORPUS[found[0]].says) or "owl"
    return [said] * sampling.samples


def deliver(fakes: FakeWorld, generator: FakeGenerator, event: ObjectArrived) -> tuple[str, int]:
    """Give the front door's work a bucket's notification."""
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "bucketId": event.bucket,
        "objectId": event.name,
        "objectGeneration": str(event.generation),
    }
    push = {
        "message": {"attributes": attributes, "data": base64.b64encode(b"{}").decode()},
        "subscription": "projects/p/subscriptions/process-document.document-arrived",
    }
    return answer(
        FakeRequest(json.dumps(push).encode()),
        function="process_document",
        topics=("document-arrived",),
        world=lambda: fakes.world,
        work=lambda arrived: process(arrived, fakes.world, generator),
    )


@dataclass(frozen=True)
class Outcome:
    """What came of an attack.

    Attributes:
        attack: The attack.
        written: The objects that were made or changed, by bucket and name.
        published: (topic, message) pairs.
        logged: The log, as it was printed.
        asked: What the model was asked.
    """

    attack: Attack
    written: dict[str, bytes]
    published: list[tuple[str, Any]]
    logged: str
    asked: list[tuple[str, Prompt, Sampling]]

    @property
    def results(self) -> list[dict[str, Any]]:
        """What is in the document's own place."""
        own = f"results/{paths.result(self.attack.name)}"
        return [json.loads(content) for key, content in self.written.items() if key == own]

    def is_own(self, key: str) -> bool:
        """Whether an object is the document's result, or the mark that it is to be reviewed."""
        if key == f"results/{paths.result(self.attack.name)}":
            return True
        mark = key.startswith(f"artifacts/{paths.open_marker('review', 'birds', '')[:-5]}")
        return mark and json.loads(self.written[key])["event"] == {"document": self.attack.name}


def objects(fakes: FakeWorld) -> dict[str, bytes]:
    """Everything that is stored, but for the documents."""
    return {
        f"{bucket.name}/{name}": bucket.content(name)
        for bucket in (fakes.results, fakes.artifacts, fakes.datasets)
        for name in bucket.names()
    }


def strike(fakes: FakeWorld, generator: FakeGenerator, attack: Attack) -> Outcome:
    """Deliver an attack, and look at what is there afterwards that was not before."""
    before, published, asked = objects(fakes), len(fakes.publisher.messages), len(generator.asked)
    event = fakes.documents.put(attack.name, attack.content)
    with redirect_stdout(io.StringIO()) as logged:
        assert deliver(fakes, generator, event) in {("", 204), ("rejected", 200)}
    after = objects(fakes)
    assert before.keys() <= after.keys()
    return Outcome(
        attack,
        {key: value for key, value in after.items() if before.get(key) != value},
        fakes.publisher.messages[published:],
        logged.getvalue(),
        generator.asked[asked:],
    )


def stage(served: str) -> tuple[FakeWorld, FakeGenerator]:
    """Make a world with a champion, honest documents that were answered, and another task."""
    fakes = fake_world()
    crown(fakes, *TASKS[served])
    fakes.artifacts.put("tasks/fish/champion.json", b"{}")
    fakes.results.put("fish/letter.txt.json", b"{}")
    generator = fakes.generator(obey)
    for name, text in HONEST.items():
        deliver(fakes, generator, fakes.documents.put(name, text))
    return fakes, generator


@cache
def struck(served: str) -> list[Outcome]:
    """Deliver every attack to one world; but for the first task, only what is plain text."""
    fakes, generator = stage(served)
    whole = served == "a label"
    return [
        strike(fakes, generator, attack)
        for attack in CORPUS.values()
        if whole or attack.name.endswith(".txt")
    ]


def is_answer(task: Task, said: Any) -> bool:
    if said is None:
        return True
    if task.type == "extraction":
        return set(said) == set(task.field_names)
    if task.multi_label:
        return set(said) <= set(task.label_names)
    return said in task.label_names


def test_the_corpus_is_as_large_and_as_various_as_is_promised() -> None:
    assert len(CORPUS) >= 60
    assert {attack.aim for attack in CORPUS.values()} == set(AIMS)
    assert len({attack.name for attack in CORPUS.values()}) == len(CORPUS)
    reached = [outcome for outcome in struck("a label") if outcome.asked]
    assert len(reached) >= 60


@every_task
def test_an_attack_writes_its_own_result_and_nothing_else(served: str) -> None:
    for outcome in struck(served):
        rejection = "artifacts/rejected/process_document/"
        others = [key for key in outcome.written if not outcome.is_own(key)]
        assert all(key.startswith(rejection) for key in others), outcome.attack
        assert len(others) == (0 if outcome.asked else 1), outcome.attack


@every_task
def test_the_answer_to_an_attack_has_the_form_of_any_other(served: str) -> None:
    task, _ = TASKS[served]
    for outcome in struck(served):
        results = outcome.results
        assert len(results) <= 1
        for result in results:
            record = ResultRecord.model_validate(result)
            assert result.keys() == ResultRecord.model_fields.keys()
            assert record.document == outcome.attack.name
            assert record.task_name == "birds"
            assert is_answer(task, result["answer"]), outcome.attack
            if result["answer"] is None:
                assert result["status"] in {"review", "rejected"}
            assert all(len(said) <= 300 for said in result["tally"])


@every_task
def test_an_attack_is_put_to_the_champion_as_any_other_text_is(served: str) -> None:
    _, generator = stage(served)
    model, honest, sampling = generator.asked[-1]
    assert model == ENDPOINT
    for outcome in struck(served):
        for asked_model, prompt, asked_sampling in outcome.asked:
            assert asked_model == model
            assert replace(prompt, turns=()) == replace(honest, turns=())
            assert [role for role, _ in prompt.turns] == ["user"]
            assert replace(asked_sampling, seed=0) == replace(sampling, seed=0)


@every_task
def test_what_is_published_about_an_attack_names_it_alone(served: str) -> None:
    for outcome in struck(served):
        assert {topic for topic, _ in outcome.published} == {"pipeline-events"}
        for _, fact in outcome.published:
            details = fact["details"]
            if fact["fact"] == "document-answered":
                assert fact["task"] == "birds"
                assert details["result"] == paths.result(outcome.attack.name)
            else:
                assert fact["fact"] == "input-rejected"
                assert f"artifacts/{details['record']}" in outcome.written
        assert outcome.attack.mark not in json.dumps(outcome.published)


@every_task
def test_an_attack_leaves_whole_lines_in_the_log_and_none_of_its_words(served: str) -> None:
    for outcome in struck(served):
        assert outcome.logged.endswith("\n")
        for line in outcome.logged.splitlines():
            entry = json.loads(line)
            assert entry["severity"] in {"INFO", "WARNING"}
            assert entry.get("task", "birds") == "birds"
        for words in (outcome.attack.mark, outcome.attack.name, "champion replaced", "\x1b"):
            assert words not in outcome.logged


def test_what_a_gullible_model_is_talked_into_is_its_own_answer_at_most() -> None:
    answers = {
        outcome.attack.mark: outcome.results[0]["answer"]
        for outcome in struck("a label")
        if outcome.attack.aim == "label" and outcome.asked and outcome.attack.says
    }
    assert len(answers) > 30
    assert list(answers.values()).count("crow") > 30


def test_rows_that_attack_are_answered_each_by_itself() -> None:
    fakes, generator = stage("a label")
    table = Attack("rows", "neighbour", "birds/attack.csv", attack_table(), "")
    outcome = strike(fakes, generator, table)
    rows = len(generator.asked) - len(HONEST)
    assert rows > 10
    own = {f"results/birds/attack.csv/{row}.json" for row in range(1, rows + 1)}
    assert outcome.written.keys() == own | {"results/birds/attack.csv.json"}
    for name in own:
        assert json.loads(outcome.written[name])["answer"] == "owl"
    assert "rows-" not in outcome.logged + json.dumps(outcome.published)
