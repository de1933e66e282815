"""Which tuned endpoints are removed, and which never are."""

import random
from datetime import timedelta

import pytest

from functions.evaluate_model.promote import promote
from shared import open_work, paths
from shared.candidates import tuned_candidates
from shared.endpoints import (
    PROMISE,
    give_up_losers,
    is_given_up,
    promise,
    remove_given_up,
)
from shared.errors import Rejected, Retry
from shared.record_store import create, read
from shared.records import (
    Candidate,
    ChampionRecord,
    CheckpointRecord,
    JobRecord,
    RemovedEndpoints,
    RunRecord,
    VerdictRecord,
)
from shared.task import Configuration, Task
from tests.fakes import START, Crash, FakeWorld, fake_world, store_dataset

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
PROMPT = Candidate(name="few-shot", kind="prompting", model="locations/us/m", base_model="m")
SWEEP = (Configuration(epoch_count=2), Configuration(epoch_count=4))


def by_hand() -> Task:
    return Task.model_validate({**TASK.model_dump(), "evaluation": {"promote": "by_hand"}})


def keep_all() -> Task:
    return Task.model_validate({**TASK.model_dump(), "tuning": {"keep_endpoints": "all"}})


def store_run(fakes: FakeWorld, name: str, state: str = "closed", epochs: int = 0) -> list[str]:
    """Record a run of two jobs, and return the names of its candidates."""
    jobs = tuple(f"{name}-{number}" for number in range(2))
    run = RunRecord.model_validate(
        {
            "id": name,
            "task_name": "birds",
            "dataset": "dataset1",
            "base_model": "m",
            "plan": SWEEP,
            "jobs": jobs,
            "state": state,
            "created": START,
        }
    )
    create(fakes.artifacts, paths.run_record("birds", name), run)
    for job, configuration in zip(jobs, SWEEP, strict=True):
        record = JobRecord(
            id=job,
            run=name,
            task_name="birds",
            dataset="dataset1",
            base_model="m",
            configuration=configuration,
            state="succeeded",
            endpoint=f"endpoint-{job}",
            checkpoints=tuple(
                CheckpointRecord(id=str(n), epoch=n, step=n, endpoint=f"endpoint-{job}-epoch{n}")
                for n in range(1, epochs + 1)
            ),
            created=START,
        )
        create(fakes.artifacts, paths.job_record("birds", name, job), record)
    return [f"endpoint-{job}" for job in jobs]


def candidate(fakes: FakeWorld, run: str, number: int = 0) -> Candidate:
    record = read(fakes.artifacts, paths.job_record("birds", run, f"{run}-{number}"), JobRecord)
    assert record is not None
    return tuned_candidates(record)[0]


def serve(fakes: FakeWorld, *candidates: Candidate) -> None:
    """Promote candidates one after the other."""
    dataset = store_dataset(fakes, TASK, {})
    for item in candidates:
        fakes.clock.advance(1)
        promote(fakes.world, dataset, item, fakes.clock())


def tidy(fakes: FakeWorld, policy: Task = TASK) -> list[str]:
    fakes.clock.advance((PROMISE + timedelta(seconds=1)).total_seconds())
    give_up_losers(fakes.world, "birds", policy)
    remove_given_up(fakes.world, fakes.tuning)
    return sorted(fakes.tuning.removed)


def test_losers_lose_their_endpoints_and_the_champion_keeps_its_own() -> None:
    fakes = fake_world()
    store_run(fakes, "run1", epochs=2)
    serve(fakes, candidate(fakes, "run1"))
    assert tidy(fakes) == [
        "endpoint-run1-0-epoch1",
        "endpoint-run1-0-epoch2",
        "endpoint-run1-1",
        "endpoint-run1-1-epoch1",
        "endpoint-run1-1-epoch2",
    ]
    assert fakes.artifacts.names("open/") == []
    assert tidy(fakes) == sorted(fakes.tuning.removed)
    assert len(fakes.tuning.removed) == 5


def test_the_one_that_served_before_keeps_its_endpoint_for_a_rollback() -> None:
    fakes = fake_world()
    for run in ("run1", "run2", "run3"):
        store_run(fakes, run)
    first, second, third = (candidate(fakes, run) for run in ("run1", "run2", "run3"))
    serve(fakes, first, second, third)
    removed = tidy(fakes)
    assert first.model in removed
    assert second.model not in removed
    assert third.model not in removed
    serve(fakes, second)
    assert not {second.model, third.model} & set(tidy(fakes))


def test_an_open_run_keeps_everything() -> None:
    fakes = fake_world()
    store_run(fakes, "run1", "open")
    serve(fakes, PROMPT)
    assert tidy(fakes) == []


@pytest.mark.parametrize("champion", [None, PROMPT])
def test_nothing_is_removed_while_nothing_serves(champion: Candidate | None) -> None:
    fakes = fake_world()
    endpoints = store_run(fakes, "run1")
    serve(fakes, *([champion] if champion else []))
    assert tidy(fakes) == (endpoints if champion else [])


