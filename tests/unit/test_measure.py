"""Measuring one candidate on one split."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.evaluate_model.bench import Bench, Services
from functions.evaluate_model.candidates import candidate_key, prompting_candidate
from functions.evaluate_model.costs import percentile, usd_per_thousand
from functions.evaluate_model.held_out import held_out_rows
from functions.evaluate_model.measure import MAX_MISTAKES, measure
from functions.evaluate_model.shards import SHARD_ROWS, cut
from functions.evaluate_model.shift import begin_shift
from functions.evaluate_model.shown import choose_shown
from functions.evaluate_model.strata import (
    MAX_SHOT_CHARACTERS,
    Strata,
    balanced,
    proportional,
    stratified,
    stratum_of,
)
from shared.candidates import tuned_candidates
from shared.errors import NotFound, Rejected, Retry
from shared.examples import Answer, Example
from shared.paths import content_id
from shared.ports import Sampling
from shared.prompts import Prompt
from shared.records import Candidate, DatasetRecord, EvaluationRecord, JobRecord
from shared.task import Configuration, Evaluation, Serving, Strategy, Task, Tuning
from tests.fakes import START, Crash, FakeGenerator, FakeWorld, fake_world, store_dataset

TASK = Task.model_validate({"type": "classification", "labels": ["owl", "crow"]})
STRATEGIES: tuple[Strategy, ...] = ("zero-shot", "few-shot")


def candidate_of(
    fakes: FakeWorld,
    dataset: DatasetRecord,
    strategy: Strategy = "zero-shot",
    model: str = "gemini-3.5-flash-lite",
    region: str = "us-central1",
    examples: int = 4,
) -> Candidate:
    policy = TASK.model_copy(update={"tuning": Tuning(base_model=model)})
    shown = choose_shown(fakes.artifacts, dataset, examples)
    return prompting_candidate(strategy, policy, region, shown, fakes.artifacts, dataset)


def birds(count: int, start: int = 0) -> list[Example]:
    """Make examples whose text gives their label away."""
    names = ("owl", "crow")
    return [Example(f"{names[n % 2]} {n}", names[n % 2]) for n in range(start, start + count)]


def honest(_model: str, prompt: Prompt, _sampling: Sampling) -> Sequence[str]:
    return [prompt.turns[-1][1].split()[0]]


def stage(rows: int = 100) -> tuple[FakeWorld, DatasetRecord, FakeGenerator]:
    fakes = fake_world()
    splits = {"train": birds(40), "validation": birds(rows, 100), "test": birds(20, 500)}
    return fakes, store_dataset(fakes, TASK, splits), fakes.generator(honest)


def run(
    fakes: FakeWorld,
    dataset: DatasetRecord,
    generator: FakeGenerator,
    candidate: Candidate | None = None,
    max_rows: int = 300,
    serving: Serving | None = None,
    scored: int | None = None,
) -> EvaluationRecord:
    changed = {"evaluation": Evaluation(max_rows=max_rows), "serving": serving or Serving()}
    policy = TASK.model_copy(update=changed)
    service = fakes.exact_match()
    service.most = scored
    services = Services(generator, service, fakes.clock.advance)
    bench = Bench(fakes.world, services, dataset, policy, begin_shift(fakes.world))
    return measure(bench, candidate or candidate_of(fakes, dataset), "validation")


def test_every_row_is_asked_once_and_scored() -> None:
    fakes, dataset, generator = stage()
    record = run(fakes, dataset, generator)
    assert record.n == 100
    assert record.metrics["exact_match"] == record.service_exact_match == 1.0
    assert sorted(generator.texts()) == sorted(row.text for row in birds(100, 100))
    assert record.prompt_tokens > record.answer_tokens == 100


def test_the_versions_of_the_model_that_answered_are_kept() -> None:
    fakes, dataset, generator = stage(10)
    generator.versions = iter(["m-002", "m-001", "m-002", ""])
    assert run(fakes, dataset, generator).model_versions == ("fake-1", "m-001", "m-002")


def test_a_row_is_asked_as_a_document_is() -> None:
    fakes, dataset, generator = stage(2)
    record = run(fakes, dataset, generator)
    assert {(asked.samples, asked.temperature) for _, _, asked in generator.asked} == {(5, 0.7)}
    assert len({asked.seed for _, _, asked in generator.asked}) == 2
    assert (record.samples, record.temperature) == (5, 0.7)


def test_a_row_asked_again_is_asked_with_the_same_seed() -> None:
    asked = []
    for _ in range(2):
        fakes, dataset, generator = stage(2)
        run(fakes, dataset, generator)
        asked.append(
            sorted((prompt.turns, sampling.seed) for _, prompt, sampling in generator.asked)
        )
    assert asked[0] == asked[1]


def wavering(_model: str, prompt: Prompt, _sampling: Sampling) -> Sequence[str]:
    """Be sure of owls, doubt crows, and say nothing useful about the fifth kind of row."""
    name, number = prompt.turns[-1][1].split()
    if int(number) % 5 == 0:
        return ["what", "a bird", "is this?"]
    return ["owl"] * 5 if name == "owl" else ["crow", "owl", "crow", "owl", "owl"]


def test_the_majority_is_the_answer_and_its_share_the_agreement() -> None:
    fakes, dataset, _ = stage(10)
    record = run(fakes, dataset, fakes.generator(wavering))
    rows = held_out_rows(fakes.artifacts, dataset, "validation", 300)
    numbers = [int(row.text.split()[1]) for row in rows]
    for place, number in enumerate(numbers):
        agreement = 0 if number % 5 == 0 else 0.6 if number % 2 else 1.0
        assert record.row_agreements[place] == agreement
        said = -1 if number % 5 == 0 else 0
        assert record.row_answers[place] == (number % 2, said)
    assert record.invalid == 2
    assert record.metrics["exact_match"] == 0.4


def test_every_wrong_row_is_listed_with_what_was_said() -> None:
    fakes, dataset, _ = stage(10)
    record = run(fakes, dataset, fakes.generator(wavering))
    rows = held_out_rows(fakes.artifacts, dataset, "validation", 300)
    wrong = {place for place, score in enumerate(record.row_scores) if score < 1}
    assert {mistake.row for mistake in record.mistakes} == wrong
    for mistake in record.mistakes:
        assert (mistake.text, mistake.truth) == tuple(rows[mistake.row])
        assert mistake.answer == ("what" if mistake.confidence == 0 else "owl")


def test_mistakes_are_shortened_and_no_more_than_so_many() -> None:
    fakes = fake_world()
    rows = [Example(f"{n} " + "hoo " * 200, "owl") for n in range(MAX_MISTAKES + 9)]
    dataset = store_dataset(fakes, TASK, {"validation": rows})
    record = run(fakes, dataset, fakes.generator(lambda *_: ["crow " * 200]), max_rows=5000)
    assert record.metrics["exact_match"] == 0
    assert len(record.mistakes) == MAX_MISTAKES
    assert all(len(item.text) == len(item.answer) == 300 for item in record.mistakes)


def test_time_and_money_are_what_the_requests_took() -> None:
    fakes, dataset, _ = stage(10)
    generator = fakes.generator(honest)
    generator.seconds = iter(n / 10 for n in range(10))
    record = run(fakes, dataset, generator)
    assert (record.seconds_p50, record.seconds_p95) == (0.4, 0.9)
    # $0.3 a million tokens read and $2.5 a million written, for ten rows.
    dollars = (record.prompt_tokens * 0.3 + record.answer_tokens * 2.5) / 1e6
    assert record.usd_per_thousand == pytest.approx(dollars * 100, abs=1e-6)


def test_a_model_without_a_price_has_no_cost() -> None:
    assert usd_per_thousand("gemini-of-tomorrow", 10, 1000, 10) is None


@given(st.lists(st.floats(0, 100), min_size=1), st.sampled_from([50, 95]))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(
    seconds: list[float], percent: int
) -> None:
    found = percentile(seconds, percent)
    assert found in seconds
    assert found is not None
    assert sum(item <= found for item in seconds) * 100 >= percent * len(seconds)
    assert sum(item < found for item in seconds) * 100 < percent * len(seconds)


def test_of_no_answers_there_is_no_percentile() -> None:
    assert percentile([], 50) is None


def test_another_way_of_asking_is_measured_anew() -> None:
    fakes, dataset, generator = stage(10)
    run(fakes, dataset, generator)
    run(fakes, dataset, generator, serving=Serving(samples=3))
    run(fakes, dataset, generator, serving=Serving(temperature=0.2))
    assert len(generator.asked) == 30


def test_measuring_again_asks_nothing() -> None:
    fakes, dataset, generator = stage()
    first = run(fakes, dataset, generator)
    assert run(fakes, dataset, generator) == first
    assert len(generator.asked) == 100


def test_an_answer_that_is_stored_is_never_asked_for_again() -> None:
    fakes, dataset, generator = stage()
    first = run(fakes, dataset, generator)
    for name in fakes.artifacts.names("tasks/"):
        if name.endswith("/evaluation.json"):
            fakes.artifacts.delete(name)
    assert run(fakes, dataset, generator) == first
    assert len(generator.asked) == 100


def test_a_crash_in_the_middle_costs_no_more_than_the_shard_in_progress() -> None:
    fakes, dataset, _ = stage()
    asked: Counter[str] = Counter()

    def mortal(model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
        if sum(asked.values()) == SHARD_ROWS + 5 and max(asked.values()) == 1:
            asked["died"] = 2
            raise Crash
        asked[prompt.turns[-1][1]] += 1
        return honest(model, prompt, sampling)

    generator = FakeGenerator(mortal)
    with pytest.raises(Crash):
        run(fakes, dataset, generator)
    record = run(fakes, dataset, generator)
    del asked["died"]
    assert record.metrics["exact_match"] == 1.0
    assert len(asked) == 100
    assert sum(asked.values()) <= 100 + SHARD_ROWS
    first = cut(100)[0]
    stored = held_out_rows(fakes.artifacts, dataset, "validation", 300)[first.start : first.stop]
    assert {asked[row.text] for row in stored} == {1}


def test_a_crash_at_any_call_ends_in_the_same_figures() -> None:
    fakes, dataset, generator = stage(10)
    wanted = run(fakes, dataset, generator)
    point = 0
    crashed = True
    while crashed:
        point += 1
        fakes, dataset, generator = stage(10)
        fakes.faults.crash_at = fakes.faults.points + point
        crashed = False
        for _ in range(2):
            try:
                record = run(fakes, dataset, generator)
            except Crash:
                crashed = True
        assert record == wanted
    assert point > 20


def test_a_model_that_is_out_of_order_keeps_what_was_answered_so_far() -> None:
    fakes, dataset, generator = stage()
    fakes.faults.fail("generate", Retry("broken"), times=200)
    with pytest.raises(Retry):
        run(fakes, dataset, generator)
    fakes.faults.mend()
    assert run(fakes, dataset, generator).n == 100


def test_the_first_stored_answers_count_when_two_deliveries_race() -> None:
    fakes, dataset, _ = stage(10)
    quick = fakes.generator(honest)
    raced = False

    def slow(_model: str, _prompt: Prompt, _sampling: Sampling) -> Sequence[str]:
        nonlocal raced
        if not raced:
            raced = True
            run(fakes, dataset, quick)
        return ["wrong"]

    record = run(fakes, dataset, FakeGenerator(slow))
    assert record.metrics["exact_match"] == 1.0


def test_a_row_that_the_service_refuses_counts_as_wrong() -> None:
    fakes, dataset, generator = stage(10)
    fakes.faults.fail("generate", Rejected("blocked"), times=3)
    record = run(fakes, dataset, generator)
    assert record.invalid == 3
    assert record.metrics["exact_match"] == record.service_exact_match == 0.7


@pytest.mark.parametrize("trouble", [Rejected("too long"), NotFound("no such method"), 0, 9])
def test_a_candidate_is_measured_without_the_second_opinion_that_the_service_does_not_give(
    trouble: Exception | int, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes, dataset, generator = stage(10)
    if isinstance(trouble, Exception):
        fakes.faults.fail("score", trouble)
    record = run(fakes, dataset, generator, scored=trouble if isinstance(trouble, int) else None)
    assert (record.metrics["exact_match"], record.service_exact_match) == (1.0, None)
    warnings = [line for line in capsys.readouterr().out.splitlines() if "WARNING" in line]
    assert len(warnings) == 1
    assert "the evaluation service" in warnings[0]


def test_words_that_are_no_answer_count_as_wrong_in_both_figures() -> None:
    fakes, dataset, _ = stage(10)
    record = run(fakes, dataset, fakes.generator(lambda *_: ["no idea"]))
    assert (record.invalid, record.metrics["exact_match"], record.service_exact_match) == (10, 0, 0)


def test_spellings_of_a_label_are_right_in_both_figures() -> None:
    fakes, dataset, _ = stage(10)
    loud = fakes.generator(lambda *asked: [f'"{honest(*asked)[0].upper()}".'])
    record = run(fakes, dataset, loud)
    assert record.metrics["exact_match"] == record.service_exact_match == 1.0


def test_a_list_in_another_order_is_right_in_both_figures() -> None:
    fakes = fake_world()
    party = Task.model_validate({"type": "extraction", "fields": ["guests", "place"]})
    rows = [Example(f"party {n}", {"guests": ["Ann", "Bob"], "place": None}) for n in range(10)]
    dataset = store_dataset(fakes, party, {"validation": rows})

    def turned(_model: str, prompt: Prompt, _sampling: Sampling) -> Sequence[str]:
        odd = int(prompt.turns[-1][1].split()[1]) % 2
        return ['{"guests": ["Ann"]}' if odd else '{"guests": ["Bob", "Ann"]}']

    record = run(fakes, dataset, fakes.generator(turned))
    assert record.metrics["exact_match"] == record.service_exact_match == 0.5
    assert sum(score == 1 for score in record.row_scores) == 5


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 40), min_size=1),
    st.integers(1, 60),
)
def test_a_sample_gives_every_label_its_share(sizes: dict[str, int], count: int) -> None:
    whole = [Example(f"{name} {n}", name) for name, size in sizes.items() for n in range(size)]
    sample = stratified(lambda: whole, count)
    assert len(sample) == min(count, len(whole)) == len(set(sample))
    assert sorted(stratified(lambda: whole[::-1], count)) == sorted(sample)
    found = Counter(str(item.answer) for item in sample)
    for name, size in sizes.items():
        share = size * min(count, len(whole)) / len(whole)
        assert abs(found[name] - share) < 1
        mine = sorted((item for item in whole if item.answer == name), key=by_hash)
        assert {item for item in sample if item.answer == name} == set(mine[: found[name]])


class Held(Example):
    """An example that counts how many of it are held at the same time."""

    now = most = 0

    def __new__(cls, text: str, answer: Answer) -> "Held":
        cls.now += 1
        cls.most = max(cls.most, cls.now)
        return super().__new__(cls, text, answer)

    def __del__(self) -> None:
        type(self).now -= 1


def test_choosing_holds_no_more_examples_than_are_wanted_however_many_sets_of_labels() -> None:
    names = [f"label {n}" for n in range(100)]

    def read() -> Iterator[Example]:
        for n in range(3000):
            yield Held(f"text {n}", [names[n % 100], names[n * 7 % 89]])

    sizes = Counter(map(stratum_of, read()))
    assert len(sizes) > 2000
    for places in (proportional(sizes, 50), balanced(sizes, 50)):
        Held.most = 0
        strata = Strata(places)
        for example in read():
            strata.add(example)
        assert len(strata.first(places)) == len(strata.in_turns(50)) == 50
        assert Held.most <= 50 + 2


def by_hash(example: Example) -> str:
    return content_id(example.text)


def test_a_sample_of_held_out_rows_is_not_made_of_short_texts() -> None:
    fakes = fake_world()
    rows = [Example(f"owl {n} " + "o" * MAX_SHOT_CHARACTERS * (n % 2), "owl") for n in range(40)]
    dataset = store_dataset(fakes, TASK, {"validation": rows})
    taken = held_out_rows(fakes.artifacts, dataset, "validation", 20)
    assert taken == sorted(rows, key=by_hash)[:20]


def test_a_limit_on_rows_takes_the_same_ones_for_every_candidate() -> None:
    fakes, dataset, generator = stage()
    run(fakes, dataset, generator, max_rows=30)
    first = generator.texts()
    other = candidate_of(fakes, dataset, "few-shot")
    run(fakes, dataset, generator, other, max_rows=30)
    assert len(first) == 30
    assert sorted(generator.texts()[30:]) == sorted(first)


def shots_of(fakes: FakeWorld, dataset: DatasetRecord, count: int) -> list[Example]:
    return list(choose_shown(fakes.artifacts, dataset, count).shots)


def test_shots_are_balanced_over_the_labels_and_prefer_short_texts() -> None:
    fakes = fake_world()
    long = [Example("owl " + "o" * MAX_SHOT_CHARACTERS + str(n), "owl") for n in range(50)]
    rare = [Example(f"crow {n}", "crow") for n in range(3)]
    train = [*long, Example("owl 1", "owl"), *rare]
    dataset = store_dataset(fakes, TASK, {"train": train})
    shots = shots_of(fakes, dataset, 5)
    assert Counter(str(shot.answer) for shot in shots) in (
        {"crow": 3, "owl": 2},
        {"crow": 2, "owl": 3},
    )
    assert "owl 1" in {shot.text for shot in shots}
    assert shots_of(fakes, dataset, 5) == shots


def test_shots_do_not_depend_on_the_order_of_rows() -> None:
    found = []
    for train in (birds(40), birds(40)[::-1]):
        fakes = fake_world()
        dataset = store_dataset(fakes, TASK, {"train": train})
        found.append(shots_of(fakes, dataset, 6))
    assert found[0] == found[1]


def test_fewer_examples_than_wanted_are_all_shown() -> None:
    fakes = fake_world()
    dataset = store_dataset(fakes, TASK, {"train": birds(3)})
    shots = shots_of(fakes, dataset, 12)
    assert sorted(shot.text for shot in shots) == ["crow 1", "owl 0", "owl 2"]


def test_answers_under_another_prompt_or_model_are_kept_apart() -> None:
    fakes, dataset, _ = stage()
    keys = {
        candidate_key(candidate_of(fakes, dataset, strategy, model, region, shown), dataset)
        for strategy in STRATEGIES
        for model in ("gemini-3.5-flash", "gemini-3.5-flash-lite")
        for region in ("us-central1", "europe-west4")
        for shown in (4, 2)
    }
    assert len(keys) == 2 * 2 + 2 * 2 * 2


def test_a_tuned_candidate_is_called_by_its_endpoint() -> None:
    job = JobRecord(
        id="run-e4-m1-a1",
        run="run",
        task_name="birds",
        dataset="dataset1",
        base_model="gemini-3.5-flash-lite",
        configuration=Configuration(learning_rate_multiplier=0.5),
        state="succeeded",
        endpoint="projects/p/locations/us/endpoints/1",
        created=START,
    )
    (candidate,) = tuned_candidates(job)
    assert (candidate.name, candidate.kind) == ("tuned-e4-m0p5-a1", "tuned")
    assert candidate.model == job.endpoint
