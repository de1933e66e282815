"""Reading task.yaml."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Rejected
from shared.task import Task, parse_task


def test_a_type_is_all_that_is_needed() -> None:
    task = parse_task("type: classification")
    assert task == Task(type="classification")
    assert task.primary_metric == "exact_match"


def test_labels_may_be_plain_names_or_have_descriptions() -> None:
    task = parse_task("type: classification\nlabels: [owl, {name: crow, description: black}]")
    assert task.label_names == ("owl", "crow")
    assert task.labels[1].description == "black"


def test_numbers_are_taken_as_the_names_they_were_written_as() -> None:
    task = parse_task("type: sentiment\nlabels: [1, 2, 3]\ncolumns: {text: 2, label: 1}")
    assert task.label_names == ("1", "2", "3")
    assert (task.columns.text, task.columns.label) == ("2", "1")


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "true", "False"])
def test_a_label_that_yaml_reads_as_a_truth_value_is_refused_with_the_remedy(word: str) -> None:
    with pytest.raises(Rejected, match="put it in quotes"):
        parse_task(f"type: classification\nlabels: [{word}, maybe]")
    quoted = parse_task(f"type: classification\nlabels: ['{word}', maybe]")
    assert quoted.label_names == (word, "maybe")


@pytest.mark.parametrize(
    ("text", "where", "near"),
    [
        ("type: classification\nlabel: [a, b]", "label", "labels"),
        ("type: classification\nbudget_usd: 5", "budget_usd", "tuning.budget_usd"),
        ("type: classification\ntuning: {budget: 5}", "tuning.budget", "budget_usd"),
        ("type: classification\nsplit: {tests: 0.2}", "split.tests", "test"),
        ("type: classification\ntunning: {}", "tunning", "tuning"),
        (
            "type: classification\ntuning: {sweep: [{epochs: 3}]}",
            "tuning.sweep.0.epochs",
            "tuning.sweep.epoch_count",
        ),
        (
            "type: classification\nlabels: [{name: a, descripton: x}, b]",
            "labels.0.descripton",
            "description",
        ),
    ],
)
def test_an_unknown_key_is_named_with_its_place_and_the_nearest_one(
    text: str, where: str, near: str
) -> None:
    with pytest.raises(Rejected) as caught:
        parse_task(text, "birds/task.yaml")
    assert f"{where} is not a known key (the nearest is {near})" in caught.value.reason
    assert caught.value.reason.startswith("birds/task.yaml: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type: regression", "type:"),
        ("labels: [a, b]", "type: missing; it is classification, sentiment or extraction"),
        ("type: classification\nlabels: a", "labels:"),
        ("type: classification\nlabels: [a, '']", "labels.1.name:"),
        ("type: classification\nlabels: [[a], b]", "labels.0.name:"),
        ("type: classification\nsplit: {test: lots}", "split.test:"),
        ("type: classification\nsplit: {test: 0.9}", "split.test:"),
        ("type: classification\nserving: {samples: 0}", "serving.samples:"),
        ("type: classification\ntuning: {sweep: [{adapter_size: 3}]}", "adapter_size"),
        ("type: classification\ntuning: {sweep: all}", "tuning.sweep:"),
        ("type: classification\ntuning: {base_model: [x]}", "tuning.base_model:"),
        ("type: classification\nprompting: {strategies: []}", "prompting.strategies:"),
        ("type: classification\ncolumns: text", "columns:"),
        pytest.param(
            "type: classification\ntuning: {sweep: []}",
            "sweep",
        ),
    ],
)
def test_a_wrong_value_is_reported_under_its_key(text: str, said: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse_task(text)
    assert said in caught.value.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type: extraction\nlabels: [a, b]", "an extraction task has fields, not labels"),
        ("type: sentiment\nfields: [a]", "a sentiment task has labels, not fields"),
        ("type: extraction\nmulti_label: true", "multi_label is for classification"),
        ("type: classification\nlabels: [a, b, a]", "labels names 'a' twice"),
        ("type: extraction\nfields: [a, a]", "fields names 'a' twice"),
        ("type: classification\nlabels: [a]", "one label only"),
        ("type: classification\ntarget: {metric: field_f1}", "does not suit a classification"),
        ("type: extraction\ntarget: {metric: macro_f1}", "does not suit a extraction"),
    ],
)
def test_parts_that_contradict_each_other_are_refused(text: str, said: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse_task(text)
    assert said in caught.value.reason


def test_several_problems_are_reported_at_once() -> None:
    with pytest.raises(Rejected) as caught:
        parse_task("type: classification\nserving: {samples: 0, temperature: 9}\nlable: [a]")
    for place in ("serving.samples", "serving.temperature", "lable"):
        assert place in caught.value.reason


def test_broken_yaml_is_located() -> None:
    with pytest.raises(Rejected, match=r"not YAML at line 2, column \d+"):
        parse_task("type: classification\n  labels: [a\n")


@pytest.mark.parametrize("text", ["", "# nothing", "- a\n- b", "just words", "17"])
def test_a_file_without_keys_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="holds no keys"):
        parse_task(text)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}'\"\n ,#&*!|>%@`019.~?_xTe"), max_size=60))
def test_whatever_is_written_gives_a_task_or_a_rejection(text: str) -> None:
    with suppress(Rejected):
        assert isinstance(parse_task(f"type: classification\n{text}"), Task)


@pytest.mark.parametrize(
    "value", ["2026-13-45", "2026-11-31", "0b_", "2026-01-01T25:00:00Z", "{[a]: b}", "\x07"]
)
def test_a_value_that_yaml_chokes_on_is_refused(value: str) -> None:
    with pytest.raises(Rejected):
        parse_task(f"type: classification\ninstruction: {value}")


@pytest.mark.parametrize("key", ["17", "~", "2026-11-01", "yes", "3.5"])
def test_a_key_that_is_not_text_is_refused(key: str) -> None:
    with pytest.raises(Rejected):
        parse_task(f"type: classification\n{key}: x")


def test_brackets_without_end_are_refused() -> None:
    with pytest.raises(Rejected):
        parse_task("type: classification\nlabels: " + "[" * 5000)


def test_policy_is_no_part_of_what_shapes_a_dataset() -> None:
    plain = parse_task("type: classification\nlabels: [a, b]")
    policy = parse_task(
        "type: classification\nlabels: [a, b]\n"
        "target: {value: 0.5}\nserving: {samples: 3}\ntuning: {when: never}\n"
        "evaluation: {max_rows: 50}\nprompting: {examples: 3}"
    )
    assert plain.data_key() == policy.data_key()


@pytest.mark.parametrize(
    "edit",
    ["instruction: Sort.", "split: {test: 0.1}", "columns: {text: body}", "multi_label: true"],
)
def test_what_shapes_a_dataset_changes_its_key(edit: str) -> None:
    plain = parse_task("type: classification\nlabels: [a, b]")
    edited = parse_task(f"type: classification\nlabels: [a, b]\n{edit}")
    assert plain.data_key() != edited.data_key()


def test_a_target_may_be_exact_match_for_fields_too() -> None:
    task = parse_task("type: extraction\nfields: [a]\ntarget: {metric: exact_match}")
    assert task.primary_metric == "exact_match"
    assert parse_task("type: extraction\nfields: [a]").primary_metric == "field_f1"
