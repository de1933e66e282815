"""The list filters of the stand-in."""

import pytest

from local.vertex.filters import read_filter
from local.vertex.wire import ApiError

LABELS = {"task": "birds", "empty": ""}
RUNNING = "JOB_STATE_RUNNING"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        'labels.task="birds"',
        "labels.task=birds",
        "labels.task:birds",
        "labels.task:*",
        'labels.empty=""',
        "labels.other!=birds",
        'state="JOB_STATE_RUNNING"',
        "state = JOB_STATE_RUNNING",
        "state!=JOB_STATE_FAILED",
        "NOT labels.task=cats",
        "-state=JOB_STATE_FAILED",
        'labels.task="birds" AND state="JOB_STATE_RUNNING" AND NOT labels.other:*',
    ],
)
def test_a_filter_lets_pass_what_it_describes(text: str) -> None:
    assert read_filter(text)(LABELS, RUNNING)


@pytest.mark.parametrize(
    "text",
    [
        'labels.task="cats"',
        "labels.other=birds",
        "labels.task!=birds",
        "NOT labels.task:*",
        "state=JOB_STATE_FAILED",
        'labels.task="birds" AND state="JOB_STATE_FAILED"',
    ],
)
def test_a_filter_keeps_out_what_it_does_not_describe(text: str) -> None:
    assert not read_filter(text)(LABELS, RUNNING)


@pytest.mark.parametrize(
    "text",
    [
        "labels.task",
        "nonsense",
        "colour=red",
        "labels.task>birds",
        "labels.=birds",
        'labels.task="birds',
        "state=RUNNING",
        "state:JOB_STATE_RUNNING",
        'labels.a="x" OR labels.b="y"',
        'labels.a="x" and labels.b="y"',
        "labels.a=x AND",
        "AND labels.a=x",
        "(labels.a=x)",
        "labels.a=x labels.b=y",
    ],
)
def test_a_filter_that_says_something_else_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="filter"):
        read_filter(text)


def test_what_has_no_state_is_not_filtered_by_it() -> None:
    with pytest.raises(ApiError):
        read_filter("state=JOB_STATE_RUNNING", has_state=False)
