"""Where everything is kept, and ids that follow from content."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import paths
from shared.errors import Rejected
from shared.task import TASK_NAME, Configuration


@pytest.mark.parametrize(
    ("name", "task"),
    [("birds/data.csv", "birds"), ("a-1_b/x/y.txt", "a-1_b"), ("0/x", "0")],
)
def test_an_objects_first_folder_is_its_task(name: str, task: str) -> None:
    assert paths.task_of(name) == task


@pytest.mark.parametrize(
    "name", ["data.csv", "/data.csv", "Birds/x", "../x", "-a/x", "é/x", f"{'a' * 41}/x", "a b/x"]
)
def test_an_object_elsewhere_is_rejected_with_the_remedy(name: str) -> None:
    with pytest.raises(Rejected) as caught:
        paths.task_of(name)
    assert caught.value.remedy


@settings(deadline=None)
@given(st.text(max_size=20))
def test_no_name_leads_out_of_the_tasks_folder(name: str) -> None:
    try:
        task = paths.task_of(name)
    except Rejected:
        return
    assert TASK_NAME.fullmatch(task)
    assert "/" not in task
    assert "." not in task


def test_the_same_content_has_the_same_id() -> None:
    assert paths.content_id("a", {"x": 1, "y": 2}) == paths.content_id("a", {"y": 2, "x": 1})
    assert paths.content_id("a", "b") != paths.content_id("ab")
    assert paths.content_id("a", "b") != paths.content_id("b", "a")


def test_anything_that_makes_a_dataset_another_one_changes_its_id() -> None:
    first = paths.dataset_id("datasets", "birds/a.csv", 1, {"type": "classification"})
    others = [
        paths.dataset_id("others", "birds/a.csv", 1, {"type": "classification"}),
        paths.dataset_id("datasets", "birds/b.csv", 1, {"type": "classification"}),
        paths.dataset_id("datasets", "birds/a.csv", 2, {"type": "classification"}),
        paths.dataset_id("datasets", "birds/a.csv", 1, {"type": "sentiment"}),
    ]
    assert len({first, *others}) == 5


def test_the_order_of_a_plan_and_its_model_are_part_of_a_runs_id() -> None:
    plan = [Configuration(epoch_count=1), Configuration(epoch_count=2)]
    ids = {
        paths.run_id("d", "m", plan),
        paths.run_id("d", "m", plan[::-1]),
        paths.run_id("d", "n", plan),
        paths.run_id("e", "m", plan),
    }
    assert len(ids) == 4


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 100), st.sampled_from([0.001, 0.1, 0.25, 1.0, 1.5, 10.0])),
    st.tuples(st.integers(1, 100), st.sampled_from([0.001, 0.1, 0.25, 1.0, 1.5, 10.0])),
)
def test_two_configurations_never_share_a_name(
    first: tuple[int, float], second: tuple[int, float]
) -> None:
    names = [
        paths.configuration_name(Configuration(epoch_count=epochs, learning_rate_multiplier=rate))
        for epochs, rate in (first, second)
    ]
    assert (names[0] == names[1]) == (first == second)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)


def test_rates_that_differ_late_do_not_share_a_name() -> None:
    names = {
        paths.configuration_name(Configuration(learning_rate_multiplier=rate))
        for rate in (1.0000001, 1.0000002)
    }
    assert len(names) == 2
