"""Who may take a champion's place."""

from datetime import timedelta

import pytest

from functions.evaluate_model.promote import promote, promote_by_hand
from functions.evaluate_model.rollback import earlier_champions, roll_back
from shared import paths
from shared.errors import Rejected
from shared.record_store import create, read
from shared.records import (
    Calibration,
    Candidate,
    ChampionRecord,
    EvaluationRecord,
    Promotion,
    RemovedEndpoints,
    TaskRecord,
)
from shared.task import Task
from tests.fakes import START, FakeWorld, fake_world, store_dataset

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
OTHER = Task.model_validate({"type": "classification", "labels": ["owl", "crow", "heron"]})
PROMPT = Candidate(name="few-shot", kind="prompting", model="locations/us/m", base_model="m")


def tuned(run: str) -> Candidate:
    return Candidate(
        name="tuned-e4-m1-a1", kind="tuned", model=f"endpoint-{run}", base_model="m", run=run
    )


def champion(fakes: FakeWorld) -> Candidate:
    record = read(fakes.artifacts, paths.champion("birds"), ChampionRecord)
    assert record is not None
    return record.candidate


def measured(fakes: FakeWorld, candidate: Candidate, dataset: str, **asked: float) -> None:
    record = EvaluationRecord(
        candidate=candidate,
        dataset=dataset,
        split="validation",
        n=1,
        metrics={"exact_match": 1.0},
        per_label={},
        confusions=(),
        invalid=0,
        service_exact_match=1.0,
        row_scores=(1.0,),
        prompt_tokens=1,
        answer_tokens=1,
    )
    folder = f"tasks/birds/runs/{candidate.run or 'none'}/evaluations/{candidate.name}"
    folder += "".join(f"-{name}{value:g}" for name, value in asked.items())
    record = EvaluationRecord.model_validate({**record.model_dump(), **asked})
    create(fakes.artifacts, f"{folder}/evaluation.json", record)


@pytest.mark.parametrize("dataset", ["dataset1", "dataset2"])
def test_a_prompt_that_was_not_compared_with_it_never_displaces_a_tuned_model(dataset: str) -> None:
    fakes = fake_world()
    promote(fakes.world, store_dataset(fakes, TASK, {}, identifier="dataset1"), tuned("a"), START)
    later = START + timedelta(hours=1)
    now = store_dataset(fakes, TASK, {}, identifier=dataset)
    promote(fakes.world, now, PROMPT, later, displaces_tuned=False)
    assert champion(fakes) == tuned("a")


def test_a_prompt_that_answers_a_new_question_displaces_a_model_that_cannot() -> None:
    fakes = fake_world()
    promote(fakes.world, store_dataset(fakes, TASK, {}, identifier="dataset1"), tuned("a"), START)
    later = START + timedelta(hours=1)
    now = store_dataset(fakes, OTHER, {}, identifier="dataset2")
    promote(fakes.world, now, PROMPT, later, displaces_tuned=False)
    assert champion(fakes) == PROMPT


def test_of_two_runs_models_with_one_name_a_person_says_which() -> None:
    fakes = fake_world()
    store_dataset(fakes, TASK, {}, identifier="dataset1")
    for run in ("run1", "run2"):
        measured(fakes, tuned(run), "dataset1")
    with pytest.raises(Rejected, match="run1, run2"):
        promote_by_hand(fakes.world, "birds", "dataset1", "tuned-e4-m1-a1", "", START)
    promote_by_hand(fakes.world, "birds", "dataset1", "tuned-e4-m1-a1", "run2", START)
    assert champion(fakes) == tuned("run2")


def line(candidate: str, by: str = "verdict") -> Promotion:
    return Promotion.model_validate(
        {"candidate": candidate, "dataset": "d", "run": "", "at": START, "by": by}
    )


@pytest.mark.parametrize(
    ("history", "earlier"),
    [
        (["a"], []),
        (["a", "b"], ["a"]),
        (["a", "b", "c"], ["b", "a"]),
        (["a", "b", "a"], ["b", "a"]),
        (["a", "b", "c", "<b"], ["a"]),
        (["a", "b", "c", "<b", "<a"], []),
        (["a", "b", "<a", "c"], ["a"]),
        (["a", "b", "c", "<a"], []),
        (["b", "c", "<a"], []),
    ],
)
def test_a_rollback_takes_away_what_it_went_back_over(
    history: list[str], earlier: list[str]
) -> None:
    lines = [line(name.strip("<"), "rollback" if "<" in name else "hand") for name in history]
    assert [item.candidate for item in earlier_champions(lines)] == earlier


