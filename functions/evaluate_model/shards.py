"""Where a candidate's answers are kept: in shards, each written once and never changed.

The first delivery that stores a shard decides what its answers are. A part holds what was answered
of a shard when a delivery had to stop: the next one goes on from it.
"""

import json
from collections.abc import Sequence

from pydantic import TypeAdapter

from shared.errors import Conflict
from shared.ports import Bucket
from shared.records import Record

SHARD_ROWS = 16
MEDIA_TYPE = "application/jsonl"


class Said(Record):
    """What a candidate said to one row, word by word, a text a sample.

    `said` is None when the service refused to answer, for the reason in `refusal`. `seconds` is
    how long a document would have taken; a row that was `batched` was answered by a batch, at no
    pace. `model_version` is the version that the service says it used.
    `rating` is how likely it called its answer, where that was asked, in a request with tokens of
    its own.
    """

    row: int
    said: tuple[str, ...] | None
    refusal: str = ""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    seconds: float = 0.0
    batched: bool = False
    model_version: str = ""
    rating: str = ""
    rating_prompt_tokens: int = 0
    rating_answer_tokens: int = 0


_LINES = TypeAdapter(tuple[Said, ...])


def cut(rows: int) -> list[range]:
    """Cut so many rows into shards of about the same size, SHARD_ROWS at most."""
    count = -(-rows // SHARD_ROWS)
    return [range(rows * n // count, rows * (n + 1) // count) for n in range(count)]


class Shards:
    """The answers of one candidate, in one folder; what is there is listed once."""

    def __init__(self, bucket: Bucket, folder: str) -> None:
        self._bucket = bucket
        self._folder = folder
        self._there = {item.name for item in bucket.list(f"{folder}/")}

    def find(self, shard: range) -> list[Said] | None:
        """Read a shard, row by row; None when it was not stored yet."""
        path = self._path("answers", shard)
        return self._read(path) if path in self._there else None

    def find_part(self, shard: range) -> list[Said]:
        """Read what an earlier delivery was answered of a shard; mostly nothing."""
        path = self._path("part", shard)
        return self._read(path) if path in self._there else []

    def keep(self, shard: range, answers: Sequence[Said]) -> list[Said]:
        """Store a shard; when another delivery was faster, its answers are returned: they count."""
        path = self._path("answers", shard)
        try:
            self._bucket.write(path, _lines(answers), if_generation=0, content_type=MEDIA_TYPE)
        except Conflict:
            return self._read(path)
        return list(answers)

    def keep_part(self, shard: range, answers: Sequence[Said]) -> None:
        """Keep what was answered of a shard that has to be left."""
        self._bucket.write(self._path("part", shard), _lines(answers), content_type=MEDIA_TYPE)

    def _path(self, kind: str, shard: range) -> str:
        return f"{self._folder}/{kind}-{shard.start:05}.jsonl"

    def _read(self, path: str) -> list[Said]:
        content, _ = self._bucket.read(path)
        return list(_LINES.validate_python([json.loads(line) for line in content.splitlines()]))


def _lines(answers: Sequence[Said]) -> bytes:
    return b"\n".join(item.model_dump_json().encode() for item in answers)
