"""Reading the messages on tuning-requested."""

from typing import Any

import pytest

from functions.launch_tuning.request import (
    Approval,
    Cancellation,
    TuningRequested,
    parse_request,
)
from shared.errors import Rejected
from shared.events import ObjectArrived
from shared.task import Configuration, Grid
from tests.fakes import message


def parse(**data: Any) -> Any:
    return parse_request(message("tuning-requested", **data))


def test_the_task_is_enough() -> None:
    assert parse(task="birds") == TuningRequested(task="birds")


def test_every_part_of_the_policy_may_be_overridden() -> None:
    request = parse(
        task="birds",
        dataset="1f0c3a5b7d9e",
        base_model="gemini-3.5-flash",
        sweep={"epoch_count": [2, 4]},
        checkpoints="all",
        budget_usd=3,
        dry_run=True,
        lineage="replaces tuned-e4-m1-a1",
    )
    assert request.sweep == Grid(epoch_count=(2, 4))
    assert (request.checkpoints, request.dry_run, request.budget_usd) == ("all", True, 3)


def test_a_list_is_a_list_of_configurations() -> None:
    assert parse(task="birds", sweep=[{"epoch_count": 9}]).sweep == (Configuration(epoch_count=9),)


def test_an_approval_and_a_cancellation_name_a_run() -> None:
    assert parse(task="birds", approve="1f0c") == Approval(task="birds", approve="1f0c")
    assert parse(task="birds", cancel="1f0c") == Cancellation(task="birds", cancel="1f0c")


@pytest.mark.parametrize("key", ["approve", "cancel"])
@pytest.mark.parametrize(
    "beside",
    [{"budget_usd": 3}, {"dry_run": False}, {"dataset": None}, {"nonsense": 1}],
    ids=lambda beside: next(iter(beside)),
)
def test_what_stands_beside_a_decision_is_refused_by_name(key: str, beside: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        parse(task="birds", **{key: "1f0c"}, **beside)
    assert f"{key} stands alone" in caught.value.reason
    assert next(iter(beside)) in caught.value.reason
    assert caught.value.remedy


def test_one_message_does_not_approve_and_cancel() -> None:
    with pytest.raises(Rejected, match="cancel stands beside it"):
        parse(task="birds", approve="1f0c", cancel="1f0c")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"epochs": 3}, "epochs is not a known key"),
        ({"budget_usd": 0}, "budget_usd: "),
        ({"budget_usd": "much"}, "budget_usd: "),
        ({"sweep": "everything"}, "sweep: "),
        ({"sweep": [{"epoch_count": 0}]}, "epoch_count: "),
        ({"sweep": []}, "sweep: "),
        ({"sweep": {"epochs": [3]}}, "epochs"),
        ({"sweep": {"epoch_count": []}}, "epoch_count: "),
        ({"checkpoints": "some"}, "checkpoints: "),
        ({"dry_run": "perhaps"}, "dry_run: "),
        ({"lineage": "x" * 501}, "lineage: "),
        ({"approve": 3}, "approve: "),
        ({"cancel": None}, "cancel: "),
        ({"cancel": ""}, "cancel: "),
        ({"task": None}, "task: "),
        ({"task": "../x"}, "'../x'"),
    ],
)
def test_a_wrong_field_is_named(data: dict[str, Any], named: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse(**{"task": "birds", **data})
    assert named in caught.value.reason
    assert caught.value.remedy


@pytest.mark.parametrize("key", ["approve", "cancel"])
def test_a_decision_without_a_task_is_refused(key: str) -> None:
    with pytest.raises(Rejected, match="task: "):
        parse(**{key: "1f0c"})


def test_an_object_is_no_request() -> None:
    with pytest.raises(Rejected):
        parse_request(ObjectArrived("datasets", "birds/a.csv", 1))


def test_only_the_branch_that_was_meant_is_explained() -> None:
    with pytest.raises(Rejected) as caught:
        parse(task="birds", sweep={"epochs": [3]})
    assert caught.value.reason == (
        "The tuning request is wrong: sweep.epochs is not a known key "
        "(the nearest is sweep.epoch_count)."
    )
