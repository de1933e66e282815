"""From rows to examples: columns, inference, labels, duplicates."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from functions.convert_dataset.columns import Columns, find_columns
from functions.convert_dataset.infer import infer_task, late_separator
from functions.convert_dataset.label_cells import as_json, find_separator, is_array
from functions.convert_dataset.labelled import example_reader
from functions.convert_dataset.rows import Refusal, Row
from functions.convert_dataset.survey import survey_rows
from shared.errors import Rejected
from shared.examples import MAX_TEXT_CHARACTERS, Answer, Example
from shared.task import Task

BY_NAME = Columns("text", "label", {}, ())


def rows(*values: Mapping[str, object]) -> list[Row]:
    return [Row(number, value) for number, value in enumerate(values, 2)]


def table(names: str, count: int = 4) -> list[Row]:
    """Make rows whose columns hold their own names and a number."""
    return rows(*({name: f"{name} {number}" for name in names.split()} for number in range(count)))


def task(**values: object) -> Task:
    return Task.model_validate({"type": "classification", **values})


@pytest.mark.parametrize(
    ("names", "text", "label"),
    [
        ("text label", "text", "label"),
        ("label text", "text", "label"),
        ("id review stars sentiment", "review", "sentiment"),
        ("Text Category extra", "Text", "Category"),
        ("a_long_column_of_words b", "a_long_column_of_words", "b"),
        ("id text thing", "text", "thing"),
        ("utterance intent", "utterance", "intent"),
        ("文本 标签", "文本", "标签"),
    ],
)
def test_columns_are_found_by_their_usual_names(names: str, text: str, label: str) -> None:
    columns = find_columns(table(names), None, "file")
    assert (columns.text, columns.label) == (text, label)
    assert any(repr(text) in sentence for sentence in columns.explanation)


def test_columns_named_in_the_task_win() -> None:
    wanted = task(columns={"text": "BODY", "label": "kind"})
    columns = find_columns(table("text label body kind"), wanted, "file")
    assert (columns.text, columns.label) == ("body", "kind")


@pytest.mark.parametrize("part", ["text", "label"])
def test_a_column_named_in_the_task_that_is_missing_is_rejected_with_what_is_there(
    part: str,
) -> None:
    wanted = task(columns={part: "colour"})
    with pytest.raises(Rejected, match="'colour', but file has"):
        find_columns(table("text label"), wanted, "file")


def test_a_file_without_a_label_column_is_rejected_for_a_task_with_labels() -> None:
    with pytest.raises(Rejected, match="no column with labels"):
        find_columns(table("text x y"), task(), "file")


def test_a_file_without_rows_is_rejected() -> None:
    with pytest.raises(Rejected, match="no column with text; its columns are none"):
        find_columns([], None, "file")


def test_a_file_with_numbers_only_has_no_text() -> None:
    with pytest.raises(Rejected, match="no column with text"):
        find_columns(rows({"a": 1, "b": 2}), None, "file")


def test_fields_have_columns_of_their_own() -> None:
    wanted = Task.model_validate({"type": "extraction", "fields": ["Place", "guests"]})
    columns = find_columns(table("id text place guests other"), wanted, "file")
    assert columns.label is None
    assert columns.fields == {"Place": "place", "guests": "guests"}


def test_several_columns_beside_the_text_are_taken_for_fields() -> None:
    sample = rows(
        *(
            {"id": n, "text": f"{n} of us meet at House {n}", "place": f"House {n}", "guests": n}
            for n in range(20)
        )
    )
    columns = find_columns(sample, None, "file")
    assert columns.fields == {"place": "place", "guests": "guests"}
    inferred = infer_task(sample, columns, "file")
    assert inferred.task.type == "extraction"
    assert inferred.task.field_names == ("place", "guests")


def test_the_one_column_that_repeats_as_labels_do_is_taken_for_the_label() -> None:
    sample = rows(*({"Nr": n, "Kundentext": f"Wo ist {n}?", "Art": "ab"[n % 2]} for n in range(20)))
    assert find_columns(sample, None, "file").label == "Art"


def test_of_several_columns_that_could_be_labels_a_person_chooses() -> None:
    sample = rows(
        *(
            {"Kundentext": f"Wo ist {n}?", "Art": "ab"[n % 2], "Wer": "xyz"[n % 3]}
            for n in range(20)
        )
    )
    with pytest.raises(Rejected, match=r"Art \(2 values\), Wer \(3 values\).*columns: "):
        find_columns(sample, None, "file")


def test_a_mark_between_labels_makes_several_of_them() -> None:
    assert inferred("a|b", "b", "a", "b|c", "a|b|c", "c|a").multi_label
    assert not inferred("a|b", "a|b", "c", "c", "a|b", "c").multi_label


def labelled(*labels: object, column: str = "label") -> list[Row]:
    return rows(*({"text": f"text {n}", column: label} for n, label in enumerate(labels)))


def inferred(*labels: object, column: str = "label") -> Task:
    sample = labelled(*labels, column=column)
    inference = infer_task(sample, find_columns(sample, None, "file"), "file")
    assert "inferred" in inference.explanation[0]
    return inference.task


def test_a_few_different_labels_are_a_classification() -> None:
    assert inferred("a", "b", "c", "a", "b", "c").type == "classification"


@pytest.mark.parametrize("labels", [("positive", "negative"), ("Pos", "neg"), ("好评", "差评")])
def test_words_of_judgement_are_a_sentiment(labels: tuple[str, ...]) -> None:
    assert inferred(*labels, *labels).type == "sentiment"


@pytest.mark.parametrize(
    "labels",
    [
        ("sehr negativ", "Negativ", "neutral", "positiv"),
        ("négatif", "neutre", "positif", "très positif"),
        ("negativo", "neutro", "positivo", "muy positivo"),
        ("molto negativo", "negativo", "neutrale", "positivo"),
        ("negativa", "misto", "positiva", "muito positivo"),
        ("zeer negatief", "negatief", "neutraal", "positief"),
        ("very-negative", "negative", "neutral", "very_positive"),
        ("差评", "好评"),
    ],
)
@pytest.mark.parametrize("column", ["label", "kind"])
def test_words_of_judgement_in_other_languages_are_a_sentiment_from_worst_to_best(
    labels: tuple[str, ...], column: str
) -> None:
    sample = labelled(*sorted(labels) * 4, column=column)
    columns = find_columns(sample, None, "file")
    task = infer_task(sample, columns, "file").task
    assert task.type == "sentiment"
    survey = survey_rows(sample, task, columns, [], lambda _: None)
    assert survey.task.label_names == labels


@pytest.mark.parametrize(
    "column", ["Stimmung", "Bewertung", "sentimiento", "Sentimento", "polarité", "stemming"]
)
def test_a_column_called_sentiment_in_another_language_is_a_sentiment(column: str) -> None:
    assert inferred("a", "b", "a", "b", column=column).type == "sentiment"


def test_a_column_called_sentiment_is_a_sentiment() -> None:
    assert inferred("1", "2", "1", "2", column="sentiment").type == "sentiment"


def test_lists_are_several_labels() -> None:
    for labels in ((["a"], ["a", "b"]), ('["a"]', '["a","b"]')):
        found = inferred(*labels)
        assert (found.type, found.multi_label) == ("classification", True)


def test_objects_are_an_extraction() -> None:
    for labels in (({"place": "x"}, {"guests": 2}), ('{"place":"x"}', '{"guests":2}')):
        found = inferred(*labels)
        assert found.type == "extraction"
        assert found.field_names == ()  # they are taken from the whole file


def test_free_text_in_the_label_column_is_rejected() -> None:
    with pytest.raises(Rejected, match="10 different values"):
        inferred(*(f"a sentence of its own, {n}" for n in range(10)))


def test_an_empty_label_column_is_rejected() -> None:
    with pytest.raises(Rejected, match="empty"):
        inferred("", None, "")


def test_the_instruction_that_most_rows_share_is_taken_over() -> None:
    sample = [
        Row(row.line, {**row.values, "system instruction": "Name it."})
        for row in labelled("a", "b", "a")
    ] + labelled("b")
    found = infer_task(sample, find_columns(sample, None, "file"), "file")
    assert found.task.instruction == "Name it."


def made(values: dict[str, object], wanted: Task, columns: Columns = BY_NAME) -> Answer | str:
    """Return the answer of a row's example, or the reason of its refusal."""
    found = example_reader(wanted, columns)(Row(7, values))
    assert not isinstance(found, Refusal) or found.line == 7
    return found.answer if isinstance(found, Example) else f"refused: {found.reason}"


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        ("owl", "owl"),
        (" OWL ", "owl"),
        ("", "refused: no label"),
        (None, "refused: no label"),
        ("sparrow", "refused: unknown label"),
        (True, "refused: unknown label"),
        (["owl"], "owl"),
        (["owl", "crow"], "refused: not a label"),
        ({"a": 1}, "refused: not a label"),
    ],
)
def test_a_label_is_taken_as_declared_or_refused(label: object, answer: str) -> None:
    assert made({"text": "hoo", "label": label}, task(labels=["owl", "crow"])) == answer


