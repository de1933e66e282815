"""JSON records out of a stream: lines, arrays, and objects one after another."""

import io
import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.convert_dataset.reading.json_values import first_records, json_records
from functions.convert_dataset.rows import Refusal
from shared.errors import Rejected

Record = tuple[int, dict[str, Any]] | Refusal

NAUGHTY = (
    "", " ", "\ttab\t", "a\nb", "a\r\nb", "\u2028 \u2029", "\u0000", "\ufeff", "\u00a0 x \u00a0",
    '"quoted"', "back\\slash", "\\n", "[1]", "{}", "NaN", "null", "12.50", "😀 👨‍👩‍👧", "e\u0301",
    "ﷺ", "\u202egnp.exe", "Ω≈ç√", "田中さん", "\x7f", "\\ud800", "}{", "],[",
)  # fmt: skip


def records(data: bytes) -> list[Record]:
    return list(json_records(io.BytesIO(data)))


def reasons(data: bytes) -> list[str]:
    return [record.reason if isinstance(record, Refusal) else "" for record in records(data)]


def deep(levels: int) -> str:
    return '{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def test_json_lines_are_numbered_by_their_lines() -> None:
    assert records(b'\n{"a": 1}\r\n\n  {"a": 2}') == [(2, {"a": 1}), (4, {"a": 2})]


@pytest.mark.parametrize(
    "data",
    [
        b'[{"a": 1},\n{"a": 2}]',
        b'[{"a": 1},\r\n{"a": 2}]\r\n',
        b'{"a":\r1}\r{"a": 2}',
        b'{"a": 1},\n{"a": 2},\n',
        b'{"a": 1}{}\n{"a": 2}',
        b'[{"a": 1}]\n[{"a": 2}]',
    ],
)
def test_arrays_and_objects_one_after_another_are_numbered_by_their_lines(data: bytes) -> None:
    found = [record for record in records(data) if not isinstance(record, Refusal) and record[1]]
    assert [record[1] for record in found] == [{"a": 1}, {"a": 2}]
    assert found[1][0] == 2 + (data[4:6] == b":\r")


def test_pretty_printed_objects_and_arrays_are_read() -> None:
    values = [{"a": {"b": [1, 2]}, "c": "x"}, {"a": None}, {}]
    together = "\n".join(json.dumps(value, indent=2) for value in values).encode()
    in_array = json.dumps(values, indent=2).encode()
    assert [record[1] for record in records(together)] == values
    assert [record[1] for record in records(in_array)] == values


@pytest.mark.parametrize("data", [b"", b" \n\n", b"[]", b"[\n]\n"])
def test_a_file_without_records_has_none(data: bytes) -> None:
    assert records(data) == []


@pytest.mark.parametrize("form", ['{{"a": {}}}', '[{{"a": {}}}]', '{{\n"a": {}}}'])
@pytest.mark.parametrize("number", ["12.50", "1e400", "0.1", "1.0E+2", "-1.10"])
def test_a_number_with_a_fraction_stays_as_it_is_written(form: str, number: str) -> None:
    [record] = records(form.format(number).encode())
    assert not isinstance(record, Refusal)
    assert record[1] == {"a": number}


@pytest.mark.parametrize("digits", [1, 15, 16, 19, 25, 900, 6000])
def test_an_integer_keeps_all_of_its_digits(digits: int) -> None:
    number = "9" * digits
    for form in ('{{"a": {}}}', '[{{"a": {}}}]', '{{"b": 1, "a":{}}}'):
        [record] = records(form.format(number).encode())
        assert not isinstance(record, Refusal)
        assert f"{record[1]['a']}" == number


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": }', "not JSON"),
        ("garbage", "not JSON"),
        ('{"a": "\\ud800"}', "not text"),
        ('{"\\udfff": 1}', "not text"),
        ("[1, 2]", "not a JSON object"),
        ('"text"', "not a JSON object"),
        ("5", "not a JSON object"),
        (deep(65), "nested too deeply"),
        (deep(30_000), "nested too deeply"),
        ("[" * 30_000, "nested too deeply"),
        ('{"a": "' + "x" * 10_000_000 + '"}', "line too long"),
    ],
)
def test_a_bad_line_is_refused_and_the_others_are_read(line: str, reason: str) -> None:
    data = f'{{"a": 1}}\n{line}\n{{"a": 3}}\n'.encode()
    assert reasons(data) == ["", reason, ""]
    assert records(data)[2] == (3, {"a": 3})


@pytest.mark.parametrize("line", ['{"a": }', '{"a": "x" "b"}', '{"a": 1]', deep(70)])
def test_a_first_line_that_is_broken_does_not_hide_the_lines_behind_it(line: str) -> None:
    assert [bool(reason) for reason in reasons(f'{line}\n{{"a": 2}}'.encode())] == [True, False]


