"""From a converted dataset to a champion, on fakes."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.evaluate_model.bench import Services
from functions.evaluate_model.evaluate import handle_event
from functions.launch_tuning.launch import launch
from functions.watch_jobs.watch import watch
from shared import open_work
from shared.errors import Busy, ModelGone, Rejected, Retry
from shared.events import Message, ObjectArrived
from shared.examples import Example
from shared.ports import Sampling
from shared.prompts import Prompt
from shared.records import TaskRecord
from shared.task import Task
from tests.fakes import Crash, FakeGenerator, FakeWorld, fake_world, message, store_dataset

CHAMPION = "tasks/birds/champion.json"
TASK = {
    "type": "classification",
    "labels": ["owl", "crow"],
    "tuning": {"sweep": "single"},
    "prompting": {"strategies": ["zero-shot", "few-shot"], "examples": 4},
}


def task(**policy: Any) -> Task:
    return Task.model_validate({**TASK, **policy})


def birds(count: int, start: int = 0) -> list[Example]:
    names = ("owl", "crow")
    return [Example(f"{names[n % 2]} {n}", names[n % 2]) for n in range(start, start + count)]


def store(fakes: FakeWorld, declared: Task, train: int = 120, identifier: str = "dataset1") -> None:
    splits = {"train": birds(train), "validation": birds(40, 1000), "test": birds(60, 2000)}
    store_dataset(fakes, declared, splits, identifier=identifier)


def declare(fakes: FakeWorld, now: Task) -> None:
    record = TaskRecord(name="birds", task=now, source="task.yaml", source_generation=9)
    fakes.artifacts.put("tasks/birds/task.json", record.model_dump_json())


def skilled(zero: int = 10, few: int = 10, tuned: int = 10) -> Callable[..., Sequence[str]]:
    """Make a model that knows so many rows out of ten, by how it is asked."""

    def speak(model: str, prompt: Prompt, _sampling: Sampling) -> Sequence[str]:
        name, number = prompt.turns[-1][1].split()
        knows = tuned if "endpoints" in model else few if len(prompt.turns) > 1 else zero
        right = int(number) // 2 % 10 < knows
        return [name if right else {"owl": "crow", "crow": "owl"}[name]]

    return speak


class Stage:
    """A world with a dataset, a model and the functions that pass messages on."""

    def __init__(self, declared: Task, train: int = 120, **skill: int) -> None:
        self.fakes = fake_world(max_concurrent_jobs=5)
        self.declared = declared
        store(self.fakes, declared, train)
        self.generator: FakeGenerator = self.fakes.generator(skilled(**skill))

    def evaluate(self, topic: str, **data: object) -> None:
        self.fakes.clock.advance(1)
        wait = self.fakes.clock.advance
        services = Services(self.generator, self.fakes.exact_match(), wait)
        event = message(topic, **{"task": "birds", **data})
        handle_event(event, self.fakes.world, services)

    def measure(self, dataset: str = "dataset1") -> None:
        self.evaluate("dataset-converted", dataset=dataset)

    def tune(self, state: str = "succeeded", **request: object) -> str:
        """Launch a run, let its jobs end, and return its id."""
        self.fakes.clock.advance(1)
        asked = message("tuning-requested", **{"task": "birds", **request})
        launch(asked, self.fakes.world, self.fakes.tuning)
        self.fakes.tuning.end_all(state)
        self.fakes.clock.advance(1)
        watch(self.fakes.world, self.fakes.tuning)
        (last, *_) = reversed(self.fakes.publisher.on("tuning-completed"))
        return str(last["run"])

    def conclude(self, run: str) -> None:
        self.evaluate("tuning-completed", run=run)

    def verdict(self, folder: str) -> Any:
        return self.fakes.artifacts.json(f"tasks/birds/{folder}/verdict.json")

    @property
    def champion(self) -> Any:
        return self.fakes.artifacts.json(CHAMPION)

    @property
    def asked(self) -> list[tuple[str, Prompt, Sampling]]:
        return self.generator.asked


def test_prompting_that_is_enough_is_kept_and_serves() -> None:
    stage = Stage(task(), few=10, zero=8)
    stage.measure()
    verdict = stage.verdict("datasets/dataset1")
    assert (verdict["decision"], verdict["winner"]) == ("keep_prompting", "few-shot")
    assert verdict["target_met"] is True
    assert stage.champion["candidate"]["name"] == "few-shot"
    assert stage.fakes.publisher.on("tuning-requested") == []
    assert stage.fakes.artifacts.names("open/") == []
    page = stage.fakes.artifacts.content("tasks/birds/datasets/dataset1/evaluation.html")
    assert b"keep prompting" in page


def test_of_two_prompts_that_do_equally_well_the_shorter_one_serves() -> None:
    stage = Stage(task())
    stage.measure()
    assert stage.champion["candidate"]["name"] == "zero-shot"


def test_tuning_is_requested_when_prompting_misses_the_target() -> None:
    stage = Stage(task(), zero=5, few=7)
    stage.measure()
    wanted = {"task": "birds", "dataset": "dataset1"}
    assert stage.fakes.publisher.on("tuning-requested") == [wanted]
    assert CHAMPION not in stage.fakes.artifacts.names()
    (fact,) = stage.fakes.publisher.facts("prompting-measured")
    assert fact["details"]["best"] == "few-shot"
    assert fact["details"]["tuning"] is True


@pytest.mark.parametrize(
    ("policy", "train", "said"),
    [
        ({"tuning": {"when": "never"}}, 120, "never to tune"),
        ({"target": {"value": 0.6}}, 120, "Prompting reaches 0.700"),
        ({}, 99, "99 training examples"),
    ],
)
def test_a_dataset_that_does_not_lead_to_tuning_gets_a_verdict_with_the_reason(
    policy: dict[str, Any], train: int, said: str
) -> None:
    stage = Stage(task(**policy), train, zero=5, few=7)
    stage.measure()
    assert said in stage.verdict("datasets/dataset1")["reason"]
    assert stage.fakes.publisher.on("tuning-requested") == []
    assert stage.champion["candidate"]["name"] == "few-shot"


def test_a_task_may_always_be_tuned() -> None:
    stage = Stage(task(tuning={"when": "always"}), 20)
    stage.measure()
    assert len(stage.fakes.publisher.on("tuning-requested")) == 1


def test_the_test_split_is_asked_for_the_finalists_only() -> None:
    stage = Stage(task(), few=10, zero=8)
    stage.measure()
    of_test = [
        prompt for _, prompt, _ in stage.asked if int(prompt.turns[-1][1].split()[1]) >= 2000
    ]
    assert len(of_test) == 60
    assert all(len(prompt.turns) > 1 for prompt in of_test)


def test_the_same_dataset_again_asks_nothing_and_changes_nothing() -> None:
    stage = Stage(task())
    stage.measure()
    asked = len(stage.asked)
    before = stage.champion
    stage.measure()
    assert len(stage.asked) == asked
    assert stage.champion == before


def test_a_tuned_model_that_is_better_is_promoted() -> None:
    stage = Stage(task(), zero=5, few=7, tuned=10)
    stage.measure()
    run = stage.tune()
    stage.conclude(run)
    verdict = stage.verdict(f"runs/{run}")
    assert (verdict["decision"], verdict["winner"]) == ("promote_tuned", "tuned-e4-m1-a1")
    assert verdict["comparison"]["prompting"] == "few-shot"
    assert stage.champion["candidate"]["kind"] == "tuned"
    assert stage.champion["run"] == run
    assert stage.fakes.artifacts.json(f"tasks/birds/runs/{run}/run.json")["state"] == "closed"
    assert stage.fakes.artifacts.names("open/run/") == []
    assert f"tasks/birds/runs/{run}/report.html" in stage.fakes.artifacts.names()


def test_no_row_is_ever_asked_twice_of_one_candidate() -> None:
    stage = Stage(task(), zero=5, few=7)
    stage.measure()
    stage.conclude(stage.tune())
    asked = Counter((model, prompt.turns) for model, prompt, _ in stage.asked)
    assert set(asked.values()) == {1}


def test_a_tuned_model_that_is_no_better_leaves_the_prompt() -> None:
    stage = Stage(task(target={"value": 0.75}), zero=5, few=7, tuned=7)
    stage.measure()
    stage.conclude(run := stage.tune())
    assert stage.verdict(f"runs/{run}")["decision"] == "keep_prompting"
    assert stage.champion["candidate"]["name"] == "few-shot"


def test_a_run_whose_jobs_all_failed_is_concluded_with_the_best_prompt() -> None:
    stage = Stage(task(), zero=5, few=7)
    stage.conclude(run := stage.tune("failed"))
    verdict = stage.verdict(f"runs/{run}")
    assert verdict["decision"] == "below_target"
    assert verdict["reason"].endswith("no tuning job succeeded.")
    assert len(verdict["failed_jobs"]) == 1
    assert stage.champion["candidate"]["name"] == "few-shot"


def test_a_refused_run_is_concluded_with_the_best_prompt() -> None:
    stage = Stage(task(), zero=5, few=7)
    stage.conclude(run := stage.tune(budget_usd=0.00001))
    assert "the budget is" in stage.verdict(f"runs/{run}")["reason"]
    assert stage.champion["candidate"]["name"] == "few-shot"
    assert stage.fakes.artifacts.names("open/run/") == []


def test_a_run_that_was_refused_and_then_afforded_gets_its_own_verdict() -> None:
    stage = Stage(task(), zero=5, few=7, tuned=10)
    stage.conclude(stage.tune(budget_usd=0.00001))
    run = stage.tune(budget_usd=1000)
    stage.conclude(run)
    assert stage.verdict(f"runs/{run}")["decision"] == "promote_tuned"
    assert stage.champion["candidate"]["kind"] == "tuned"


def test_a_change_of_policy_leads_to_a_new_verdict() -> None:
    stage = Stage(task(prompting={"strategies": ["zero-shot"]}, target={"value": 0.5}), zero=8)
    stage.measure()
    assert stage.champion["candidate"]["name"] == "zero-shot"
    declare(stage.fakes, task(target={"value": 0.5}))
    stage.measure()
    assert stage.champion["candidate"]["name"] == "few-shot"


def test_a_new_target_is_held_against_the_figures() -> None:
    stage = Stage(task(target={"value": 0.7}), zero=8, few=8)
    stage.measure()
    declare(stage.fakes, task(target={"value": 0.95}, tuning={"when": "never"}))
    stage.measure()
    verdict = stage.verdict("datasets/dataset1")
    assert (verdict["target"], verdict["target_met"]) == (0.95, False)


def test_a_run_is_not_concluded_before_its_last_job_has_ended() -> None:
    stage = Stage(task(tuning={"sweep": [{"epoch_count": 1}, {"epoch_count": 2}]}), tuned=10)
    launch(message("tuning-requested", task="birds"), stage.fakes.world, stage.fakes.tuning)
    stage.fakes.tuning.become(stage.fakes.tuning.jobs[0].name, "succeeded")
    watch(stage.fakes.world, stage.fakes.tuning)
    (told,) = stage.fakes.publisher.on("tuning-completed")
    run = told["run"]
    stage.evaluate("tuning-completed", **told)
    names = stage.fakes.artifacts.names(f"tasks/birds/runs/{run}/")
    assert sum(name.endswith("/evaluation.json") for name in names) == 1
    assert f"tasks/birds/runs/{run}/verdict.json" not in names
    stage.fakes.tuning.end_all()
    watch(stage.fakes.world, stage.fakes.tuning)
    stage.conclude(run)
    assert stage.verdict(f"runs/{run}")["figures"]


CHECKPOINTS = {"sweep": [{"epoch_count": 3}], "checkpoints": "all"}


def knowing_epochs(right: dict[str, int]) -> Callable[..., Sequence[str]]:
    """Make a model whose endpoints, by their names' ends, know so many rows out of ten."""
    prompted = skilled(zero=5, few=5)

    def speak(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
        if "endpoints" not in model:
            return prompted(model, prompt, sampling)
        knows = next(count for ending, count in right.items() if model.endswith(ending))
        return skilled(tuned=knows)(model, prompt, sampling)

    return speak


def test_every_checkpoint_of_a_job_is_a_candidate_and_the_best_one_serves() -> None:
    stage = Stage(task(tuning=CHECKPOINTS))
    stage.generator = stage.fakes.generator(knowing_epochs({"01": 6, "02": 10, "03": 8}))
    stage.measure()
    stage.conclude(run := stage.tune())
    verdict = stage.verdict(f"runs/{run}")
    names = {item["candidate"] for item in verdict["figures"] if item["kind"] == "tuned"}
    assert names == {f"tuned-e3-m1-a1{ending}" for ending in ("", "-epoch1", "-epoch2")}
    assert verdict["winner"] == "tuned-e3-m1-a1-epoch2"
    assert stage.champion["candidate"]["model"].endswith("02")
    watch(stage.fakes.world, stage.fakes.tuning)
    assert {name[-2:] for name in stage.fakes.tuning.removed} == {"01", "03"}


def test_a_person_may_promote_a_checkpoint_that_has_its_endpoint() -> None:
    stage = Stage(task(tuning={**CHECKPOINTS, "keep_endpoints": "all"}))
    stage.generator = stage.fakes.generator(knowing_epochs({"01": 6, "02": 10, "03": 8}))
    stage.measure()
    stage.conclude(stage.tune())
    name = "tuned-e3-m1-a1-epoch1"
    stage.evaluate("promotion-requested", dataset="dataset1", candidate=name)
    assert stage.champion["candidate"]["model"].endswith("01")


def test_a_loser_cannot_be_promoted_once_its_endpoint_is_removed() -> None:
    stage = Stage(task(tuning=CHECKPOINTS))
    stage.generator = stage.fakes.generator(knowing_epochs({"01": 6, "02": 10, "03": 8}))
    stage.measure()
    stage.conclude(stage.tune())
    before = stage.champion
    name = "tuned-e3-m1-a1-epoch1"
    with pytest.raises(Rejected, match="has no endpoint any more") as caught:
        stage.evaluate("promotion-requested", dataset="dataset1", candidate=name)
    assert "Tune it again" in caught.value.remedy
    assert stage.champion == before


def failing(how: Exception, endings: tuple[str, ...]) -> Callable[..., Sequence[str]]:
    """Make a model that knows everything, but some of whose endpoints cannot be asked."""
    knowing = skilled(zero=5, few=5)

    def speak(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
        if "endpoints" in model and model.endswith(endings):
            raise how
        return knowing(model, prompt, sampling)

    return speak


@pytest.mark.parametrize("how", [ModelGone("404"), Rejected("its requests are refused")])
@pytest.mark.parametrize("endings", [("01",), ("03",), ("01", "02", "03")])
def test_a_model_that_cannot_be_asked_counts_as_failed_and_the_verdict_goes_on(
    how: Exception, endings: tuple[str, ...]
) -> None:
    stage = Stage(task(tuning=CHECKPOINTS))
    stage.generator = stage.fakes.generator(failing(how, endings))
    stage.measure()
    run = stage.tune()
    if isinstance(how, ModelGone):
        for _ in endings:
            with pytest.raises(ModelGone):
                stage.conclude(run)
            stage.fakes.clock.advance(stage.fakes.settings.revive_after_seconds)
    stage.conclude(run)
    verdict = stage.verdict(f"runs/{run}")
    assert len(verdict["failed_candidates"]) == len(endings)
    assert all(name.startswith("tuned-e3") for name in verdict["failed_candidates"])
    kind = "prompting" if len(endings) == 3 else "tuned"
    assert stage.champion["candidate"]["kind"] == kind
    if kind == "prompting":
        assert verdict["reason"].endswith("no tuned model could be measured.")
    watch(stage.fakes.world, stage.fakes.tuning)
    assert stage.fakes.artifacts.names("open/") == []
    page = stage.fakes.artifacts.content(f"tasks/birds/runs/{run}/report.html").decode()
    assert "It is left out of the comparison." in page


def test_a_model_that_is_gone_by_the_time_of_the_test_gives_way_to_the_next_best() -> None:
    stage = Stage(task(tuning=CHECKPOINTS))
    knowing = knowing_epochs({"01": 6, "02": 10, "03": 9})

    def speak(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
        if model.endswith("02") and int(prompt.turns[-1][1].split()[1]) >= 2000:
            raise ModelGone("404")
        return knowing(model, prompt, sampling)

    stage.generator = stage.fakes.generator(speak)
    stage.measure()
    run = stage.tune()
    with pytest.raises(ModelGone):
        stage.conclude(run)
    stage.fakes.clock.advance(stage.fakes.settings.revive_after_seconds)
    stage.conclude(run)
    assert stage.verdict(f"runs/{run}")["winner"] == "tuned-e3-m1-a1"


def test_a_new_endpoint_that_takes_a_while_to_answer_is_measured_like_any_other() -> None:
    stage = Stage(task(tuning=CHECKPOINTS), zero=5, few=7)
    stage.measure()
    run = stage.tune()
    stage.fakes.faults.fail("generate", ModelGone("404"))
    with pytest.raises(ModelGone):
        stage.conclude(run)
    stage.conclude(run)
    assert stage.verdict(f"runs/{run}")["failed_candidates"] == []
    assert stage.champion["candidate"]["kind"] == "tuned"


def test_a_run_whose_record_changes_while_it_is_measured_is_closed_all_the_same() -> None:
    stage = Stage(task(), zero=5, few=7)
    stage.measure()
    run = stage.tune()
    path = f"tasks/birds/runs/{run}/run.json"

    def settle() -> None:
        record = {**stage.fakes.artifacts.json(path), "actual_usd": 0.25}
        stage.fakes.artifacts.put(path, json.dumps(record))

    stage.fakes.faults.interrupt(40, settle)
    stage.conclude(run)
    closed = stage.fakes.artifacts.json(path)
    assert (closed["state"], closed["actual_usd"]) == ("closed", 0.25)


def test_the_report_says_what_the_run_was_planned_and_priced_at_and_what_the_service_left_out() -> (
    None
):
    stage = Stage(task(), zero=5, few=7)
    stage.measure()
    run = stage.tune()
    path = f"tasks/birds/runs/{run}/run.json"
    told = {
        "plan_note": "One configuration, as few rows cannot tell more apart.",
        "estimated_usd": 2.0,
        "estimated_low_usd": 1.5,
        "estimated_high_usd": 2.5,
        "actual_usd": 1.75,
        "lineage": "replaces tuned-e2-m1-a1",
    }
    stage.fakes.artifacts.put(path, json.dumps({**stage.fakes.artifacts.json(path), **told}))
    (job,) = stage.fakes.artifacts.names(f"tasks/birds/runs/{run}/jobs/")
    more = {"dropped_examples": ["line 7 is empty"], "truncated_examples": 3, "epochs_done": 4}
    stage.fakes.artifacts.put(job, json.dumps({**stage.fakes.artifacts.json(job), **more}))
    stage.conclude(run)
    page = stage.fakes.artifacts.content(f"tasks/birds/runs/{run}/report.html").decode()
    for words in (
        told["plan_note"],
        "replaces tuned-e2-m1-a1",
        "$2.00 ($1.50 to $2.50)",
        "it cost $1.75",
        "line 7 is empty",
        '<td class="n">3</td>',
    ):
        assert str(words) in page


def test_an_older_verdict_never_demotes_a_newer_champion() -> None:
    stage = Stage(task())
    stage.measure()
    store(stage.fakes, stage.declared, 110, "dataset2")
    stage.measure("dataset2")
    assert stage.champion["dataset"] == "dataset2"
    stage.measure("dataset1")
    assert stage.champion["dataset"] == "dataset2"
    assert [line["dataset"] for line in stage.champion["history"]] == ["dataset1", "dataset2"]


def test_a_task_that_promotes_by_hand_gets_a_verdict_but_no_champion() -> None:
    stage = Stage(task(evaluation={"promote": "by_hand"}))
    stage.measure()
    assert stage.verdict("datasets/dataset1")["winner"] == "zero-shot"
    assert CHAMPION not in stage.fakes.artifacts.names()


def test_a_person_may_promote_what_was_measured() -> None:
    stage = Stage(task())
    stage.measure()
    stage.evaluate("promotion-requested", dataset="dataset1", candidate="few-shot")
    assert stage.champion["candidate"]["name"] == "few-shot"
    assert len(stage.champion["candidate"]["shots"]) == 4
    assert [line["candidate"] for line in stage.champion["history"]] == ["zero-shot", "few-shot"]
    stage.measure()
    assert stage.champion["candidate"]["name"] == "few-shot"


def test_promoting_the_champion_again_changes_nothing() -> None:
    stage = Stage(task())
    stage.measure()
    before = stage.champion
    for _ in range(2):
        stage.evaluate("promotion-requested", dataset="dataset1", candidate="zero-shot")
    assert stage.champion == before


def test_an_old_promotion_that_is_delivered_again_does_not_undo_a_later_one() -> None:
    stage = Stage(task(prompting={"examples": 2}))
    stage.measure()
    services = Services(stage.generator, stage.fakes.exact_match())
    start = stage.fakes.clock()
    for number, name in ((1, "few-shot"), (2, "zero-shot"), (1, "few-shot")):
        stage.fakes.clock.advance(60)
        data = {"task": "birds", "dataset": "dataset1", "candidate": name}
        published = start + timedelta(seconds=number)
        event = Message("promotion-requested", data, str(number), published)
        handle_event(event, stage.fakes.world, services)
    assert stage.champion["candidate"]["name"] == "zero-shot"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"dataset": "dataset1", "candidate": "best-shot"}, "Measured were: few-shot, zero-shot."),
        ({"dataset": "dataset1"}, "Measured were"),
        ({"dataset": "dataset9", "candidate": "few-shot"}, "no dataset 'dataset9'"),
        ({"candidate": "few-shot"}, "no dataset ''"),
    ],
)
def test_a_promotion_of_what_was_never_measured_is_rejected(
    data: dict[str, str], said: str
) -> None:
    stage = Stage(task())
    stage.measure()
    before = stage.champion
    with pytest.raises(Rejected) as caught:
        stage.evaluate("promotion-requested", **data)
    assert said in str(caught.value)
    assert stage.champion == before


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        ("dataset-converted", {"dataset": "nothing"}),
        ("dataset-converted", {"dataset": 7}),
        ("dataset-converted", {"datasets": "dataset1"}),
        ("dataset-converted", {"task": "../birds", "dataset": "dataset1"}),
        ("tuning-completed", {"run": "nothing"}),
        ("tuning-completed", {}),
    ],
)
def test_a_message_about_nothing_is_rejected(topic: str, data: dict[str, object]) -> None:
    stage = Stage(task())
    with pytest.raises(Rejected):
        stage.evaluate(topic, **data)
    assert stage.asked == []


