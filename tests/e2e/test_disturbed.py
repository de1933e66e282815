"""What goes wrong in a cloud changes nothing in the end."""

import itertools
import json
import shutil
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from benchmarks.disturbance import Listener, writes
from local.cloud import PROJECT, LocalCloud
from local.drive import Driver
from local.notifications import STORAGE_TOPIC
from local.open_buckets import open_local_buckets
from shared.budget import totals
from shared.record_store import read
from shared.records import BatchRecord, BudgetRecord, EvaluationRecord
from tests.e2e.conftest import ROOT, StartCloud

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TASKS = {
    "parcel_questions": "parcel_questions.csv",
    "restaurant_reviews": "restaurant_reviews.jsonl",
    "event_invitations": "event_invitations.jsonl",
}
SECONDS = 400.0
DOCUMENTS = 60
BACKOFF = (0.5, 30.0)
"""As on Google Cloud in proportion: the attempts before a dead letter outlast many restarts."""


def _final_table(summary: dict[str, Any]) -> dict[str, Any]:
    """What the demo's table shows, without ids that follow from the upload's generation."""
    return {
        "counts": summary["dataset"]["counts"],
        "quarantined": summary["dataset"]["quarantined_by_reason"],
        "candidates": summary["candidates"],
        "verdict": summary["verdict"],
        "champion": summary["champion"]["name"],
        "documents": summary["documents"],
    }


def _run_demo_tasks(driver: Driver) -> list[dict[str, Any]]:
    uploads = {}
    for task, file in TASKS.items():
        folder = ROOT / "examples" / task
        uploads[task] = driver.upload_dataset(task, folder / file, folder / "task.yaml")
    for task, upload in uploads.items():
        driver.wait_for_verdict(task, upload, SECONDS)
    for task in TASKS:
        documents = driver.upload_documents(task, ROOT / "examples" / task / "documents")
        driver.wait_for_answers(task, documents, SECONDS)
    return [driver.summarize(task) for task in TASKS]


class _Killer:
    """Kills one function after the other, every so often."""

    def __init__(self, cloud: LocalCloud, seconds: float) -> None:
        self._cloud = cloud
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.killed: list[str] = []

    def __enter__(self) -> "_Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        for name in itertools.cycle(self._cloud.functions):
            if self._stop.wait(self._seconds):
                return
            self._cloud.functions[name].kill()
            self.killed.append(name)


def test_killing_every_function_in_turn_changes_nothing_in_the_final_table(
    demo: dict[str, Any], start_cloud: StartCloud
) -> None:
    with start_cloud(backoff_seconds=BACKOFF) as (cloud, driver), _Killer(cloud, 3.0) as killer:
        summaries = _run_demo_tasks(driver)
    assert set(killer.killed) == set(cloud.functions)
    assert [_final_table(item) for item in summaries] == [
        _final_table(item) for item in demo["tasks"]
    ]


