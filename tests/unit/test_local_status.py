"""What `python -m local status` says of runs, jobs and money."""

import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from functions.evaluate_model.promote import promote
from functions.process_document.process import process
from local.money import summarize_money
from local.rejections import current_rejections
from local.show import show_money, show_task
from local.status import show_status
from local.summary import summarize, task_names
from shared import paths
from shared.budget import reserve, settle
from shared.record_store import create
from shared.records import Candidate, JobRecord, RejectionRecord, ResultRecord, RunRecord
from shared.task import Configuration, Task
from tests.fakes import START, FakeWorld, fake_world, store_dataset

JOB = "run1-e4-m1-a1"


def store_run(fakes: FakeWorld, state: str = "open", **job: object) -> RunRecord:
    run = RunRecord.model_validate(
        {
            "id": "run1",
            "task_name": "birds",
            "dataset": "dataset1",
            "base_model": "m",
            "plan": (Configuration(),),
            "jobs": (JOB,),
            "state": state,
            "estimated_usd": 4.0,
            "estimated_low_usd": 3.0,
            "estimated_high_usd": 5.0,
            "budget_period": "2026-11",
            "created": START,
        }
    )
    create(fakes.artifacts, paths.run_record("birds", "run1"), run)
    if job:
        common = {"id": JOB, "run": "run1", "task_name": "birds", "dataset": "dataset1"}
        more = {"base_model": "m", "configuration": Configuration(), "created": START}
        record = JobRecord.model_validate({**common, **more, **job})
        create(fakes.artifacts, paths.job_record("birds", "run1", JOB), record)
    return run


def shown_task(fakes: FakeWorld) -> str:
    page = io.StringIO()
    console = Console(file=page, width=200)
    summary = summarize(fakes.world.buckets, "birds")
    show_task(console, summary, Path("local-cloud"), every_job=True)
    return page.getvalue()


def shown_money(fakes: FakeWorld, now: datetime = START, cap: float = 0) -> str:
    page = io.StringIO()
    show_money(Console(file=page, width=200), summarize_money(fakes.artifacts, now, cap))
    return page.getvalue()


def test_a_running_job_shows_how_far_it_came() -> None:
    fakes = fake_world()
    store_run(fakes, state="open", epochs_done=2, steps_done=1200)
    assert f"{JOB}: planned, epoch 2 of 4, step 1,200" in shown_task(fakes)


def test_a_stuck_job_is_told_with_the_time_of_its_last_progress() -> None:
    fakes = fake_world()
    store_run(fakes, stuck=True, progress_at=START, error="[odd]")
    said = shown_task(fakes)
    assert "stuck since 2026-11-01T12:00:00" in said
    assert "[odd]" in said


def test_a_waiting_run_shows_its_price_and_the_message_that_approves_it() -> None:
    fakes = fake_world()
    store_run(fakes, "waiting")
    said = shown_task(fakes)
    assert "estimated at $4.00 ($3.00 to $5.00)" in said
    message = {"task": "birds", "approve": "run1"}
    assert f"publish to tuning-requested: {json.dumps(message)}" in said


def test_the_months_budget_is_shown_with_what_is_reserved_and_spent() -> None:
    fakes = fake_world()
    run = store_run(fakes)
    assert reserve(fakes.world, run, {JOB: 3.0, "other": 1.25}, None) == ""
    settle(fakes.world, run, JOB, 2.5)
    assert "2026-11: $1.25 reserved, $2.50 spent, of at most $100.00." in shown_money(
        fakes, cap=100
    )
    assert "no cap for all tasks together" in shown_money(fakes)
    money = summarize_money(fakes.artifacts, START, 0)
    assert money["tasks"] == {"birds": {"reserved_usd": 1.25, "spent_usd": 2.5}}


def test_a_month_without_tuning_is_shown_as_such() -> None:
    assert "$0.00 reserved, $0.00 spent" in shown_money(fake_world())


def test_the_kill_switch_is_shown_with_its_reason_and_how_to_turn_it_off() -> None:
    fakes = fake_world()
    assert "Stopped" not in shown_money(fakes)
    fakes.artifacts.put(paths.KILL_SWITCH, '{"reason": "too dear", "cancel_running": true}')
    said = shown_money(fakes)
    assert "too dear" in said
    assert "running ones are cancelled" in said
    assert "until stop.json is deleted" in said