def test_a_dataset_that_cannot_be_measured_is_not_revived_for_ever() -> None:
    stage = Stage(task(tuning={"base_model": "gemini-1.0-pro"}))
    open_work.begin(stage.fakes.world, "dataset", "birds", "dataset1")
    with pytest.raises(Rejected):
        stage.measure()
    stage.fakes.clock.advance(stage.fakes.settings.revive_after_seconds + 1)
    watch(stage.fakes.world, stage.fakes.tuning)
    assert stage.fakes.publisher.on("dataset-converted") == []


def without_its_dataset(stage: Stage) -> None:
    stage.fakes.artifacts.delete("tasks/birds/datasets/dataset1/dataset.json")


def with_a_base_model_that_is_gone(stage: Stage) -> None:
    declare(stage.fakes, task(tuning={"base_model": "gemini-1.0-pro"}))


@pytest.mark.parametrize("spoil", [without_its_dataset, with_a_base_model_that_is_gone])
def test_a_run_that_cannot_be_concluded_is_not_revived_for_ever(
    spoil: Callable[[Stage], None],
) -> None:
    stage = Stage(task(), zero=5, few=7)
    run = stage.tune()
    spoil(stage)
    told = len(stage.fakes.publisher.on("tuning-completed"))
    with pytest.raises(Rejected):
        stage.conclude(run)
    stage.fakes.clock.advance(stage.fakes.settings.revive_after_seconds + 1)
    watch(stage.fakes.world, stage.fakes.tuning)
    assert len(stage.fakes.publisher.on("tuning-completed")) == told
    assert stage.fakes.artifacts.names("open/run/") == []


