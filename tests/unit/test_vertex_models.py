"""The stand-in's learners, asked directly."""

import json
import random
from typing import Any

import pytest

from local.vertex.answers import Sampling, write_answer
from local.vertex.checks import check_labels
from local.vertex.classifier import LabelModel
from local.vertex.conventions import find_value
from local.vertex.dates import DATE, read_date
from local.vertex.faults import Faults, FaultSettings
from local.vertex.features import FeatureCache, grams
from local.vertex.layout import lay_out
from local.vertex.linear import HyperParameters
from local.vertex.opinion_words import opinion_of, opinion_of_label
from local.vertex.prompted import know_question, reasoning
from local.vertex.questions import Choice, read_question
from local.vertex.tokens import count_tokens
from local.vertex.tuned import TunedModel, kind_of, train
from local.vertex.tuning_data import DatasetError, TuningExample, read_examples
from local.vertex.wire import ApiError
from shared.answers import parse_answer
from shared.examples import Example, ListKind
from shared.prompts import prompted, reasoned
from shared.task import Task

BEST = Sampling(temperature=0)


def example(text: str, answer: Any) -> TuningExample:
    said = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return TuningExample("Do it.", (("user", text), ("model", said)))


def taught(examples: list[TuningExample], **asked: Any) -> TunedModel:
    return train("base", examples, HyperParameters(**asked), FeatureCache())


def best(model: TunedModel, text: str) -> Any:
    return model.know(text).draw(BEST, random.Random(0))


def letters(count: int, seed: int, day: str, price: Any) -> list[tuple[str, dict[str, Any]]]:
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        year, month, date = 2024, chance.randint(1, 12), chance.randint(1, 28)
        amount = chance.randint(1000, 9999) + chance.randint(1, 99) / 100
        cheap = amount < 5000
        text = (
            f"Ref {chance.randint(100, 999)}\nwritten on {date}/{month}/{year}\n"
            f"for {amount:,.2f} in {'small' if cheap else 'large'} notes\nyours"
        )
        values = {"day": day.format(y=year, m=month, d=date), "size": "S" if cheap else "L"}
        rows.append((text, {**values, "price": price(amount)}))
    return rows


def test_the_kind_of_task_follows_from_the_answers() -> None:
    assert kind_of(["yes", "no"]) == "label"
    assert kind_of(['["a"]', "[]"]) == "labels"
    assert kind_of(['{"a": 1}', "{}"]) == "fields"
    assert kind_of(['{"a": 1}', "no"]) == "label"
    assert kind_of(["{sic}", "[sic"]) == "label"


def test_the_same_examples_give_the_same_model() -> None:
    examples = [example(f"word{i % 7} and word{i % 5}", str(i % 3)) for i in range(60)]
    texts = [f"word{i} word{i + 1}" for i in range(6)]
    first, second = taught(examples), taught(examples)

    assert [best(first, text) for text in texts] == [best(second, text) for text in texts]


def test_a_text_without_known_words_gets_the_commonest_label() -> None:
    examples = [example(f"thing {i}", "rare" if i % 10 == 0 else "common") for i in range(100)]

    assert best(taught(examples), "完全不同") == "common"


def test_chinese_texts_share_features_though_no_space_parts_their_words() -> None:
    assert set(grams("味道很好")) & set(grams("这里味道不错")) - {"#"}


def test_dates_and_numbers_are_rewritten_as_the_examples_rewrite_them() -> None:
    rows = letters(80, 1, "{y}-{m:02}-{d:02}", lambda amount: f"{amount:.2f}")
    model = taught([example(text, record) for text, record in rows])
    held_out = letters(20, 2, "{y}-{m:02}-{d:02}", lambda amount: f"{amount:.2f}")
    said = [best(model, text) for text, _ in held_out]

    assert sum(a["day"] == b["day"] for a, (_, b) in zip(said, held_out, strict=True)) >= 19
    assert sum(a["price"] == b["price"] for a, (_, b) in zip(said, held_out, strict=True)) >= 19


