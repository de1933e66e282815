"""Plain JSON records, and what the formats made of such records share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from functions.convert_dataset.reading.json_values import json_records
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.spans import Ends, Misfit, Span, find_ends
from functions.convert_dataset.rows import SPLIT, Refusal, Row

_MOST = 0.9

Spanned = tuple[str, Sequence[Span]]
"""A text and the parts of it that are labelled."""


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 0.5 when it has JSON objects, whatever they hold."""
    return 0.5 if beginning.records else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the records as they are. See `json_records` for what is raised."""
    return rows_of(source, Row)


def rows_of(
    source: Source, row_of: Callable[[int, dict[str, Any]], Row | Refusal]
) -> Iterator[Row | Refusal]:
    """Make rows of a file's records.

    Args:
        source: The file.
        row_of: Makes a row of a line's number and its record.

    Raises:
        Rejected: The rest of the file is not JSON.
        UnicodeDecodeError: It is not UTF-8.
    """
    with source.open() as stream:
        for record in json_records(stream):
            yield record if isinstance(record, Refusal) else row_of(*record)


def most_are(beginning: Beginning, fits: Callable[[Mapping[str, object]], bool]) -> bool:
    """Whether nine of ten of a file's first records fit, and at least one."""
    records = beginning.records
    return bool(records) and sum(map(fits, records)) >= _MOST * len(records)


def split_of(record: Mapping[str, object]) -> dict[str, object]:
    """Return the split that a record names under "split", as a column; else nothing."""
    split = record.get("split")
    return {SPLIT: split} if isinstance(split, str) else {}


def ends_in(source: Source, spans_of: Callable[[Mapping[str, Any]], Spanned]) -> Ends | None:
    """Tell from a file's first records how the ends of its offsets are meant.

    Args:
        source: The file.
        spans_of: Returns a record's text and spans, or none; may raise Misfit.

    Raises:
        Rejected: The records do not tell.
    """
    examples: list[Spanned] = []
    for record in source.beginning.records:
        # A record whose offsets do not fit is refused when its turn comes.
        with suppress(Misfit):
            examples.append(spans_of(record))
    return find_ends(examples, source.hints.offsets)


def misfit(line: int, error: Misfit) -> Refusal:
    """Refuse a record whose offsets do not fit its text."""
    return Refusal(line, "offsets do not fit", str(error))
