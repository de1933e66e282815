"""What the local cloud prints while things happen."""

import io
from typing import Any, get_args

import pytest
from google.pubsub_v1 import types
from rich.console import Console

from local.progress import WORDS, Progress, describe_fact
from shared import paths
from shared.facts import Fact, Happening
from shared.record_store import create
from shared.records import RejectionRecord
from tests.fakes import START, fake_world


class Clients:
    """Clients of a topic on which these facts wait."""

    def __init__(self, *facts: Fact) -> None:
        self.facts = facts

    def subscribe(self, *_: object) -> None:
        """There is nothing to subscribe to."""

    def receive(self, _name: str, _seconds: float, show: Any) -> None:
        for fact in self.facts:
            show(types.PubsubMessage(data=fact.model_dump_json().encode()))


def printed(
    fact: Happening, task: str = "", rejection: RejectionRecord | None = None, **details: Any
) -> str:
    fakes = fake_world()
    if rejection is not None:
        create(fakes.artifacts, "rejected/r.json", rejection)
    clients: Any = Clients(Fact(fact=fact, at=START, task=task, details=details))
    page = io.StringIO()
    Progress(clients, fakes.artifacts, Console(file=page, width=200)).look()
    return page.getvalue()


def test_every_fact_is_put_into_words() -> None:
    assert set(WORDS) == set(get_args(Happening))


def test_a_fact_is_told_with_its_numbers() -> None:
    details = {"jobs": 5, "estimated_usd": 1.675, "run": "a1"}
    assert describe_fact("run-planned", details) == "run planned: 5 tuning jobs, about $1.68"


def test_an_answered_document_is_called_by_its_own_name() -> None:
    result = paths.result("birds/crash.txt")
    said = printed("document-answered", "birds", result=result, status="accepted", confidence=0.6)
    assert said == "12:00:00 birds                crash.txt answered: accepted, confidence 0.60\n"


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("gs://documents/birds/big.txt", "birds                rejected big.txt: It is too big."),
        ("gs://documents/BIG/big.txt", "-                    rejected BIG/big.txt: It is too big."),
        ("gs://documents/big.txt", "-                    rejected big.txt: It is too big."),
        (
            "message on tuning-requested",
            "-                    rejected message on tuning-requested",
        ),
    ],
)
def test_a_rejection_names_its_task_where_that_is_known(subject: str, said: str) -> None:
    rejection = RejectionRecord(
        function="process_document",
        subject=subject,
        reason="It is too big.",
        remedy="Upload a smaller one as birds/<file>.",
        at=START,
    )
    line = printed("input-rejected", rejection=rejection, function="f", record="rejected/r.json")
    assert line.startswith(f"12:00:00 {said}")
    assert "Upload a smaller one as birds/<file>." in line


def test_a_name_cannot_act_on_the_terminal() -> None:
    result = paths.result("birds/\x1b[31m[bold].txt")
    said = printed("document-answered", "birds", result=result, status="review", confidence=0.1)
    assert "\ufffd[31m[bold].txt answered" in said
