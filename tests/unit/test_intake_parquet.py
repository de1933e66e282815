"""Reading Parquet files."""

import datetime as dt
import decimal
import io
import json
from collections.abc import Mapping
from contextlib import suppress

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq

from functions.convert_dataset.formats import parquet
from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected
from tests.unit.intake_sources import source_of


def written(table: pa.Table, features: Mapping[str, object] | None = None) -> bytes:
    if features is not None:
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    data = io.BytesIO()
    pq.write_table(table, data)
    return data.getvalue()


def rows_of(data: bytes) -> list[Row | Refusal]:
    return list(parquet.read(source_of(data)))


def values(data: bytes) -> list[dict[str, object]]:
    return [dict(row.values) for row in rows_of(data) if isinstance(row, Row)]


BIRDS = pa.table({"text": ["hoo hoo", "caw"], "label": ["owl", "crow"]})
NAMES = {"_type": "ClassLabel", "names": ["owl", "crow"]}


def test_rows_are_read_with_their_numbers_over_several_batches() -> None:
    count = 3 * parquet.BATCH_ROWS + 7
    table = pa.table({"text": [f"bird {number}" for number in range(count)]})
    rows = rows_of(written(table))
    assert [row.line for row in rows] == list(range(1, count + 1))
    assert rows[-1] == Row(count, {"text": f"bird {count - 1}"})


def test_a_file_is_told_by_its_first_bytes() -> None:
    assert parquet.sniff(source_of(written(BIRDS)).beginning) == 1.0
    assert parquet.sniff(source_of(b"text,label\n").beginning) == 0.0


def test_values_become_plain() -> None:
    day = dt.datetime.fromisoformat("2024-05-06T07:08:00")
    table = pa.table(
        {
            "price": [decimal.Decimal("12.50")],
            "day": [day.date()],
            "time": [day],
            "fine": pa.array([1], pa.timestamp("ns")),
            "far": pa.array([9_000_000], pa.date32()),
            "not a number": [float("nan")],
            "number": [1.5],
            "bytes": [b"hoo"],
            "object": [{"type": "owl", "times": 2}],
            "list": [["a", None]],
            "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())),
            "few": pa.array(["owl"]).dictionary_encode(),
            "true": [True],
            "nothing": pa.nulls(1),
        }
    )
    (row,) = values(written(table))
    assert row == {
        "price": "12.50",
        "day": "2024-05-06",
        "time": "2024-05-06T07:08:00",
        "fine": "1970-01-01T00:00:00.000000001",
        "far": "26611-03-02",
        "not a number": None,
        "number": 1.5,
        "bytes": "hoo",
        "object": {"type": "owl", "times": 2},
        "list": ["a", None],
        "map": {"a": 1},
        "few": "owl",
        "true": True,
        "nothing": None,
    }


def test_bytes_that_are_no_text_are_refused_row_by_row() -> None:
    wrong = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffa")]
    )
    for column in (pa.array([b"\xff", b"a"]), wrong):
        first, second = rows_of(written(pa.table({"text": column})))
        assert isinstance(first, Refusal)
        assert (first.line, first.reason) == (1, "not UTF-8")
        assert second == Row(2, {"text": "a"})


def test_label_names_of_hugging_face_replace_the_numbers() -> None:
    table = pa.table(
        {
            "text": ["a", "b", "c"],
            "label": [1, -1, None],
            "several": [[0, 1], [], [1]],
            "object": [{"kind": 0}] * 3,
        }
    )
    features = {
        "text": {"_type": "Value", "dtype": "string"},
        "label": NAMES,
        "several": {"_type": "Sequence", "feature": NAMES},
        "object": {"kind": NAMES},
    }
    assert values(written(table, features)) == [
        {"text": "a", "label": "crow", "several": ["owl", "crow"], "object": {"kind": "owl"}},
        {"text": "b", "label": None, "several": [], "object": {"kind": "owl"}},
        {"text": "c", "label": None, "several": ["crow"], "object": {"kind": "owl"}},
    ]


def test_a_number_without_a_name_is_refused() -> None:
    table = pa.table({"text": ["a", "b"], "label": [0, 7]})
    assert rows_of(written(table, {"label": NAMES}))[1] == Refusal(
        2, "a value cannot be read", "the column 'label': 7 is none of the 2 labels"
    )


@pytest.mark.parametrize("info", ["no json", "[]", '{"info": 3}', '{"info": {"features": []}}'])
def test_metadata_of_another_kind_does_no_harm(info: str) -> None:
    table = BIRDS.replace_schema_metadata({"huggingface": info})
    assert values(written(table))[0] == {"text": "hoo hoo", "label": "owl"}


def test_tokens_and_tags_become_fields() -> None:
    table = pa.table({"tokens": [["Anna", "Lee", "sings"], ["hoo"]], "ner_tags": [[1, 2, 0], [0]]})
    tags = {"_type": "ClassLabel", "names": ["O", "B-PER", "I-PER"]}
    for feature in ({"_type": "Sequence", "feature": tags}, {"_type": "List", "feature": tags}):
        first, second = values(written(table, {"ner_tags": feature}))
        assert first == {"text": "Anna Lee sings", "answer": {"PER": "Anna Lee"}}
        assert second["text"] == "hoo"


def test_columns_of_the_same_name_are_kept_apart() -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    assert values(written(table)) == [{"text": "a", "text.2": "b"}]


@pytest.mark.parametrize("count", [0, 1])
def test_a_table_without_rows_or_columns_has_no_rows(count: int) -> None:
    assert rows_of(written(BIRDS.slice(0, 0).select(["text", "label"][:count]))) == []


def test_damage_is_named() -> None:
    data = written(BIRDS)
    for damaged in (data[:-10], b"PAR1", data[:4] + bytes(60) + data[64:]):
        with pytest.raises(Rejected, match="sample is damaged or encrypted"):
            rows_of(damaged)


WHOLE = [
    written(BIRDS),
    written(pa.table({"tokens": [["Anna"]] * 9, "ner_tags": [[0]] * 9}), {"ner_tags": [NAMES]}),
    written(pa.table({"a": [1.5, None], "b": [{"c": [b"x"]}, None]})),
]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_files_give_rows_or_a_rejection(data: st.DataObject) -> None:
    packed = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(0, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(packed)))
    with suppress(Rejected):
        rows_of(bytes(packed))
    with suppress(Rejected):
        rows_of(bytes(packed[:start]) + data.draw(st.binary(max_size=9)) + bytes(packed[start:]))