def three_champions() -> FakeWorld:
    """Let a prompt, the model of run a and then that of run b serve, an hour each."""
    fakes = fake_world()
    dataset = store_dataset(fakes, TASK, {}, identifier="dataset1")
    for hour, candidate in enumerate((PROMPT, tuned("a"), tuned("b"))):
        measured(fakes, candidate, "dataset1")
        promote(fakes.world, dataset, candidate, START + timedelta(hours=hour))
    return fakes


def test_a_rollback_brings_back_the_champion_before_and_a_second_one_that_before_it() -> None:
    fakes = three_champions()
    roll_back(fakes.world, "birds", START + timedelta(hours=5))
    assert champion(fakes) == tuned("a")
    roll_back(fakes.world, "birds", START + timedelta(hours=6))
    assert champion(fakes) == PROMPT
    with pytest.raises(Rejected, match="nothing served before few-shot"):
        roll_back(fakes.world, "birds", START + timedelta(hours=7))
    record = read(fakes.artifacts, paths.champion("birds"), ChampionRecord)
    assert record is not None
    assert [item.by for item in record.history] == ["verdict"] * 3 + ["rollback"] * 2


def test_a_rollback_that_is_delivered_twice_goes_back_once() -> None:
    fakes = three_champions()
    for _ in range(2):
        roll_back(fakes.world, "birds", START + timedelta(hours=5))
    assert champion(fakes) == tuned("a")


def test_a_rollback_passes_over_a_model_whose_endpoint_was_given_up() -> None:
    fakes = three_champions()
    given_up = RemovedEndpoints(given_up={tuned("a").model: START})
    fakes.artifacts.put(paths.removed_endpoints("birds", "a"), given_up.model_dump_json())
    roll_back(fakes.world, "birds", START + timedelta(hours=5))
    assert champion(fakes) == PROMPT


def test_a_task_without_a_champion_cannot_be_rolled_back() -> None:
    with pytest.raises(Rejected, match="has no champion"):
        roll_back(fake_world().world, "birds", START)


def test_a_champion_carries_its_calibration_also_when_a_person_promotes_it() -> None:
    fakes = fake_world()
    dataset = store_dataset(fakes, TASK, {}, identifier="dataset1")
    fitted = Calibration(method="platt", slope=2, intercept=-1, n=300)
    promote(fakes.world, dataset, PROMPT, START, calibration=fitted)
    record = read(fakes.artifacts, paths.champion("birds"), ChampionRecord)
    assert record is not None
    assert record.calibration == fitted
    measured(fakes, tuned("a"), "dataset1")
    later = START + timedelta(hours=1)
    promote_by_hand(fakes.world, "birds", "dataset1", "tuned-e4-m1-a1", "", later)
    record = read(fakes.artifacts, paths.champion("birds"), ChampionRecord)
    assert record is not None
    assert record.calibration is not None
    assert record.calibration.method == "none"
    assert "it takes 50" in record.calibration.reason


@pytest.mark.parametrize(
    ("serving", "chosen"),
    [
        ({"samples": 8}, (8, 0.7, 0.95)),
        ({"samples": 3}, (3, 0.7, 0.95)),
        ({"samples": 8, "temperature": 0.2}, (8, 0.2, 0.95)),
        ({"samples": 8, "stop_at": 1.0}, (8, 0.7, 1.0)),
        ({"samples": 6}, (3, 0.7, 0.95)),
    ],
)
def test_a_person_s_champion_is_calibrated_for_how_documents_are_asked(
    serving: dict[str, float], chosen: tuple[int, float, float]
) -> None:
    fakes = fake_world()
    store_dataset(fakes, TASK, {}, identifier="dataset1")
    for samples, temperature, stop_at, n in (
        (3, 0.7, 0.95, 300),
        (8, 0.7, 0.95, 60),
        (8, 0.2, 0.95, 60),
        (8, 0.7, 1.0, 60),
    ):
        asked = {"samples": samples, "temperature": temperature, "stop_at": stop_at}
        measured(fakes, PROMPT, "dataset1", **asked, n=n)
    now = Task.model_validate({**TASK.model_dump(), "serving": serving})
    record = TaskRecord(name="birds", task=now, source="task.yaml", source_generation=2)
    fakes.artifacts.put(paths.task_record("birds"), record.model_dump_json())
    promote_by_hand(fakes.world, "birds", "dataset1", PROMPT.name, "", START)
    champion = read(fakes.artifacts, paths.champion("birds"), ChampionRecord)
    assert champion is not None
    fitted = champion.calibration
    assert fitted is not None
    assert (fitted.samples, fitted.temperature, fitted.stop_at) == chosen
