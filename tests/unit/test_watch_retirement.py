"""The tick and base models that retire."""

from datetime import UTC, date, datetime, timedelta

import pytest

from functions.launch_tuning.request import parse_request
from functions.watch_jobs.retirement import successor
from functions.watch_jobs.watch import watch
from shared import paths
from shared.errors import Retry
from shared.models import base_models
from shared.record_store import create
from shared.records import Candidate, ChampionRecord, RunRecord, TaskRecord
from shared.task import Configuration, Task
from tests.fakes import FakeWorld, fake_world, message

OLD = "gemini-3.1-flash-lite"
REGION = "us-central1"
PLAIN = {"type": "classification", "labels": ["owl", "crow"]}
ANEW = Task.model_validate({**PLAIN, "tuning": {"retune_before_retirement": True}})


def last_day() -> date:
    last = base_models()[OLD].retires
    assert last is not None
    return last


def fakes_on(days_before: int) -> FakeWorld:
    fakes = fake_world()
    day = last_day() - timedelta(days=days_before)
    fakes.clock.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return fakes


def crown(
    fakes: FakeWorld,
    task: Task = ANEW,
    base_model: str = OLD,
    kind: str = "tuned",
    name: str = "birds",
) -> None:
    candidate = Candidate(name="tuned-e4-m1-a1", kind=kind, model="e/1", base_model=base_model)
    champion = ChampionRecord(
        task_name=name,
        candidate=candidate,
        task=task,
        dataset="dataset1",
        run="run1",
        at=fakes.clock(),
    )
    create(fakes.artifacts, paths.champion(name), champion)


def tick(fakes: FakeWorld, days: float = 0) -> None:
    fakes.clock.advance(60 + days * 86_400)
    watch(fakes.world, fakes.tuning)


def warnings(capsys: pytest.CaptureFixture[str]) -> int:
    return capsys.readouterr().out.count("a base model retires soon")


def test_a_champion_is_warned_of_once_a_day_from_90_days_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fakes = fakes_on(91)
    crown(fakes)
    tick(fakes)
    assert warnings(capsys) == 0
    tick(fakes, days=1)
    tick(fakes)
    assert warnings(capsys) == 1
    tick(fakes, days=1)
    assert warnings(capsys) == 1


def test_a_champion_on_a_model_that_has_retired_is_warned_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fakes = fake_world()
    crown(fakes, Task.model_validate(PLAIN), "gemini-2.0-flash-001")
    tick(fakes)
    assert warnings(capsys) == 1
    assert fakes.publisher.messages == []


def test_the_champion_is_tuned_anew_once_if_its_task_wants_that() -> None:
    fakes = fakes_on(80)
    crown(fakes)
    tick(fakes)
    tick(fakes)
    (asked,) = fakes.publisher.on("tuning-requested")
    newer = successor(OLD, REGION, fakes.clock().date())
    assert asked == {
        "task": "birds",
        "dataset": "dataset1",
        "base_model": newer,
        "lineage": f"replaces tuned-e4-m1-a1 of run run1: {OLD} retires on {last_day()}",
    }
    parse_request(message("tuning-requested", **asked))


def a_run(base_model: str, dataset: str = "dataset1") -> RunRecord:
    return RunRecord(
        id="run2",
        task_name="birds",
        dataset=dataset,
        base_model=base_model,
        plan=(Configuration(),),
        jobs=("run2-e4-m1-a1",),
        state="refused",
        created=datetime(2026, 11, 1, tzinfo=UTC),
    )


def test_while_there_is_a_run_on_the_newer_model_nothing_is_asked_for() -> None:
    fakes = fakes_on(80)
    newer = successor(OLD, REGION, fakes.clock().date())
    assert newer is not None
    crown(fakes)
    create(fakes.artifacts, paths.run_record("birds", "run2"), a_run(newer))
    for _ in range(3):
        tick(fakes, days=1)
    assert fakes.publisher.on("tuning-requested") == []


def test_a_request_that_led_to_no_run_is_made_again_the_next_day() -> None:
    fakes = fakes_on(80)
    crown(fakes)
    create(fakes.artifacts, paths.run_record("birds", "run2"), a_run(OLD))
    tick(fakes)
    tick(fakes, days=1)
    first, second = fakes.publisher.on("tuning-requested")
    assert first == second


def test_a_request_that_could_not_be_published_is_made_at_the_next_tick() -> None:
    fakes = fakes_on(80)
    crown(fakes)
    fakes.faults.fail("publish tuning-requested", Retry("down"))
    with pytest.raises(Retry):
        tick(fakes)
    tick(fakes)
    assert len(fakes.publisher.on("tuning-requested")) == 1


@pytest.mark.parametrize(
    ("task", "kind"), [(Task.model_validate(PLAIN), "tuned"), (ANEW, "prompting")]
)
def test_nothing_is_tuned_anew_that_was_not_tuned_or_is_not_to_be(task: Task, kind: str) -> None:
    fakes = fakes_on(10)
    crown(fakes, task, kind=kind)
    tick(fakes)
    assert fakes.publisher.on("tuning-requested") == []


def test_the_task_as_it_is_now_decides() -> None:
    fakes = fakes_on(10)
    crown(fakes)
    now = TaskRecord(
        name="birds", task=Task.model_validate(PLAIN), source="task.yaml", source_generation=1
    )
    create(fakes.artifacts, paths.task_record("birds"), now)
    tick(fakes)
    assert fakes.publisher.on("tuning-requested") == []


def test_a_champion_that_cannot_be_read_does_not_hide_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fakes = fakes_on(80)
    fakes.artifacts.put(paths.champion("ants"), "{")
    crown(fakes, name="bees")
    fakes.artifacts.put(paths.run_record("bees", "run2"), "{")
    crown(fakes)
    tick(fakes)
    out = capsys.readouterr().out
    assert out.count("a record needs a person") == 2
    assert out.count("a base model retires soon") == 2
    assert [asked["task"] for asked in fakes.publisher.on("tuning-requested")] == ["birds"]


def test_the_successor_is_newer_stays_longer_and_costs_about_the_same() -> None:
    known = base_models()
    early = last_day() - timedelta(days=200)
    newer = successor(OLD, REGION, early)
    assert newer is not None
    assert list(known).index(newer) < list(known).index(OLD)
    assert known[newer].training_price == known[OLD].training_price
    assert successor(next(iter(known)), REGION, early) is None
    assert successor(OLD, "mars-north1", early) is None
    assert successor(OLD, REGION, date(2100, 1, 1)) is None
    assert successor("gemini-2.0-flash-001", REGION, early) == next(iter(known))