def test_a_misspelt_label_is_refused_with_the_likely_one() -> None:
    read = example_reader(task(labels=["owl", "crow"]), BY_NAME)
    found = read(Row(7, {"text": "x", "label": "crwo"}))
    assert isinstance(found, Refusal)
    assert "did you mean 'crow'?" in found.detail


def test_numbers_are_labels() -> None:
    assert made({"text": "hoo", "label": 3}, task()) == "3"


@pytest.mark.parametrize(
    ("label", "separator", "answer"),
    [
        ('["owl","crow","owl"]', None, ["crow", "owl"]),
        ("['owl', 'crow']", None, ["crow", "owl"]),
        ('{"choices": ["owl", "crow"]}', None, ["crow", "owl"]),
        ({"choices": ["owl"]}, None, ["owl"]),
        (["owl"], "|", ["owl"]),
        ("owl", "|", ["owl"]),
        ("owl|crow", "|", ["crow", "owl"]),
        ("owl; crow", ";", ["crow", "owl"]),
        ("owl,crow", ",", ["crow", "owl"]),
        ("owl,crow", "|", "refused: unknown label"),
        ("owl|crow", None, "refused: unknown label"),
        ([], None, []),
        (["owl", ""], None, "refused: no label"),
        (["owl", "sparrow"], None, "refused: unknown label"),
        ([["owl"]], None, "refused: not a label"),
        ("[1 0]", None, "refused: not a label"),
        ("['owl' 'crow']", None, "refused: not a label"),
    ],
)
def test_several_labels_are_taken_together_or_refused(
    label: object, separator: str | None, answer: Answer
) -> None:
    wanted = task(labels=["owl", "crow"], multi_label=True)
    columns = replace(BY_NAME, separator=separator)
    assert made({"text": "hoo", "label": label}, wanted, columns) == answer