def _job_count(cloud: LocalCloud) -> int:
    """Count the tuning jobs that the stand-in was ever asked to make."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform_v1

    client = aiplatform_v1.GenAiTuningServiceClient(
        transport="rest",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": cloud.environment["TUNEDROP_VERTEX_ENDPOINT"]},
    )
    return len(list(client.list_tuning_jobs(parent="projects/local/locations/us-central1")))


def test_every_message_twice_and_one_notification_five_times_make_one_run(
    start_cloud: StartCloud,
) -> None:
    folder = ROOT / "examples" / "parcel_questions"
    with start_cloud(duplicate_deliveries=2) as (cloud, driver):
        upload = driver.upload_dataset(
            "parcels", folder / "parcel_questions.csv", folder / "task.yaml"
        )
        notification = {
            "eventType": "OBJECT_FINALIZE",
            "bucketId": cloud.bucket_names()["datasets"],
            "objectId": upload.name,
            "objectGeneration": str(upload.generation),
            "payloadFormat": "NONE",
        }
        for _ in range(5):
            cloud.clients.publish_bytes("dataset-uploaded", b"", notification)
        records = driver.wait_for_verdict("parcels", upload, SECONDS)
        documents = driver.upload_documents("parcels", folder / "documents")
        driver.wait_for_answers("parcels", documents, SECONDS)
        driver.wait_until_quiet(60)
        jobs = _job_count(cloud)
        champion = driver.summarize("parcels")["champion"]
    assert len(records.datasets) == 1
    assert len(records.runs) == 1
    assert len(records.jobs) == jobs == len(records.runs[0].plan)
    assert len(records.champion.history if records.champion else ()) == 1
    assert champion["dataset"] == records.datasets[0].id


FIVE = (
    "sweep: [{epoch_count: 2}, {epoch_count: 4}, {epoch_count: 6, adapter_size: 4}, "
    "{epoch_count: 12, learning_rate_multiplier: 4, adapter_size: 4}, "
    "{epoch_count: 12, learning_rate_multiplier: 4}]"
)


def _writes_of_many_documents(cloud: LocalCloud, driver: Driver, folder: Path) -> Counter[str]:
    """Drop many documents at once, and count how often each of their results was written."""
    folder.mkdir()
    for number in range(DOCUMENTS):
        text = f"my parcel has not come, and it is {number} days late"
        (folder / f"{number}.txt").write_text(text, "utf-8")
    with Listener(cloud, STORAGE_TOPIC, "written-objects") as objects:
        driver.upload_documents("parcel_questions", folder)
        driver.wait_until_quiet(SECONDS)
        # The last writes are announced after they are done.
        time.sleep(2)
    return writes(objects.messages, cloud.bucket_names()["results"], "parcel_questions/review/")


def test_sweeps_and_documents_are_run_once_each_and_within_budget_whatever_fails(
    start_cloud: StartCloud, tmp_path: Path
) -> None:
    faults = {"error_share": 0.1, "quota_share": 0.05, "lose_create_share": 0.5}
    none = dict.fromkeys(faults, 0.0)
    cap = 20.0
    environment = {
        "TUNEDROP_LEASE_SECONDS": "2",
        "TUNEDROP_BUDGET_USD_PER_MONTH": str(cap),
    }
    uploads = {}
    with (
        start_cloud(environment=environment, backoff_seconds=BACKOFF) as (cloud, driver),
        _Killer(cloud, 5.0) as killer,
    ):
        address = cloud.environment["TUNEDROP_VERTEX_ENDPOINT"]
        requests.post(f"{address}/_faults", json=faults, timeout=10).raise_for_status()
        for task in ("parcel_questions", "restaurant_reviews"):
            folder = ROOT / "examples" / task
            text = (folder / "task.yaml").read_text(encoding="utf-8")
            policy = tmp_path / f"{task}.yaml"
            policy.write_text(text.replace("sweep: recommended", FIVE), "utf-8")
            uploads[task] = driver.upload_dataset(task, folder / TASKS[task], policy)
        found = {task: driver.wait_for_verdict(task, uploads[task], SECONDS) for task in uploads}
        written = _writes_of_many_documents(cloud, driver, tmp_path / "documents")
        requests.post(f"{address}/_faults", json=none, timeout=10).raise_for_status()
        jobs = _job_count(cloud)
        ledgers = [
            BudgetRecord.model_validate_json(driver.buckets.artifacts.read(item.name)[0])
            for item in driver.buckets.artifacts.list("budget/")
        ]
    assert killer.killed
    assert jobs == 10
    for records in found.values():
        assert [job.state for job in records.jobs] == ["succeeded"] * 5
        assert len({str(job.configuration) for job in records.jobs}) == 5
    assert 0 < sum(totals(ledger).usd for ledger in ledgers) <= cap
    assert written == {f"parcel_questions/{number}.txt.json": 1 for number in range(DOCUMENTS)}


def test_documents_that_come_first_are_answered_once_there_is_a_champion_many_in_a_batch(
    start_cloud: StartCloud, tmp_path: Path
) -> None:
    example = ROOT / "examples" / "parcel_questions"
    quick = tmp_path / "task.yaml"
    task = yaml.safe_load((example / "task.yaml").read_text(encoding="utf-8"))
    task |= {"tuning": {"when": "never"}, "evaluation": {"batch_above": 20}}
    task |= {"serving": {"batch_above": 1}, "prompting": {"strategies": ["zero-shot"]}}
    quick.write_text(json.dumps(task), "utf-8")
    folder = tmp_path / "documents"
    shutil.copytree(example / "documents", folder)
    (folder / "monday.csv").write_bytes(b"id,text\n17,Where is my parcel?\n18,It is wet.\n")
    with start_cloud() as (cloud, driver):
        documents = driver.upload_documents("parcels", folder)
        driver.wait_for_answers("parcels", documents, 60, champion=False)
        waiting = driver.summarize("parcels")["documents"]
        assert {item["status"] for item in waiting} == {"waiting"}
        upload = driver.upload_dataset("parcels", example / "parcel_questions.csv", quick)
        driver.wait_for_verdict("parcels", upload, SECONDS)
        driver.wait_for_answers("parcels", documents, SECONDS)
        answered = driver.summarize("parcels")
        address = cloud.environment["STORAGE_EMULATOR_HOST"]
        artifacts = open_local_buckets(address, PROJECT, cloud.bucket_names()).artifacts
        names = [item.name for item in artifacts.list("tasks/parcels/")]
        batches = [read(artifacts, n, BatchRecord) for n in names if n.endswith("/batch.json")]
        measured = [
            read(artifacts, n, EvaluationRecord) for n in names if n.endswith("/evaluation.json")
        ]
    status = {item["name"]: item["status"] for item in answered["documents"]}
    assert status.pop("monday.csv") == "divided"
    assert set(status.values()) <= {"accepted", "review"}
    assert {"monday.csv/1", "monday.csv/2"} <= set(status)
    assert answered["champion"]["kind"] == "prompting"
    # Validation, test, and the table.
    assert [item.outcome for item in batches if item] == ["succeeded"] * 3
    assert [(item.batched, item.batch_note) for item in measured if item] == [
        (item.n, "") for item in measured if item
    ]
