"""The demo: three tasks from a labelled file to answered documents."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def _by_name(demo: dict[str, Any]) -> dict[str, Any]:
    return {task["task"]["name"]: task for task in demo["tasks"]}


def test_every_task_ends_with_a_verdict_a_champion_and_an_answer_to_every_document(
    demo: dict[str, Any],
) -> None:
    for task in _by_name(demo).values():
        assert task["verdict"]["reason"]
        assert task["champion"]["name"] == task["verdict"]["winner"]
        assert len(task["documents"]) == 12
        for document in task["documents"]:
            assert document["status"] in {"accepted", "review"}
            assert document["answer"] is not None
            assert 0 <= document["confidence"] <= 1
            assert 0 < document["agreement"] <= 1


def test_the_planted_mistakes_are_in_quarantine_with_their_reasons(demo: dict[str, Any]) -> None:
    tasks = _by_name(demo)
    assert tasks["parcel_questions"]["dataset"]["quarantined_by_reason"] == {
        "exact-duplicates": 1,
        "conflicting-labels": 2,
        "no text": 1,
        "no label": 1,
    }
    assert tasks["restaurant_reviews"]["dataset"]["quarantined_by_reason"] == {
        "exact-duplicates": 1,
        "conflicting-labels": 2,
        "no text": 1,
        "not JSON": 1,
    }
    assert tasks["event_invitations"]["dataset"]["quarantined_by_reason"] == {
        "exact-duplicates": 1,
        "no text": 1,
    }


def test_every_candidate_is_measured_on_the_same_validation_rows(demo: dict[str, Any]) -> None:
    for task in demo["tasks"]:
        validation = [item for item in task["candidates"] if item["split"] == "validation"]
        assert len(validation) == 6
        assert {item["n"] for item in validation} == {task["dataset"]["counts"]["validation"]}


def test_the_evaluation_service_and_the_local_figure_agree(demo: dict[str, Any]) -> None:
    for task in demo["tasks"]:
        for item in task["candidates"]:
            metrics = item["metrics"]
            assert metrics["service_exact_match"] == pytest.approx(metrics["exact_match"])


def test_tuning_beats_prompting_on_validation(demo: dict[str, Any]) -> None:
    for task in demo["tasks"]:
        best: dict[str, float] = {}
        for item in task["candidates"]:
            if item["split"] == "validation":
                figure = item["metrics"][task["verdict"]["metric"]]
                best[item["kind"]] = max(best.get(item["kind"], 0.0), figure)
        assert best["tuned"] > best["prompting"] + 0.05


def test_the_reports_and_results_are_where_the_demo_says(demo: dict[str, Any]) -> None:
    reports = [Path(path) for path in demo["artifacts"]]
    assert all(path.exists() for path in reports)
    assert sum(path.name == "report.html" for path in reports) == 7
    assert [path.name for path in reports[:4]].count("index.html") == 3


def test_a_doubtful_answer_is_corrected_and_the_next_dataset_holds_it(demo: dict[str, Any]) -> None:
    task = _by_name(demo)["event_invitations"]
    in_review = {item["name"] for item in task["documents"] if item["status"] == "review"}
    loop = demo["review"]
    assert loop["documents"]
    assert loop["dataset"] != task["dataset"]["id"]
    for document in loop["documents"]:
        assert document["name"] in in_review
        assert document["split"] in {"train", "test"}


def test_progress_is_shown_in_plain_lines_when_there_is_no_terminal(demo: dict[str, Any]) -> None:
    assert "parcel_questions     converted:" in demo["stderr"]
    assert "\x1b[" not in demo["stderr"]
