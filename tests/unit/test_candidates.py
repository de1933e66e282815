"""What candidates are asked with, and that evaluation and serving ask the same."""

import json
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.evaluate_model.bench import Bench, Services
from functions.evaluate_model.candidates import candidate_key, prompting_candidates
from functions.evaluate_model.measure import measure
from functions.evaluate_model.shift import begin_shift
from functions.evaluate_model.shown import POOL_EXAMPLES, choose_shown
from functions.process_document.process import process
from shared import paths
from shared.candidates import prompt_hash, prompt_of
from shared.errors import NotFound
from shared.examples import Example
from shared.nearest import Nearest, terms
from shared.ports import Sampling
from shared.prompts import Prompt
from shared.record_store import encode
from shared.records import Candidate, ChampionRecord, DatasetRecord
from shared.task import Task
from tests.fakes import FakeWorld, fake_world, store_dataset

STRATEGIES = ("zero-shot", "few-shot", "nearest-examples", "chain-of-thought")
TASK = Task.model_validate(
    {
        "type": "classification",
        "labels": ["owl", "crow"],
        "prompting": {"strategies": STRATEGIES, "examples": 3},
    }
)
TRAIN = [
    Example("it hoots in the barn at night", "owl"),
    Example("it hoots from the old church tower", "owl"),
    Example("round eyes and a turning head", "owl"),
    Example("it caws on the telegraph pole", "crow"),
    Example("all black and clever, it caws", "crow"),
    Example("it picks at the bins by day", "crow"),
]


def stage(
    train: Sequence[Example] = TRAIN, task: Task = TASK
) -> tuple[FakeWorld, DatasetRecord, Bench]:
    fakes = fake_world()
    splits = {"train": train, "validation": [Example("who hoots?", "owl")], "test": train[:1]}
    dataset = store_dataset(fakes, task, splits)
    services = Services(fakes.generator(lambda *_: ["owl"]), fakes.exact_match())
    return fakes, dataset, Bench(fakes.world, services, dataset, task, begin_shift(fakes.world))


def named(bench: Bench) -> dict[str, Candidate]:
    return {candidate.name: candidate for candidate in prompting_candidates(bench)}


def test_there_is_a_candidate_of_every_strategy_and_their_prompts_differ() -> None:
    fakes, dataset, bench = stage()
    candidates = named(bench)
    assert tuple(candidates) == STRATEGIES
    prompts = {
        repr(prompt_of(candidate, TASK, "who hoots at night?", fakes.artifacts))
        for candidate in candidates.values()
    }
    assert len(prompts) == len(STRATEGIES)
    assert len({candidate_key(item, dataset) for item in candidates.values()}) == len(STRATEGIES)


def test_the_nearest_examples_are_picked_for_each_text_the_nearest_last() -> None:
    fakes, _, bench = stage()
    candidate = named(bench)["nearest-examples"]

    def shown(text: str) -> list[str]:
        turns = prompt_of(candidate, TASK, text, fakes.artifacts).turns
        assert turns[-1] == ("user", text)
        return [said for role, said in turns[:-1] if role == "user"]

    assert len(shown("anything")) == 3
    assert shown("who hoots in a church tower?")[-1] == TRAIN[1].text
    assert shown("what caws on a pole?")[-1] == TRAIN[3].text


def test_a_candidate_is_served_as_it_was_measured() -> None:
    text = "who hoots in a church tower?"
    for name in STRATEGIES:
        fakes, dataset, bench = stage()
        asked: list[tuple[Prompt, Sampling]] = []
        candidate = named(bench)[name]

        def listen(_model: str, prompt: Prompt, sampling: Sampling) -> Sequence[str]:
            asked.append((prompt, sampling))  # noqa: B023 - called within the turn
            return ["owl"]

        rows = [Example(text, "owl")]
        store_dataset(fakes, TASK, {"train": TRAIN, "validation": rows}, identifier="dataset1")
        generator = fakes.generator(listen)
        services = Services(generator, fakes.exact_match())
        measure(
            Bench(fakes.world, services, dataset, TASK, begin_shift(fakes.world)),
            candidate,
            "validation",
        )
        champion = ChampionRecord(
            task_name="birds",
            candidate=candidate,
            task=TASK,
            dataset=dataset.id,
            run="",
            at=fakes.clock(),
        )
        fakes.artifacts.put(paths.champion("birds"), encode(champion))
        process(fakes.documents.put("birds/letter.txt", text), fakes.world, generator)
        (measured, first), (served, second) = asked
        assert measured == served
        assert (first.samples, first.temperature) == (second.samples, second.temperature)
        result = fakes.results.json("birds/letter.txt.json")
        assert result["provenance"]["prompt_hash"] == prompt_hash(candidate, TASK)


