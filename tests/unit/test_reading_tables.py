"""Reading tables of documents: each row is one."""

import json

import pytest

from functions.process_document.reading import table as reader
from functions.process_document.reading.document import NO_HINTS, Document, Hints
from functions.process_document.reading.read import read_documents
from shared.errors import Rejected


def rows_of(text: str, hints: Hints = NO_HINTS) -> list[Document]:
    assert reader.sniff(text, hints)
    return list(reader.read(text.encode(), "birds/letters", hints))


def texts_of(text: str, hints: Hints = NO_HINTS) -> list[str]:
    return [document.text for document in rows_of(text, hints)]


def test_a_table_is_read_in_a_child_a_document_a_row() -> None:
    found = read_documents(b"id,text\n7,hoo\n8,\n9,caw\n", "birds/letters.txt")
    assert [(item.row, item.text, item.flaw) for item in found] == [
        (1, "hoo", ""), (2, "", "it has no text"), (3, "caw", ""),
    ]  # fmt: skip
    assert found[0].reader == "table, text, utf-8"


@pytest.mark.parametrize(
    "text",
    [
        "id,Text\n1,hoo\n2,caw\n",
        "id;text\r\n1;hoo\r\n2;caw\r\n",
        "id\ttext\n1\thoo\n2\tcaw",
        'id,text\n1,"hoo"\n\n2,caw\n',
        '{"id": 1, "text": "hoo"}\n{"id": 2, "text": "caw"}\n',
        '\n{"text": "hoo"}\n\n{"text": " caw "}',
        '[{"text": "hoo"}, {"text": "caw"}]',
        '[\n {"id": [1, {}], "text": "hoo"},\n {"text": "caw"}\n]\n',
    ],
)
def test_tables_are_read(text: str) -> None:
    assert texts_of(text) == ["hoo", "caw"]


@pytest.mark.parametrize(
    "text",
    [
        "text",
        "Review\n\nThe owls, and the crows, were loud.",
        "text,\n",
        "Dear text, hello,\nI write to you.\n",
        "| Question | Answer |\n|---|---|\n| hoo | caw |\n",
        "a,b\n1,2\n",
        "text,id\nhoo\ncaw,2,3\n",
        '{"name": "Ada"}\n{"name": "Owl"}\n',
        '{\n"text": "hoo"\n}\n',
        '{"text": "hoo"',
        "[hoo]",
        "[1, 2]",
        '["text"]',
        "[" * 100_000,
        '{"text":' * 100_000,
        "{}",
    ],
)
def test_other_texts_with_commas_and_braces_are_no_tables(text: str) -> None:
    assert not reader.sniff(text, Hints())
    (document,) = read_documents(text.encode(), "x")
    assert document.row is None


def test_the_columns_that_task_yaml_names_are_joined_as_for_training() -> None:
    hints = Hints(columns=("Title", "letter"))
    assert texts_of("title,letter,text\n owls , hoo ,x\n,caw,x\n", hints) == ["owls\nhoo", "caw"]
    lines = [json.dumps({"title": "owls", "letter": "hoo"}), json.dumps({"title": "crows"})]
    found = rows_of("\n".join(lines), hints)
    assert [(item.text, item.flaw) for item in found] == [
        ("owls\nhoo", ""), ("", "it has no column of the text"),
    ]  # fmt: skip


def test_the_column_that_the_labelled_file_had_is_one_of_the_usual_ones() -> None:
    learnt = Hints(learnt="Meinung")
    assert texts_of("Kunde;Meinung\n1;hoo\n2;caw\n", learnt) == ["hoo", "caw"]
    assert texts_of('{"meinung": "hoo"}\n{"Meinung": "caw"}\n', learnt) == ["hoo", "caw"]
    assert texts_of("id,text\n1,hoo\n", learnt) == ["hoo"]
    assert not reader.sniff("Meinung\nhoo\n", learnt)


def test_what_looks_like_a_table_and_is_read_as_one_text_says_so() -> None:
    rows = "".join(f"{number};hoo\n" for number in range(5))
    (document,) = read_documents(f"Kunde;Meinung\n{rows}".encode(), "birds/letters.csv")
    assert document.row is None
    assert document.notes[0].startswith("it looks like a table with the columns Kunde, Meinung")
    for text in ("Dear owls, hoo,\n" * 3, f"Owls\n{rows}", f"Kunde;Meinung\n{rows}; ;\n"):
        assert read_documents(text.encode(), "birds/letter.txt")[0].notes == ()


def test_one_column_is_a_table_only_when_task_yaml_names_it() -> None:
    assert not reader.sniff("letter\nhoo\ncaw\n", Hints())
    assert texts_of("letter\nhoo\ncaw\n", Hints(columns=("letter",))) == ["hoo", "caw"]


def test_rows_that_are_broken_are_counted_and_say_why() -> None:
    flaws = [item.flaw for item in rows_of('{"text": "hoo"}\nhoo\n[1]\n{"text": 3}\n{"a": 1}\n')]
    assert flaws == [
        "",
        "it is not a JSON object",
        "it is not a JSON object",
        "it has no text",
        "it has no column of the text",
    ]
    many = "id,text\n" + "1,hoo\n" * 30
    assert rows_of(many + "2,hoo,caw\n")[-1].flaw == "it has 3 cells, and the header 2"


def test_a_table_that_breaks_off_is_rejected() -> None:
    many = "id,text\n" + "1,hoo\n" * 30
    with pytest.raises(Rejected, match="from line"):
        rows_of(many + '2,"' + "a" * (reader.MAX_CELL_CHARACTERS + 1))
    with pytest.raises(Rejected, match="not JSON as a whole"):
        rows_of('[{"text": "hoo"}, {"text"')


def test_rows_are_counted_before_they_are_too_many() -> None:
    with pytest.raises(Rejected, match="100,000 rows"):
        rows_of("id,text\n" + "1,hoo\n" * 100_001)


def test_half_of_a_surrogate_pair_becomes_a_replacement_character() -> None:
    (document,) = read_documents(b'{"text": "hoo \\ud83d \\ud83d\\ude00"}', "x")
    assert document.text == "hoo \ufffd \N{GRINNING FACE}"
