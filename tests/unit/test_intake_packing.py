"""Telling how a file is packed, and opening it within limits."""

import gzip
import io
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.reading.packing import Unpacked, open_unpacked
from shared.errors import Rejected

TABLE = b"text,label\nhoo hoo,owl\ncaw,crow\n"


def unpacked(data: bytes) -> Unpacked:
    @contextmanager
    def open_raw() -> Iterator[BinaryIO]:
        yield io.BytesIO(data)

    return open_unpacked(open_raw, "birds.data")


def content(data: bytes) -> bytes:
    with unpacked(data).open() as stream:
        return stream.read()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def read_through(stream: BinaryIO) -> None:
    while stream.read(1 << 16):
        pass


def zeros(megabytes: int) -> bytes:
    """Pack zeros: a thousandth of their size."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream:
        for _ in range(megabytes):
            stream.write(bytes(1_000_000))
    return packed.getvalue()


def test_a_plain_file_stays_as_it_is() -> None:
    assert unpacked(TABLE).kind == "plain"
    assert content(TABLE) == TABLE


def test_gzip_is_unpacked_also_in_several_parts() -> None:
    packed = gzip.compress(TABLE[:20]) + gzip.compress(TABLE[20:])
    assert unpacked(packed).kind == "gzip"
    assert content(packed) == TABLE


def test_the_one_file_of_an_archive_is_read_whatever_computers_put_beside_it() -> None:
    packed = zipped(
        {
            "data/": b"",
            "data/birds.csv": TABLE,
            "__MACOSX/data/._birds.csv": b"x",
            "data/.DS_Store": b"x",
        }
    )
    assert unpacked(packed).kind == "zip member"
    assert unpacked(packed).member == "data/birds.csv"
    assert content(packed) == TABLE


def test_names_that_point_elsewhere_do_no_harm() -> None:
    assert content(zipped({"../../etc/passwd": TABLE})) == TABLE
    assert content(zipped({"/birds.csv": TABLE})) == TABLE


def test_two_levels_are_unpacked_and_no_more() -> None:
    both = zipped({"birds.csv.gz": gzip.compress(TABLE)})
    assert content(both) == TABLE
    assert content(gzip.compress(zipped({"birds.csv": TABLE}))) == TABLE
    with pytest.raises(Rejected, match="packed twice"):
        unpacked(gzip.compress(gzip.compress(TABLE)))
    with pytest.raises(Rejected, match="archive in an archive"):
        unpacked(zipped({"inner.zip": zipped({"birds.csv": TABLE})}))


def test_workbooks_and_parquet_files_are_told_also_when_they_are_packed() -> None:
    book = zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})
    parquet = b"PAR1\x15\x04\x15" + bytes(40) + b"PAR1"
    for data, kind in ((book, "excel"), (parquet, "parquet")):
        assert unpacked(data).kind == kind
        for packed in (gzip.compress(data), zipped({"inner": data})):
            assert unpacked(packed).kind == kind
            with unpacked(packed).open() as stream:
                stream.seek(-4, io.SEEK_END)
                assert stream.read() == data[-4:]


def test_what_has_to_be_sought_in_must_be_small_when_it_is_packed() -> None:
    data = b"PAR1\x15\x04\x15" + bytes(range(256)) * (270_000)
    with pytest.raises(Rejected, match="without packing"):
        unpacked(gzip.compress(data, compresslevel=0))


def test_folders_of_texts_stay_as_they_are() -> None:
    for start in ("", "birds/", "birds/train/"):
        packed = zipped({f"{start}owl/1.txt": b"hoo", f"{start}crow/1.txt": b"caw"})
        assert unpacked(packed).kind == "folders"
        assert content(packed) == packed


@pytest.mark.parametrize(
    "names",
    [
        ["a.csv", "b.csv"],
        ["data/train.csv", "data/test.csv"],
        ["train/a.csv", "test/a.csv"],
        ["owl/1.txt", "readme.txt"],
        ["a/b/c/1.txt", "a/c/1.txt"],
        [],
    ],
)
def test_an_archive_that_could_mean_anything_is_refused(names: list[str]) -> None:
    with pytest.raises(Rejected, match=r"Put one file into it") as error:
        unpacked(zipped(dict.fromkeys(names, b"hoo")))
    for name in names:
        assert name in error.value.reason


def test_of_many_files_only_some_are_named() -> None:
    with pytest.raises(Rejected, match="and 45 more"):
        unpacked(zipped({f"{number}.txt": b"hoo" for number in range(50)}))


@pytest.mark.parametrize(
    ("start", "kind", "remedy"),
    [
        (b"%PDF-1.7", "a PDF", "CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Office document", "password"),
        (b"BZh91AY&SY\x00\x01", "a bzip2 file", "gzip"),
        (b"\xfd7zXZ\0", "an xz file", "gzip"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "zip"),
        (b"x" * 257 + b"ustar\0", "a tar archive", "zip"),
        (b"SQLite format 3\0", "an SQLite database", "CSV"),
        (b"\x80\x04\x95", "a Python pickle", "never opened"),
        (b"Obj\x01", "an Avro file", "Parquet"),
        (b"ARROW1\0\0", "an Arrow file", "Parquet"),
        (b"PARE\x15\0", "an encrypted Parquet file", "without encryption"),
    ],
)
def test_other_kinds_are_named_with_the_way_out(start: bytes, kind: str, remedy: str) -> None:
    with pytest.raises(Rejected, match=kind) as error:
        unpacked(start + bytes(600))
    assert remedy in error.value.remedy
    with pytest.raises(Rejected, match=f"holds 'birds', which is {kind}"):
        unpacked(zipped({"birds": start + bytes(600)}))


@pytest.mark.parametrize("word", [b"PAR1", b"ORC", b"BZh", b"ARROW1", b"FEA1"])
def test_a_text_may_begin_like_another_kind(word: bytes) -> None:
    assert unpacked(word + b",label\nhoo,owl\n").kind == "plain"


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["[Content_Types].xml", "word/document.xml"], "a Word document"),
        (["[Content_Types].xml", "ppt/presentation.xml"], "a PowerPoint presentation"),
        (["[Content_Types].xml", "xl/workbook.bin"], "a binary workbook"),
        (["mimetype", "content.xml"], "an OpenDocument file"),
    ],
)
def test_office_documents_are_named(names: list[str], kind: str) -> None:
    with pytest.raises(Rejected, match=kind):
        unpacked(zipped(dict.fromkeys(names, b"x")))


def test_a_bomb_is_refused_within_little_memory() -> None:
    bomb = zeros(100)
    for data in (bomb, zipped({"a.gz": bomb}, zipfile.ZIP_STORED)):
        tracemalloc.start()
        with unpacked(data).open() as stream, pytest.raises(Rejected, match="fill up memory"):
            read_through(stream)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20_000_000


def test_an_archive_that_declares_a_bomb_is_not_even_opened() -> None:
    with pytest.raises(Rejected, match="fill up memory"):
        unpacked(zipped({"a.csv": bytes(20_000_000)}))


def test_files_that_overlap_are_refused() -> None:
    packed = bytearray(zipped({"owl/1": b"x" * 500, "crow/1": b"y" * 500}, zipfile.ZIP_STORED))
    place = packed.index(b"PK\x01\x02")
    struct.pack_into("<LL", packed, place + 20, 5000, 5000)
    with pytest.raises(Rejected, match="overlap"):
        unpacked(bytes(packed))


def test_a_password_is_named() -> None:
    packed = bytearray(zipped({"birds.csv": TABLE}))
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Rejected, match="password"):
        unpacked(bytes(packed))


def test_a_file_without_a_name_is_left_out() -> None:
    packed = zipped({"@": b"x", "birds.csv": TABLE}).replace(b"@", b"\0")
    assert unpacked(packed).member == "birds.csv"


def test_unusual_compression_is_refused() -> None:
    with pytest.raises(Rejected, match="unusual way"):
        unpacked(zipped({"birds.csv": TABLE}, zipfile.ZIP_BZIP2))


def test_too_many_files_are_refused() -> None:
    packed = zipped({"birds.csv": TABLE})
    start, end = packed.index(b"PK\x01\x02"), packed.rindex(b"PK\x05\x06")
    entries, last = packed[start:end] * 100_001, bytearray(packed[end:])
    struct.pack_into("<L", last, 12, len(entries))
    with pytest.raises(Rejected, match="100,001 files"):
        unpacked(packed[:start] + entries + bytes(last))


def test_a_table_of_contents_that_claims_to_be_huge_is_not_read() -> None:
    packed = bytearray(zipped({"birds.csv": TABLE}))
    struct.pack_into("<L", packed, packed.rindex(b"PK\x05\x06") + 12, 1 << 31)
    with pytest.raises(Rejected):
        unpacked(bytes(packed))


def test_damage_is_named() -> None:
    packed = bytearray(gzip.compress(TABLE))
    packed[-6] ^= 1
    for damaged in (bytes(packed), gzip.compress(TABLE)[:-9], gzip.compress(TABLE) + b"more"):
        with pytest.raises(Rejected, match="damaged"):
            content(damaged)
    broken = bytearray(zipped({"birds.csv": TABLE}, zipfile.ZIP_STORED))
    broken[broken.index(b"hoo")] ^= 1
    with pytest.raises(Rejected, match="damaged"):
        content(bytes(broken))


def test_trouble_with_storage_is_not_taken_for_damage() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 600:
                raise ConnectionError("storage is gone")
            return super().read(size)

    packed = gzip.compress(bytes(range(256)) * 4000, compresslevel=0)

    @contextmanager
    def open_raw() -> Iterator[BinaryIO]:
        yield Broken(packed)

    with pytest.raises(ConnectionError):
        open_unpacked(open_raw, "x")


VALID = [
    gzip.compress(TABLE * 30),
    zipped({"birds.csv": TABLE * 30}),
    zipped({"owl/1.txt": b"hoo", "owl/2.txt": b"hoo hoo", "crow/1.txt": b"caw"}),
    zipped({"birds.csv.gz": gzip.compress(TABLE)}),
    zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}),
]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_files_give_bytes_or_a_rejection(data: st.DataObject) -> None:
    packed = bytearray(data.draw(st.sampled_from(VALID)))
    for _ in range(data.draw(st.integers(0, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(packed)))
    other = data.draw(st.sampled_from([b"", bytes(packed[:start]), data.draw(st.binary())]))
    with suppress(Rejected):
        content(bytes(packed[:start]) + other + bytes(packed[start:]))
    with suppress(Rejected):
        content(bytes(packed[:start]))
