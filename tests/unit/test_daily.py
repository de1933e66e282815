"""What is done with a day's answers once it is over: review of the least sure, export, drift."""

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from weakref import WeakSet

import pytest
from scipy import stats

from functions.watch_jobs.daily import end_days
from functions.watch_jobs.export import harmless
from functions.watch_jobs.two_samples import (
    chi_squared_tail,
    compare_numbers,
    compare_parts,
    compare_shares,
)
from functions.watch_jobs.watch import watch
from shared import paths
from shared.errors import Retry
from shared.ports import StoredObject, World
from shared.record_store import encode
from shared.records import (
    Calibration,
    Candidate,
    ChampionRecord,
    EvaluationRecord,
    Provenance,
    ResultRecord,
    TaskRecord,
)
from shared.task import Task
from tests.fakes import START, FakeBucket, FakeClock, FakeWorld, fake_world

Parts = tuple[tuple[tuple[int, int, int, int], ...], ...]

DAY = START.date()
TUNED = Candidate(name="tuned", kind="tuned", model="m", base_model="b", run="r")
SURE = Calibration(method="none", samples=5, temperature=0.7, reason="for a test")


def stage(
    type_: str = "classification", *, multi_label: bool = False, **serving: object
) -> FakeWorld:
    """Make a world with a champion that was evaluated; its first tick is over."""
    fakes = fake_world()
    parts = {"fields": ["bird", "place"]} if type_ == "extraction" else {"labels": ["owl", "crow"]}
    task = Task.model_validate(
        {"type": type_, "multi_label": multi_label, **parts, "serving": serving}
    )
    record = TaskRecord(name="birds", task=task, source="task.yaml", source_generation=1)
    fakes.artifacts.put(paths.task_record("birds"), encode(record))
    champion = ChampionRecord(
        task_name="birds",
        candidate=TUNED,
        task=task,
        dataset="d",
        run="r",
        at=START,
        calibration=SURE,
    )
    fakes.artifacts.put(paths.champion("birds"), encode(champion))
    watch(fakes.world, fakes.tuning)
    return fakes


def answer(fakes: FakeWorld, name: str, said: Any = "owl", **more: Any) -> None:
    """Store a result, as process_document does."""
    values = {
        "document": f"birds/{name}",
        "task_name": "birds",
        "status": "accepted",
        "answer": said,
        "confidence": 0.8,
        "agreement": 0.8,
        "text": f"the text of {name}",
        "generation": 1,
        "provenance": Provenance(
            document=f"gs://documents/birds/{name}",
            generation=1,
            champion="tuned",
            model="m",
            model_version="v",
            dataset="d",
            prompt_hash="h",
            samples=5,
            temperature=0.7,
            prompt_tokens=1,
            answer_tokens=1,
            characters=9,
            reader="text",
        ),
        "at": fakes.clock(),
        **more,
    }
    result = ResultRecord.model_validate(values)
    fakes.results.put(paths.result(result.document), encode(result))


def midnight(fakes: FakeWorld) -> None:
    """Let the day end, and tick twice: what the first marks for review the second has gathered."""
    fakes.clock.advance(86_400)
    watch(fakes.world, fakes.tuning)
    watch(fakes.world, fakes.tuning)


