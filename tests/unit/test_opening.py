"""The test split is opened once a run, for its finalists."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from functions.evaluate_model.bench import Bench, Services
from functions.evaluate_model.measure import measure
from functions.evaluate_model.opening import NotOpened, Refused, give_way, met_before, open_test
from functions.evaluate_model.shift import begin_shift
from shared import paths
from shared.examples import Example
from shared.record_store import encode
from shared.records import Candidate, ChampionRecord, DatasetRecord
from shared.task import Serving, Task
from tests.fakes import FakeWorld, fake_world, store_dataset

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
ROWS = [Example(f"owl {n}", "owl") for n in range(20)]
RECORD = "tasks/birds/runs/run1/test-opened.json"


def prompt(name: str = "zero-shot") -> Candidate:
    model = "locations/us/publishers/google/models/gemini-3.5-flash-lite"
    return Candidate(
        name=name, kind="prompting", model=model, base_model="gemini-3.5-flash-lite",
        reasons=name != "zero-shot",
    )  # fmt: skip


def tuned(number: int = 1, run: str = "run1") -> Candidate:
    return Candidate(
        name=f"tuned-{number}", kind="tuned", model=f"projects/p/locations/us/endpoints/{number}",
        base_model="gemini-3.5-flash-lite", run=run,
    )  # fmt: skip


def stage(run: str = "run1") -> tuple[FakeWorld, Bench]:
    fakes = fake_world()
    dataset: DatasetRecord = store_dataset(fakes, TASK, {"test": ROWS, "validation": ROWS})
    services = Services(fakes.generator(lambda *_: ["owl"]), fakes.exact_match())
    return fakes, Bench(fakes.world, services, dataset, TASK, begin_shift(fakes.world), run)


def test_no_test_row_is_asked_before_the_split_is_opened() -> None:
    fakes, bench = stage()
    for candidate in (prompt(), tuned()):
        with pytest.raises(NotOpened):
            measure(bench, candidate, "test")
    assert "generate" not in fakes.faults.calls
    measure(bench, prompt(), "validation")


def test_opening_names_the_run_and_the_finalists_and_lets_them_in() -> None:
    fakes, bench = stage()
    open_test(bench, prompt(), tuned())
    record = fakes.artifacts.json(RECORD)
    assert (record["run"], record["dataset"]) == ("run1", "dataset1")
    assert record["prompt"].startswith("zero-shot-")
    assert record["tuned"].startswith("tuned-1-")
    assert [measure(bench, item, "test").n for item in (prompt(), tuned())] == [20, 20]
    with pytest.raises(NotOpened):
        measure(bench, tuned(2), "test")


def test_the_split_cannot_be_opened_twice_for_different_candidates() -> None:
    fakes, bench = stage()
    open_test(bench, prompt(), tuned())
    before = fakes.artifacts.content(RECORD)
    for other in ((prompt(), tuned(2)), (prompt("chain-of-thought"), tuned()), (prompt(), None)):
        with pytest.raises(Refused, match="was opened for zero-shot-"):
            open_test(bench, *other)
    assert fakes.artifacts.content(RECORD) == before


def test_the_same_finalists_again_change_nothing() -> None:
    fakes, bench = stage()
    open_test(bench, prompt(), tuned())
    before = fakes.artifacts.generation(RECORD)
    fakes.clock.advance(60)
    open_test(bench, prompt(), tuned())
    assert fakes.artifacts.generation(RECORD) == before


def test_of_many_that_open_it_at_the_same_time_one_wins() -> None:
    _, bench = stage()
    outcomes: list[str] = []

    def enter(number: int) -> None:
        try:
            outcomes.append(open_test(bench, prompt(), tuned(number)).tuned)
        except Refused:
            outcomes.append("")

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(bool(name) for name in outcomes) == 1


def test_every_run_opens_it_for_itself() -> None:
    fakes, bench = stage()
    open_test(bench, prompt(), tuned())
    other = Bench(fakes.world, bench.services, bench.dataset, TASK, bench.shift, "run2")
    open_test(other, prompt("chain-of-thought"), tuned(2, "run2"))
    assert len(fakes.artifacts.names("tasks/birds/runs/")) == 2


@pytest.mark.parametrize("run", ["", "run1"])
def test_a_prompt_alone_is_compared_with_nobody_so_others_may_still_come(run: str) -> None:
    _, bench = stage(run)
    open_test(bench, prompt(), None)
    open_test(bench, prompt("chain-of-thought"), None)
    opened = open_test(bench, prompt(), tuned())
    assert opened.tuned.startswith("tuned-1-")


def test_a_finalist_that_is_gone_gives_way_and_never_comes_back() -> None:
    _, bench = stage()
    open_test(bench, prompt(), tuned(1))
    give_way(bench, tuned(1), "its endpoint is gone")
    opened = open_test(bench, prompt(), tuned(2))
    assert list(opened.gone.values()) == ["its endpoint is gone"]
    again = open_test(bench, prompt(), tuned(1))
    assert again.tuned.startswith("tuned-2-")
    with pytest.raises(NotOpened):
        measure(bench, tuned(1), "test")


def test_a_finalist_whose_test_figures_are_known_does_not_give_way() -> None:
    _, bench = stage()
    open_test(bench, prompt(), tuned())
    measure(bench, tuned(), "test")
    with pytest.raises(Refused):
        give_way(bench, tuned(), "its endpoint is gone")


def test_the_model_that_serves_meanwhile_may_be_asked_as_well() -> None:
    fakes, bench = stage()
    champion = ChampionRecord(
        task_name="birds",
        candidate=tuned(9, "run0"),
        task=TASK,
        dataset="dataset1",
        run="run0",
        at=fakes.clock(),
    )
    fakes.artifacts.put(paths.champion("birds"), encode(champion))
    open_test(bench, prompt(), tuned())
    assert measure(bench, tuned(9, "run0"), "test").n == 20


def test_a_run_allows_for_the_models_that_others_had_named_or_measured_when_it_opened() -> None:
    fakes, bench = stage()

    def of(run: str) -> Bench:
        return Bench(fakes.world, bench.services, bench.dataset, TASK, bench.shift, run)

    runs = {number: of(f"run{number}") for number in (1, 2, 3, 4)}
    for number, run in runs.items():
        fakes.clock.advance(1)
        open_test(run, prompt(), tuned(number, run.run) if number != 3 else None)
    # Asked in another way as well, the second one's model is still one model.
    measure(runs[2], tuned(2, "run2"), "test")
    other = runs[2].policy.model_copy(update={"serving": Serving(samples=3)})
    measure(replace(runs[2], policy=other), tuned(2, "run2"), "test")
    assert [met_before(run) for run in runs.values()] == [0, 1, 2, 2]
    elsewhere = bench.dataset.model_copy(update={"id": "dataset2"})
    assert met_before(replace(runs[4], dataset=elsewhere)) == 0


def test_the_record_is_there_before_the_first_test_row_is_asked() -> None:
    fakes, bench = stage()
    seen: list[Sequence[str]] = []

    def speak(*_: object) -> Sequence[str]:
        seen.append(fakes.artifacts.names("tasks/birds/runs/"))
        return ["owl"]

    services = Services(fakes.generator(speak), fakes.exact_match())
    bench = Bench(fakes.world, services, bench.dataset, TASK, bench.shift, "run1")
    open_test(bench, prompt(), tuned())
    measure(bench, prompt(), "test")
    assert seen[0] == [RECORD]