def shown_status(fakes: FakeWorld, folder: Path = Path("local-cloud")) -> str:
    found = {
        "tasks": [summarize(fakes.world.buckets, name) for name in task_names(fakes.world.buckets)],
        "rejected": [
            item.model_dump(mode="json") for item in current_rejections(fakes.world.buckets)
        ],
        "given_up": [],
        "tuning": summarize_money(fakes.artifacts, START, 0),
    }
    page = io.StringIO()
    show_status(Console(file=page, width=200), found, folder)
    return page.getvalue()


def test_documents_of_a_task_that_has_no_labelled_file_are_shown_with_the_tasks_that_have() -> None:
    fakes = fake_world()
    fakes.datasets.put("birds/birds.csv", "text,label\n")
    store_run(fakes, "waiting")
    silent = fakes.generator(lambda *_: [])
    process(fakes.documents.put("brids/crash.txt", "caw"), fakes.world, silent)
    said = shown_status(fakes)
    assert "crash.txt" in said
    assert (
        "brids: 1 document waits; there is no labelled file for it yet; tasks there are birds"
        in said
    )
    assert "birds: " not in said


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("verdict", "Champion: few-shot\n"),
        ("hand", "Champion: few-shot, promoted by hand\n"),
        ("rollback", "Champion: few-shot, by a rollback\n"),
    ],
)
def test_a_champion_that_no_verdict_made_is_told_apart(
    by: Literal["verdict", "hand", "rollback"], words: str
) -> None:
    fakes = fake_world()
    task = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
    dataset = store_dataset(fakes, task, {})
    candidate = Candidate(name="few-shot", kind="prompting", model="m", base_model="m")
    promote(fakes.world, dataset, candidate, START, by=by)
    assert words in shown_task(fakes)


def store_result(fakes: FakeWorld, name: str, status: str = "accepted", sure: float = 0.9) -> None:
    result = ResultRecord.model_validate(
        {
            "document": f"birds/{name}",
            "task_name": "birds",
            "status": status,
            "answer": None if status == "rejected" else "owl",
            "confidence": None if status == "rejected" else sure,
            "generation": 1,
            "at": START,
        }
    )
    create(fakes.results, paths.result(result.document), result)


def test_of_many_documents_those_to_look_at_are_shown_first_and_the_rest_is_counted() -> None:
    fakes = fake_world()
    store_run(fakes)
    for number in range(400):
        store_result(fakes, f"table.csv/{number}")
    store_result(fakes, "unsure.txt", "review", 0.5)
    store_result(fakes, "less-sure.txt", "review", 0.2)
    store_result(fakes, "zoo.png", "rejected")
    said = shown_status(fakes)
    lines = said.splitlines()
    assert len(lines) < 40
    names = [line.split()[1] for line in lines if line.startswith("│")]
    assert names[:3] == ["zoo.png", "less-sure.txt", "unsure.txt"]
    assert len(names) == 20
    assert "403 documents: 400 accepted, 2 review, 1 rejected. Above are 20" in said
    assert "all are in local-cloud/results/birds/, and --json prints them" in said
    assert len(summarize(fakes.world.buckets, "birds")["documents"]) == 403


def test_of_many_rejections_the_latest_are_shown() -> None:
    fakes = fake_world()
    for number in range(30):
        event = fakes.documents.put(f"birds/{number}.png", "")
        record = RejectionRecord(
            function="process_document",
            subject=f"gs://documents/birds/{number}.png",
            generation=event.generation,
            reason=f"{number}.png is a picture.",
            remedy="",
            at=START + timedelta(minutes=number),
        )
        create(fakes.artifacts, paths.rejection(record.function, event), record)
    said = shown_status(fakes)
    assert "10 earlier rejections are left out here; --json prints them." in said
    assert said.count("Rejected gs://") == 20
    assert "29.png is a picture" in said


def test_a_task_with_a_page_says_where_it_is() -> None:
    fakes = fake_world()
    store_run(fakes)
    assert "index.html" not in shown_task(fakes)
    fakes.artifacts.put(paths.index_page("birds"), "<!doctype html>")
    assert "local-cloud/artifacts/tasks/birds/index.html" in shown_task(fakes)
