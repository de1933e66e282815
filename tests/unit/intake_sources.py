"""Files in memory, as the formats see them."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from functions.convert_dataset.reading.source import Hints, Source
from shared.errors import Rejected

NO_HINTS = Hints()


def source_of(
    data: bytes, hints: Hints = NO_HINTS, texts: Mapping[str, str] | None = None
) -> Source:
    """Make a source of bytes that are unpacked and in UTF-8 already."""
    known = texts or {}

    @contextmanager
    def open_data() -> Iterator[BinaryIO]:
        yield io.BytesIO(data)

    def text_at(address: str) -> str:
        if address not in known:
            raise Rejected(f"There is no text at {address}.", "Upload it.")
        return known[address]

    return Source("sample", open_data, hints, text_at)
