"""Reading labelled files as rows."""

import csv
import io
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.columns import KNOWN_COLUMNS
from functions.convert_dataset.formats import SNIFF_BYTES, choose_format
from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected

known = frozenset(KNOWN_COLUMNS)


def rows_of(content: bytes | str) -> list[Row | Refusal]:
    raw = content.encode() if isinstance(content, str) else content
    chosen = choose_format(raw[:SNIFF_BYTES], "file")
    return list(chosen.rows(io.BytesIO(raw), known))


def values(content: bytes | str) -> list[dict[str, object]]:
    return [dict(row.values) for row in rows_of(content) if isinstance(row, Row)]


def lines(content: bytes | str) -> list[int]:
    return [row.line for row in rows_of(content)]


OWL = {"text": "hoo hoo", "label": "owl"}
CROW = {"text": "caw", "label": "crow"}


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_with_a_header_is_read_whatever_its_delimiter(delimiter: str, end: str) -> None:
    table = [["text", "label"], ["hoo hoo", "owl"], ["caw", "crow"]]
    content = end.join(delimiter.join(cells) for cells in table)
    assert values(content) == [OWL, CROW]


def test_a_table_without_a_header_has_numbered_columns() -> None:
    assert values("hoo hoo,owl\ncaw,crow\n") == [
        {"1": "hoo hoo", "2": "owl"},
        {"1": "caw", "2": "crow"},
    ]


def test_a_header_of_unusual_names_is_told_by_standing_out() -> None:
    body = "".join(f"bird {n},{('owl', 'crow')[n % 2]}\n" for n in range(12))
    assert values(f"song,who\n{body}")[0] == {"song": "bird 0", "who": "owl"}
    assert values(f"bird x,crow\n{body}")[0] == {"1": "bird x", "2": "crow"}


def test_a_label_that_is_also_a_usual_column_name_makes_no_header() -> None:
    rows = [f"bird {n},{('question', 'complaint')[n % 2]}" for n in range(12)]
    assert len(values("\n".join(rows))) == 12


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert values(b"\xef\xbb\xbftext,label\nhoo hoo,owl\n") == [OWL]
    assert values(b"\xef\xbb\xbf" + json.dumps(OWL).encode()) == [OWL]


def test_quoted_cells_hold_delimiters_quotes_and_newlines() -> None:
    content = 'text,label\n"a ""big"", \nblack; bird",crow\n'
    assert values(content) == [{"text": 'a "big", \nblack; bird', "label": "crow"}]


def test_a_row_is_named_by_the_line_that_it_begins_on() -> None:
    assert lines('text,label\n"a\nb\nc",x\nd,y\n"e\n",z\nf,w\n') == [2, 5, 6, 8]


def test_a_comma_in_texts_does_not_hide_the_real_delimiter() -> None:
    content = "text\tlabel\nwell, hoo\towl\ncaw\tcrow\n"
    assert values(content)[0] == {"text": "well, hoo", "label": "owl"}


@pytest.mark.parametrize("row", ["just one", "too,many,cells"])
def test_a_row_with_another_number_of_cells_is_refused_alone(row: str) -> None:
    good, bad, last = rows_of(f"text,label\nhoo hoo,owl\n{row}\ncaw,crow\n")
    assert isinstance(good, Row)
    assert isinstance(bad, Refusal)
    assert (bad.line, bad.reason) == (3, "wrong number of cells")
    assert isinstance(last, Row)


def test_an_empty_row_is_refused_alone() -> None:
    found = rows_of("text,label\nhoo hoo,owl\n,\n \t,\ncaw,crow\n")
    assert [type(row) for row in found] == [Row, Refusal, Refusal, Row]


def test_a_quote_that_is_never_closed_is_located() -> None:
    with pytest.raises(Rejected, match="begins on line 3"):
        rows_of('text,label\nhoo,owl\n"caw,crow\nhoo,owl\n')


def test_an_unclosed_quote_does_not_swallow_a_large_file() -> None:
    content = 'text,label\nhoo,owl\n"caw,crow\n' + "hoo,owl\n" * 700_000
    with pytest.raises(Rejected, match="begins on line 3"):
        rows_of(content)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_that_is_not_utf_8_is_refused(encoding: str) -> None:
    with pytest.raises(Rejected) as caught:
        rows_of("text,label\ncafé,owl\n".encode(encoding))
    assert "UTF-8" in str(caught.value)


def test_a_wrong_byte_late_in_a_table_is_located() -> None:
    content = b"text,label\n" + b"hoo,owl\n" * 20_000 + b"caf\xe9,owl\n"
    with pytest.raises(Rejected, match=r"not UTF-8 near line \d+ \(byte 0xe9\)"):
        rows_of(content)