@pytest.mark.parametrize("levels", [3, 64])
def test_64_levels_are_read_and_brackets_in_texts_are_no_levels(levels: int) -> None:
    text = json.dumps({"a": "[" * 200, "b": json.loads(deep(levels - 1))})
    assert reasons(text.encode()) == [""]
    assert reasons(f"[{text}]".encode()) == [""]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"a": "\\ud800"}', "not text"),
        ("7", "not a JSON object"),
        (deep(100), "nested too deeply"),
    ],
)
def test_what_cannot_be_used_in_an_array_is_refused_and_the_rest_is_read(
    record: str, reason: str
) -> None:
    assert reasons(f'[{{"a": 1}},\n{record},\n{{"a": 3}}]'.encode()) == ["", reason, ""]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('[{"a": 1},\n{"a": 2', "ends in the middle of the record that begins on line 2"),
        ('[{"a": 1},\n{"a": "x', "ends in the middle of the record that begins on line 2"),
        ('[{"a": 1},\n', "in the middle of the array that begins on line 1"),
        ('{\n"a": 1}\n{\n', "ends in the middle of the record that begins on line 3"),
        ('[{"a": 1},\n{"a" 2},\n{"a": 3}]', "on line 2: expecting ':' delimiter, at '2},"),
        ('[{"a": 1}]]', "on line 1: expecting value"),
        ('{\n"a": "x\ny"}', "on line 2: invalid control character"),
        ("once upon a time", "on line 1: expecting value, at 'once"),
        ('{\n"a": ' + "[" * 100_000, "line 1 is nested too deeply"),
        ('[\n{"a": "' + "x" * 21_000_000 + '"}]', "line 2 is longer than 10,000,000 characters"),
        ("[{" + " " * 21_000_000 + "}]", "line 1 is longer than 10,000,000 characters"),
    ],
)
def test_an_error_behind_which_nobody_can_go_on_rejects_the_file(data: str, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        records(data.encode())
    assert words in caught.value.reason
    assert caught.value.remedy
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "data", [b'{"a": 1}\n{"a": "\xff"}', b'[{"a": 1},\n{"a": "\xff"}]', b'{"a": "\xed\xa0\x80"}']
)
def test_bytes_that_are_not_utf_8_are_no_refusal(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        records(data)


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("form", ["lines", "array", "pretty"])
def test_texts_survive_unchanged(form: str, ascii_only: bool) -> None:
    values = [{text: text, "n": number} for number, text in enumerate(NAUGHTY)]
    if form == "lines":
        data = "\n".join(json.dumps(value, ensure_ascii=ascii_only) for value in values)
    else:
        indent = 1 if form == "pretty" else None
        data = json.dumps(values, ensure_ascii=ascii_only, indent=indent)
    assert [record[1] for record in records(data.encode())] == values


@given(st.integers(0, 70_000), st.sampled_from(["a", "é", "文", "😀"]))
def test_a_record_may_be_cut_anywhere_between_two_reads(size: int, character: str) -> None:
    values = [{"a": character * (65_400 - size % 300)}, {"b": character * 40, "c": [1, True, None]}]
    data = json.dumps(values, ensure_ascii=False, indent=1).encode()
    assert [record[1] for record in records(data)] == values


def test_a_large_array_takes_linear_time_and_little_memory() -> None:
    class Endless(io.RawIOBase):
        """An array of 50,000 records that never exists as a whole."""

        def __init__(self, count: int) -> None:
            self.parts: Iterator[bytes] = iter(
                [b"[", *[b'{"text": "' + b"word " * 20 + b'"},\n'] * count, b"{}]"]
            )
            self.rest = b""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            while len(self.rest) < len(buffer) and (part := next(self.parts, b"")):
                self.rest += part
            taken = self.rest[: len(buffer)]
            buffer[: len(taken)] = taken
            self.rest = self.rest[len(taken) :]
            return len(taken)

    tracemalloc.start()
    start = time.perf_counter()
    count = sum(1 for _ in json_records(io.BufferedReader(Endless(50_000))))
    seconds = time.perf_counter() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 50_001
    assert seconds < 20
    assert peak < 4_000_000


@pytest.mark.parametrize("form", ["lines", "array", "pretty"])
@given(cut=st.integers(0, 300))
def test_the_first_records_are_found_in_a_beginning_that_is_cut_anywhere(
    form: str, cut: int
) -> None:
    values: list[dict[str, object]] = [{"text": "é文😀 {[", "n": number} for number in range(6)]
    if form == "lines":
        whole = "\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    else:
        whole = json.dumps(values, ensure_ascii=False, indent=1 if form == "pretty" else None)
    data = whole.encode()[:cut]
    found = first_records(data, whole=cut >= len(whole.encode()))
    assert found == values[: len(found)]
    assert len(found) >= data.count("😀 {[".encode()) - 1


def test_at_most_200_first_records_are_returned() -> None:
    assert len(first_records(b'{"a": 1}\n' * 1000, whole=True)) == 200


@pytest.mark.parametrize(
    "data",
    [b"", b"text,label\na,b\n", b"once upon a time", b"\xff\xfe{", b"5\n6\n", b"PK\x03\x04\0"],
)
def test_what_is_not_json_has_no_first_records(data: bytes) -> None:
    assert first_records(data, whole=True) == []


@given(
    st.binary(max_size=200) | st.text('[]{}",:\\1eE.-NaN\n\r \ud7ff', max_size=60).map(str.encode)
)
def test_any_bytes_end_in_records_or_in_a_rejection(data: bytes) -> None:
    with suppress(Rejected, UnicodeDecodeError):
        for record in records(data):
            value = record.detail if isinstance(record, Refusal) else json.dumps(record[1])
            assert value.encode()
    first_records(data, whole=True)
    first_records(data, whole=False)
