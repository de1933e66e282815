"""Reading archives with a folder for each label."""

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.formats import excel, folders
from functions.convert_dataset.rows import ANSWER, SPLIT, TEXT, Refusal, Row
from shared.errors import Rejected
from tests.unit.intake_sources import source_of


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def rows_of(data: bytes) -> list[Row | Refusal]:
    return list(folders.read(source_of(data)))


def test_the_folder_is_the_answer_and_the_file_is_the_text() -> None:
    packed = zipped(
        {
            "birds/owl/2.txt": b"hoo\n",
            "birds/crow/1.txt": b"\xef\xbb\xbf caw",
            "birds/.DS_Store": b"x",
            "birds/owl/10.txt": "Möwe".encode(),
        }
    )
    assert rows_of(packed) == [
        Row(1, {TEXT: " caw", ANSWER: "crow"}),
        Row(2, {TEXT: "Möwe", ANSWER: "owl"}),
        Row(3, {TEXT: "hoo\n", ANSWER: "owl"}),
    ]


def test_folders_above_may_name_splits() -> None:
    packed = zipped({"x/train/owl/1": b"hoo", "x/Test/owl/1": b"hoo hoo", "x/train/crow/1": b"caw"})
    assert rows_of(packed) == [
        Row(1, {TEXT: "hoo hoo", ANSWER: "owl", SPLIT: "Test"}),
        Row(2, {TEXT: "caw", ANSWER: "crow", SPLIT: "train"}),
        Row(3, {TEXT: "hoo", ANSWER: "owl", SPLIT: "train"}),
    ]


def test_an_archive_is_told_from_a_workbook() -> None:
    ours = source_of(zipped({"owl/1": b"hoo", "crow/1": b"xl/ [Content_Types]"})).beginning
    book = source_of(zipped({"docProps/app.xml": b"x", "xl/workbook.xml": b"x"})).beginning
    text = source_of(b"text,label\n").beginning
    assert [folders.sniff(ours), folders.sniff(book), folders.sniff(text)] == [1.0, 0.0, 0.0]
    assert [excel.sniff(ours), excel.sniff(book), excel.sniff(text)] == [0.0, 1.0, 0.0]


def test_an_old_encoding_is_found_by_all_files_together() -> None:
    texts = [
        "猫头鹰叫了一整夜",
        "我不能再等下去了",
        "咖啡是凉的而且太苦了",
        "小船在湖上慢慢地走",
    ]
    files = {f"{'ab'[n % 2]}/{n}.txt": text.encode("gb18030") for n, text in enumerate(texts)}
    files["a/9.txt"] = "das Café".encode()
    read = [row.values[TEXT] for row in rows_of(zipped(files)) if isinstance(row, Row)]
    assert sorted(map(str, read)) == sorted([*texts, "das Café"])


def test_a_file_that_is_no_text_is_refused_by_its_name() -> None:
    chinese = ("猫头鹰叫了一整夜我不能再等下去了" * 1500).encode("gb18030")
    packed = zipped(
        {"a/1.png": b"\x89PNG\r\n", "a/2.bin": b"a\0b", "b/3.txt": chinese, "b/4.txt": b"ab\xff"}
    )
    png, binary, text, wrong = rows_of(packed)
    assert png == Refusal(1, "not text", "'a/1.png' is a PNG picture")
    assert binary == Refusal(2, "not text", "'a/2.bin' is binary")
    assert isinstance(text, Row)
    assert isinstance(wrong, Refusal)
    assert wrong.reason == "in another encoding"
    assert "b/4.txt" in wrong.detail


def test_an_empty_file_is_an_empty_text() -> None:
    assert rows_of(zipped({"a/1": b"", "b/1": b"x"}))[0] == Row(1, {TEXT: "", ANSWER: "a"})


@pytest.mark.parametrize("files", [{"1.txt": b"x", "2.txt": b"y"}, {"a/1": b"x", "2": b"y"}, {}])
def test_an_archive_without_such_folders_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(Rejected, match="one folder for each label"):
        rows_of(zipped(files))


WHOLE = [
    zipped({"a/1.txt": b"hoo" * 50, "b/1.txt": "Möwe".encode("cp1252"), "b/2.txt": b"caw"}),
    zipped({"train/a/1": b"hoo", "test/b/2": "Möwe".encode()}),
]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_archives_give_rows_or_a_rejection(data: st.DataObject) -> None:
    packed = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(0, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(packed)))
    with suppress(Rejected):
        rows_of(bytes(packed))
    with suppress(Rejected):
        rows_of(bytes(packed[:start]) + data.draw(st.binary(max_size=9)) + bytes(packed[start:]))