def test_a_character_cut_by_the_sample_does_no_harm() -> None:
    for shift in range(3):
        text = "a" * shift + "é" * SNIFF_BYTES
        assert values(f"text,label\n{text},owl\n") == [{"text": text, "label": "owl"}]


@pytest.mark.parametrize("content", [b"", b" \n\n", b"one column\nof words\n", b"\0\1\2,\3"])
def test_a_file_of_no_known_format_is_refused(content: bytes) -> None:
    with pytest.raises(Rejected):
        rows_of(content)


cell = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff"), max_size=12
).map(lambda text: text + ".")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=5))
def test_what_a_csv_writer_writes_is_read_back(table: list[tuple[str, str]]) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
        [("text", "label"), *table]
    )
    wanted = [{"text": text, "label": label} for text, label in table]
    assert values(stream.getvalue()) == wanted


def test_json_lines_are_read_with_their_line_numbers() -> None:
    content = f"{json.dumps(OWL)}\n\n{json.dumps(CROW)}"
    assert values(content) == [OWL, CROW]
    assert lines(content) == [1, 3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "a"', "not JSON"),
        ('{"text": "a", "label": NaN}', "not JSON"),
        (r'{"text": "\ud800", "label": "a"}', "not JSON"),
        ("[1]", "not a JSON object"),
        ('"text"', "not a JSON object"),
    ],
)
def test_a_broken_json_line_is_refused_alone(line: str, reason: str) -> None:
    good, bad, last = rows_of(f"{json.dumps(OWL)}\n{line}\n{json.dumps(CROW)}\n")
    assert isinstance(good, Row)
    assert isinstance(bad, Refusal)
    assert (bad.line, bad.reason) == (2, reason)
    assert isinstance(last, Row)


def test_a_json_line_that_is_not_utf_8_is_refused_alone() -> None:
    good, bad = rows_of(json.dumps(OWL).encode() + b'\n{"text": "caf\xe9", "label": "a"}\n')
    assert isinstance(good, Row)
    assert isinstance(bad, Refusal)


def test_a_line_that_is_far_too_long_is_refused_alone() -> None:
    long = b'{"text": "' + b"a" * 10_000_001 + b'"}'
    first, bad, last = rows_of(b'{"text": "a"}\n' + long + b'\n{"text": "b"}\n')
    assert isinstance(first, Row)
    assert isinstance(bad, Refusal)
    assert (bad.line, bad.reason) == (2, "line too long")
    assert isinstance(last, Row)
    assert last.line == 3


def turn(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"text": text}]}


@pytest.mark.parametrize("key", ["systemInstruction", "system_instruction"])
def test_gemini_lines_become_text_answer_and_instruction(key: str) -> None:
    line = {
        key: turn("system", "Name it."),
        "contents": [turn("user", "hoo"), turn("model", "owl")],
    }
    assert values(json.dumps(line)) == [
        {"text": "hoo", "answer": "owl", "system instruction": "Name it."}
    ]


def test_older_gemini_lines_become_text_answer_and_instruction() -> None:
    turns = [("system", "Name it."), ("user", "hoo"), ("model", "owl")]
    line = {"messages": [{"role": role, "content": text} for role, text in turns]}
    assert values(json.dumps(line)) == [
        {"text": "hoo", "answer": "owl", "system instruction": "Name it."}
    ]


def test_parts_of_a_turn_are_joined() -> None:
    parts = {"role": "user", "parts": [{"text": "hoo "}, {"text": "hoo"}]}
    line = {"contents": [parts, turn("model", "owl")]}
    assert values(json.dumps(line)) == [{"text": "hoo hoo", "answer": "owl"}]


@pytest.mark.parametrize(
    "contents",
    [
        [],
        [turn("user", "hoo")],
        [turn("user", "hoo"), turn("model", "a"), turn("user", "x"), turn("model", "b")],
        [turn("user", "hoo"), turn("tool", "a")],
        [turn("user", "hoo"), "owl"],
        [{"role": "user", "parts": [{"fileData": {}}]}, turn("model", "owl")],
        [{"role": "user", "parts": "hoo"}, turn("model", "owl")],
        [{"role": "user"}, turn("model", "owl")],
    ],
)
def test_a_conversation_that_is_not_one_question_and_one_answer_is_refused(
    contents: list[object],
) -> None:
    (bad,) = rows_of(json.dumps({"contents": contents}))
    assert isinstance(bad, Refusal)
    assert bad.reason == "not a conversation"


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_arbitrary_bytes_give_rows_or_a_rejection(content: bytes) -> None:
    for start in (b"", b"text,label\n", b'{"text": "a"}\n'):
        with suppress(Rejected):
            assert all(isinstance(row, Row | Refusal) for row in rows_of(start + content))
