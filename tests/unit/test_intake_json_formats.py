"""The formats made of JSON records: what each one reads, and what it refuses."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.convert_dataset.formats import (
    automl_jsonl,
    chat,
    doccano,
    gemini,
    instructions,
    json_records,
    label_studio,
    prodigy,
    spacy_cats,
)
from functions.convert_dataset.reading.source import Hints
from functions.convert_dataset.rows import ANSWER, SPLIT, SYSTEM, TEXT, Refusal, Row
from shared.errors import Rejected
from tests.unit.intake_sources import source_of

FORMATS: tuple[ModuleType, ...] = (
    gemini, chat, automl_jsonl, label_studio, doccano, prodigy, spacy_cats, instructions,
    json_records,
)  # fmt: skip
NAUGHTY = ("", "  a\t", "a\r\nb", "\u2028", "\ufeffx", "\u0000", "12.50", "😀", "{}", "\\n", '"')

Ends = Literal["exclusive", "inclusive"]


def lines(*records: object) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


def read(
    data: bytes,
    format_: ModuleType,
    offsets: Ends | None = None,
    texts: dict[str, str] | None = None,
) -> list[Row | Refusal]:
    return list(format_.read(source_of(data, Hints(offsets=offsets), texts)))


def only(
    record: object,
    format_: ModuleType,
    offsets: Ends | None = None,
    texts: dict[str, str] | None = None,
) -> dict[str, object]:
    """Read the one record of a file that must be a row."""
    [row] = read(lines(record), format_, offsets, texts)
    assert isinstance(row, Row), row
    return dict(row.values)


def refused(record: object, format_: ModuleType, offsets: Ends | None = None) -> Refusal:
    """Read the one record of a file that must be refused."""
    [refusal] = read(lines(record), format_, offsets)
    assert isinstance(refusal, Refusal), refusal
    assert len(refusal.detail) < 300
    return refusal


def best(data: bytes) -> ModuleType:
    """Choose the format that fits best, and no other as well."""
    beginning = source_of(data).beginning
    fits = {format_: format_.sniff(beginning) for format_ in FORMATS}
    winner = max(fits, key=lambda format_: float(fits[format_]))
    assert list(fits.values()).count(fits[winner]) == 1
    return winner


def said(role: str, content: object) -> dict[str, object]:
    return {"role": role, "content": content}


def task(*results: object, **data: object) -> dict[str, Any]:
    """Make a task of Label Studio with one annotation."""
    return {"id": 1, "data": data, "annotations": [{"result": list(results)}]}


def answered(kind: str, value: object, name: str = "q") -> dict[str, object]:
    return {"from_name": name, "to_name": "x", "type": kind, "value": value}


GEMINI = {
    "systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "How "}, {"text": "much?"}]},
        {"role": "model", "parts": [{"text": "12.50"}]},
    ],
}
GEMINI_1 = {"messages": [said("system", "Be brief."), said("user", "Hi"), said("model", "Yo")]}
OPENAI = {"messages": [said("developer", "Be brief."), said("user", "Hi"), said("assistant", "Yo")]}
SHAREGPT = {
    "system": "Be brief.",
    "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}],
}
ALPACA = {"instruction": "Translate.", "input": "Guten Tag", "output": "Hello"}
PRODIGY = {"text": "Anna in Ulm", "spans": [{"start": 8, "end": 11, "label": "CITY"}]}
CITY = {"startOffset": "8", "endOffset": 11, "displayName": "CITY"}
IN_ULM = "Anna in Ulm"


MARKED: dict[str, Any] = answered("labels", {"start": 8, "end": 11, "labels": ["CITY"]})


@pytest.mark.parametrize(
    ("record", "format_"),
    [
        (GEMINI, gemini),
        (GEMINI_1, gemini),
        (OPENAI, chat),
        (SHAREGPT, chat),
        ({"prompt": "a", "completion": "b"}, chat),
        ({"messages": [said("user", "Hi")]}, chat),
        ({"textContent": "a", "classificationAnnotation": {"displayName": "b"}}, automl_jsonl),
        ({"textGcsUri": "gs://b/o", "textSegmentAnnotations": []}, automl_jsonl),
        ({"text_snippet": {"content": "a"}, "annotations": []}, automl_jsonl),
        (task(answered("choices", {"choices": ["a"]}), text="b"), label_studio),
        ({"text": "a", "label": "b", "annotator": 1, "annotation_id": 2}, label_studio),
        ({"text": IN_ULM, "label": [[8, 11, "CITY"]]}, doccano),
        ({"text": "a", "entities": [{"start_offset": 0, "end_offset": 1, "label": "C"}]}, doccano),
        ({"anything": IN_ULM, "marks": [[8, 11, "CITY"]]}, doccano),
        ({"text": IN_ULM, "label": {"city": {"Ulm": [[8, 10]]}}}, doccano),
        (PRODIGY, prodigy),
        ({"text": "a", "label": "b", "answer": "accept"}, prodigy),
        ({"text": "a", "cats": {"b": 1.0, "c": 0.0}}, spacy_cats),
        (ALPACA, instructions),
        ({"instruction": "a", "output": "b"}, instructions),
        ({"text": "a", "label": ["b"]}, json_records),
        ({"text": "a", "label": []}, json_records),
        ({"text": "a", "target_scores": {"Brand": {"ACME": 1}}}, json_records),
        ({"text": "a", "cats": ["b"]}, json_records),
        ({"contents": ["a", "b"]}, json_records),
        ({"question": "a", "answer": "b"}, json_records),
        ({}, json_records),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["lines", "array", "pretty"])
def test_a_format_is_known_by_its_records(record: object, format_: ModuleType, shape: str) -> None:
    records = [record] * 12
    indent = 2 if shape == "pretty" else None
    data = lines(*records) if shape == "lines" else json.dumps(records, indent=indent).encode()
    assert best(data) is format_


def test_one_odd_record_among_ten_changes_nothing_and_two_do() -> None:
    assert best(lines(*[OPENAI] * 9, {"a": 1})) is chat
    assert best(lines(*[OPENAI] * 8, {"a": 1}, {"a": 1})) is json_records


def test_what_is_not_json_fits_nothing() -> None:
    for data in (b"", b"text,label\na,b\n", b"once upon a time", b"\x80"):
        assert not any(format_.sniff(source_of(data).beginning) for format_ in FORMATS)


def test_plain_records_are_rows_as_they_are() -> None:
    record = {"text": " a ", "label": ["b"], "price": 1.50, "n": None, "deep": {"x": [1]}}
    [row] = read(lines(record).replace(b"1.5", b"1.50"), json_records)
    assert row == Row(1, {**record, "price": "1.50"})


@pytest.mark.parametrize("format_", [gemini, chat])
@pytest.mark.parametrize("record", [GEMINI_1, OPENAI])
def test_a_conversation_becomes_text_answer_and_system(format_: ModuleType, record: object) -> None:
    assert only(record, format_) == {TEXT: "Hi", ANSWER: "Yo", SYSTEM: "Be brief."}


def test_geminis_parts_are_joined() -> None:
    assert only(GEMINI, gemini) == {TEXT: "How much?", ANSWER: "12.50", SYSTEM: "Be brief."}
    plain = {**GEMINI, "systemInstruction": "Be kind.", "split": "test"}
    expected = {TEXT: "How much?", ANSWER: "12.50", SYSTEM: "Be kind.", SPLIT: "test"}
    assert only(plain, gemini) == expected


def test_sharegpt_and_prompts_with_completions_are_chats() -> None:
    assert only(SHAREGPT, chat) == {TEXT: "Hi", ANSWER: "Yo", SYSTEM: "Be brief."}
    assert only({"prompt": "Hi\n\n", "completion": " Yo"}, chat) == {TEXT: "Hi\n\n", ANSWER: " Yo"}
    turns = {"prompt": [said("user", "Hi")], "completion": [said("assistant", "Yo")]}
    assert only(turns, chat) == {TEXT: "Hi", ANSWER: "Yo"}


def test_the_parts_of_a_chats_content_are_joined() -> None:
    parts = [{"type": "text", "text": "H"}, {"type": "text", "value": "i"}]
    assert only({"messages": [said("user", parts), said("assistant", "Yo")]}, chat)[TEXT] == "Hi"


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ([], "0 user and 0 model turns"),
        ([said("system", "x"), said("assistant", "a")], "0 user and 1 model turns"),
        ([said("user", "a"), said("assistant", "b")] * 2, "2 user and 2 model turns"),
        ([said("user", "a"), said("tool", "b")], "the role 'tool' is not known"),
        ([said("user", "a"), said("assistant", None)], "the assistant turn holds no text"),
        ([said("user", [{"type": "image_url"}])], "the user turn holds no text"),
        ([{"content": "a"}], "the role 'None' is not known"),
        (["a"], "the role 'a' is not known"),
        ("a", "its turns are not a list"),
    ],
)
def test_a_chat_needs_one_question_and_one_answer(turns: object, words: str) -> None:
    refusal = refused({"messages": turns}, chat)
    assert refusal.reason == "not a conversation"
    assert words in refusal.detail


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"contents": [*GEMINI["contents"], *GEMINI["contents"]]}, "2 user and 2 model turns"),
        ({"contents": [{"parts": [{"fileData": {}}]}]}, "the user turn holds no text"),
        ({"contents": [{"role": "user"}]}, "the user turn holds no text"),
        ({**GEMINI, "systemInstruction": {"parts": [5]}}, "the system turn holds no text"),
        ({"contents": ["a"]}, "the role 'a' is not known"),
        ({"contents": {}}, "no list of `contents`"),
        ({}, "no list of `contents`"),
    ],
)
def test_a_conversation_for_gemini_needs_one_question_and_one_answer(
    record: object, words: str
) -> None:
    refusal = refused(record, gemini)
    assert refusal.reason == "not a conversation"
    assert words in refusal.detail


def test_automl_labels_are_one_or_several() -> None:
    use = {"dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "training"}}
    one = {"textContent": "a", "classificationAnnotation": {"displayName": "b"}, **use}
    many = {"textContent": "a", "classificationAnnotations": [{"displayName": "b"}]}
    assert only(one, automl_jsonl) == {TEXT: "a", ANSWER: "b", SPLIT: "training"}
    assert only(many, automl_jsonl) == {TEXT: "a", ANSWER: ["b"]}


def test_automl_segments_are_fields_and_a_start_left_out_is_zero() -> None:
    anna = {"endOffset": "4", "displayName": "WHO"}
    record = {"textContent": IN_ULM, "textSegmentAnnotations": [CITY, anna]}
    assert only(record, automl_jsonl) == {TEXT: IN_ULM, ANSWER: {"WHO": "Anna", "CITY": "Ulm"}}
    inclusive = {"textContent": IN_ULM, "textSegmentAnnotations": [{**CITY, "endOffset": 10}]}
    assert only(inclusive, automl_jsonl, "inclusive")[ANSWER] == {"CITY": "Ulm"}


def test_automl_entities_in_their_older_form_are_fields() -> None:
    segment = {"text_segment": {"start_offset": 8, "end_offset": 11}}
    annotation = {"display_name": "CITY", "text_extraction": segment}
    record = {"text_snippet": {"content": IN_ULM}, "annotations": [annotation]}
    assert only(record, automl_jsonl) == {TEXT: IN_ULM, ANSWER: {"CITY": "Ulm"}}


def test_automl_texts_in_files_of_their_own_are_fetched() -> None:
    record = {"textGcsUri": "gs://b/o", "textSegmentAnnotations": [CITY]}
    fetched = only(record, automl_jsonl, texts={"gs://b/o": IN_ULM})
    assert fetched == {TEXT: IN_ULM, ANSWER: {"CITY": "Ulm"}}
    refusal = refused(record, automl_jsonl)
    assert refusal.reason == "text cannot be read"
    assert "gs://b/o" in refusal.detail


def test_automl_sentiment_is_a_number_in_its_own_column() -> None:
    record = {"textContent": "a", "sentimentAnnotation": {"sentiment": 0, "sentimentMax": "4"}}
    assert only(record, automl_jsonl) == {TEXT: "a", "sentiment": "0"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "not annotated"),
        ({"classificationAnnotation": {}}, "not annotated"),
        ({"classificationAnnotations": []}, "not annotated"),
        ({"sentimentAnnotation": {"sentiment": 5, "sentimentMax": 4}}, "sentiment out of range"),
        ({"sentimentAnnotation": {"sentiment": -1, "sentimentMax": 4}}, "sentiment out of range"),
        ({"sentimentAnnotation": {"sentiment": "x", "sentimentMax": 4}}, "not annotated"),
        ({"textSegmentAnnotations": [{**CITY, "endOffset": 12}]}, "offsets do not fit"),
        ({"textSegmentAnnotations": [{**CITY, "endOffset": None}]}, "offsets do not fit"),
        ({"textSegmentAnnotations": ["x"]}, "offsets do not fit"),
        ({"textContent": 5, "classificationAnnotation": {"displayName": "b"}}, "no text"),
    ],
)
def test_automl_records_without_use_are_refused(values: dict[str, object], reason: str) -> None:
    record = {"textContent": IN_ULM, **values}
    assert refused(record, automl_jsonl, "exclusive").reason == reason


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (answered("choices", {"choices": ["a"]}), "a"),
        (answered("choices", {"choices": ["a", "b"]}), ["a", "b"]),
        (answered("rating", {"rating": 4}), "4"),
        (answered("number", {"number": 2}), "2"),
        (answered("taxonomy", {"taxonomy": [["A", "B"], ["C"]]}), ["A > B", "C"]),
        (MARKED, {"CITY": "Ulm"}),
    ],
)
def test_label_studios_answers_are_labels_or_fields(result: object, answer: object) -> None:
    assert only(task(result, text=IN_ULM), label_studio) == {TEXT: IN_ULM, ANSWER: answer}


def test_label_studios_text_has_a_usual_name_or_is_the_longest() -> None:
    result = answered("choices", {"choices": ["a"]})
    assert only(task(result, note="long long", text="b"), label_studio)[TEXT] == "b"
    assert only(task(result, a="b", z="longer", n=5, split="test"), label_studio) == {
        TEXT: "longer",
        ANSWER: "a",
        SPLIT: "test",
    }


def test_label_studios_questions_have_columns_of_their_own_when_there_are_several() -> None:
    results = [
        answered("choices", {"choices": ["good"]}, "mood"),
        answered("labels", {"start": 8, "end": 11, "labels": ["CITY"]}, "marks"),
        answered("choices", {"choices": ["sure"], "start": 8, "end": 11}, "certain"),
        answered("textarea", {"text": ["well"]}, "notes"),
        {"type": "relation", "from_id": "1", "to_id": "2"},
    ]
    expected = {TEXT: IN_ULM, "mood": "good", "marks": {"CITY": "Ulm"}}
    assert only(task(*results, text=IN_ULM), label_studio) == expected


def test_of_label_studios_annotations_the_ground_truth_counts_else_the_latest() -> None:
    def annotation(label: str, **values: object) -> dict[str, object]:
        return {"result": [answered("choices", {"choices": [label]})], **values}

    old = annotation("old", created_at="2026-01-01T00:00:00Z")
    new = annotation("new", created_at="2026-01-02T00:00:00Z")
    cancelled = annotation("cancelled", created_at="2026-01-03T00:00:00Z", was_cancelled=True)
    true = annotation("true", created_at="2025-01-01T00:00:00Z", ground_truth=True)
    for annotations, label in (([new, old, cancelled], "new"), ([old, true, new], "true")):
        record = {"data": {"text": "a"}, "annotations": annotations}
        assert only(record, label_studio)[ANSWER] == label


def test_a_text_without_marks_has_no_fields_when_others_have() -> None:
    rows = read(lines(task(MARKED, text=IN_ULM), task(text="nothing")), label_studio)
    assert rows[1] == Row(2, {TEXT: "nothing", ANSWER: {}})


def test_label_studios_small_export_is_read_too() -> None:
    meta = {"id": 1, "annotator": 1, "annotation_id": 7, "lead_time": 2.5, "created_at": "2026"}
    marks = [{"start": 8, "end": 11, "text": "Ulm", "labels": ["CITY"]}]
    assert only({"text": IN_ULM, "label": marks, **meta}, label_studio) == {
        TEXT: IN_ULM,
        ANSWER: {"CITY": "Ulm"},
    }
    rows = read(
        lines(
            {"text": "a", "mood": "good", **meta},
            {"text": "a", "mood": {"choices": ["good", "bad"]}, **meta},
            {"text": "a", "stars": [{"rating": 4}], **meta},
        ),
        label_studio,
    )
    assert [row.values for row in rows if isinstance(row, Row)] == [
        {TEXT: "a", "mood": "good"},
        {TEXT: "a", "mood": ["good", "bad"]},
        {TEXT: "a", "stars": "4"},
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"data": {"text": "a"}, "annotations": []}, "not annotated"),
        ({"data": {"text": "a"}, "annotations": [{"was_cancelled": True}]}, "not annotated"),
        (task(text="a"), "not annotated"),
        (task(answered("textarea", {"text": ["b"]}), text="a"), "not annotated"),
        (task(answered("rectanglelabels", {"x": 1}), image="a"), "not about text"),
        (task(answered("labels", {"start": 0, "end": 1, "channel": 0}), a="a"), "not about text"),
        (task(answered("choices", {"choices": ["a"]}), image="s3://b/c.png"), "not about text"),
        (task(answered("choices", {"choices": ["a"]}), n=5), "not about text"),
        (task({**MARKED, "value": {**MARKED["value"], "end": 99}}, text="a"), "offsets do not fit"),
    ],
)
def test_label_studios_tasks_without_use_are_refused(record: object, reason: str) -> None:
    assert refused(record, label_studio, "exclusive").reason == reason


@pytest.mark.parametrize(
    "values",
    [
        {"text": IN_ULM, "label": [[8, 11, "CITY"]]},
        {"text": IN_ULM, "labels": [["8", "11", "CITY"]], "id": 3},
        {"data": IN_ULM, "label": [[8, 11, "CITY"]], "note": "x" * 99},
        {"column_data": IN_ULM, "column_label": [[8, 11, "CITY"]], "id": "7"},
        {"text": IN_ULM, "entities": [{"start_offset": 8, "end_offset": 11, "label": "CITY"}]},
        {"text": IN_ULM, "entities": [{"start": 8, "end": 11, "label": "CITY"}], "relations": []},
        {"text": IN_ULM, "label": {"CITY": {"Ulm": [[8, 10]]}}},
    ],
)
def test_labelled_parts_are_fields_in_every_shape(values: dict[str, object]) -> None:
    assert only(values, doccano) == {TEXT: IN_ULM, ANSWER: {"CITY": "Ulm"}}


def test_the_categories_of_intent_detection_stay_a_column() -> None:
    record = {"text": IN_ULM, "entities": [[8, 11, "CITY"]], "cats": ["where"], "split": "test"}
    expected = {TEXT: IN_ULM, ANSWER: {"CITY": "Ulm"}, "cats": ["where"], SPLIT: "test"}
    assert only(record, doccano) == expected


def test_an_empty_list_of_parts_means_that_there_are_none() -> None:
    rows = read(
        lines({"text": IN_ULM, "label": [[8, 11, "C"]]}, {"text": "a", "label": []}), doccano
    )
    assert rows[1] == Row(2, {TEXT: "a", ANSWER: {}})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"text": "a"}, "not annotated"),
        ({"text": None, "label": [[0, 1, "X"]]}, "no text"),
        ({"text": "a", "label": [[0, 2, "X"]]}, "offsets do not fit"),
        ({"text": "a", "label": [[0.5, 1, "X"]]}, "offsets do not fit"),
        ({"text": "a", "label": [[0, 1, 5]]}, "offsets do not fit"),
        ({"text": "a", "label": [[0, 1]]}, "offsets do not fit"),
        ({"text": "a", "label": {"X": {"b": [[0, 0]]}}}, "offsets do not fit"),
        ({"text": "a", "label": {"X": {"a": [0, 0]}}}, "offsets do not fit"),
        ({"text": "a", "label": {"X": "a"}}, "offsets do not fit"),
    ],
)
def test_doccanos_records_without_use_are_refused(record: object, reason: str) -> None:
    assert refused(record, doccano, "exclusive").reason == reason


def test_what_the_ends_mean_is_asked_when_it_does_not_show() -> None:
    data = lines(*[{"text": "昨天王芳在上海浦东机场等候", "label": [[2, 4, "X"]]}] * 5)
    with pytest.raises(Rejected, match="王芳"):
        read(data, doccano)
    rows = read(data, doccano, "exclusive")
    assert all(isinstance(row, Row) and row.values[ANSWER] == {"X": "王芳"} for row in rows)


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"spans": PRODIGY["spans"]}, {"CITY": "Ulm"}),
        ({"spans": []}, {}),
        ({"label": "b", "answer": "accept"}, "b"),
        ({"options": [{"id": "b", "text": "B!"}], "accept": ["b"]}, "b"),
        ({"options": [{"id": 1, "text": "B"}, {"id": 2}], "accept": [1, "C"]}, ["B", "C"]),
    ],
)
def test_prodigys_annotations_are_fields_or_labels(values: dict[str, Any], answer: object) -> None:
    assert only({"text": IN_ULM, **values}, prodigy) == {TEXT: IN_ULM, ANSWER: answer}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"label": "b", "answer": "reject"}, "not accepted"),
        ({"label": "b", "answer": "ignore"}, "not accepted"),
        ({"accept": [], "answer": "accept"}, "not annotated"),
        ({"spans": [{"start": 0, "end": 99, "label": "X"}]}, "offsets do not fit"),
        ({"spans": [{"start": 0, "end": 4, "label": "X", "text": "Ulm"}]}, "offsets do not fit"),
        ({"spans": ["x"]}, "offsets do not fit"),
    ],
)
def test_prodigys_annotations_without_use_are_refused(
    values: dict[str, object], reason: str
) -> None:
    assert refused({"text": IN_ULM, **values}, prodigy, "exclusive").reason == reason


def test_a_text_without_spans_is_refused_unless_the_file_is_about_spans() -> None:
    bare = {"text": "nothing here", "answer": "accept"}
    assert refused(bare, prodigy).reason == "not annotated"
    assert read(lines(PRODIGY, bare), prodigy)[1] == Row(2, {TEXT: "nothing here", ANSWER: {}})


@pytest.mark.parametrize(
    ("cats", "answer"),
    [
        ({"a": 1.0, "b": 0.0}, "a"),
        ({"a": True, "b": False}, "a"),
        ({"a": 0.49, "b": 0.5}, "b"),
        ({"a": 1, "b": 1, "c": 0}, ["a", "b"]),
    ],
)
def test_spacys_labels_apply_from_one_half(cats: object, answer: object) -> None:
    assert only({"text": "x", "cats": cats}, spacy_cats) == {TEXT: "x", ANSWER: answer}


@pytest.mark.parametrize(
    ("cats", "reason"),
    [({"a": 0.1}, "no label"), ({}, "no label"), ({"a": "x"}, "not a score"),
     ({"a": None}, "not a score"), ({"a": 10**400}, "not a score"), (None, "not annotated")],
)  # fmt: skip
def test_spacys_records_without_a_label_are_refused(cats: object, reason: str) -> None:
    assert refused({"text": "x", "cats": cats}, spacy_cats).reason == reason


def test_the_same_instruction_everywhere_is_the_systems() -> None:
    rows = read(lines(ALPACA, {**ALPACA, "input": " Ja "}, {**ALPACA, "input": ""}), instructions)
    assert [row.values for row in rows if isinstance(row, Row)] == [
        {TEXT: "Guten Tag", ANSWER: "Hello", SYSTEM: "Translate."},
        {TEXT: " Ja ", ANSWER: "Hello", SYSTEM: "Translate."},
        {TEXT: "Translate.", ANSWER: "Hello"},
    ]


def test_different_instructions_belong_to_the_text() -> None:
    other = {"instruction": "Name a city.", "output": "Ulm", "system": "Be kind.", "history": []}
    rows = read(lines(ALPACA, other), instructions)
    assert [row.values for row in rows if isinstance(row, Row)] == [
        {TEXT: "Translate.\nGuten Tag", ANSWER: "Hello"},
        {TEXT: "Name a city.", ANSWER: "Ulm", SYSTEM: "Be kind."},
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"history": [["a", "b"]]}, "not a single turn"), ({"input": ["a"]}, "not an instruction")],
)
def test_instructions_of_another_kind_are_refused(values: dict[str, Any], reason: str) -> None:
    assert refused({**ALPACA, **values}, instructions).reason == reason
    assert refused({"instruction": "a"}, instructions).reason == "not an instruction"


@pytest.mark.parametrize("text", NAUGHTY)
def test_texts_and_labels_survive_in_every_format(text: str) -> None:
    turns = [said("user", text), said("model", text)]
    parts = [{"role": turn["role"], "parts": [{"text": text}]} for turn in turns]
    for record, format_ in (
        ({"contents": parts}, gemini),
        ({"messages": turns}, chat),
        ({"textContent": text, "classificationAnnotation": {"displayName": text}}, automl_jsonl),
        ({"text": text, "label": text, "answer": "accept"}, prodigy),
        ({"text": text, "cats": {text: 1}}, spacy_cats),
        ({"instruction": text, "output": text}, instructions),
        (task(answered("choices", {"choices": [text]}), text=text), label_studio),
    ):
        values = only(record, format_)
        assert (values[TEXT], values[ANSWER]) == (text, text)
    around = f"a {text} b"
    fields = {"X": around, **({"Y": text} if text else {})}
    labels = [[0, len(around), "X"], *([[2, 2 + len(text), "Y"]] if text else [])]
    assert only({"text": around, "label": labels}, doccano) == {TEXT: around, ANSWER: fields}


KEYS = (
    "text label labels spans cats entities answer accept options id start end start_offset "
    "end_offset contents messages conversations prompt completion role from parts content value "
    "systemInstruction system textContent textGcsUri textSegmentAnnotations startOffset endOffset "
    "displayName classificationAnnotation classificationAnnotations sentimentAnnotation sentiment "
    "sentimentMax text_snippet annotations text_extraction text_segment dataItemResourceLabels "
    "data result type from_name choices taxonomy rating ground_truth created_at annotator "
    "annotation_id instruction input output history split"
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-1, 4)
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.sampled_from(["user", "model", "assistant", "accept", "choices", "labels", "gs://b/o"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(KEYS.split()), VALUES, max_size=6), min_size=1, max_size=4
    )
)
def test_any_records_end_in_rows_refusals_or_a_rejection(records: list[object]) -> None:
    data = lines(*records)
    for format_ in FORMATS:
        assert 0 <= format_.sniff(source_of(data).beginning) <= 1
        for offsets in (None, "exclusive", "inclusive"):
            with suppress(Rejected):
                rows = read(data, format_, offsets, {"gs://b/o": "a b"})
                assert len(rows) == len(records)
                assert all(row.line == number for number, row in enumerate(rows, 1))


@given(st.binary(max_size=100) | st.text('[]{}",:\\1etx\n', max_size=40).map(str.encode))
def test_any_bytes_end_in_rows_refusals_or_a_rejection(data: bytes) -> None:
    for format_ in FORMATS:
        with suppress(Rejected, UnicodeDecodeError):
            assert all(isinstance(row, Row | Refusal) for row in read(data, format_))


@pytest.mark.parametrize(
    ("name", "format_", "rows", "refusals"),
    [
        ("cluener_zh/train.json", doccano, 10_748, {}),
        ("cluener_zh/dev.json", doccano, 1343, {}),
        ("cluener_zh/test.json", json_records, 1345, {}),
        ("llamafactory_sft/alpaca_zh_demo.json", instructions, 1000, {}),
        ("llamafactory_sft/v1_sft_demo.jsonl", chat, 500, {}),
        ("openai_chat_jsonl/toy_chat_fine_tuning.jsonl", chat, 3, {"not a conversation": 2}),
        ("openai_chat_jsonl/dbpedia_samples.jsonl", json_records, 200, {}),
        ("ae110k_products/train.jsonl", json_records, 1568, {}),
    ],
)
def test_real_data_sets_are_read_as_a_whole(
    test_data: Path, name: str, format_: ModuleType, rows: int, refusals: dict[str, int]
) -> None:
    data = (test_data / name).read_bytes()
    assert best(data) is format_
    read_rows = read(data, format_)
    assert sum(isinstance(row, Row) for row in read_rows) == rows
    assert Counter(row.reason for row in read_rows if isinstance(row, Refusal)) == refusals
