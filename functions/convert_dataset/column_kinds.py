"""Tells by its values what a column could hold: texts, labels, or neither."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.convert_dataset.label_cells import FLAGS, as_json, clean_label
from functions.convert_dataset.rows import Row

SHOWN_COLUMNS = 12
SHOWN_CHARACTERS = 60

_SHARE_OF_LABELS = 3
_SEVERAL_WORDS = 3
_SEVERAL_IDEOGRAPHS = 6
_LONGEST_CODE = 500
_CUT_CELLS = 100
_CUT_ITEMS = 20
_CUT_CHARACTERS = 100_000

_NO_TEXT = re.compile(
    r"""(?:[a-z]+://|www\.)\S+              # an address
    | [\w.+-]++@[\w.-]+                     # of mail
    | [0-9a-f-]{16,} | [!-~]{50,}           # an identifier, a hash, coded bytes
    | .{1,200}\.(?:pdf|txt|docx?|xlsx?|pptx?|csv|tsv|json|xml|html?|eml|msg|md|rtf|log
        |jpe?g|png|gif|tiff?|wav|mp[34])    # a file's name
    | (?=\D*\d)(?:                          # a number, a date, a time
        (?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*+
        | (?:[ap]m|utc|gmt|[ecmp][sd]t|t|z)(?![a-z])
        | [\d\s:.,/+%$€£()\#年月日时時分秒-]
      )++
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CODE = re.compile(r"(?=[!-~]*\d)[!-~]+")
_PLAIN_YAML = re.compile(
    r"0|[1-9]\d*|(?!(?:yes|no|on|off|true|false|null)\Z)[^\W\d](?:[\w .-]*\w)?", re.IGNORECASE
)
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Kind:
    """What the values of a column in the sample are like.

    Attributes:
        texts: Whether most of them could be texts: no identifiers, addresses, dates or numbers.
        codes: Whether most of them are words with digits in them.
        prose: Whether most of them have several words, and many are different.
        length: How long they are, on average over all rows.
        different: How many different values there are.
        labels: Whether they are few and come again, as labels do.
        constant: Whether all rows have the same value.
        flags: Whether there is nothing but 0 and 1.
        objects: Whether most of them are JSON objects or lists.
    """

    texts: bool
    codes: bool
    prose: bool
    length: float
    different: int
    labels: bool
    constant: bool
    flags: bool
    objects: bool

    @property
    def identifiers(self) -> bool:
        """Whether they are identifiers, numbers or dates: many different ones, and no prose."""
        return not (self.labels or self.constant or self.prose)


def kinds_of(sample: Sequence[Row]) -> dict[str, Kind]:
    """Look at the values of each column, in the order in which columns come.

    Args:
        sample: The first rows.
    """
    columns: dict[str, list[object]] = {}
    for row in sample:
        for column, value in row.values.items():
            columns.setdefault(column, []).append(value)
    return {column: _kind(values, len(sample)) for column, values in columns.items()}


def shown(columns: Iterable[str]) -> str:
    """List columns for a message; of many, the first."""
    names = [column[:SHOWN_CHARACTERS] for column in columns]
    return ", ".join(names[:SHOWN_COLUMNS]) + (" …" if len(names) > SHOWN_COLUMNS else "")


def in_yaml(column: str) -> str:
    """Write a column's name as it stands in a list in YAML."""
    return column if _PLAIN_YAML.fullmatch(column) else json.dumps(column, ensure_ascii=False)


def cut_from_texts(sample: Sequence[Row], columns: Iterable[str], texts: Sequence[str]) -> set[str]:
    """Find the columns most of whose values stand in the text beside them, as fields do.

    Args:
        sample: The first rows; some of them are looked at.
        columns: The columns that are asked about.
        texts: The columns of the text.
    """
    asked = set(columns)
    cells: Counter[str] = Counter()
    items: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for row in sample:
        here = [
            column
            for column, value in row.values.items()
            if column in asked and value not in (None, "") and cells[column] < _CUT_CELLS
        ]
        whole = _folded("\n".join(str(row.values.get(text)) for text in texts)) if here else ""
        cells.update(here)
        for column in here:
            for item in _items(row.values[column]):
                items[column] += 1
                found[column] += _stands_in(item, whole)
    return {column for column in asked if found[column] * 2 > items[column]}


def hold_prose(objects: Iterable[object]) -> bool:
    """Whether most of some JSON objects hold a text of several words."""
    found = [
        isinstance(item, Mapping) and any(_has_words(value) for value in item.values())
        for item in map(as_json, objects)
    ]
    return sum(found) * 2 > len(found)


def _kind(values: Sequence[object], rows: int) -> Kind:
    """Look at a column's values; `rows` may have more, without any."""
    given = [as_json(value) for value in values if value is not None and value != ""]
    stripped = [value.strip() for value in given if isinstance(value, str)]
    texts = [value for value in stripped if value and not _is_no_text(value)]
    names = {clean_label(value) for value in given} - {""}
    few = len(names) <= max(2, rows // _SHARE_OF_LABELS)
    worded = sum(map(_has_words, texts))
    return Kind(
        texts=len(texts) * 2 > len(given),
        codes=sum(bool(_CODE.fullmatch(text)) for text in texts) * 2 > len(texts),
        prose=worded * 2 > len(given) and len(names) * _SHARE_OF_LABELS > len(given),
        length=sum(map(len, texts)) / rows,
        different=len(names),
        labels=len(names) > 1 and few,
        constant=len(names) == 1 and len(given) == rows,
        flags=bool(names) and all(name.lower() in FLAGS for name in names),
        objects=sum(isinstance(value, Mapping | list) for value in given) * 2 > len(given),
    )


def _is_no_text(value: str) -> bool:
    return len(value) <= _LONGEST_CODE and _NO_TEXT.fullmatch(value) is not None


def _has_words(value: object) -> bool:
    """Whether a value is a text of several words, or of many Chinese or Japanese characters."""
    if not isinstance(value, str):
        return False
    start = value[:_LONGEST_CODE]
    words = len(start.split()) >= _SEVERAL_WORDS
    return words or len(_IDEOGRAPH.findall(start)) >= _SEVERAL_IDEOGRAPHS


def _items(value: object) -> Sequence[str]:
    """Return a field's values, as they are compared with the text."""
    items = value[:_CUT_ITEMS] if isinstance(value, list) else [value]
    return [_folded(clean_label(item)) for item in items]


def _folded(text: str) -> str:
    return " ".join(text[:_CUT_CHARACTERS].casefold().split())


def _stands_in(item: str, text: str) -> bool:
    """Whether a value is in a text, where words begin and end if they are Latin."""
    if item not in text or not item.isascii():
        return item in text
    return re.search(rf"(?<!\w){re.escape(item)}(?!\w)", text) is not None