def test_numbers_stay_numbers() -> None:
    rows = letters(60, 1, "{d}/{m}/{y}", lambda amount: round(amount, 2))
    model = taught([example(text, record) for text, record in rows])
    text, record = letters(1, 3, "{d}/{m}/{y}", lambda amount: round(amount, 2))[0]

    assert best(model, text)["price"] == record["price"]


def test_a_field_whose_values_are_not_in_the_text_is_chosen_from_those_seen() -> None:
    rows = letters(80, 1, "{d}/{m}/{y}", str)
    model = taught([example(text, record) for text, record in rows])
    held_out = letters(20, 2, "{d}/{m}/{y}", str)

    right = sum(best(model, text)["size"] == record["size"] for text, record in held_out)
    assert right == 20


@pytest.mark.parametrize("absent", ["null", "left out"])
def test_absent_fields_are_written_as_in_training(absent: str) -> None:
    def record(index: int) -> dict[str, Any]:
        if index % 2:
            return {"code": f"AB{index}"}
        return {"code": None} if absent == "null" else {}

    examples = [
        example(f"code AB{i} please" if i % 2 else "nothing to see here", record(i))
        for i in range(80)
    ]
    model = taught(examples)

    assert best(model, "code AB777 please") == {"code": "AB777"}
    assert best(model, "nothing to see here") == ({"code": None} if absent == "null" else {})


def test_a_field_may_hold_several_values() -> None:
    chance = random.Random(1)
    names = ["Anna", "Boris", "Chen", "Dora", "Emil", "Femi", "Gita", "Hugo"]
    rows = []
    for _ in range(120):
        some = chance.sample(names, chance.randint(0, 3))
        text = " ".join(f"we met Dr {name} there" for name in some) or "we met nobody"
        rows.append(example(text, {"people": some}))
    model = taught(rows)

    said = best(model, "we met Dr Igor there we met Dr Jana there")
    assert said == {"people": ["Igor", "Jana"]}
    assert best(model, "we met nobody") == {"people": []}


def test_a_value_over_two_lines_is_found_and_joined_as_in_training() -> None:
    chance = random.Random(2)

    def made() -> tuple[str, dict[str, str]]:
        street = f"{chance.randint(1, 99)} {chance.choice(('OAK', 'ELM', 'FIR'))} ROAD"
        town = f"{chance.randint(10000, 99999)} {chance.choice(('LEEDS', 'BATH', 'YORK'))}"
        text = f"SHOP {chance.randint(1, 9)}\n{street}\n{town}\nTEL {chance.randint(1000, 9999)}"
        return text, {"address": f"{street}, {town}"}

    # The comma is not in the text, so this value cannot be found word for word.
    assert find_value(lay_out(made()[0]), made()[1]["address"]) is None

    def plain() -> tuple[str, dict[str, str]]:
        text, record = made()
        return text, {"address": record["address"].replace(",", "")}

    model = taught([example(*plain()) for _ in range(60)])
    held_out = [plain() for _ in range(20)]

    assert sum(best(model, text) == record for text, record in held_out) >= 19


def test_fields_without_any_token_in_the_texts_do_not_break_training() -> None:
    model = taught([example(" ", {"a": None, "b": "x"}) for _ in range(10)])

    assert set(best(model, "x")) <= {"a", "b"}


def test_a_smaller_adapter_sees_fewer_features() -> None:
    chance = random.Random(4)
    examples = [
        example(" ".join("".join(chance.choices("abcdefgh", k=8)) for _ in range(9)), str(i % 2))
        for i in range(300)
    ]

    def features(size: int) -> int:
        learner = taught(examples, adapter_size=size, epoch_count=1).learner
        assert isinstance(learner, LabelModel)
        return len(learner.checkpoints[-1])

    assert features(1) < features(2) < features(4)


