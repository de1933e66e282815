"""Reading Excel workbooks."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from contextlib import suppress

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.formats import excel
from functions.convert_dataset.reading.source import Hints
from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected
from tests.unit.intake_sources import source_of

HINTS = Hints(known_columns=frozenset({"text", "label"}))
BIRDS: list[list[object]] = [["text", "label"], ["hoo hoo", "owl"], ["caw", "crow"]]
DAY = dt.datetime.fromisoformat("2024-05-06")
SHEET = "xl/worksheets/sheet1.xml"


def book(rows: Sequence[Sequence[object]], **more: Sequence[Sequence[object]]) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for cells in rows:
        sheet.append(list(cells))
    for title, others in more.items():
        added = workbook.create_sheet(title)
        for cells in others:
            added.append(list(cells))
    data = io.BytesIO()
    workbook.save(data)
    return data.getvalue()


def changed(data: bytes, pattern: str, new: str, member: str = SHEET) -> bytes:
    """Change the XML of a sheet, as other programs write it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as archive:
        for name in old.namelist():
            content = old.read(name).decode()
            archive.writestr(name, re.sub(pattern, new, content) if name == member else content)
    return out.getvalue()


def rows_of(data: bytes, hints: Hints = HINTS) -> list[Row | Refusal]:
    return list(excel.read(source_of(data, hints)))


def values(data: bytes, hints: Hints = HINTS) -> list[dict[str, object]]:
    return [dict(row.values) for row in rows_of(data, hints) if isinstance(row, Row)]


def test_rows_are_named_by_the_header_and_numbered_as_in_excel() -> None:
    assert rows_of(book(BIRDS)) == [
        Row(2, {"text": "hoo hoo", "label": "owl"}),
        Row(3, {"text": "caw", "label": "crow"}),
    ]


def test_without_a_header_columns_are_numbered() -> None:
    assert rows_of(book(BIRDS[1:]), HINTS)[0] == Row(1, {"1": "hoo hoo", "2": "owl"})
    numbers = [[5, "owl"], [6, "crow"]]
    assert values(book(numbers)) == [{"1": 5, "2": "owl"}, {"1": 6, "2": "crow"}]


def test_a_header_of_unusual_names_is_told_by_the_numbers_below() -> None:
    rows: list[list[object]] = [["song", "times"], *[[f"bird {n}", n] for n in range(20)]]
    assert values(book(rows))[0] == {"song": "bird 0", "times": 0}


def test_the_first_sheet_is_read_or_the_one_that_is_named() -> None:
    data = book(BIRDS, more=[["text", "label"], ["tu-whit", "owl"]])
    assert len(values(data)) == 2
    named = Hints(HINTS.known_columns, sheet="more")
    assert values(data, named) == [{"text": "tu-whit", "label": "owl"}]
    with pytest.raises(Rejected, match="has no sheet 'other'; its sheets are 'Sheet', 'more'"):
        rows_of(data, Hints(HINTS.known_columns, sheet="other"))


def test_values_become_plain() -> None:
    cells: list[object] = [
        1.0, 12.5, True, DAY, dt.datetime.fromisoformat("2024-05-06T07:08:00"), dt.time(7, 8),
        " a\nb ", "x_x000D_y", 3, "#N/A",
    ]  # fmt: skip
    names = ["text", *(f"n{number}" for number in range(len(cells) - 1))]
    (row,) = values(book([names, cells]))
    assert list(row.values()) == [
        1, 12.5, True, "2024-05-06", "2024-05-06T07:08:00", "07:08:00", " a\nb ", "x\ry", 3, None,
    ]  # fmt: skip
    assert [type(value) for value in row.values()][:3] == [int, float, bool]


def test_empty_rows_count_between_rows_only() -> None:
    rows: list[list[object]] = [[], [], *BIRDS[:2], [], ["", None], BIRDS[2], [None, None], []]
    read = rows_of(book(rows))
    assert [row.line for row in read] == [4, 5, 6, 7]
    assert [isinstance(row, Row) for row in read] == [True, False, False, True]
    assert read[1] == Refusal(5, "empty row", "the row holds nothing")


def test_columns_without_a_name_are_numbered_when_they_hold_something() -> None:
    rows: list[list[object]] = [["text", None, "label", None], ["hoo", None, "owl", "x"]]
    assert values(book(rows)) == [{"text": "hoo", "label": "owl", "4": "x"}]


def test_a_cell_beside_the_table_is_refused() -> None:
    rows: list[list[object]] = [*BIRDS[:1], *BIRDS[1:] * 600, ["hoo", "owl", "and more"]]
    last = rows_of(book(rows))[-1]
    assert isinstance(last, Refusal)
    assert last.reason == "wrong number of cells"