def exported(fakes: FakeWorld, day: str = "2026-11-01") -> list[dict[str, str]]:
    content = fakes.results.content(f"birds/daily/{day}.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline="")))


def test_a_task_that_asks_for_nothing_gets_nothing() -> None:
    fakes = stage(drift_alert="off")
    answer(fakes, "a.txt")
    midnight(fakes)
    assert fakes.results.names() == ["birds/a.txt.json"]


def test_a_days_answers_are_exported_once_it_is_over_and_no_others() -> None:
    fakes = stage(daily_export="csv")
    answer(fakes, "a.txt")
    answer(fakes, "b.txt", None, status="rejected", reason="It is empty.", provenance=None)
    answer(fakes, "c.txt", None, status="waiting")
    answer(fakes, "d.csv", None, status="divided", rows=1)
    answer(fakes, "d.csv/1", "crow", row=1, status="review")
    watch(fakes.world, fakes.tuning)
    assert fakes.results.names("birds/daily/") == []
    fakes.clock.advance(86_400)
    answer(fakes, "next.txt")
    midnight(fakes)
    rows = exported(fakes)
    assert [(row["document"], row["status"], row["answer"]) for row in rows] == [
        ("birds/a.txt", "accepted", "owl"),
        ("birds/b.txt", "rejected", ""),
        ("birds/d.csv/1", "review", "crow"),
    ]
    assert [row["document"] for row in exported(fakes, "2026-11-02")] == ["birds/next.txt"]


def test_an_answer_that_is_written_after_midnight_is_of_the_day_that_it_says() -> None:
    fakes = stage(daily_export="csv")
    late = START.replace(hour=23, minute=59, second=59)
    fakes.clock.advance(86_400)
    answer(fakes, "late.txt", at=late)
    watch(fakes.world, fakes.tuning)
    assert [row["document"] for row in exported(fakes)] == ["birds/late.txt"]


def test_no_cell_of_the_csv_is_a_formula() -> None:
    fakes = stage("extraction", daily_export="csv")
    answer(fakes, "=cmd.txt", {"bird": "=1+1", "place": "@SUM(A1)"}, reason="-2, +3")
    answer(fakes, "b.txt", {"bird": ["+a", "b"], "place": "\t=1"})
    midnight(fakes)
    first, second = exported(fakes)
    assert (first["bird"], first["place"], first["reason"]) == ("'=1+1", "'@SUM(A1)", "'-2, +3")
    assert (second["bird"], second["place"]) == ('["+a","b"]', "'\t=1")
    for row in (first, second):
        assert not any(cell.startswith(tuple("=+-@\t\r\n")) for cell in row.values())
    assert harmless("\r=1") == "'\r=1"


def test_json_lines_are_the_results_byte_for_byte_but_without_their_texts() -> None:
    fakes = stage(daily_export="jsonl")
    answer(fakes, "a.txt", "=1+1")
    midnight(fakes)
    (line,) = fakes.results.json_lines("birds/daily/2026-11-01.jsonl")
    stored = fakes.results.json("birds/a.txt.json")
    assert line == {key: value for key, value in stored.items() if key != "text"}


def test_the_least_sure_share_of_a_day_goes_to_review_besides() -> None:
    fakes = stage(review_share=0.1)
    for number in range(18):
        answer(fakes, f"{number:02}.txt", confidence=0.7 + number / 100)
    answer(fakes, "doubtful.txt", status="review", confidence=0.1)
    answer(fakes, "picture.png", text="", confidence=0.6)
    midnight(fakes)
    lines = fakes.results.json_lines("birds/review/2026-11-01.jsonl")
    assert [line["document"] for line in lines] == ["birds/00.txt", "birds/01.txt"]
    assert {line["reason"] for line in lines} == {"It is one of the least sure answers of its day."}
    before = fakes.results.generation("birds/review/2026-11-01.jsonl")
    midnight(fakes)
    assert fakes.results.generation("birds/review/2026-11-01.jsonl") == before


def test_days_that_nobody_watched_are_made_up_for_a_week_back() -> None:
    fakes = stage(daily_export="csv")
    for number in range(10):
        answer(fakes, f"{number}.txt")
        fakes.clock.advance(86_400)
    for _ in range(12):
        watch(fakes.world, fakes.tuning)
    days = [f"birds/daily/{DAY + timedelta(days=number)}.csv" for number in range(3, 10)]
    assert fakes.results.names("birds/daily/") == days


def test_a_tick_that_fails_leaves_the_day_to_the_next_one() -> None:
    fakes = stage(daily_export="csv")
    answer(fakes, "a.txt")
    fakes.clock.advance(86_400)
    fakes.faults.fail("write results", Retry("storage"))
    with pytest.raises(Retry):
        watch(fakes.world, fakes.tuning)
    watch(fakes.world, fakes.tuning)
    assert len(exported(fakes)) == 1


def test_a_result_that_cannot_be_read_keeps_no_other_from_being_exported() -> None:
    fakes = stage(daily_export="csv")
    answer(fakes, "a.txt")
    fakes.results.put("birds/b.txt.json", "{}")
    midnight(fakes)
    assert [row["document"] for row in exported(fakes)] == ["birds/a.txt"]


class History(FakeBucket):
    """Results of many days, which are made as they are listed.

    Attributes:
        held: Those that somebody holds on to.
        most: How many that were at any time.
        seconds: How long each takes to be listed.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__("results", clock)
        self._clock = clock
        self.held: WeakSet[StoredObject] = WeakSet()
        self.most = 0
        self.seconds = 0.0

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """List each result of 5,000 days and then what really is there, as storage does."""
        for number in range(5000):
            self._clock.advance(self.seconds)
            at = START - timedelta(days=number)
            item = StoredObject(f"{prefix}-{number}.json", 1, 1, at)
            self.held.add(item)
            self.most = max(self.most, len(self.held))
            yield item
        yield from super().list(prefix)


def with_history(fakes: FakeWorld) -> tuple[World, History]:
    results = History(fakes.clock)
    return replace(fakes.world, buckets=replace(fakes.world.buckets, results=results)), results


def test_a_days_end_holds_on_to_no_more_results_however_many_there_ever_were() -> None:
    fakes = stage(daily_export="csv")
    world, results = with_history(fakes)
    fakes.clock.advance(86_400)
    end_days(world)
    assert results.most < 10
    assert fakes.artifacts.json(paths.WATCH)["answers_day"] == DAY.isoformat()


def test_a_task_whose_results_take_too_long_to_be_listed_is_left_out_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fakes = stage(daily_export="csv")
    world, results = with_history(fakes)
    fakes.clock.advance(86_400)
    results.seconds = 1.0
    end_days(world)
    assert "more results than are listed in time" in capsys.readouterr().out
    assert fakes.clock() - START < timedelta(seconds=86_400 + 200)
    assert fakes.artifacts.json(paths.WATCH)["answers_day"] == DAY.isoformat()


def test_a_task_that_has_no_champion_and_asks_for_no_export_has_nothing_listed() -> None:
    fakes = stage()
    fakes.artifacts.delete(paths.champion("birds"))
    fakes.clock.advance(86_400)
    fakes.faults.calls.clear()
    end_days(fakes.world)
    assert "list results" not in fakes.faults.calls


def test_a_task_whose_record_is_broken_keeps_no_other_from_its_days_end() -> None:
    fakes = stage(daily_export="csv")
    plain = Task.model_validate({"type": "sentiment"})
    ants = TaskRecord(name="ants", task=plain, source="task.yaml", source_generation=1)
    fakes.artifacts.put(paths.task_record("ants"), encode(ants))
    fakes.artifacts.put(paths.champion("ants"), "{}")
    answer(fakes, "a.txt")
    midnight(fakes)
    assert len(exported(fakes)) == 1
    seen = fakes.artifacts.json(paths.WATCH)
    assert (seen["answers_day"], seen["answers_tasks"]) == (DAY.isoformat(), None)


def evaluate(
    fakes: FakeWorld,
    owls: int,
    agreements: Sequence[float],
    parts: Parts = (),
    stop_at: float = 1.0,
    split: str = "test",
) -> None:
    """Store the champion's evaluation on a split: so many of its answers are owls."""
    count = len(agreements)
    record = EvaluationRecord(
        candidate=TUNED,
        dataset="d",
        split=split,
        n=count,
        metrics={},
        per_label={},
        confusions=(),
        invalid=0,
        service_exact_match=None,
        row_scores=(1.0,) * count,
        row_agreements=tuple(agreements),
        row_answers=tuple((0, int(row >= owls)) for row in range(count)),
        row_parts=parts,
        samples=5,
        temperature=0.7,
        stop_at=stop_at,
        prompt_tokens=1,
        answer_tokens=1,
    )
    fakes.artifacts.put(
        f"tasks/birds/runs/r/evaluations/tuned-x{stop_at}/{split}/evaluation.json", encode(record)
    )


def answers(fakes: FakeWorld, owls: int, agreements: Sequence[float]) -> None:
    for number, agreement in enumerate(agreements):
        said = "owl" if number < owls else "crow"
        answer(fakes, f"{fakes.clock():%d}-{number}.txt", said, agreement=agreement)


def shares(count: int, seed: int = 0, sure: float = 0.7) -> list[float]:
    chance = random.Random(seed)
    return [1.0 if chance.random() < sure else 0.6 for _ in range(count)]


def test_answers_like_those_of_the_evaluation_are_no_drift() -> None:
    fakes = stage()
    evaluate(fakes, 100, shares(200))
    answers(fakes, 60, shares(110, seed=1))
    midnight(fakes)
    record = fakes.artifacts.json(paths.drift("birds"))
    assert not record["drifted"]
    assert (record["answers"], record["rows"]) == (110, 200)
    assert record["label_p"] > 0.1
    assert fakes.publisher.facts("answers-drifted") == []


def test_other_labels_than_in_the_evaluation_are_told_once_with_figures() -> None:
    fakes = stage()
    evaluate(fakes, 100, shares(200))
    answers(fakes, 100, shares(110, seed=1))
    midnight(fakes)
    midnight(fakes)
    (fact,) = fakes.publisher.facts("answers-drifted")
    assert (fact["task"], fact["details"]["candidate"]) == ("birds", "tuned")
    assert fact["details"]["label_shift"] == pytest.approx(100 / 110 - 0.5)
    assert fact["details"]["label_p"] < 1e-9
    assert fact["details"]["agreement_p"] > 0.05


def test_less_agreement_than_in_the_evaluation_is_drift_too() -> None:
    fakes = stage("extraction")
    evaluate(fakes, 0, shares(200))
    answers(fakes, 0, shares(110, seed=1, sure=0.3))
    midnight(fakes)
    (fact,) = fakes.publisher.facts("answers-drifted")
    assert fact["details"]["label_p"] is None
    assert fact["details"]["agreement_p"] < 0.0001


def test_a_field_that_is_found_less_often_than_in_the_evaluation_is_drift() -> None:
    fakes = stage("extraction")
    both, one = ((0, 1, 1, 1), (1, 1, 1, 1)), ((0, 1, 1, 1), (1, 0, 0, 1))
    evaluate(fakes, 0, shares(200), (*[both] * 150, *[one] * 50))
    agreements = shares(110, seed=1)
    for number, agreement in enumerate(agreements):
        place = "Oslo" if number < 40 else None
        answer(fakes, f"{number}.txt", {"bird": "owl", "place": place}, agreement=agreement)
    midnight(fakes)
    (fact,) = fakes.publisher.facts("answers-drifted")
    assert fact["details"]["label_shift"] == pytest.approx(0.75 - 40 / 110)
    assert fact["details"]["label_p"] < 1e-9
    assert fakes.artifacts.json(paths.drift("birds"))["label"] == "place"


def test_each_label_of_several_is_looked_at_by_itself() -> None:
    fakes = stage(multi_label=True)
    rows = [((0, 1, 1, 1),), ((0, 1, 1, 1), (1, 1, 1, 1)), ()]
    evaluate(fakes, 0, shares(210), tuple(rows * 70))
    for number, agreement in enumerate(shares(120, seed=2)):
        said = [["owl"], ["owl", "crow"], []][number % 3]
        answer(fakes, f"a-{number}.txt", said, agreement=agreement)
    midnight(fakes)
    record = fakes.artifacts.json(paths.drift("birds"))
    assert (record["drifted"], record["label_shift"], record["label_p"]) == (False, 0.0, 1.0)
    for number, agreement in enumerate(shares(500, seed=3)):
        said = [["owl", "crow"], ["crow"]][number % 2]
        answer(fakes, f"b-{number}.txt", said, agreement=agreement)
    midnight(fakes)
    assert fakes.artifacts.json(paths.drift("birds"))["label"] == "crow"
    assert len(fakes.publisher.facts("answers-drifted")) == 1


def test_drift_that_went_and_came_back_is_told_again() -> None:
    fakes = stage()
    evaluate(fakes, 250, shares(500))
    for owls in (500, 250, 0):
        answers(fakes, owls, shares(500, seed=owls))
        midnight(fakes)
    assert len(fakes.publisher.facts("answers-drifted")) == 2


def test_the_latest_answers_are_found_behind_later_results_of_other_kinds() -> None:
    fakes = stage()
    evaluate(fakes, 100, shares(200))
    answers(fakes, 60, shares(110, seed=1))
    fakes.clock.advance(1)
    for number in range(600):
        answer(fakes, f"table.csv/{number}", None, status="rejected", provenance=None)
    midnight(fakes)
    assert fakes.artifacts.json(paths.drift("birds"))["answers"] == 110


def test_evaluations_and_answers_with_another_rule_to_stop_are_not_compared() -> None:
    fakes = stage()
    evaluate(fakes, 100, shares(200), stop_at=1.0, split="validation")
    evaluate(fakes, 0, [0.2] * 90, stop_at=0.95, split="validation")
    evaluate(fakes, 0, [0.2] * 90, stop_at=0.95)
    answers(fakes, 60, shares(110, seed=1))
    other = fakes.results.json("birds/01-0.txt.json")["provenance"]
    for number in range(60):
        sooner = {**other, "stop_at": 0.95}
        answer(fakes, f"sooner-{number}.txt", "crow", agreement=0.2, provenance=sooner)
    midnight(fakes)
    record = fakes.artifacts.json(paths.drift("birds"))
    assert (record["answers"], record["rows"], record["drifted"]) == (110, 200, False)


def test_few_answers_and_those_of_another_champion_say_nothing() -> None:
    fakes = stage()
    evaluate(fakes, 100, shares(200))
    answers(fakes, 49, shares(49))
    for number in range(100):
        answer(fakes, f"stand-in-{number}.txt", provisional=True)
    midnight(fakes)
    assert fakes.artifacts.names(paths.drift("birds")) == []


def test_the_tests_agree_with_scipys() -> None:
    for statistic, degrees in ((0.5, 1), (3.0, 2), (10.0, 5), (80.0, 9), (30.0, 60)):
        wanted = stats.chi2.sf(statistic, degrees)
        assert chi_squared_tail(statistic, degrees) == pytest.approx(wanted, rel=1e-9)
    before, now = {"a": 50, "b": 60, "c": 3}, {"a": 20, "b": 90, "d": 1}
    wanted = stats.chi2_contingency([[50, 60, 3], [20, 90, 1]], correction=False).pvalue
    shift = compare_shares(before, now)
    assert shift.what == "b"
    assert shift.p == pytest.approx(wanted, rel=1e-9)
    several = compare_parts({"a": 50, "b": 60}, 113, {"a": 20, "b": 90}, 111)
    wanted = stats.chi2_contingency([[60, 53], [90, 21]], correction=False).pvalue
    assert several is not None
    assert several.what == "b"
    assert several.p == pytest.approx(2 * wanted, rel=1e-9)
    assert compare_parts({"a": 1, "b": 99}, 100, {"b": 100}, 100) is None
    chance = random.Random(1)
    one = [chance.random() for _ in range(300)]
    two = [chance.random() ** 1.3 for _ in range(400)]
    exact = stats.ks_2samp(one, two)
    found = compare_numbers(one, two)
    assert found.distance == pytest.approx(exact.statistic)
    assert found.p == pytest.approx(exact.pvalue, rel=0.1)


def test_samples_that_are_the_same_are_no_drift() -> None:
    assert compare_shares({"a": 9}, {"a": 90}).p == 1
    assert compare_numbers([0.2, 1.0] * 30, [0.2, 1.0] * 50).p == 1
