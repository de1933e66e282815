"""The scenarios: one request, two that compete for money, a cancellation, an approval, a switch."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.launch_tuning.launch import launch
from functions.watch_jobs.watch import STEPS
from shared.examples import Example
from shared.ports import TuningService, World
from shared.record_store import encode
from shared.records import TaskRecord
from shared.settings import Settings
from shared.task import Task
from tests.fakes import START, fake_settings, fake_world, store_dataset
from tests.simulation.cloud import Cloud, perform
from tests.simulation.programs import Library, Program, Seeding, Work
from tests.simulation.scenario import Bounds, Scenario, objects

ONE: list[dict[str, Any]] = [{"epoch_count": 4}]
TWO: list[dict[str, Any]] = [{"epoch_count": 4}, {"epoch_count": 8}]
CAP = 10.0
"""US dollars: a run of ONE reserves 7.50."""

SECONDS_TO_DECEMBER = int((datetime(2026, 12, 1, tzinfo=UTC) - START).total_seconds())
Step = Callable[[World, TuningService], None]


def push(function: str, topic: str, data: dict[str, Any]) -> bytes:
    """Make the body of a Pub/Sub push."""
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    return json.dumps(
        {
            "subscription": f"projects/p/subscriptions/{function.replace('_', '-')}.{topic}",
            "message": {"data": encoded, "messageId": "1"},
        }
    ).encode()


def request(
    settings: Settings, ports: Seeding | None = None, task: str = "birds", **data: Any
) -> Program:
    """Make the program of a message on tuning-requested."""
    topic, function = "tuning-requested", "launch_tuning"
    body = push(function, topic, {"task": task, **data})
    return Program(function, topic, body, launch, settings, ports)


def tick(settings: Settings, ports: Seeding | None = None) -> Program:
    """Make the program of a scheduler tick."""
    topic, function = "scheduler-tick", "watch_jobs"
    body = push(function, topic, {})
    program: Program | None = None
    for step in reversed(STEPS):
        program = Program(function, topic, body, _part(step), settings, ports, program)
    assert program is not None
    return program


def _part(step: Step) -> Work:
    return lambda _event, world, tuning: step(world, tuning)


@cache
def cloud(tasks: tuple[str, ...] = ("birds",), budget: float = 50.0) -> Cloud:
    """Make a cloud with one converted dataset a task, and nothing going on."""
    fakes = fake_world()
    for name in tasks:
        task = Task.model_validate(
            {
                "type": "classification",
                "labels": ["owl", "crow"],
                "tuning": {"budget_usd": budget, "over_budget": "ask", "max_concurrent_jobs": 5},
            }
        )
        splits = {"train": [Example("hoot", "owl")], "validation": [Example("caw", "crow")]}
        store_dataset(fakes, task, splits, name=name, training_tokens=1_000_000)
        record = TaskRecord(name=name, task=task, source="", source_generation=1)
        fakes.artifacts.put(f"tasks/{name}/task.json", encode(record))
    files = {name: fakes.artifacts.content(name) for name in fakes.artifacts.names()}
    return Cloud(objects(files), tokens=1_000_000)


def one_job(bounds: Bounds, ports: Seeding | None = None) -> Scenario:
    """One job of a run that is recorded: what both functions do to start and follow it."""
    settings = fake_settings(max_concurrent_jobs=5)
    recorded = after(cloud(), request(fake_settings(max_concurrent_jobs=0), sweep=ONE))
    return Scenario("one job", recorded, (), look(settings, ports), bounds)


def two_jobs(bounds: Bounds, ports: Seeding | None = None) -> Scenario:
    """Two jobs of a recorded run, and room for one at the service."""
    settings = fake_settings(max_concurrent_jobs=5)
    recorded = after(cloud(), request(fake_settings(max_concurrent_jobs=0), sweep=TWO))
    return Scenario(
        "two jobs, room for one", replace(recorded, quota=1), (), look(settings, ports), bounds
    )


def one_request(bounds: Bounds, ports: Seeding | None = None) -> Scenario:
    """A request, from its front door to the end of its job."""
    settings = fake_settings(max_concurrent_jobs=5)
    messages = (request(settings, ports, sweep=ONE),)
    return Scenario("one request", cloud(), messages, tick(settings, ports), bounds)


def two_budgets(bounds: Bounds, ports: Seeding | None = None) -> Scenario:
    """Two requests, and money for one of them."""
    settings = fake_settings(max_concurrent_jobs=5, budget_usd_per_month=CAP)
    messages = tuple(request(settings, ports, task=task, sweep=ONE) for task in ("birds", "trees"))
    return Scenario(
        "two requests, money for one",
        cloud(("birds", "trees")),
        messages,
        tick(settings, ports),
        bounds,
        cap=CAP,
    )


def cancelled(bounds: Bounds, ports: Seeding | None = None) -> Scenario:
    """A run that a person cancels while its job is started."""
    settings = fake_settings(max_concurrent_jobs=5)
    recorded = after(cloud(), request(fake_settings(max_concurrent_jobs=0), sweep=ONE))
    stop = request(settings, ports, cancel=run_of(recorded))
    return Scenario("cancelled", recorded, (stop,), tick(settings, ports), bounds, each_once=False)


def approved(bounds: Bounds, ports: Seeding | None = None) -> Scenario:
    """A run that waits for a person, who approves it while it is asked for again."""
    settings = fake_settings(max_concurrent_jobs=5)
    asked = request(settings, ports, sweep=ONE, budget_usd=1)
    waiting = after(cloud(), asked)
    yes = request(settings, ports, approve=run_of(waiting))
    return Scenario("approved", waiting, (yes, asked), look(settings, ports), bounds)


def switched(bounds: Bounds, ports: Seeding | None = None) -> Scenario:
    """A kill switch that is put on and taken away while a job is started."""
    return replace(one_job(bounds, ports), name="kill switch")


def month_end(bounds: Bounds, ports: Seeding | None = None) -> Scenario:
    """A request in the last seconds of a month, with a ledger for each month."""
    settings = fake_settings(max_concurrent_jobs=5, budget_usd_per_month=CAP)
    messages = (request(settings, ports, sweep=ONE),)
    late = replace(cloud(), now=SECONDS_TO_DECEMBER - 60)
    return Scenario("month end", late, messages, tick(settings, ports), bounds, cap=CAP)


def everything(bounds: Bounds, ports: Seeding | None = None) -> Scenario:
    """Two requests of two jobs each, with room for two at the service; for random paths."""
    settings = fake_settings(max_concurrent_jobs=3, budget_usd_per_month=5 * CAP)
    messages = tuple(request(settings, ports, task=task, sweep=TWO) for task in ("birds", "trees"))
    return Scenario(
        "everything at once",
        replace(cloud(("birds", "trees")), quota=2),
        messages,
        tick(settings, ports),
        bounds,
        cap=5 * CAP,
        ends_any_time=True,
    )


def look(settings: Settings, ports: Seeding | None = None) -> Program:
    """Make the program of the part of a tick that starts and follows jobs."""
    topic, function = "scheduler-tick", "watch_jobs"
    return Program(function, topic, push(function, topic, {}), _part(STEPS[0]), settings, ports)


def run_of(cloud: Cloud) -> str:
    """Return the id of the only run that is recorded."""
    (name,) = (name for name in cloud.objects if name.endswith("/run.json"))
    return name.split("/")[3]


def after(cloud: Cloud, program: Program) -> Cloud:
    """Return a cloud as a delivery leaves it that nothing disturbs."""
    library = Library()
    node = library.begin(program, cloud.now)
    while node.call is not None:
        cloud, heard = perform(cloud, node.call)
        node = library.go_on(node, heard, cloud.now)
    return cloud
