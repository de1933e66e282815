"""Tables in text: delimiters, headers, quotes."""

import csv
import io
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from functions.convert_dataset.formats import csv_table
from functions.convert_dataset.reading.delimited import MAX_CELL_CHARACTERS
from functions.convert_dataset.reading.header import column_names, is_header
from functions.convert_dataset.reading.source import Hints
from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected
from tests.unit.intake_sources import source_of

REAL = Path(os.environ.get("TUNEDROP_TEST_DATA", "../shared/data"))
KNOWN = Hints(frozenset({"text", "label", "question", "title"}))
OWL = {"text": "hoo hoo", "label": "owl"}
CROW = {"text": "caw", "label": "crow"}


def rows_of(content: str | bytes, hints: Hints = KNOWN) -> list[Row | Refusal]:
    data = content.encode() if isinstance(content, str) else content
    return list(csv_table.read(source_of(data, hints)))


def values(content: str, hints: Hints = KNOWN) -> list[dict[str, object]]:
    return [dict(row.values) for row in rows_of(content, hints) if isinstance(row, Row)]


def refusals(content: str) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in rows_of(content) if isinstance(row, Refusal)]


def sniffed(content: str) -> float:
    return csv_table.sniff(source_of(content.encode()).beginning)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_whatever_its_delimiter_and_line_ends(delimiter: str, end: str) -> None:
    table = [["text", "label"], ["hoo hoo", "owl"], ["caw", "crow"]]
    content = end.join(delimiter.join(cells) for cells in table)
    assert values(content) == values(content + end) == [OWL, CROW]
    assert sniffed(content) == 0.5


def test_a_line_of_excel_names_the_delimiter() -> None:
    assert values("sep=;\ntext;label\nhoo hoo;owl\n") == [OWL]
    assert values("sep=;\r\n1,5;2,5\r\n") == [{"1": "1,5", "2": "2,5"}]


def test_a_comma_in_texts_does_not_hide_the_real_delimiter() -> None:
    content = "text\tlabel\nwell, hoo\towl\ncaw\tcrow\n"
    assert values(content)[0] == {"text": "well, hoo", "label": "owl"}


def test_rows_are_named_by_the_lines_that_they_begin_on() -> None:
    found = rows_of('\n\ntext,label\n"a\nb\nc",x\nd,y\n\n"e\r\n",z\nf,w\n')
    assert [row.line for row in found] == [4, 7, 9, 11]


def test_cells_are_kept_as_they_are() -> None:
    content = 'text,label\n" a ""big"", \r\nblack; bird\u2028", crow \n'
    assert values(content) == [{"text": ' a "big", \r\nblack; bird\u2028', "label": " crow "}]


def test_lines_with_nothing_on_them_are_no_rows_and_those_with_delimiters_are_refused() -> None:
    assert refusals("text,label\n\nhoo,owl\n,\n \t,\n\n") == [(4, "empty row"), (5, "empty row")]


@pytest.mark.parametrize("row", ["just one", "too,many,cells"])
def test_a_row_with_another_number_of_cells_is_refused_alone(row: str) -> None:
    content = f"text,label\nhoo hoo,owl\n{row}\ncaw,crow\n"
    assert values(content) == [OWL, CROW]
    assert refusals(content) == [(3, "wrong number of cells")]


@pytest.mark.parametrize(
    "row",
    [
        'an "odd" one,crow',
        '5" long,crow',
        '"an "odd" one",crow',
        '"an "odd, and black" one",crow',
        ' "spaced",crow',
        '"open" at first,crow',
    ],
)
def test_a_row_with_a_stray_quotation_mark_is_refused_alone(row: str) -> None:
    content = f"text,label\nhoo hoo,owl\n{row}\ncaw,crow\n"
    assert values(content) == [OWL, CROW]
    assert refusals(content) == [(3, "stray quotation mark")]


