"""Whatever call the process dies at, the next delivery ends with the same figures, byte by byte."""

import random
from collections.abc import Sequence

import pytest

from functions.evaluate_model.bench import Services
from functions.evaluate_model.evaluate import handle_event
from functions.launch_tuning.launch import launch
from functions.watch_jobs.watch import watch
from shared.errors import Busy
from shared.examples import Example
from shared.ports import Sampling
from shared.prompts import Prompt
from shared.task import Task
from tests.fakes import Crash, FakeWorld, fake_world, message, store_dataset

pytestmark = pytest.mark.slow

NAMES = ("owl", "crow", "wren")


def birds(count: int, start: int) -> list[Example]:
    return [Example(f"{NAMES[n % 3]} {n}", NAMES[n % 3]) for n in range(start, start + count)]


def unsure(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
    """Sample as a model does: by the seed, and better with examples or once it is tuned."""
    chance = random.Random(repr((model, prompt, sampling)))
    name = prompt.turns[-1][1].split()[0]
    skill = 0.9 if "endpoints" in model else 0.5 + 0.03 * len(prompt.turns)
    return [
        name if chance.random() < skill else chance.choice([*NAMES, "no idea"])
        for _ in range(sampling.samples)
    ]


class Stage:
    """A world with a dataset, and a run whose one job has ended."""

    def __init__(self, rows: int, settings: dict[str, float] | None = None) -> None:
        self.fakes = fake_world(max_concurrent_jobs=5, **(settings or {}))
        task = Task.model_validate(
            {
                "type": "classification",
                "labels": NAMES,
                "tuning": {"sweep": "single"},
                "prompting": {"strategies": ["nearest-examples"], "examples": 3},
                "evaluation": {"max_rows": rows},
            }
        )
        splits = {
            "train": birds(120, 0),
            "validation": birds(rows + 9, 1000),
            "test": birds(rows + 9, 2000),
        }
        store_dataset(self.fakes, task, splits)
        launch(message("tuning-requested", task="birds"), self.fakes.world, self.fakes.tuning)
        self.fakes.tuning.end_all()
        watch(self.fakes.world, self.fakes.tuning)
        (told,) = self.fakes.publisher.on("tuning-completed")
        self.run = str(told["run"])

    def deliver(self) -> None:
        """Deliver the job's end once, as it stands now."""
        self.fakes.clock.advance(1)
        generator = self.fakes.generator(unsure)
        services = Services(generator, self.fakes.exact_match(), self.fakes.clock.advance)
        event = message("tuning-completed", task="birds", run=self.run)
        handle_event(event, self.fakes.world, services)

    def figures(self) -> dict[str, bytes]:
        """Return everything that was measured, and the verdict but for its time."""
        found = {
            name: self.fakes.artifacts.content(name)
            for name in self.fakes.artifacts.names("tasks/")
            if name.endswith("/evaluation.json")
        }
        verdict = self.fakes.artifacts.json(f"tasks/birds/runs/{self.run}/verdict.json")
        return {**found, "verdict": repr({**verdict, "created": ""}).encode()}


def crash_everywhere(rows: int, step: int) -> int:
    """Let the process die at every step-th point, deliver again, and compare; count the points."""
    wanted = undisturbed(rows).figures()
    assert len(wanted) == 2 + 2 + 1
    point = 1
    while True:
        stage = Stage(rows)
        stage.fakes.faults.crash_at = stage.fakes.faults.points + point
        try:
            stage.deliver()
        except Crash:
            stage.deliver()
        else:
            return point
        assert stage.figures() == wanted, f"after a crash at point {point}"
        point += step


def undisturbed(rows: int) -> Stage:
    stage = Stage(rows)
    stage.deliver()
    return stage


def test_a_crash_at_any_call_leaves_the_same_figures() -> None:
    assert crash_everywhere(rows=10, step=1) > 150


def test_a_crash_at_any_shard_leaves_the_same_figures() -> None:
    assert crash_everywhere(rows=90, step=29) > 700


def test_handing_over_again_and_again_leaves_the_same_figures() -> None:
    wanted = undisturbed(90).figures()
    stage = Stage(90, {"hand_over_after_seconds": 30})
    stage.fakes.faults.fail("generate", Busy("429"), times=7)
    deliveries = 0
    while deliveries == 0 or handed_over(stage.fakes) == deliveries:
        deliver_slowly(stage)
        deliveries += 1
    assert deliveries > 5
    assert stage.figures() == wanted


def handed_over(fakes: FakeWorld) -> int:
    return len(fakes.publisher.on("tuning-completed")) - 1


def deliver_slowly(stage: Stage) -> None:
    """Deliver while every answer takes a second."""

    def slow(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
        stage.fakes.clock.advance(1)
        return unsure(model, prompt, sampling)

    generator = stage.fakes.generator(slow)
    services = Services(generator, stage.fakes.exact_match(), stage.fakes.clock.advance)
    event = message("tuning-completed", task="birds", run=stage.run)
    handle_event(event, stage.fakes.world, services)