def test_a_formula_counts_by_its_value_and_without_one_not_at_all() -> None:
    data = book([["text", "label"], ["hoo", "=A2"], ["caw", '="cr"&"ow"']])
    first, second = rows_of(data)
    assert isinstance(first, Refusal)
    assert isinstance(second, Refusal)
    assert (first.line, first.reason) == (2, "formula without a value")
    assert "save it" in first.detail
    saved = changed(data, r"(<c r=\"B\d\")([^>]*><f>[^<]*</f>)<v ?/>", r'\1 t="str"\2<v>owl</v>')
    saved = changed(saved, r"(<c r=\"B\d\")([^>]*><f>[^<]*</f>)<v></v>", r'\1 t="str"\2<v>owl</v>')
    assert [row["label"] for row in values(saved)] == ["owl", "owl"]


def test_a_size_that_is_written_wrong_hides_no_rows() -> None:
    data = changed(book(BIRDS), r'<dimension ref="[^"]*"', '<dimension ref="A1"')
    assert len(values(data)) == 2


def test_a_row_number_beyond_excels_own_limit_is_refused() -> None:
    data = changed(book(BIRDS), r'r="3"', 'r="2000000000"')
    data = changed(data, r'r="([AB])3"', r'r="\g<1>2000000000"')
    with pytest.raises(Rejected, match="more rows than Excel allows"):
        rows_of(data)


def test_a_cell_far_to_the_right_is_refused() -> None:
    data = changed(book(BIRDS), r'r="B3"', 'r="ZZZ3"')
    with pytest.raises(Rejected, match="columns"):
        rows_of(data)


def test_entities_that_multiply_are_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    start = f'<!DOCTYPE w [<!ENTITY l0 "{"ha" * 50}">{laughs}]><worksheet'
    data = changed(book(BIRDS), r"<worksheet", start)
    data = changed(data, r"<t>caw</t>", "<t>&l9;</t>")
    with pytest.raises(Rejected, match="damaged"):
        rows_of(data)


def test_an_empty_workbook_has_no_rows() -> None:
    assert rows_of(book([])) == []


@pytest.mark.parametrize(
    ("pattern", "new", "member"),
    [
        (r"<sheetData>", "<sheetData", SHEET),
        (r"inlineStr(\"><)is><t>caw</t></is>", r"s\1v>99</v>", SHEET),
        (r"inlineStr(\"><)is><t>caw</t></is>", r"n\1v>x</v>", SHEET),
        (r"<row r=\"\d\"", '<row r="x"', SHEET),
        (r"<sheet [^>]*>", "", "xl/workbook.xml"),
        (r".*", "", "[Content_Types].xml"),
    ],
)
def test_damage_is_named(pattern: str, new: str, member: str) -> None:
    with pytest.raises(Rejected, match="sample"):
        rows_of(changed(book(BIRDS), pattern, new, member))
    with pytest.raises(Rejected, match="damaged"):
        rows_of(book(BIRDS)[:-40])


WHOLE = [book(BIRDS), book([["text", "label"], ["x", "=A2"], [1.5, DAY]])]


def stored(data: bytes) -> bytes:
    """Pack a workbook without compression, so that damage reaches the XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as archive:
        for name in old.namelist():
            archive.writestr(name, old.read(name))
    return out.getvalue()


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damaged_workbooks_give_rows_or_a_rejection(data: st.DataObject) -> None:
    packed = bytearray(data.draw(st.sampled_from([*WHOLE, *map(stored, WHOLE)])))
    for _ in range(data.draw(st.integers(0, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(packed)))
    with suppress(Rejected):
        rows_of(bytes(packed))
    with suppress(Rejected):
        rows_of(bytes(packed[:start]) + data.draw(st.binary(max_size=9)) + bytes(packed[start:]))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damaged_sheets_give_rows_or_a_rejection(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(WHOLE))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        names = archive.namelist()
        member = data.draw(st.sampled_from(names))
        length = len(archive.read(member))
    start = data.draw(st.integers(0, length))
    end = data.draw(st.integers(start, min(length, start + 20)))
    new = data.draw(st.text(alphabet='<>/="rcvtf09ABZx', max_size=8))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(out, "w") as archive:
        for name in names:
            content = old.read(name)
            if name == member:
                content = content[:start] + new.encode() + content[end:]
            archive.writestr(name, content)
    with suppress(Rejected):
        rows_of(out.getvalue())
