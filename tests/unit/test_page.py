"""What a verdict's page and a task's index page hold, without a browser."""

import json
import random
import re
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import pytest

from functions.evaluate_model.page import words
from functions.evaluate_model.page.axes import balanced_axis, fit_axis
from functions.evaluate_model.page.charts import accepted_at, metric_axis, whisker
from functions.evaluate_model.page.commands import reproduce
from functions.evaluate_model.page.confusions import READABLE, count_confusions
from functions.evaluate_model.page.index import write_index
from functions.evaluate_model.report import write_report
from shared.page import show_controls
from shared.records import (
    Candidate,
    ChampionRecord,
    ConfidenceFigures,
    CoveragePoint,
    DatasetRecord,
    EvaluationRecord,
    Figure,
    Interval,
    Mistake,
    NextStep,
    Promotion,
    RunRecord,
    VerdictRecord,
)
from shared.task import Configuration, Task
from tests.fakes import FakeWorld, fake_world

NOW = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
LABELS = ("owl", "crow", "wren")


def test_an_axis_holds_all_of_its_values_and_few_marks() -> None:
    rng = random.Random(1)
    for _ in range(500):
        values = [rng.random() for _ in range(rng.randint(1, 6))]
        axis = fit_axis(values, 0.0, 1.0)
        assert 2 <= len(axis.ticks) <= 7
        assert all(axis.low <= value <= axis.high for value in values)
        assert all(0 <= tick <= 1 for tick in axis.ticks)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_an_axis_of_one_value_is_still_an_axis(value: float) -> None:
    axis = fit_axis([value], 0.0, 1.0)
    assert axis.low < axis.high
    assert 0 <= axis.at(value) <= 100


def test_no_difference_is_in_the_middle_of_its_axis() -> None:
    for most in (0.0, 0.004, 0.12, 0.9):
        assert balanced_axis([most, -most / 3]).at(0.0) == 50


def test_a_value_outside_of_an_axis_stands_at_its_end() -> None:
    axis = fit_axis([0.4, 0.6], 0.0, 1.0)
    assert (axis.at(-1), axis.at(2)) == (0, 100)


def test_a_whisker_without_an_interval_is_a_dot() -> None:
    axis = metric_axis([figure("zero-shot", 0.6)], "exact_match", 0.9)
    assert whisker(axis, 0.6, None).low is None
    assert axis.low <= 0.6
    assert axis.high >= 0.9


def test_answers_are_counted_by_right_label_and_answer() -> None:
    matrix = count_confusions(evaluation("few-shot", ((0, 0), (0, 1), (1, 1), (2, -1))), LABELS)
    assert matrix is not None
    assert matrix.answers == (*LABELS, "(not an answer)")
    assert [[cell.count for cell in row] for row in matrix.rows] == [
        [1, 1, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 1],
    ]
    assert [cell.shade for cell in matrix.rows[0]] == [3, 3, 0, 0]
    assert matrix.readable


def test_many_labels_are_no_readable_table() -> None:
    labels = tuple(f"label{number}" for number in range(READABLE + 1))
    matrix = count_confusions(evaluation("few-shot", ((0, 0),)), labels)
    assert matrix is not None
    assert not matrix.readable


def test_a_record_without_answers_row_by_row_has_no_matrix() -> None:
    assert count_confusions(evaluation("few-shot", ()), LABELS) is None


def test_what_is_accepted_is_what_reaches_the_threshold() -> None:
    points = tuple(
        CoveragePoint(threshold=level, coverage=1 - level, risk=0.1) for level in (0.2, 0.6, 0.8)
    )
    figures = ConfidenceFigures(n=5, ece=0, brier=0, auroc=None, bins=(), risk_coverage=points)
    found = [accepted_at(figures, level) for level in (0.1, 0.6, 0.61, 0.9)]
    assert [point and point.threshold for point in found] == [0.2, 0.6, 0.8, None]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.percent(0.94117), "94.1\u00a0%"),
        (words.points(-0.0312), "−3.1"),
        (words.points(0.25), "+25.0"),
        (words.p_value(0.00231), "p\u00a0=\u00a00.0023"),
        (words.p_value(1e-9), "p\u00a0<\u00a00.0001"),
        (words.usd(0.0841), "$0.0841"),
        (words.usd(1234.5), "$1,234.50"),
        (words.usd(0.0), "$0.00"),
        (words.seconds(0.412), "0.41\u00a0s"),
        (words.seconds(75), "75\u00a0s"),
        (words.whole(0.125), "12.5"),
        (words.whole_points(-0.1), "−10"),
        (words.whole_points(0.0), "0"),
        (words.metric_value("quadratic_kappa", -0.1), "−0.100"),
        (words.metric_value("macro_f1", 0.5), "50.0\u00a0%"),
        (words.metric_name("some_new_metric"), "some new metric"),
    ],
)
def test_figures_are_written_for_people(written: str, expected: str) -> None:
    assert written == expected