def test_whatever_changes_the_prompt_changes_its_hash() -> None:
    _, _, bench = stage()
    candidates = named(bench)
    hashes = {prompt_hash(candidate, TASK) for candidate in candidates.values()}
    others = [
        candidates["few-shot"].model_copy(update={"shots": candidates["few-shot"].shots[:2]}),
        candidates["nearest-examples"].model_copy(update={"nearest": 2}),
        candidates["nearest-examples"].model_copy(update={"pool": "another"}),
    ]
    hashes |= {prompt_hash(candidate, TASK) for candidate in others}
    told = TASK.model_copy(update={"instruction": "Look."})
    hashes |= {prompt_hash(candidate, told) for candidate in candidates.values()}
    assert len(hashes) == 4 + 3 + 4
    fields = Task.model_validate({"type": "extraction", "fields": ["place"]})
    plain = candidates["zero-shot"]
    several = plain.model_copy(update={"list_fields": {"place": "always"}})
    assert prompt_hash(plain, fields) != prompt_hash(several, fields)


def test_a_hash_follows_from_the_prompt_alone() -> None:
    first, second = named(stage()[2]), named(stage(TRAIN[::-1])[2])
    for name in STRATEGIES:
        assert prompt_hash(first[name], TASK) == prompt_hash(second[name], TASK)
        renamed = first[name].model_copy(update={"name": "another", "run": "r"})
        assert prompt_hash(renamed, TASK) == prompt_hash(first[name], TASK)


def test_the_pool_is_written_once_and_holds_no_more_than_so_many() -> None:
    train = [Example(f"it hoots {n} times", ("owl", "crow")[n % 4 == 0]) for n in range(3000)]
    fakes, _, bench = stage(train)
    for _ in range(2):
        prompting_candidates(bench)
    (path,) = fakes.artifacts.names("tasks/birds/datasets/dataset1/examples/")
    lines = [json.loads(line) for line in fakes.artifacts.content(path).splitlines()]
    assert len(lines) == POOL_EXAMPLES
    assert sum(line["answer"] == "crow" for line in lines) == POOL_EXAMPLES / 4


def test_a_pool_that_is_gone_is_named() -> None:
    fakes, _, bench = stage()
    candidate = named(bench)["nearest-examples"]
    fakes.artifacts.delete(candidate.pool)
    with pytest.raises(NotFound, match="examples/"):
        prompt_of(candidate, TASK, "hoo", fakes.artifacts)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([["Ann"], ["Bo", "Cy"], None], {"guests": "always"}),
        (["Ann", ["Bo", "Cy"]], {"guests": "sometimes"}),
        (["Ann", None], {}),
        ([None], {}),
    ],
)
def test_a_field_whose_training_values_are_lists_is_known_for_it(
    values: list[str | list[str] | None], kind: dict[str, str]
) -> None:
    task = Task.model_validate({"type": "extraction", "fields": ["guests", "place"]})
    train = [Example(f"text {n}", {"guests": v, "place": "x"}) for n, v in enumerate(values)]
    fakes, dataset, _ = stage(train, task)
    assert choose_shown(fakes.artifacts, dataset, 3).list_fields == kind


# Nearness.


def test_what_is_near_shares_rare_words_rather_than_common_ones() -> None:
    texts = ["the cat sat on the mat", "the dog sat on the log", "a parcel came from Oslo"]
    index = Nearest(texts)
    assert index.find("where is my parcel?", 1) == [2]
    assert index.find("the cats of Rome", 1) == [0]
    assert index.find("the log", 2)[0] == 1


def test_scripts_that_do_not_part_words_are_compared_by_characters() -> None:
    texts = ["送餐很快，味道好", "包裹还没有到", "菜太咸了，不好吃"]
    index = Nearest(texts)
    assert index.find("我的包裹在哪里？", 1) == [1]
    assert index.find("味道很好", 1) == [0]


def test_letter_case_and_punctuation_do_not_matter() -> None:
    assert terms("The CAT, sat!") == terms("the cat sat")


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=20), st.text(), st.integers(1, 30))
def test_any_text_finds_as_many_as_there_are(texts: list[str], text: str, count: int) -> None:
    index = Nearest(texts)
    found = index.find(text, count)
    assert len(found) == len(set(found)) == min(count, len(texts))
    assert found == index.find(text, count)


@pytest.mark.parametrize("length", [20, 2000, 400_000])
def test_a_text_of_any_length_looks_only_so_many_terms_up(length: int) -> None:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefgh", k=5)) for _ in range(3000)]
    index = Nearest([" ".join(chance.choices(words, k=20)) for _ in range(200)])
    asked = index.looked_up(" ".join(chance.choices(words, k=length // 6)))
    assert 0 < len(asked) <= 64