def test_a_declared_label_with_the_separator_in_its_name_is_not_cut() -> None:
    wanted = task(labels=["owl, barn", "crow"], multi_label=True)
    columns = replace(BY_NAME, separator=",")
    assert made({"text": "hoo", "label": "owl, barn"}, wanted, columns) == ["owl, barn"]


@pytest.mark.parametrize(
    ("labels", "wanted", "separator"),
    [
        (["a|b", "b", "a", "b|c", "c"], None, "|"),
        (["x, y|z", "x, y", "z", "w, v", "w, v|z"], None, "|"),
        (["a, b", "c, d"], None, None),
        (["1,5", "2", "2,5", "1"], None, None),
        (["a|b", "b|c", "a|c"], task(), None),
        (["a; b"], task(multi_label=True), ";"),
        (["a"], task(multi_label=True), None),
        (["x, y|z", "x, y"], task(multi_label=True, labels=["x, y", "z"]), "|"),
        (["a;b,c", "b,c;a"], task(multi_label=True, labels=["a", "b,c"]), ";"),
    ],
)
def test_the_mark_between_labels_is_found_once_for_a_file(
    labels: list[str], wanted: Task | None, separator: str | None
) -> None:
    assert find_separator(labels, wanted) == separator


@pytest.mark.parametrize(
    ("labels", "separator"),
    [
        ({"a": 9, "b": 9, "a|b": 1}, "|"),
        ({"a": 9, "b": 9, "b; a": 1, "a;b": 1, "x;y": 1}, ";"),
        ({"a": 9, "b": 9, "a|x": 1}, None),
        ({"a": 9, "b": 9}, None),
        ({}, None),
    ],
)
def test_a_mark_between_labels_that_comes_late_is_found(
    labels: dict[str, int], separator: str | None
) -> None:
    assert late_separator(labels) == separator