def test_a_task_may_keep_all_endpoints() -> None:
    fakes = fake_world()
    store_run(fakes, "run1")
    serve(fakes, PROMPT)
    assert tidy(fakes, keep_all()) == []


def test_what_a_person_is_still_to_decide_on_is_kept() -> None:
    fakes = fake_world()
    endpoints = store_run(fakes, "run1")
    serve(fakes, PROMPT)
    verdict = VerdictRecord(
        task_name="birds",
        dataset="dataset1",
        run="run1",
        basis="b",
        decision="promote_tuned",
        winner="tuned-e2-m1-a1",
        metric="exact_match",
        target=0.9,
        target_met=True,
        reason="it is better",
        figures=(),
        created=fakes.clock() + timedelta(seconds=10),
    )
    create(fakes.artifacts, "tasks/birds/runs/run1/verdict.json", verdict)
    assert tidy(fakes, by_hand()) == []
    serve(fakes, candidate(fakes, "run1"))
    assert tidy(fakes, by_hand()) == endpoints[1:]


def test_a_model_whose_endpoint_was_given_up_cannot_be_promoted_and_the_reason_is_told() -> None:
    fakes = fake_world()
    store_run(fakes, "run1")
    serve(fakes, PROMPT)
    tidy(fakes)
    with pytest.raises(Rejected, match="given up on 2026-11-01") as caught:
        serve(fakes, candidate(fakes, "run1"))
    assert "tuning-requested" in caught.value.remedy
    champion = read(fakes.artifacts, paths.champion("birds"), ChampionRecord)
    assert champion is not None
    assert champion.candidate == PROMPT


def test_what_is_about_to_be_promoted_is_not_given_up() -> None:
    fakes = fake_world()
    store_run(fakes, "run1")
    serve(fakes, PROMPT)
    soon = candidate(fakes, "run1")
    promise(fakes.world, "birds", soon)
    give_up_losers(fakes.world, "birds", TASK)
    assert not is_given_up(fakes.world, "birds", soon)
    fakes.clock.advance(PROMISE.total_seconds() + 1)
    give_up_losers(fakes.world, "birds", TASK)
    assert is_given_up(fakes.world, "birds", soon)


def test_a_removal_that_takes_long_is_gone_on_with_later() -> None:
    fakes = fake_world()
    endpoints = store_run(fakes, "run1")
    serve(fakes, PROMPT)
    fakes.faults.fail("remove_endpoint", Retry("still being removed"))
    assert tidy(fakes) == endpoints[1:]
    assert [item.id for item in open_work.each(fakes.world, "endpoints")] == ["run1"]
    remove_given_up(fakes.world, fakes.tuning)
    assert sorted(fakes.tuning.removed) == endpoints
    assert fakes.artifacts.names("open/") == []


def test_an_endpoint_that_cannot_be_removed_does_not_keep_the_others() -> None:
    fakes = fake_world()
    endpoints = store_run(fakes, "run1")
    serve(fakes, PROMPT)
    fakes.faults.fail("remove_endpoint", Rejected("not allowed"))
    assert tidy(fakes) == endpoints[1:]
    assert fakes.artifacts.names("open/endpoints/") != []


def test_a_crash_at_any_call_leaves_work_that_the_next_time_finishes() -> None:
    point, crashed = 0, True
    while crashed:
        point += 1
        fakes = fake_world()
        endpoints = store_run(fakes, "run1")
        serve(fakes, PROMPT)
        fakes.faults.crash_at = fakes.faults.points + point
        crashed = False
        try:
            tidy(fakes)
        except Crash:
            crashed = True
        fakes.faults.crash_at = None
        tidy(fakes)
        record = read(fakes.artifacts, paths.removed_endpoints("birds", "run1"), RemovedEndpoints)
        assert record is not None
        assert sorted(record.gone) == endpoints
        assert set(fakes.tuning.removed) == set(endpoints)
        assert fakes.artifacts.names("open/") == []
    assert point > 20


@pytest.mark.parametrize("seed", range(200))
def test_no_interleaving_removes_the_champions_endpoint(seed: int) -> None:
    """At one call of a promotion a whole removal happens, or the other way round."""
    chance = random.Random(seed)
    fakes = fake_world()
    endpoints = store_run(fakes, "run1")
    serve(fakes, PROMPT)
    dataset = store_dataset(fakes, TASK, {}, identifier="dataset2")
    wanted = candidate(fakes, "run1", chance.randrange(2))
    fakes.clock.advance(1)

    def promotion() -> None:
        try:
            promote(fakes.world, dataset, wanted, fakes.clock())
        except Rejected:
            assert is_given_up(fakes.world, "birds", wanted)

    def removal() -> None:
        give_up_losers(fakes.world, "birds", TASK)
        remove_given_up(fakes.world, fakes.tuning)

    first, second = chance.sample([promotion, removal], 2)
    fakes.faults.interrupt(chance.randrange(1, 40), second)
    first()
    champion = read(fakes.artifacts, paths.champion("birds"), ChampionRecord)
    assert champion is not None
    assert champion.candidate.model not in fakes.tuning.removed
    assert set(fakes.tuning.removed) <= set(endpoints)
