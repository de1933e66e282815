"""How much further training examples help, by what a task's runs have reached."""

import pytest

from functions.evaluate_model.growth import Size, growth, other_sizes
from functions.evaluate_model.next_steps import next_steps
from functions.evaluate_model.statistics.intervals import wilson
from shared.records import VerdictRecord
from tests.fakes import FakeWorld, fake_world
from tests.unit.test_next_steps import BIRDS, RIGHT, dataset, measured
from tests.unit.test_verdict import verdict


def size(examples: int, right: int, of: int = 300) -> Size:
    return Size(examples, right / of, wilson(right, of))


def test_the_gain_of_two_datasets_is_their_difference_for_each_doubling() -> None:
    found = growth([size(800, 255), size(200, 195)])
    assert found is not None
    assert found.gain == pytest.approx(0.1)
    # The error of a difference, halved for two doublings.
    assert found.interval.high - found.gain == pytest.approx(0.034, abs=0.004)
    assert [each.examples for each in found.sizes] == [200, 800]


def test_the_line_goes_on_to_the_target_and_not_far_beyond_what_was_seen() -> None:
    found = growth([size(200, 195), size(400, 225), size(800, 255)])
    assert found is not None
    assert found.needed_for(0.95) == pytest.approx(1600, abs=2)
    assert found.needed_for(0.5) is None
    slow = growth([size(100, 1500, 3000), size(1600, 1800, 3000)])
    assert slow is not None
    assert slow.needed_for(0.95) is None


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [size(200, 195)],
        [size(200, 195), size(250, 255)],
        [size(200, 240), size(800, 246)],
        [size(200, 255), size(800, 195)],
    ],
    ids=["none", "one", "alike in size", "chance", "falling"],
)
def test_where_no_rise_is_sure_there_is_no_growth(sizes: list[Size]) -> None:
    assert growth(sizes) is None


def store(fakes: FakeWorld, run: str, of: str, train: int, found: VerdictRecord) -> None:
    home = "tasks/birds"
    record = dataset(train=train).model_copy(update={"id": of})
    told = found.model_copy(update={"run": run, "dataset": of})
    for path, item in (
        (f"{home}/datasets/{of}/dataset.json", record),
        (f"{home}/runs/{run}/verdict.json", told),
    ):
        fakes.artifacts.write(path, item.model_dump_json().encode())


def test_of_each_other_dataset_the_best_tuned_model_on_test_counts() -> None:
    fakes = fake_world()
    found = verdict(wins=12, losses=1)
    tuned = next(item for item in found.figures if item.kind == "tuned")
    better = found.model_copy(
        update={"figures": (tuned.model_copy(update={"metrics": {"exact_match": 0.99}}),)}
    )
    store(fakes, "run1", "small", 100, found)
    store(fakes, "run2", "small", 100, better)
    store(fakes, "run3", "this", 400, found)
    store(fakes, "run4", "other metric", 400, found.model_copy(update={"metric": "macro_f1"}))
    fakes.artifacts.write("tasks/birds/runs/run5/verdict.json", b"{}")
    (only,) = other_sizes(fakes.artifacts, "birds", "this", "exact_match")
    assert (only.examples, only.value) == (100, 0.99)


def test_a_next_step_says_what_more_examples_have_done() -> None:
    one = measured([*RIGHT, ("owl", "heron"), ("crow", "heron"), ("heron", "owl")])
    grown = growth([size(200, 195), size(400, 225)])
    steps = next_steps(dataset(), BIRDS, one.candidate, [one], None, grown)
    (step,) = [item for item in steps if item.kind == "too_little_data"]
    assert step.title == "More examples have helped: 10.0 points of exact_match with each doubling"
    assert "On 200 training examples the best tuned model of a run reached 0.650" in step.detail
    assert "needs about 1,132 of them" in step.detail