def test_columns_of_0_and_1_are_labels() -> None:
    columns = Columns("text", None, {}, (), flags=("owl", "crow"))
    wanted = task(multi_label=True)
    assert made({"text": "x", "owl": "1", "crow": "0"}, wanted, columns) == ["owl"]
    assert made({"text": "x", "owl": 1, "crow": True}, wanted, columns) == ["crow", "owl"]
    assert made({"text": "x", "owl": 0.0, "crow": "0"}, wanted, columns) == []
    assert made({"text": "x", "owl": -1, "crow": 0}, wanted, columns) == "refused: neither 0 nor 1"
    assert made({"text": "x", "owl": 1}, wanted, columns) == "refused: neither 0 nor 1"
    other = task(multi_label=True, labels=["crow", "jay"])
    assert made({"text": "x", "owl": 1, "crow": 0}, other, columns) == "refused: unknown label"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"title": " A ", "body": "b\nc"}, "A\nb\nc"),
        ({"title": "", "body": "b"}, "b"),
        ({"title": None, "body": "b"}, "b"),
        ({"body": "b"}, "b"),
        ({"title": " ", "body": ""}, "refused: no text"),
        ({"title": 7, "body": "b"}, "refused: no text"),
    ],
)
def test_texts_of_several_columns_are_joined_line_by_line(
    values: dict[str, object], text: str
) -> None:
    columns = Columns("title", "label", {}, (), joined=("title", "body"))
    found = example_reader(task(), columns)(Row(7, {**values, "label": "a"}))
    assert (found.text if isinstance(found, Example) else f"refused: {found.reason}") == text


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('["a"]', ["a"]),
        ("['a', 'b']", ["a", "b"]),
        ("{'a': ('x', 1), 2: None}", {"a": ["x", 1], "2": None}),
        ("[urgent]", "[urgent]"),
        ("{1, 2}", "{1, 2}"),
        ("[b'x']", "[b'x']"),
        ("['a' 'b']", "['a' 'b']"),
        ("['\\d']", "['\\d']"),
        ("[" * 9_000 + "]" * 900, "[" * 9_000 + "]" * 900),
        ("[" + "-" * 9_000 + "1]", "[" + "-" * 9_000 + "1]"),
        ("['" + "a" * 10_000 + "']", "['" + "a" * 10_000 + "']"),
        (7, 7),
        (None, None),
    ],
)
def test_a_list_or_object_in_a_cell_is_read_as_json_or_python_writes_it(
    cell: object, value: object
) -> None:
    assert as_json(cell) == value


def test_what_numpy_prints_is_no_label() -> None:
    assert all(map(is_array, ("[0 1 0]", "[1. 0.5]", "['a' 'b']")))
    assert not any(map(is_array, ("[urgent]", "[1]", "a [0 1]", "", "[a b]")))