def test_too_few_epochs_or_a_wrong_rate_learn_less() -> None:
    chance = random.Random(3)
    words = [f"{a}{b}{c}{d}" for a in "bdgk" for b in "aeiou" for c in "lmnr" for d in "aeiou"]
    topics = {f"t{i}": chance.sample(words, 12) for i in range(25)}

    def made(count: int) -> list[TuningExample]:
        rows = []
        for _ in range(count):
            label = chance.choice(list(topics))
            said = [*chance.sample(topics[label], 3), *chance.sample(words, 3)]
            rows.append(example(" ".join(said), label))
        return rows

    examples, held_out = made(1200), made(300)

    def right(**asked: Any) -> float:
        model = taught(examples, **asked)
        return sum(int(best(model, one.text) == one.answer) for one in held_out) / len(held_out)

    good = right(epoch_count=6, adapter_size=8)
    assert right(epoch_count=1, learning_rate_multiplier=0.02, adapter_size=8) < good
    assert right(epoch_count=6, learning_rate_multiplier=50.0, adapter_size=8) < good


def test_a_model_survives_its_file(tmp_path: Any) -> None:
    model = taught([example(f"word{i % 4}", str(i % 4)) for i in range(40)])
    model.save(tmp_path / "model.joblib")
    again = TunedModel.load(tmp_path / "model.joblib")

    assert [best(again, f"word{i}") for i in range(4)] == ["0", "1", "2", "3"]


def test_free_text_answers_are_refused() -> None:
    with pytest.raises(DatasetError, match="free text"):
        taught([example(str(i), f"a poem about {i}") for i in range(2100)])


def test_bullets_schema_and_examples_are_read_from_a_prompt() -> None:
    instruction = "Sort.\n- not this\n\nThe labels:\n- late: came late\n- early"
    plain = read_question(instruction, [("user", "x")], None, "")
    schema = {"type": "STRING", "enum": ["early", "late"]}
    shaped = read_question(
        instruction, [("user", "a"), ("model", "late"), ("user", "x")], schema, "text/x.enum"
    )

    assert plain.choices == (Choice("late", "came late"), Choice("early"))
    assert shaped.choices == (Choice("early"), Choice("late", "came late"))
    assert shaped.examples == (("a", "late"),)
    assert (shaped.kind, shaped.form) == ("label", "enum")


def test_a_prompt_without_labels_or_fields_is_not_guessed_at() -> None:
    assert know_question(read_question("", [("user", "Tell me a joke")], None, "")) is None


def test_examples_teach_an_untuned_model_where_a_field_stands() -> None:
    turns = [
        turn
        for i in range(12)
        for turn in (
            ("user", f"parcel {i}{i} goes with carrier K{i}X on day {i}"),
            ("model", json.dumps({"zorb": f"K{i}X"})),
        )
    ]
    schema = {"properties": {"zorb": {"type": "STRING"}}}
    text = "parcel 77 goes with carrier Q4Z on day 9"
    asked = read_question("", [*turns, ("user", text)], schema, "application/json")
    knowledge = know_question(asked)

    assert knowledge is not None
    assert knowledge.draw(BEST, random.Random(0)) == {"zorb": "Q4Z"}


@pytest.mark.parametrize(("lists", "alone"), [("always", ["K9X"]), ("sometimes", "K9X")])
def test_a_field_that_may_hold_several_values_is_given_several(
    lists: ListKind, alone: list[str] | str
) -> None:
    task = Task.model_validate({"type": "extraction", "fields": ["zorb"]})
    shots = [
        Example(f"send K{i}X and K{i}Y home on day {i}", {"zorb": [f"K{i}X", f"K{i}Y"]})
        for i in range(12)
    ] + [Example(f"send K{i}X home on day {i}", {"zorb": [f"K{i}X"]}) for i in range(20, 32)]

    def answer(text: str) -> Any:
        prompt = prompted(task, text, shots, {"zorb": lists})
        knowledge = know_question(
            read_question(prompt.system, prompt.turns, prompt.schema, prompt.media_type)
        )
        assert knowledge is not None
        return knowledge.draw(BEST, random.Random(0))

    assert sorted(answer("send K7X and K8Y home on day 9")["zorb"]) == ["K7X", "K8Y"]
    assert answer("send K9X home on day 9")["zorb"] == alone


