"""Labelled text line by line: fastText, label first, AutoML's CSV."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.formats import (
    automl_csv,
    conll,
    csv_table,
    fasttext,
    label_first,
    tagged_xml,
    tokens,
)
from functions.convert_dataset.reading.source import Source
from functions.convert_dataset.rows import ANSWER, SPLIT, TEXT, Refusal, Row
from shared.errors import Rejected
from tests.unit.intake_sources import source_of

FORMATS = (automl_csv, conll, csv_table, fasttext, label_first, tagged_xml, tokens)
Read = Callable[[Source], Iterator[Row | Refusal]]


def values(read: Read, content: str, texts: dict[str, str] | None = None) -> list[object]:
    found = read(source_of(content.encode(), texts=texts))
    return [row.values if isinstance(row, Row) else (row.line, row.reason) for row in found]


def best(content: str) -> str:
    """Name the format that fits best, if any fits."""
    beginning = source_of(content.encode()).beginning
    best = max(FORMATS, key=lambda item: item.sniff(beginning))
    return best.__name__.rpartition(".")[2] if best.sniff(beginning) > 0 else ""


# fastText


@pytest.mark.parametrize("gap", [" ", "\t", "  "])
def test_fasttext_labels_stand_before_the_text(gap: str) -> None:
    content = f"__label__owl{gap}hoo , hoo \r\n\n__label__crow{gap}caw"
    assert best(content) == "fasttext"
    assert values(fasttext.read, content) == [
        {TEXT: "hoo , hoo ", ANSWER: "owl"},
        {TEXT: "caw", ANSWER: "crow"},
    ]


def test_fasttext_labels_may_stand_behind_the_text() -> None:
    assert values(fasttext.read, "hoo hoo __label__owl\n") == [{TEXT: "hoo hoo", ANSWER: "owl"}]


def test_several_fasttext_labels_make_all_answers_lists() -> None:
    content = "__label__owl __label__big hoo\n__label__crow caw __label__black\n__label__owl hu\n"
    assert values(fasttext.read, content) == [
        {TEXT: "hoo", ANSWER: ["owl", "big"]},
        {TEXT: "caw", ANSWER: ["crow", "black"]},
        {TEXT: "hu", ANSWER: ["owl"]},
    ]


def test_fasttext_lines_without_a_label_of_their_own_are_refused() -> None:
    content = "__label__owl hoo\nno label\n__label__ empty\ncaw __label__crow in it\n"
    assert values(fasttext.read, content)[1:] == [(n, "no label") for n in (2, 3, 4)]


def test_several_fasttext_labels_that_come_late_are_refused() -> None:
    content = "__label__owl hoo\n" * 20_000 + "__label__owl __label__big hoo\n"
    assert values(fasttext.read, content)[-1] == (20_001, "several labels")


# Label first

TREC = "".join(f"{('NUM:dist', 'HUM:ind')[n % 2]} How far , is it {n} ?\n" for n in range(12))


def test_a_label_and_a_space_come_before_the_text() -> None:
    assert best(TREC) == "label_first"
    first, *_ = values(label_first.read, TREC)
    assert first == {TEXT: "How far , is it 0 ?", ANSWER: "NUM:dist"}


def test_a_label_that_is_a_word_is_believed_before_sentences_only() -> None:
    sentences = "".join(f"{('spam', 'ham')[n % 2]} Are you there {n}\n" for n in range(12))
    assert best(sentences) == "label_first"
    assert not best(sentences.replace("Are", "are"))


def test_a_line_without_a_text_is_refused() -> None:
    assert values(label_first.read, "5 How far\n\n5\n5 \n")[1:] == [(3, "no text"), (4, "no text")]


@pytest.mark.parametrize(
    "content",
    [
        "What is it\nWho is it\n" * 10,
        "show me a film\nlist all films\n" * 10,
        "The owl sat in a tree.\nThen it flew away.\nIt was dark.\n" * 4,
        "".join(f"{n} bottles of beer\n" for n in range(30)),
        "5\tHow far\n3\tWho\n" * 8,
        "5 How far\n3 Who\n",
    ],
)
def test_lines_that_only_begin_alike_are_not_taken_for_labelled(content: str) -> None:
    assert label_first.sniff(source_of(content.encode()).beginning) == 0


# AutoML's CSV


def test_automl_rows_say_their_use_text_and_label() -> None:
    content = (
        'TRAIN,"hoo, hoo",owl\nvalidation,caw,crow\n,hu,owl\nUNASSIGNED,kra,crow,\nTEST,hoo,owl\n'
    )
    assert best(content) == "automl_csv"
    assert values(automl_csv.read, content) == [
        {SPLIT: "TRAIN", TEXT: "hoo, hoo", ANSWER: "owl"},
        {SPLIT: "validation", TEXT: "caw", ANSWER: "crow"},
        {TEXT: "hu", ANSWER: "owl"},
        {TEXT: "kra", ANSWER: "crow"},
        {SPLIT: "TEST", TEXT: "hoo", ANSWER: "owl"},
    ]


def test_automl_rows_with_several_labels_have_lists() -> None:
    content = "hoo,owl,big\ncaw,crow\n" * 6
    assert best(content) == "automl_csv"
    assert values(automl_csv.read, content)[:2] == [
        {TEXT: "hoo", ANSWER: ["owl", "big"]},
        {TEXT: "caw", ANSWER: ["crow"]},
    ]


def test_automl_texts_may_be_kept_elsewhere() -> None:
    content = "gs://b/a.txt,owl\ngs://b/none.txt,crow\n"
    assert best(content) == "automl_csv"
    assert values(automl_csv.read, content, {"gs://b/a.txt": "hoo"}) == [
        {TEXT: "hoo", ANSWER: "owl"},
        (2, "text not found"),
    ]


def test_automl_sentiments_have_their_largest_value_behind_them() -> None:
    content = "TRAIN,bad,0,4\nTRAIN,good,4,4\nTEST,fair,2,4\n"
    assert best(content) == "automl_csv"
    first, *_ = values(automl_csv.read, content)
    assert first == {SPLIT: "TRAIN", TEXT: "bad", "sentiment": "0"}
    late = content * 10_000 + "TRAIN,bad,7,4\nTRAIN,bad\n"
    assert values(automl_csv.read, late)[-2:] == [(n, "not a sentiment") for n in (30_001, 30_002)]


def test_automl_rows_that_name_files_with_entities_are_rejected() -> None:
    with pytest.raises(Rejected, match="JSONL files themselves"):
        values(automl_csv.read, "TRAIN,gs://b/a.jsonl\nTEST,gs://b/c.jsonl\n")


def test_automl_rows_without_a_label_are_refused() -> None:
    content = "TRAIN,hoo,owl\nTRAIN,caw,\nTEST,hu,owl\n" + "TRAIN,hu,owl\n" * 20_000
    assert values(automl_csv.read, content)[1] == (2, "no label")
    assert values(automl_csv.read, content + "TEST,hu,owl,big\n")[-1] == (20_004, "several labels")


def test_an_automl_quote_that_is_never_closed_is_located() -> None:
    with pytest.raises(Rejected, match="begins on line 2"):
        values(automl_csv.read, 'TRAIN,hoo,owl\nTRAIN,"caw,crow\n')


@pytest.mark.parametrize(
    "content",
    [
        "text,label\nhoo,owl\ncaw,crow\n",
        "hoo,owl\ncaw,crow\n" * 8,
        "split,text,label\ntrain,hoo,owl\ntest,caw,crow\n",
        "text,label,split\nhoo,owl,train\ncaw,crow,test\n",
        "text,label\n" + "hoo, hoo,owl\ncaw,crow\n" * 8,
        "text,score,votes\nhoo,1,5\ncaw,3,5\n",
        "The owl, they say, sat.\nWell, it flew.\nSo, in the end, it was, I think, night.\n" * 4,
        "",
    ],
)
def test_an_ordinary_table_is_not_taken_for_automls(content: str) -> None:
    assert best(content) != "automl_csv"


# All of them


@settings(deadline=None, max_examples=150)
@given(
    st.binary(max_size=80),
    st.sampled_from(
        [
            b"",
            b"__label__a b\n",
            b"NUM x\n" * 9,
            b"TRAIN,a,b\n",
            b"a,0,2\nb,1,2\nc,2,2\n",
            b"a\tO\nb\tB-X\n\n",
            b"<a><b><c>d</c> e</b>",
            b'{"tokens": ["a"], "ner_tags": ["O"]}\n',
        ]
    ),
)
def test_arbitrary_bytes_give_rows_or_a_rejection(content: bytes, start: bytes) -> None:
    source = source_of(start + content)
    for format_ in FORMATS:
        with suppress(Rejected, UnicodeDecodeError):
            assert all(isinstance(row, Row | Refusal) for row in format_.read(source))
        assert 0 <= format_.sniff(source.beginning) <= 1