@pytest.mark.parametrize(
    "rest",
    [
        '"caw,crow\nhoo,owl\n',
        '"caw,crow\n' + "hoo,owl\n" * (MAX_CELL_CHARACTERS // 4),
        '"caw "caw"\nand, so on",crow\n',
        '"caw,crow\n"hoo",owl\n',
    ],
)
def test_a_quote_that_is_never_closed_is_located(rest: str) -> None:
    with pytest.raises(Rejected, match="begins on line 3 of sample"):
        rows_of(f"text,label\nhoo,owl\n{rest}")


def test_quotation_marks_in_a_file_with_tabs_are_text_unless_they_quote() -> None:
    plain = 'text\tlabel\n"Caw," it said\tcrow\n5" long\towl\n"All of it"\towl\nhoo\towl\n'
    assert [row["text"] for row in values(plain)] == [
        '"Caw," it said',
        '5" long',
        '"All of it"',
        "hoo",
    ]
    quoted = 'text\tlabel\n"a ""big"" one"\tcrow\nhoo\towl\n'
    assert [row["text"] for row in values(quoted)] == ['a "big" one', "hoo"]
    all_quoted = '"text"\t"label"\n"hoo hoo"\t"owl"\n'
    assert values(all_quoted) == [OWL]


@pytest.mark.parametrize("content", ["a" * 20_000_000, '"a\n",' * 5_000_000])
def test_a_row_without_an_end_is_refused(content: str) -> None:
    with pytest.raises(Rejected, match="more than"):
        rows_of(f"text,label\nhoo,owl\n{content}")


def test_a_table_of_very_many_columns_is_refused() -> None:
    with pytest.raises(Rejected, match="columns"):
        rows_of(",".join("a" * 20_000) + "\n")


def test_bytes_that_are_not_utf_8_are_said_to_be_so() -> None:
    with pytest.raises(UnicodeDecodeError):
        rows_of(b"text,label\n" + b"hoo,owl\n" * 20_000 + b"caf\xe9,owl\n")


TEXTS = ("The owl sat in the old tree all night", "A crow flew over the field at noon") * 6


@pytest.mark.parametrize(
    "table",
    [
        ["text,label", "hoo,owl"],
        ["text,label", "text,label"],
        ["id,question", "1,Who is it"],
        ["song,who", *(f"bird {n},{('owl', 'crow')[n % 2]}" for n in range(12))],
        ["foo,bar,baz", "1,a b,x"],
        ["Bird Song,Who Sings", *(f"{text},{n % 2}" for n, text in enumerate(TEXTS))],
        ["Lied,Vogel", *(f"{text},{('eule', 'krähe')[n % 2]}" for n, text in enumerate(TEXTS))],
        [",song,who", *(f"{n},{text},{'ab'[n % 2]}" for n, text in enumerate(TEXTS))],
        ["q1,q2,y", *("how many,who knows,3",) * 2],
        ["foo,bar,baz"],
    ],
)
def test_a_header_is_seen(table: list[str]) -> None:
    assert is_header([line.split(",") for line in table], KNOWN.known_columns)


@pytest.mark.parametrize(
    "table",
    [
        ["hoo hoo,owl", "caw,crow"],
        ["bird x,crow", *(f"bird {n},{('owl', 'crow')[n % 2]}" for n in range(12))],
        ["Great phone,1", "Bad one,0"],
        ["5,How far is it", "3,Who is it"],
        ["I do not know.,question", *(f"{text},praise" for text in TEXTS)],
        ["Who is that,question", "It is me,statement", "Was it you,question"],
        [
            "Never again,angry",
            *(f"{text},{('glad', 'angry')[n % 2]}" for n, text in enumerate(TEXTS)),
        ],
        ["很快很好吃，好吃,好评", *(f"送餐太慢了{n},差评" for n in range(12))],
        ["2024-01-01,owl", *(f"2024-01-0{n},crow" for n in range(2, 9))],
        ["same,same", "a,1"],
        [""],
        [],
    ],
)
def test_a_first_row_of_data_is_not_taken_for_a_header(table: list[str]) -> None:
    assert not is_header([line.split(",") for line in table], KNOWN.known_columns)


def test_columns_that_task_yaml_names_by_numbers_have_no_header() -> None:
    numbered = Hints(frozenset({"text", "1", "2"}))
    assert values("song,who\nhoo,3\ncaw,4\n", numbered)[0] == {"1": "song", "2": "who"}


def test_columns_get_names_of_their_own() -> None:
    assert column_names(["a", "", "a", "a.2", "a", " b "]) == ["a", "2", "a.2", "a.2.2", "a.3", "b"]


@pytest.mark.parametrize(
    ("content", "least", "most"),
    [
        ("text\nhoo\ncaw\n", 0, 0),
        ("The owl sat there.\nIt was night.\n", 0, 0),
        (
            "The owl, old and grey, sat there.\nIt was night, and cold, and late, too.\nSo.\n",
            0,
            0.2,
        ),
        ("Well, it sat.\nThen, it flew.\n", 0, 0.3),
        ("a,b\nc,d\ne,f,g\nh,i\n", 0.3, 0.3),
        ('{"text": "a, b"}\n', 0, 0),
        ("[ham],a\n[spam],b\n", 0.5, 0.5),
        ('["owl",\n"crow",\n"tit"]\n', 0, 0),
        ('[\n"owl, hoo",\n"crow, caw",\n"tit, tsee"]\n', 0, 0),
        ("", 0, 0),
        ("\0,\1\n", 0, 0),
    ],
)
def test_what_a_file_begins_with_tells_how_much_of_a_table_it_is(
    content: str, least: float, most: float
) -> None:
    assert least <= sniffed(content) <= most


cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(cell, cell), max_size=6),
    st.sampled_from(",\t;|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@example([('"', "a")], "\t", "\n", csv.QUOTE_MINIMAL)
@example([('""', "\t")], "\t", "\r\n", csv.QUOTE_ALL)
@example([("text", "label")], ",", "\n", csv.QUOTE_MINIMAL)
def test_what_a_csv_writer_writes_is_read_back(
    table: list[tuple[str, str]], delimiter: str, end: str, quoting: Literal[0, 1]
) -> None:
    # Without quotes, a carriage return before the line's end cannot be told from a part of it.
    assume(
        quoting == csv.QUOTE_ALL
        or end == "\r\n"
        or not any("\r" in cell for row in table for cell in row)
    )
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([("text", "label"), *table])
    wanted = [
        {"text": text, "label": label}
        for text, label in table
        if (text.strip() or label.strip()) and (text, label) != ("text", "label")
    ]
    assert values(stream.getvalue()) == wanted


def test_a_header_that_comes_again_is_no_row() -> None:
    found = rows_of("text,label\nhoo,owl\ntext,label\ncaw,crow\n")
    assert [row.line for row in found] == [2, 3, 4]
    assert isinstance(found[1], Refusal)
    assert found[1].reason == "header again"


def test_titles_above_the_header_are_left_out() -> None:
    assert values("Calls of spring\n\ntext,label\nhoo,owl\ncaw,crow\n") == [
        {"text": "hoo", "label": "owl"},
        {"text": "caw", "label": "crow"},
    ]


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80), st.sampled_from([b"", b"text,label\n", b'a\t"b\n', b"sep=;\n"]))
def test_arbitrary_bytes_give_rows_or_a_rejection(content: bytes, start: bytes) -> None:
    with suppress(Rejected, UnicodeDecodeError):
        assert all(isinstance(row, Row | Refusal) for row in rows_of(start + content))
    csv_table.sniff(source_of(start + content).beginning)


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from('ab"",;\t\n\r|= '), max_size=60))
def test_arbitrary_marks_give_rows_or_a_rejection(content: str) -> None:
    with suppress(Rejected):
        assert all(isinstance(row, Row | Refusal) for row in rows_of(content))


@pytest.mark.skipif(not REAL.is_dir(), reason="TUNEDROP_TEST_DATA names no folder with data")
@pytest.mark.parametrize("folder", ["csv_edge/csvs", "csv_edge2/csv"])
def test_odd_tables_are_read_as_others_read_them(folder: str) -> None:
    for path in sorted((REAL / folder).glob("*.csv")):
        source = source_of(path.read_bytes())
        if path.name.startswith("bad-"):
            try:
                found = [row for row in csv_table.read(source) if isinstance(row, Row)]
            except Rejected as error:
                assert "line 2" in error.reason  # noqa: PT017
                continue
            assert not found, path.name
            continue
        wanted = json.loads((path.parents[1] / "json" / f"{path.stem}.json").read_text())
        if wanted and isinstance(wanted[0], list):
            names, *rest = wanted
            wanted = [dict(zip(names, row, strict=True)) for row in rest if any(row)]
        # The data came through a tool that made CRLF line ends LF, in the tables only.
        wanted = json.loads(json.dumps(wanted).replace(r"\r\n", r"\n"))
        found = [row for row in csv_table.read(source) if isinstance(row, Row)]
        assert [row.values for row in found] == wanted, path.name