@pytest.mark.parametrize(
    "declared",
    [
        {"type": "classification", "labels": ["owl", "crow"]},
        {"type": "classification", "labels": ["owl", "crow"], "multi_label": True},
        {"type": "extraction", "fields": ["date"]},
    ],
)
def test_a_prompt_that_asks_for_reasons_is_answered_with_reasons_and_an_answer(
    declared: dict[str, Any],
) -> None:
    task = Task.model_validate(declared)
    prompt = reasoned(task, "an owl hooted on 5 March 2024")
    question = read_question(prompt.system, prompt.turns, prompt.schema, prompt.media_type)
    assert question.reasoned
    knowledge = know_question(question)
    assert knowledge is not None
    said = reasoning(knowledge, knowledge.draw(BEST, random.Random(0)))
    assert len(said.splitlines()) > 2
    assert parse_answer(task, said) in ("owl", ["owl"], {"date": "5 March 2024"})


def test_opinions_are_read_with_their_negations() -> None:
    assert opinion_of("a great, lovely, excellent place") > 1
    assert opinion_of("not good at all") < 0
    assert opinion_of("不好吃") < 0
    assert opinion_of("很好") > 0
    assert opinion_of("a table with four legs") == 0
    assert [opinion_of_label(name) for name in ("very_negative", "Neutral", "positive", "x")] == [
        -2.0,
        0.0,
        1.0,
        None,
    ]


def test_tokens_are_estimated_by_script() -> None:
    assert count_tokens("") == 0
    assert count_tokens("a") == 1
    assert count_tokens("word " * 100) == 100
    assert count_tokens("汉" * 100) == 71
    assert count_tokens("1" * 100) == 62


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2024-03-05", "2024-03-05"),
        ("5/3/2024", "2024-03-05"),
        ("05.03.24", "2024-03-05"),
        ("5 March 2024", "2024-03-05"),
        ("Mar 5, 2024", "2024-03-05"),
        ("2024年3月5日", "2024-03-05"),
    ],
)
def test_dates_are_read_in_their_usual_spellings(written: str, iso: str) -> None:
    match = DATE.search(f"on {written} we met")

    assert match is not None
    assert match.group() == written
    assert str(read_date(match, day_first=True)) == iso


def test_a_line_that_is_no_example_is_named_by_number_and_never_quoted() -> None:
    content = b'{"messages":[{"role":"user","content":"a"},{"role":"model","content":"b"}]}\nsecret'
    with pytest.raises(DatasetError, match="line 2") as refused:
        read_examples(content, "gs://b/f")

    assert "secret" not in str(refused.value)


def test_faults_with_one_seed_strike_alike() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(FaultSettings(error_share=0.5), seed)
        return [faults.strikes(0.5) for _ in range(50)]

    assert struck(1) == struck(1) != struck(2)


def test_label_rules_are_googles() -> None:
    check_labels({"key-1_x": "", "schlüssel": "wert"})
    for labels in (
        {"": "x"},
        {"UP": "x"},
        {"a.b": "x"},
        {"a": "b c"},
        {f"k{i}": "" for i in range(65)},
    ):
        with pytest.raises(ApiError):
            check_labels(labels)


def test_answers_are_written_compactly() -> None:
    assert write_answer({"a": None, "b": "é"}) == '{"a":null,"b":"é"}'
    assert write_answer(["x", "y"]) == '["x","y"]'
    assert write_answer("label") == "label"