def test_only_the_fields_that_differ_are_shown() -> None:
    truth = {"total": "4.50", "date": None, "items": ["tea", "milk"], "paid": ["a", "b"]}
    said = {"total": "45.0", "date": None, "items": None, "paid": ["b", "a"]}
    assert [
        (field.name, field.truth, field.answer)
        for field in words.wrong_fields(mistake(json.dumps(truth), json.dumps(said)))
    ] == [("total", "4.50", "45.0"), ("items", "tea, milk", "")]


@pytest.mark.parametrize("said", ["sorry", "", "[]", "[" * 100_000])
def test_an_answer_that_is_no_object_is_shown_as_it_is(said: str) -> None:
    assert words.wrong_fields(mistake('{"total": "4.50"}', said)) == []


def test_characters_that_would_turn_or_hide_what_follows_are_shown_by_their_code() -> None:
    shown = show_controls("a\x00b\x1b[2J\u202egnp.exe\u2066x\ud800\x85 \tc\n")
    assert shown == "a[U+0000]b[U+001B][2J[U+202E]gnp.exe[U+2066]x[U+D800][U+0085] \tc\n"


def test_people_s_scripts_and_emoji_are_left_as_they_are() -> None:
    text = "أهلاً, שלום, 你好, नमस्ते, 👨‍👩‍👧, می‌خواهم, e\u0301"
    assert show_controls(text) == text


def test_a_page_is_written_beside_its_verdict_and_holds_no_markup_of_the_data() -> None:
    fakes = fake_world()
    text = "<script>alert(1)</script>\u202e"
    page = report(fakes, evaluation("few-shot", ((0, 1),), text=text))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]" in page
    assert page.count("<script") == 1
    assert "http:" not in page
    assert "https:" not in page


def test_a_page_of_google_s_cloud_says_nothing_of_the_stand_in() -> None:
    said = "a stand-in that learns by simple means"
    assert said in report(fake_world(), evaluation("few-shot", ((0, 0),)), cloud="local")
    assert said not in report(fake_world(), evaluation("few-shot", ((0, 0),)), cloud="google")


def test_a_page_says_what_an_old_verdict_does_not_hold() -> None:
    page = report(fake_world(), evaluation("few-shot", ()))
    for said in (
        "The verdict holds no intervals.",
        "The verdict holds no figures of the confidence",
        "holds no examples of its mistakes",
        "neither prices nor times",
    ):
        assert said in page


def test_the_page_links_the_data_report_only_where_there_is_one() -> None:
    fakes = fake_world()
    assert "data report</a>" not in report(fakes, evaluation("few-shot", ((0, 0),)))
    fakes.artifacts.put("tasks/birds/datasets/d1/report.html", "x")
    assert '<a href="report.html">data report</a>' in report(
        fakes, evaluation("few-shot", ((0, 0),))
    )


def page_with_step(kind: str, link: str, *, reported: bool = True) -> str:
    fakes = fake_world()
    if reported:
        fakes.artifacts.put("tasks/birds/datasets/d1/report.html", "x")
    step = NextStep.model_validate({"kind": kind, "title": "t", "detail": "d", "link": link})
    return report(fakes, evaluation("few-shot", ((0, 0),)), next_steps=(step,))


def test_a_next_step_links_the_page_that_has_more_about_it() -> None:
    said = '<a href="report.html">Rows that look wrong, in the data report</a>'
    assert said in page_with_step("label_noise", "report.html")
    assert said not in page_with_step("label_noise", "report.html", reported=False)
    further = page_with_step("too_little_data", "../../index.html")
    assert '<a href="../../index.html">The task&#39;s other datasets and runs</a>' in further


