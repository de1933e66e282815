"""Texts with tagged parts: CoNLL, records of tokens, XML."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functions.convert_dataset.formats import conll, tagged_xml, tokens
from functions.convert_dataset.reading.source import Source
from functions.convert_dataset.reading.tags import bad_tag, entities, scheme_of, text_of
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row
from shared.errors import Rejected
from tests.unit.intake_sources import source_of

REAL = Path(os.environ.get("TUNEDROP_TEST_DATA", "../shared/data"))
Read = Callable[[Source], Iterator[Row | Refusal]]


def rows_of(read: Read, content: str) -> list[Row | Refusal]:
    return list(read(source_of(content.encode())))


def values(read: Read, content: str) -> list[object]:
    found = rows_of(read, content)
    return [row.values if isinstance(row, Row) else (row.line, row.reason) for row in found]


# Tags

WORDS = ["Ada", "Lovelace", "met", "Babbage", "in", "New", "York", "City"]
FOUND = {"PER": ["Ada Lovelace", "Babbage"], "LOC": "New York City"}


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("B-PER I-PER O B-PER O B-LOC I-LOC I-LOC", "B-X"),
        ("I-PER I-PER O I-PER O I-LOC I-LOC I-LOC", "B-X"),
        ("B-PER E-PER O S-PER O B-LOC I-LOC E-LOC", "B-X"),
        ("B-PER L-PER O U-PER O B-LOC I-LOC L-LOC", "B-X"),
        ("B-PER E-PER O S-PER O B-LOC M-LOC E-LOC", "B-X"),
        ("B_PER I_PER O B_PER O B_LOC I_LOC I_LOC", "B_X"),
        ("PER-B PER-I O PER-B O LOC-B LOC-I LOC-I", "X-B"),
        ("PER_B PER_I O PER_B O LOC_B LOC_I LOC_I", "X_B"),
        ("PER PER O PER O LOC LOC LOC", "X"),
    ],
)
def test_tags_mark_the_same_entities_in_every_scheme(tags: str, scheme: str) -> None:
    assert scheme_of(tags.split()) == scheme
    assert entities(WORDS, tags.split(), scheme) == FOUND


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("B-A B-A", ["a", "b"]),
        ("B-A I-A", "a b"),
        ("I-A B-A", ["a", "b"]),
        ("S-A I-A", ["a", "b"]),
        ("E-A E-A", ["a", "b"]),
        ("U-A U-A", ["a", "b"]),
    ],
)
def test_entities_of_one_type_that_touch_are_told_apart(tags: str, found: object) -> None:
    assert entities(["a", "b"], tags.split(), "B-X") == {"A": found}


def test_an_entity_of_another_type_begins_without_a_b() -> None:
    assert entities(["a", "b"], ["B-A", "I-B"], "B-X") == {"A": "a", "B": "b"}


def test_a_mention_that_comes_again_is_one_value() -> None:
    assert entities(["a", "b", "a"], ["B-A", "O", "B-A"], "B-X") == {"A": "a"}


def test_tags_without_any_entity_fit() -> None:
    assert scheme_of(["O", "O"]) == scheme_of([]) == "B-X"
    assert entities(["a"], ["O"], "B-X") == {}
    assert bad_tag(["O", "B-A", "X"], "B-X") == "X"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["a", "b"], "a b"),
        (["我", "在", "北京"], "我在北京"),
        (["我", "爱", "Python", "和", "Go"], "我爱 Python 和 Go"),
        (["2", "0", "年", "A", "B"], "20年AB"),
        (["한국", "사람"], "한국 사람"),
        (["東京", "タワー"], "東京タワー"),
        ([], ""),
    ],
)
def test_tokens_are_joined_as_their_script_does(words: list[str], text: str) -> None:
    assert text_of(words) == text


def test_values_stand_in_the_text_as_they_are() -> None:
    words = ["在", "2", "0", "年"]
    assert entities(words, ["O", "B-T", "I-T", "I-T"], "B-X") == {"T": "20年"}


# CoNLL

CONLL = "# id = 1\nAda\tB-PER\nsat\tO\n \t\n\n-DOCSTART-\tO\n\n# O\tO\nit\tO\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_conll_sentences_are_divided_by_blank_lines(end: str) -> None:
    content = CONLL.replace("\n", end)
    found = rows_of(conll.read, content)
    assert [row.values if isinstance(row, Row) else row for row in found] == [
        {TEXT: "Ada sat", ANSWER: {"PER": "Ada"}},
        {TEXT: "# O it", ANSWER: {}},
    ]
    assert [row.line for row in found] == [2, 8]
    assert conll.sniff(source_of(content.encode()).beginning) > 0.9


def test_conll_tags_may_come_first() -> None:
    content = "O\tshow\nO\tme\nB-GENRE\tscience\nI-GENRE\tfiction\n\nO\thi\n"
    assert values(conll.read, content) == [
        {TEXT: "show me science fiction", ANSWER: {"GENRE": "science fiction"}},
        {TEXT: "hi", ANSWER: {}},
    ]


def test_conll_columns_between_are_left_out() -> None:
    content = "-DOCSTART- -X- -X- O\n\nAda NNP B-NP B-PER\nsat VBD B-VP O\n\nAh UH O O\n"
    assert values(conll.read, content)[0] == {TEXT: "Ada sat", ANSWER: {"PER": "Ada"}}


def test_conll_tags_may_be_types_alone() -> None:
    content = "Ada PER\nsat O\nin O\nRome LOC\n\n" + "it O\nwas O\n\n" * 10
    assert values(conll.read, content)[0] == {
        TEXT: "Ada sat in Rome",
        ANSWER: {"PER": "Ada", "LOC": "Rome"},
    }
    assert conll.sniff(source_of(content.encode()).beginning) == 0.6


def test_a_conll_sentence_with_a_wrong_tag_is_refused_with_its_line() -> None:
    good = "a\tB-X\nb\tO\n\n" * 40
    bad = rows_of(conll.read, good + "a\tO\nb\tPERSON\n\n#tag\tOO\n\nalone\n\na\tO\n")[40:]
    assert [(row.line, row.reason) for row in bad if isinstance(row, Refusal)] == [
        (121, "not a tag"),
        (124, "not a tag"),
        (126, "not a tag"),
    ]
    assert isinstance(bad[0], Refusal)
    assert bad[0].detail.startswith("line 122 has 'PERSON'")
    assert isinstance(bad[-1], Row)


def test_a_conll_sentence_without_an_end_is_refused() -> None:
    content = "a\tB-X\n\n" + "a\tO\n" * 30_000 + "\nb\tO\n"
    assert values(conll.read, content) == [
        {TEXT: "a", ANSWER: {"X": "a"}},
        (3, "sentence too long"),
        {TEXT: "b", ANSWER: {}},
    ]


@pytest.mark.parametrize("content", ["hoo\towl\n\ncaw\tcrow\n", "a b\n\nc d\n", "", "O\n\nO\n"])
def test_other_texts_are_no_conll(content: str) -> None:
    assert conll.sniff(source_of(content.encode()).beginning) == 0


# Records of tokens


def record(words: object, tags: object, name: str = "ner_tags") -> str:
    return json.dumps({"tokens": words, name: tags}) + "\n"


@pytest.mark.parametrize("name", ["ner_tags", "tags", "labels"])
def test_records_of_tokens_become_texts_and_fields(name: str) -> None:
    content = record(["Ada", "sat"], ["B-PER", "O"], name)
    assert tokens.sniff(source_of(content.encode()).beginning) == 1
    assert values(tokens.read, content) == [{TEXT: "Ada sat", ANSWER: {"PER": "Ada"}}]


def test_the_scheme_of_tags_is_that_of_the_whole_file() -> None:
    content = record(["a"], ["E-MAIL"]) + record(["b"], ["PHONE"])
    assert values(tokens.read, content)[0] == {TEXT: "a", ANSWER: {"E-MAIL": "a"}}
    row = tokens.row_of(7, {"tokens": ["a"], "tags": ["B-X"]})
    assert row == Row(7, {TEXT: "a", ANSWER: {"X": "a"}})


def test_tags_that_are_numbers_are_rejected() -> None:
    with pytest.raises(Rejected, match="numbers without names"):
        values(tokens.read, record(["a", "b"], [0, 1]))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (record(["a"], ["O", "O"]), "tokens do not fit their tags"),
        (record([1], ["O"]), "tokens do not fit their tags"),
        (record(["a"], [None]), "not a tag"),
        (record(["a"], ["odd"]), "not a tag"),
        ('{"text": "a"}\n', "no tokens"),
        ("{\n", "not JSON"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_alone(line: str, reason: str) -> None:
    good = record(["Ada"], ["B-PER"])
    tags = ["B-X"] if "odd" in line else None
    if tags:
        row = tokens.row_of(2, json.loads(line), "B-X")
        assert isinstance(row, Refusal)
        assert row.reason == reason
    else:
        assert values(tokens.read, good + line + good)[1] == (2, reason)


# XML

XML = """<?xml version="1.0" encoding="GB18030"?>
<All>
  <Line><No>12</No> <Street>Elm</Street> <Street>&amp; Oak</Street>, <City>Köln</City></Line>
  <Line><City>Ulm</City>, <Street>A</Street>/<Street>B</Street>
    <City> Bonn </City></Line>
  <Line>nothing</Line>