def test_jobs_are_followed_to_their_end_though_their_run_cannot_be_concluded() -> None:
    stage = Stage(task(tuning={"sweep": [{"epoch_count": 1}, {"epoch_count": 2}]}))
    launch(message("tuning-requested", task="birds"), stage.fakes.world, stage.fakes.tuning)
    stage.fakes.tuning.become(stage.fakes.tuning.jobs[0].name, "succeeded")
    watch(stage.fakes.world, stage.fakes.tuning)
    (told,) = stage.fakes.publisher.on("tuning-completed")
    without_its_dataset(stage)
    for left in (1, 0):
        with pytest.raises(Rejected):
            stage.evaluate("tuning-completed", **told)
        assert len(stage.fakes.artifacts.names("open/run/")) == left
        stage.fakes.tuning.end_all()
        watch(stage.fakes.world, stage.fakes.tuning)


def test_an_object_is_no_message() -> None:
    stage = Stage(task())
    services = Services(stage.generator, stage.fakes.exact_match())
    with pytest.raises(Rejected):
        handle_event(ObjectArrived("datasets", "birds/a.csv", 1), stage.fakes.world, services)


def test_a_busy_service_is_asked_again_and_the_end_is_the_same() -> None:
    stage = Stage(task())
    for call in ("generate", "score", "write artifacts", "publish"):
        stage.fakes.faults.fail(call, Retry("busy"))
    # A busy model is asked again within the delivery.
    for _ in range(3):
        with pytest.raises(Retry):
            stage.measure()
    stage.measure()
    assert stage.champion["candidate"]["name"] == "zero-shot"


