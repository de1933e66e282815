"""Prompts, and how a model's words are read."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.answers import answer_text, clean_value, parse_answer
from shared.examples import Answer, Example
from shared.prompts import (
    MAX_ENUM_LABELS,
    example_of_line,
    prompted,
    reasoned,
    system_instruction,
    tuned_prompt,
    tuning_line,
)
from shared.task import FieldSpec, Label, Task

BIRDS = Task(
    type="classification",
    instruction="Name the bird.",
    labels=(Label(name="Barn Owl"), Label(name="carrion_crow", description="all black")),
)
SEVERAL = Task(type="classification", labels=BIRDS.labels, multi_label=True)
EVENT = Task(
    type="extraction",
    fields=(FieldSpec(name="place", description="where"), FieldSpec(name="guests")),
)

any_text = st.text(st.characters(exclude_categories=["Cs"]))
values = any_text.map(clean_value)
field_values = st.one_of(
    values,
    st.lists(values.filter(bool).map(str), min_size=1, max_size=3),
)


OLDER = BIRDS.model_copy(update={"lines": "messages"})


def round_trip(task: Task, example: Example) -> Example:
    return example_of_line(task, json.loads(json.dumps(tuning_line(task, example))))


@pytest.mark.parametrize("task", [BIRDS, OLDER], ids=["contents", "messages"])
@settings(deadline=None)
@given(text=any_text, answer=st.sampled_from(BIRDS.label_names))
def test_a_label_and_any_text_survive_a_training_line(task: Task, text: str, answer: str) -> None:
    assert round_trip(task, Example(text, answer)) == Example(text, answer)


def test_the_older_shape_is_one_list_of_messages() -> None:
    line = tuning_line(OLDER, Example("hoo", "Barn Owl"))
    assert [message["role"] for message in line["messages"]] == ["system", "user", "model"]
    assert [message["content"] for message in line["messages"][1:]] == ["hoo", "Barn Owl"]


@settings(deadline=None)
@given(text=any_text, chosen=st.sets(st.sampled_from(BIRDS.label_names)))
def test_several_labels_and_any_text_survive_a_training_line(text: str, chosen: set[str]) -> None:
    answer = [name for name in SEVERAL.label_names if name in chosen]
    assert round_trip(SEVERAL, Example(text, answer)) == Example(text, answer)


@settings(deadline=None)
@given(text=any_text, place=field_values, guests=field_values)
def test_fields_and_any_text_survive_a_training_line(
    text: str, place: str | list[str] | None, guests: str | list[str] | None
) -> None:
    example = Example(text, {"place": place, "guests": guests})
    assert round_trip(EVENT, example) == example


@pytest.mark.parametrize(
    "names",
    [
        ["Positive", "positive"],
        ["a b", "a_b"],
        ["etc", "etc."],
        ["C'", "C"],
        ["-1", "_1"],
        ["*", "**"],
    ],
)
def test_labels_that_look_alike_are_read_back_as_themselves(names: list[str]) -> None:
    task = Task.model_validate({"type": "classification", "labels": names})
    for name in names:
        assert round_trip(task, Example("a text", name)).answer == name


def test_a_spelling_that_two_labels_share_is_no_answer() -> None:
    task = Task.model_validate({"type": "classification", "labels": ["Rain", "rain", "snow"]})
    assert parse_answer(task, "RAIN") is None
    assert parse_answer(task, "SNOW") == "snow"


def test_a_line_whose_answer_does_not_suit_the_task_is_refused() -> None:
    line = tuning_line(BIRDS, Example("hoo", "Barn Owl"))
    line["contents"][1]["parts"][0]["text"] = "a sparrow"
    with pytest.raises(ValueError, match="does not suit"):
        example_of_line(BIRDS, line)


@pytest.mark.parametrize(
    "said",
    [
        "Barn Owl",
        "barn owl",
        " Barn Owl.\n",
        '"Barn Owl"',
        "barn_owl",
        "BARN-OWL",
        "`Barn  Owl`",
        "```\nBarn Owl\n```",
        "“Barn Owl”",
        "Barn Owl。",
        "**Barn Owl**",
        "*Barn Owl.*",
    ],
)
def test_a_label_may_be_spelt_in_several_ways(said: str) -> None:
    assert parse_answer(BIRDS, said) == "Barn Owl"


@pytest.mark.parametrize("said", ["", "Barn", "It is a Barn Owl", "Barn Owl, carrion_crow", "[]"])
def test_words_that_are_not_a_label_are_no_answer(said: str) -> None:
    assert parse_answer(BIRDS, said) is None


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ('["carrion crow","Barn Owl"]', ["Barn Owl", "carrion_crow"]),
        ('["Barn Owl","barn owl"]', ["Barn Owl"]),
        ("[]", []),
        ('```json\n["BARN OWL"]\n```', ["Barn Owl"]),
        ('["sparrow"]', None),
        ("Barn Owl", None),
        ('{"a": 1}', None),
        ("[", None),
    ],
)
def test_several_labels_are_read_from_json_in_their_declared_order(
    said: str, read: Answer | None
) -> None:
    assert parse_answer(SEVERAL, said) == read


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ('{"place":" the  mill ","guests":null}', {"place": "the mill", "guests": None}),
        ('{"guests": 12.50}', {"place": None, "guests": "12.50"}),
        ('{"guests": true, "extra": 1}', {"place": None, "guests": "true"}),
        ('{"place":"", "guests":["Ann", " ", 7, null]}', {"place": None, "guests": ["Ann", "7"]}),
        ('{"guests":[]}', {"place": None, "guests": None}),
        ('```json\n{"place":"x"}\n```', {"place": "x", "guests": None}),
        ("{}", {"place": None, "guests": None}),
        ('{"place":{"city":"x"}}', None),
        ('{"place":[["x"]]}', None),
        ('{"place":[{"city":"x"}]}', None),
        ('["x"]', None),
        ("the mill", None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_fields_are_read_from_one_json_object(said: str, read: Answer | None) -> None:
    assert parse_answer(EVENT, said) == read


@settings(deadline=None)
@given(any_text)
def test_no_words_break_the_parser(said: str) -> None:
    for task in (BIRDS, SEVERAL, EVENT):
        answer = parse_answer(task, said)
        assert answer is None or parse_answer(task, answer_text(answer)) == answer


def test_a_tuned_model_is_asked_what_it_was_taught() -> None:
    line = tuning_line(BIRDS, Example("hoo", "Barn Owl"))
    prompt = tuned_prompt(BIRDS, "hoo")
    assert prompt.system == line["systemInstruction"]["parts"][0]["text"]
    assert prompt.turns == (("user", line["contents"][0]["parts"][0]["text"]),)
    assert prompt.schema is None


def test_examples_in_a_prompt_are_earlier_turns() -> None:
    prompt = prompted(BIRDS, "caw", [Example("hoo", "Barn Owl")])
    assert prompt.turns == (("user", "hoo"), ("model", "Barn Owl"), ("user", "caw"))


def test_the_system_instruction_lists_labels_and_descriptions() -> None:
    text = system_instruction(BIRDS)
    assert text.startswith("Name the bird.\n\n")
    assert "- Barn Owl\n- carrion_crow: all black" in text
    assert "- place: where\n- guests" in system_instruction(EVENT)


def test_a_task_without_an_instruction_gets_one() -> None:
    for kind in ("classification", "sentiment", "extraction"):
        task = Task.model_validate({"type": kind})
        assert len(system_instruction(task).split("\n")[0].split()) > 2


def test_the_schema_suits_the_task() -> None:
    one = prompted(BIRDS, "x")
    assert one.schema == {"type": "STRING", "enum": ["Barn Owl", "carrion_crow"]}
    assert one.media_type == "text/x.enum"
    several = prompted(SEVERAL, "x")
    assert several.schema == {"type": "ARRAY", "items": one.schema}
    assert several.media_type == "application/json"
    fields = prompted(EVENT, "x")
    assert fields.schema is not None
    assert fields.schema["required"] == ["place", "guests"]
    assert fields.media_type == "application/json"


def test_more_labels_than_the_service_takes_leave_the_schema_out() -> None:
    labels = tuple(Label(name=str(number)) for number in range(MAX_ENUM_LABELS + 1))
    most = Task(type="classification", labels=labels[:-1])
    assert prompted(most, "x").schema is not None
    assert prompted(Task(type="classification", labels=labels), "x").schema is None


REASONED = "The head is round.\nIt says hoo.\nAnswer: Barn Owl"


def test_a_model_that_reasons_is_asked_for_plain_text_with_the_answer_last() -> None:
    for task in (BIRDS, SEVERAL, EVENT):
        prompt = reasoned(task, "hoo")
        assert (prompt.schema, prompt.media_type) == (None, "text/plain")
        assert "nothing else" not in prompt.system
        assert '"Answer: "' in prompt.system
        listed = system_instruction(task).rpartition(":\n- ")[2]
        assert prompt.system.endswith(f":\n- {listed}")


@pytest.mark.parametrize(
    ("task", "said", "read"),
    [
        (BIRDS, REASONED, "Barn Owl"),
        (BIRDS, "It is all black.\n\n**Answer:** carrion crow.", "carrion_crow"),
        (BIRDS, "answer: no\nI was wrong.\nFinal answer: **Barn Owl**\n", "Barn Owl"),
        (BIRDS, "Answer: a sparrow", None),
        (BIRDS, "Answer: Barn Owl\nAnswer:", None),
        (BIRDS, "The answer: Barn Owl", None),
        (SEVERAL, 'Both.\nAnswer: ["carrion_crow","Barn Owl"]', ["Barn Owl", "carrion_crow"]),
        (EVENT, 'Step 1.\nAnswer: {"place":"mill"}', {"place": "mill", "guests": None}),
        (EVENT, 'Answer:\n```json\n{"place":"mill"}\n```', {"place": "mill", "guests": None}),
    ],
)
def test_an_answer_may_come_after_reasons(task: Task, said: str, read: Answer | None) -> None:
    assert parse_answer(task, said) == read


def test_a_label_that_looks_like_an_answer_line_is_read_as_itself() -> None:
    task = Task.model_validate({"type": "classification", "labels": ["Answer: A", "A"]})
    assert parse_answer(task, "Answer: A") == "Answer: A"


@pytest.mark.parametrize("blank", ["\n", " ", "*", "answer ", "Answer:\n"])
def test_a_long_ramble_is_read_quickly(blank: str) -> None:
    assert parse_answer(BIRDS, blank * 200_000) is None


def test_a_field_that_holds_lists_may_be_answered_with_one() -> None:
    schema = prompted(EVENT, "x", (), {"guests": "always"}).schema
    assert schema is not None
    assert schema["properties"]["place"] == {"type": "STRING", "nullable": True}
    several = {"type": "ARRAY", "items": {"type": "STRING"}}
    assert schema["properties"]["guests"] == {**several, "nullable": True}
    schema = prompted(EVENT, "x", (), {"guests": "sometimes"}).schema
    assert schema is not None
    either = {"anyOf": [{"type": "STRING"}, several], "nullable": True}
    assert schema["properties"]["guests"] == either