@pytest.mark.parametrize(
    "link",
    [
        "",
        "javascript:alert(1)//x.html",
        "https://example.org/x.html",
        "//example.org/x.html",
        "/x.html",
        "..\\x.html",
        "x.html#y",
        'x" onclick="alert(1)".html',
        "x.html\n",
    ],
)
def test_a_next_step_links_nothing_but_pages_beside_it(link: str) -> None:
    page = page_with_step("too_little_data", link)
    assert "other datasets and runs" not in page
    assert "alert" not in page


def test_names_of_files_in_the_commands_are_quoted_for_the_shell() -> None:
    odd = dataset().model_copy(update={"source_object": "birds/it's $(rm -rf ~).csv"})
    (what, command), *_ = reproduce("google", odd, verdict(), (), None)
    assert what == "The upload, as it was:"
    assert command == ("gcloud storage cp 'gs://uploads/birds/it'\"'\"'s $(rm -rf ~).csv#7' .")


def test_a_label_without_a_row_is_not_the_weakest() -> None:
    winner = evaluation("few-shot", ((0, 0),))
    none, poor = dict.fromkeys(("precision", "recall", "f1"), 0.0), {"f1": 0.5, "precision": 0.5}
    per_label = {
        "owl": {**none, "support": 0.0}, "crow": {**none, **poor, "support": 4.0},
    }  # fmt: skip
    page = report(fake_world(), winner.model_copy(update={"per_label": per_label}))
    table = page[page.index('<section id="labels">') :]
    assert "and those without a row last" in table
    assert table.index("<bdi>crow</bdi>") < table.index("<bdi>owl</bdi>")
    assert table.count('<td class="n">–</td>') == 3


def test_the_page_says_what_a_batch_answered_and_why_not_the_others() -> None:
    winner = evaluation("few-shot", ((0, 0),)).model_copy(
        update={"batched": 1, "batch_note": "It <b>expired</b>."}
    )
    page = report(fake_world(), winner)
    assert re.search(r"A batch answered 1 of the \d+ test rows of <bdi>", page)
    assert "It &lt;b&gt;expired&lt;/b&gt;." in page
    assert "A batch answered" not in report(fake_world(), evaluation("few-shot", ((0, 0),)))


def test_the_page_names_the_versions_and_the_software_that_a_figure_comes_from() -> None:
    winner = evaluation("few-shot", ((0, 0),)).model_copy(
        update={"model_versions": ("gemini-001", "<b>002")}
    )
    page = report(fake_world(), winner)
    assert "answered by <bdi>gemini-001</bdi>, <bdi>&lt;b&gt;002</bdi></dd>" in page
    assert f"google-cloud-aiplatform {version('google-cloud-aiplatform')}" in page
    assert "answered by" not in report(fake_world(), evaluation("few-shot", ((0, 0),)))


def test_the_page_says_what_its_cost_and_latency_are_of() -> None:
    fakes, winner = fake_world(), evaluation("few-shot", ((0, 0),))
    priced = figure("few-shot", 0.5).model_copy(update={"usd_per_thousand": 0.1})
    page = report(fakes, winner, figures=(priced,))
    assert "how long one document takes" in page
    assert "rating the answers" not in page
    rated = winner.model_copy(update={"row_ratings": ("likely",)})
    assert "What rating the answers takes is not in it." in report(fakes, rated, figures=(priced,))


def test_the_index_lists_what_there_is_and_links_the_pages_that_are_there() -> None:
    fakes = fake_world()
    store_everything(fakes)
    page = index(fakes)
    assert "Serve the tuned model" in page
    assert '<a href="runs/r1/report.html">' in page
    assert '<a href="datasets/d1/evaluation.html">' in page
    assert '<a href="datasets/d1/report.html">' not in page
    assert page.index("tuned-e4-m1-a1") < page.rindex("few-shot")
    assert "birds/birds.csv" in page
    assert "cost $1.54" in page


def test_the_index_of_a_task_that_was_never_decided_says_so() -> None:
    page = index(fake_world())
    for said in ("Nothing serves this task yet", "None was reached yet.", "Nothing was tuned yet."):
        assert said in page


def test_a_record_that_cannot_be_read_is_named_on_the_index_and_hides_no_other() -> None:
    fakes = fake_world()
    store_everything(fakes)
    fakes.artifacts.put("tasks/birds/runs/r2/run.json", "{}")
    page = index(fakes)
    assert "gs://artifacts/tasks/birds/runs/r2/run.json is not a RunRecord" in page
    assert "cost $1.54" in page