def test_work_that_takes_longer_than_a_delivery_has_is_handed_over() -> None:
    stage = Stage(task())
    quick = skilled()

    def slow(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
        stage.fakes.clock.advance(20)
        return quick(model, prompt, sampling)

    stage.generator = stage.fakes.generator(slow)
    open_work.begin(stage.fakes.world, "dataset", "birds", "dataset1")
    stage.measure()
    (marker,) = stage.fakes.artifacts.names("open/")
    since = stage.fakes.artifacts.json(marker)["since"]
    assert datetime.fromisoformat(since) == stage.fakes.clock()
    deliveries = 1
    while len(stage.fakes.publisher.on("dataset-converted")) == deliveries:
        stage.measure()
        deliveries += 1
    wanted = {"task": "birds", "dataset": "dataset1"}
    assert all(item == wanted for item in stage.fakes.publisher.on("dataset-converted"))
    assert deliveries > 3
    assert stage.champion["candidate"]["name"] == "zero-shot"
    assert len(stage.asked) == 40 + 40 + 60


def test_a_delivery_that_got_nothing_done_fails_rather_than_hand_over() -> None:
    stage = Stage(task())
    stage.fakes.faults.fail("generate", Busy("429"), times=1000)
    with pytest.raises(Retry):
        stage.measure()
    assert stage.fakes.publisher.messages == []


def test_a_crash_at_any_call_ends_with_the_same_champion_when_delivered_again() -> None:
    small = task(evaluation={"max_rows": 10}, prompting={"strategies": ["zero-shot"]})
    point = 0
    crashed = True
    while crashed:
        point += 1
        stage = Stage(small)
        stage.fakes.faults.crash_at = stage.fakes.faults.points + point
        crashed = False
        for _ in range(2):
            try:
                stage.measure()
            except Crash:
                crashed = True
        assert stage.champion["candidate"]["name"] == "zero-shot"
        assert stage.verdict("datasets/dataset1")["winner"] == "zero-shot"
        assert stage.fakes.publisher.facts("prompting-measured")
    assert point > 60


def test_fields_go_the_same_way() -> None:
    fakes = fake_world()
    declared = Task.model_validate({"type": "extraction", "fields": ["place"]})
    parties = [Example(f"party at mill-{n}", {"place": f"mill-{n}"}) for n in range(60)]
    splits = {"train": parties[:20], "validation": parties[20:40], "test": parties[40:]}
    store_dataset(fakes, declared, splits)
    generator = fakes.generator(
        lambda _model, prompt, _sampling: [f'{{"place": "{prompt.turns[-1][1].split()[-1]}"}}']
    )
    services = Services(generator, fakes.exact_match())
    event = message("dataset-converted", task="birds", dataset="dataset1")
    handle_event(event, fakes.world, services)
    verdict = fakes.artifacts.json("tasks/birds/datasets/dataset1/verdict.json")
    assert (verdict["metric"], verdict["target_met"]) == ("field_f1", True)