</All>
"""


def test_xml_elements_tag_parts_of_texts() -> None:
    assert tagged_xml.sniff(source_of(XML.encode()).beginning) > 0.9
    found = rows_of(tagged_xml.read, XML)
    assert [row.line for row in found] == [3, 4, 6]
    assert [row.values for row in found if isinstance(row, Row)] == [
        {
            TEXT: "12 Elm & Oak, Köln",
            ANSWER: {"No": "12", "Street": "Elm & Oak", "City": "Köln"},
        },
        {TEXT: "Ulm, A/B Bonn", ANSWER: {"City": ["Ulm", "Bonn"], "Street": ["A", "B"]}},
        {TEXT: "nothing", ANSWER: {}},
    ]


def test_an_xml_text_with_tags_in_tags_is_refused_alone() -> None:
    content = XML.replace("nothing", "<No>1<b>2</b></No>")
    assert values(tagged_xml.read, content)[-1] == (6, "nested tags")


def test_an_xml_text_that_is_far_too_long_is_refused_alone() -> None:
    content = XML.replace("nothing", "a" * 2_000_000)
    assert values(tagged_xml.read, content)[-1] == (6, "text too long")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (XML.replace("</City></Line>", "</City></Lime>", 1), "Line 3 of sample is not XML"),
        (XML.replace("</All>", ""), "is not XML"),
        (XML.replace("&amp;", "&amper;"), "Line 3"),
        (XML.replace("<All>", '<!DOCTYPE a [<!ENTITY b "c">]><All>'), "DOCTYPE"),
        (XML.replace("nothing", "<a>" * 100_000), "in 50 others"),
        ("<a>b</a>", "no elements that tag"),
        ("not XML", "no elements that tag"),
        ("", "no elements that tag"),
    ],
)
def test_xml_that_cannot_be_read_is_rejected(content: str, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        rows_of(tagged_xml.read, content)


@pytest.mark.parametrize(
    "content",
    [
        "<all><row><a>1</a><b>x</b></row><row><a>2</a><b>y</b></row></all>",
        "<html><p>a</p></html>",
        "hoo,owl",
    ],
)
def test_other_xml_is_not_taken_for_tagged_texts(content: str) -> None:
    assert tagged_xml.sniff(source_of(content.encode()).beginning) == 0


# Real files


@pytest.mark.skipif(not REAL.is_dir(), reason="TUNEDROP_TEST_DATA names no folder with data")
@pytest.mark.parametrize("name", ["wnut17/emerging.dev.conll", "mit_movie/engtest.bio.txt"])
def test_every_sentence_of_real_conll_files_is_read(name: str) -> None:
    content = (REAL / name).read_text()
    paragraphs = "\n".join(line.strip() for line in content.splitlines()).split("\n\n")
    found = rows_of(conll.read, content)
    assert len(found) == sum(bool(paragraph.strip()) for paragraph in paragraphs)
    assert all(isinstance(row, Row) for row in found)


@pytest.mark.skipif(not REAL.is_dir(), reason="TUNEDROP_TEST_DATA names no folder with data")
def test_every_address_of_real_xml_files_is_read() -> None:
    for path in sorted((REAL / "usaddress").glob("*.xml")):
        found = rows_of(tagged_xml.read, path.read_text())
        assert len(found) == path.read_text().count("<AddressString>")
        assert all(isinstance(row, Row) for row in found)