def test_of_two_that_write_the_index_at_once_the_one_that_read_last_writes_last() -> None:
    whole = fake_world()
    store_everything(whole)
    wanted, point, late = index(whole), 0, True
    while late:
        point += 1
        fakes = fake_world()

        def other(fakes: FakeWorld = fakes) -> None:
            store_everything(fakes)
            index(fakes)

        fakes.faults.interrupt(point, other)
        index(fakes)
        late = fakes.artifacts.names("tasks/birds/runs/") != []
        if late:
            assert fakes.artifacts.content("tasks/birds/index.html").decode() == wanted
    assert point > 8


def report(
    fakes: FakeWorld, winner: EvaluationRecord, cloud: str = "google", **decided: Any
) -> str:
    folder, found = "tasks/birds/datasets/d1", verdict(**decided)
    write_report(
        fakes.artifacts, cloud, folder, dataset(), dataset().task, found, [winner], [], None
    )
    return fakes.artifacts.content(f"{folder}/evaluation.html").decode()


def index(fakes: FakeWorld) -> str:
    write_index(fakes.world, "birds")
    return fakes.artifacts.content("tasks/birds/index.html").decode()


def store_everything(fakes: FakeWorld) -> None:
    home = "tasks/birds"
    run = RunRecord(
        id="r1",
        task_name="birds",
        dataset="d1",
        base_model="gemini-3.5-flash-lite",
        plan=(Configuration(),),
        jobs=("r1-1",),
        state="closed",
        actual_usd=1.54,
        created=NOW,
    )
    tuned = Candidate(
        name="tuned-e4-m1-a1", kind="tuned", model="endpoint", base_model="base", run="r1"
    )
    history = (
        Promotion(candidate="few-shot", dataset="d1", run="", at=NOW),
        Promotion(candidate=tuned.name, dataset="d1", run="r1", at=NOW),
    )
    champion = ChampionRecord(
        task_name="birds",
        candidate=tuned,
        task=dataset().task,
        dataset="d1",
        run="r1",
        at=NOW,
        history=history,
    )
    decided = verdict(decision="promote_tuned", winner=tuned.name, run="r1")
    for path, record in (
        ("datasets/d1/dataset.json", dataset()),
        ("datasets/d1/verdict.json", verdict()),
        ("runs/r1/run.json", run),
        ("runs/r1/verdict.json", decided),
        ("champion.json", champion),
    ):
        fakes.artifacts.put(f"{home}/{path}", record.model_dump_json())
    for path in ("datasets/d1/evaluation.html", "runs/r1/report.html"):
        fakes.artifacts.put(f"{home}/{path}", "x")


def dataset() -> DatasetRecord:
    return DatasetRecord(
        id="d1",
        task_name="birds",
        task=Task.model_validate({"type": "classification", "labels": list(LABELS)}),
        explanation=(),
        source_bucket="uploads",
        source_object="birds/birds.csv",
        source_generation=7,
        rows=10,
        counts={"train": 6, "validation": 2, "test": 2},
        quarantined=0,
        quarantined_by_reason={},
        labels={},
        training_tokens=100,
        created=NOW,
    )


def figure(candidate: str, value: float, interval: Interval | None = None) -> Figure:
    return Figure(
        candidate=candidate,
        kind="prompting",
        split="test",
        n=10,
        metrics={"exact_match": value},
        interval=interval,
    )


def verdict(**changes: Any) -> VerdictRecord:
    return VerdictRecord(
        task_name="birds",
        dataset="d1",
        basis="b1",
        decision="keep_prompting",
        winner="few-shot",
        metric="exact_match",
        target=0.9,
        target_met=False,
        reason="The task says never to tune.",
        figures=(figure("few-shot", 0.5),),
        created=NOW,
    ).model_copy(update=changes)


def mistake(truth: str, answer: str, text: str = "hoo") -> Mistake:
    return Mistake(row=0, text=text, truth=truth, answer=answer, confidence=0.6)


def evaluation(name: str, answers: tuple[tuple[int, int], ...], text: str = "") -> EvaluationRecord:
    return EvaluationRecord(
        candidate=Candidate(name=name, kind="prompting", model="m", base_model="base"),
        dataset="d1",
        split="test",
        n=len(answers) or 1,
        metrics={"exact_match": 0.5},
        per_label={},
        confusions=(),
        invalid=0,
        service_exact_match=None,
        row_scores=(0.0,),
        row_answers=answers,
        mistakes=(mistake("owl", "crow", text),) if text else (),
        prompt_tokens=1,
        answer_tokens=1,
    )
