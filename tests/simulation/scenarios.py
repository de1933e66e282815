"""Where simulations begin: the requests, the datasets and the limits."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shared import paths
from shared.examples import Example
from shared.settings import Settings
from shared.task import Configuration, Task, Tuning
from tests.fakes import fake_settings, fake_world, store_dataset
from tests.simulation.cloud import Cloud, Posted

LEASE = 60
ONE: tuple[dict[str, int], ...] = ({"epoch_count": 1},)
TWO: tuple[dict[str, int], ...] = ({"epoch_count": 1}, {"epoch_count": 2})


def request(task: str = "birds", identifier: str = "1", **more: object) -> Posted:
    """Make a message on tuning-requested."""
    text = json.dumps({"task": task, "dataset": "dataset1", **more}, sort_keys=True)
    return Posted("tuning-requested", text, identifier)


def cancellation() -> Posted:
    """Make the message that cancels the run of `request(sweep=ONE)`."""
    plan = [Configuration.model_validate(item) for item in ONE]
    run = paths.run_id("dataset1", Tuning().base_model, plan)
    return Posted("tuning-requested", json.dumps({"task": "birds", "cancel": run}), "3")


@dataclass(frozen=True)
class Scenario:
    """What is there at the beginning.

    Attributes:
        name: What it is called.
        requests: The messages that people sent.
        tasks: The tasks that they are about.
        quota: How many jobs the service runs at the same time.
        overrides: Settings that differ from the usual ones.
        training_tokens: The size of each dataset.
        recorded: Whether the requests are recorded already, with nothing started.
        then: Messages that people send once the requests are recorded.
    """

    name: str
    requests: tuple[Posted, ...]
    tasks: tuple[str, ...] = ("birds",)
    quota: int = 2
    overrides: dict[str, Any] = field(default_factory=dict)
    training_tokens: int = 10_000
    recorded: bool = False
    then: tuple[Posted, ...] = ()

    def settings(self) -> Settings:
        """Make the deployment's settings."""
        return self._settings

    @cached_property
    def _settings(self) -> Settings:
        values = {"lease_seconds": LEASE, "revive_after_seconds": 300, "max_concurrent_jobs": 2}
        return fake_settings(**{**values, **self.overrides})

    def cloud(self) -> Cloud:
        """Make the cloud: every task has a dataset, and the requests wait."""
        cloud = Cloud(self.quota)
        fakes = fake_world()
        task = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
        splits = {"train": [Example("hoot", "owl")], "validation": [Example("caw", "crow")]}
        for name in self.tasks:
            store_dataset(fakes, task, splits, name, training_tokens=self.training_tokens)
            path = paths.dataset_record(name, "dataset1")
            cloud.put(path, fakes.artifacts.content(path))
        for message in self.requests:
            cloud.keep(message)
        return cloud


ONE_JOB = Scenario("one job", (request(sweep=ONE),))
RECORDED = Scenario("one job, recorded", (request(sweep=ONE),), recorded=True)
TWO_JOBS = Scenario("two jobs, room for one", (request(sweep=TWO),), quota=1)
ASKED_TWICE = Scenario("asked twice", (request(sweep=ONE), request(sweep=ONE, identifier="2")))
ONE_OF_TWO = Scenario(
    "two tasks, money for one",
    (request("birds", sweep=ONE), request("trees", "2", sweep=ONE)),
    tasks=("birds", "trees"),
    overrides={"budget_usd_per_month": 0.02},
)
CANCELLED = Scenario(
    "one job, recorded, then cancelled",
    (request(sweep=ONE),),
    recorded=True,
    then=(cancellation(),),
)
SCENARIOS = {
    item.name: item for item in (ONE_JOB, RECORDED, TWO_JOBS, ASKED_TWICE, ONE_OF_TWO, CANCELLED)
}