@pytest.mark.parametrize("text", ["", "  \n", None, 7])
def test_a_row_without_text_is_refused(text: object) -> None:
    assert made({"text": text, "label": "a"}, task()) == "refused: no text"


def test_a_text_longer_than_the_model_takes_is_refused() -> None:
    most = "a" * MAX_TEXT_CHARACTERS
    assert made({"text": most, "label": "a"}, task()) == "a"
    assert made({"text": most + "a", "label": "a"}, task()) == "refused: text too long"


FIELDS = Task.model_validate(
    {"type": "extraction", "fields": [{"name": "place", "required": True}, "guests"]}
)


@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        ('{"place": " the  mill", "guests": 3}', {"place": "the mill", "guests": "3"}),
        ({"place": "x", "guests": ["Ann", "", None]}, {"place": "x", "guests": ["Ann"]}),
        ({"place": "x"}, {"place": "x", "guests": None}),
        ({"place": ""}, "refused: required field missing"),
        ({"place": {"city": "x"}}, "refused: nested field"),
        (
            {"place": {"mill": 1}, "guests": {"Ann": 1, "Bo": 0}},
            {"place": "mill", "guests": ["Ann", "Bo"]},
        ),
        ("the mill", "refused: no fields"),
        ('{"place": ', "refused: no fields"),
        (None, "refused: no fields"),
    ],
)
def test_fields_in_one_cell_are_read_or_refused(cell: object, answer: Answer) -> None:
    assert made({"text": "x", "label": cell}, FIELDS) == answer


def test_fields_in_columns_are_read() -> None:
    columns = Columns("text", None, {"place": "Place", "guests": "Guests"}, ())
    values: dict[str, object] = {"text": "x", "Place": "mill", "Guests": ""}
    assert made(values, FIELDS, columns) == {"place": "mill", "guests": None}


def test_a_value_that_means_none_is_none() -> None:
    columns = Columns("text", "label", {}, (), missing=frozenset({"n/a"}))
    cell = {"place": "mill", "guests": ["n/a", "Ann"]}
    assert made({"text": "x", "label": cell}, FIELDS, columns) == {
        "place": "mill",
        "guests": ["Ann"],
    }
    cell = {"place": "mill", "guests": ["n/a"]}
    assert made({"text": "x", "label": cell}, FIELDS, columns) == {"place": "mill", "guests": None}


def test_without_declared_fields_all_are_taken() -> None:
    assert made({"text": "x", "label": {"a": 1, "b": ""}}, Task(type="extraction")) == {
        "a": "1",
        "b": None,
    }


def test_a_field_whose_name_is_none_is_refused() -> None:
    wanted = Task(type="extraction")
    assert made({"text": "x", "label": {" ": 1}}, wanted) == "refused: bad field name"


def test_a_column_that_says_train_and_test_gives_the_splits() -> None:
    values = [{"text": "a b c", "label": "x", "split": split} for split in ("train", "Test", "")]
    columns = find_columns(rows(*values), None, "file")
    assert columns.split == "split"
    assert "the splits are those in the column 'split'" in columns.explanation


def test_a_column_called_split_that_says_something_else_gives_none() -> None:
    values = [{"text": "a b c", "label": "x", "split": split} for split in ("even", "odd")]
    assert find_columns(rows(*values), None, "file").split is None


def test_columns_that_are_not_used_are_named() -> None:
    columns = find_columns(table("id text label colour"), None, "file")
    assert columns.explanation[-1] == "not used: id, colour"


def test_a_file_of_one_split_says_so() -> None:
    values = [{"text": f"a b {n}", "label": "x", "split": "Test"} for n in range(3)]
    explanation = find_columns(rows(*values), None, "file").explanation
    assert any("which says 'Test' in the first 3 rows" in sentence for sentence in explanation)


def test_many_columns_are_not_all_listed() -> None:
    many = " ".join(f"c{number}" for number in range(40))
    columns = find_columns(table(f"text label {many}"), None, "file")
    assert columns.explanation[-1].endswith("c10, c11 …")
