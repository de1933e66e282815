"""What the local cloud prints while things happen."""

from typing import get_args

from local.progress import WORDS, describe_fact
from shared.facts import Happening


def test_every_fact_is_put_into_words() -> None:
    assert set(WORDS) == set(get_args(Happening))


def test_a_fact_is_told_with_its_numbers() -> None:
    details = {"jobs": 5, "estimated_usd": 1.675, "run": "a1"}
    assert describe_fact("run-planned", details) == "run planned: 5 tuning jobs, about $1.68"
