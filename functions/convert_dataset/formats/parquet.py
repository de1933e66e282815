"""Parquet, in batches. The label names that Hugging Face keeps beside the numbers are put in.

https://huggingface.co/docs/datasets/about_dataset_features
"""

import datetime as dt
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from functions.convert_dataset.formats.tokens import TAG_NAMES, TOKEN_NAMES, row_of
from functions.convert_dataset.reading.header import column_names
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.tags import scheme_of
from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected
from shared.unpacking.bounded import check_size

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyarrow.parquet import ParquetFile

BATCH_ROWS = 500
MAX_ROWS = 10_000_000

_BUFFER_BYTES = 1 << 20
_WRONG = (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, NotImplementedError)


def sniff(beginning: Beginning) -> float:
    """Say whether a file begins as Parquet files do."""
    return 1.0 if beginning.data.startswith(b"PAR1") else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the rows.

    Raises:
        Rejected: The file is damaged, encrypted or too large.
    """
    with source.open() as stream:
        file = _open(stream, source.name)
        names = column_names(file.schema_arrow.names)
        features = _features(file.schema_arrow.metadata, file.schema_arrow.names, names)
        tags = next((name for name in TAG_NAMES if name in names), None)
        has_tokens = tags is not None and any(name in names for name in TOKEN_NAMES)
        line = 1
        for batch in _batches(file, source.name):
            columns = [_cells(column) for column in batch.columns]
            rows = [
                _row(number, dict(zip(names, cells, strict=True)), features)
                for number, cells in enumerate(zip(*columns, strict=True), line)
            ]
            line += len(rows)
            if has_tokens and tags is not None:
                yield from _token_rows(rows, tags, features.get(tags))
            else:
                yield from rows


def _open(stream: BinaryIO, name: str) -> "ParquetFile":
    """Open a file whose sizes keep to the limits."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    try:
        file = ParquetFile(stream, pre_buffer=False, buffer_size=_BUFFER_BYTES)
        groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
        unpacked = sum(max(0, group.total_byte_size) for group in groups)
        count = file.metadata.num_rows
        _ = file.schema_arrow.names, file.schema_arrow.metadata
    except (ArrowException, OSError, *_WRONG) as error:
        raise _damaged(name, error) from error
    check_size(unpacked, size, name)
    if count > MAX_ROWS:
        raise Rejected(
            f"{name} has {count:,} rows; {MAX_ROWS:,} may be in one file.", "Upload a part of it."
        )
    return file


def _batches(file: "ParquetFile", name: str) -> Iterator["RecordBatch"]:
    """Go through the rows, some hundred at a time."""
    from pyarrow import ArrowException

    batches = file.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
    while True:
        try:
            batch = next(batches, None)
        except (ArrowException, OSError, *_WRONG) as error:
            raise _damaged(name, error) from error
        if batch is None:
            return
        yield batch


def _damaged(name: str, error: Exception) -> Rejected:
    """Make the error for a file that Arrow cannot read."""
    if isinstance(error, OSError) and type(error) is not OSError:
        # Arrow raises OSError itself for damage; its kinds come from reading in storage.
        raise error
    reason = str(error).partition("\n")[0][:150]
    return Rejected(
        f"{name} is damaged or encrypted: {reason}.", "Write it again, without encryption."
    )


def _cells(column: Any) -> list[object]:
    """Return a column as Python values; what is no value of Python's is put as its error."""
    try:
        return list(column.to_pylist(maps_as_pydicts="lossy"))
    except (*_WRONG, OverflowError):
        return [_cell(scalar) for scalar in column]


def _cell(scalar: Any) -> object:
    """Return one value: nanoseconds and years beyond 9999 as text, an error for what is wrong."""
    try:
        return scalar.as_py(maps_as_pydicts="lossy")
    except UnicodeDecodeError as error:
        return error
    except (*_WRONG, OverflowError):
        pass
    try:
        # Arrow writes 2024-05-06 07:08; isoformat, and so every other date here, has a T.
        return str(scalar.cast("string").as_py()).replace(" ", "T", 1)
    except (*_WRONG, OverflowError) as error:
        return error


def _row(line: int, cells: Mapping[str, object], features: Mapping[str, object]) -> Row | Refusal:
    """Make a row of plain values."""
    values: dict[str, object] = {}
    for name, cell in cells.items():
        try:
            values[name] = _named(_plain(cell), features.get(name))
        except UnicodeDecodeError:
            return Refusal(line, "not UTF-8", f"the column {name!r} holds bytes that are no text")
        except _WRONG as error:
            detail = f"the column {name!r}: {str(error).partition(chr(10))[0][:100]}"
            return Refusal(line, "a value cannot be read", detail)
    return Row(line, values)


def _plain(value: object) -> object:
    """Turn a value into text, a number, or lists and dictionaries of them."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, Exception):
        raise value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return _text(value)


def _text(value: object) -> str:
    """Write bytes, dates, decimals and the like as text."""
    if isinstance(value, bytes):
        return value.decode()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _features(
    metadata: Mapping[bytes, bytes] | None, columns: Sequence[str], names: Sequence[str]
) -> Mapping[str, object]:
    """Read what Hugging Face says about the columns; nothing when it says nothing."""
    try:
        found = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {name: found.get(column) for column, name in zip(columns, names, strict=True)}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # The schema may hold other tools' words under this key; without names, numbers stay.
        return {}


def _named(value: object, feature: object) -> object:
    """Put names in the place of numbers, wherever in a value the feature says so."""
    if feature is None or value is None:
        return value
    if isinstance(feature, list):
        feature = {"_type": "Sequence", "feature": feature[0] if feature else None}
    if not isinstance(feature, dict):
        return value
    kind, names, inner = feature.get("_type"), feature.get("names"), feature.get("feature")
    if kind == "ClassLabel" and isinstance(names, list) and isinstance(value, int):
        if value >= len(names):
            raise LookupError(f"{value} is none of the {len(names)} labels")
        return None if value < 0 else str(names[value])
    if isinstance(value, list):
        return [_named(item, inner) for item in value]
    if isinstance(value, dict):
        parts = inner if isinstance(inner, dict) else feature
        # A sequence of objects is kept as an object of lists.
        return {key: _named(item, _part(parts, key, item)) for key, item in value.items()}
    return value


def _part(parts: Mapping[str, object], key: str, value: object) -> object:
    """Return the feature of one key."""
    part = parts.get(key)
    is_label = isinstance(part, dict) and part.get("_type") == "ClassLabel"
    return [part] if is_label and isinstance(value, list) else part


def _token_rows(
    rows: Sequence[Row | Refusal], tags: str, feature: object
) -> Iterator[Row | Refusal]:
    """Read tokens and their tags."""
    inner = feature.get("feature") if isinstance(feature, dict) else None
    names = inner.get("names") if isinstance(inner, dict) else None
    if not isinstance(names, list):
        lists = [row.values[tags] for row in rows if isinstance(row, Row)]
        names = [tag for values in lists if isinstance(values, list) for tag in values]
    scheme = scheme_of(tag for tag in names if isinstance(tag, str))
    for row in rows:
        yield row_of(row.line, row.values, scheme) if isinstance(row, Row) else row
