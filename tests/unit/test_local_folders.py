"""A folder that is kept a copy of what a bucket holds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from google.api_core.exceptions import NotFound

from local.folders import DownloadFolder


@dataclass
class Blob:
    """An object of the storage client's; without content, one that has just been deleted."""

    name: str
    content: bytes | None
    generation: int = 1

    def download_as_bytes(self) -> bytes:
        if self.content is None:
            raise NotFound(self.name)
        return self.content


@dataclass
class Client:
    """A storage client of one bucket."""

    blobs: list[Blob] = field(default_factory=list)

    def bucket(self, name: str) -> str:
        return name

    def list_blobs(self, bucket: str) -> Iterator[Blob]:
        assert bucket
        return iter(self.blobs)


def test_an_object_that_is_deleted_while_the_bucket_is_copied_is_left_out(tmp_path: Path) -> None:
    client = Client([Blob("open/run.json", None), Blob("tasks/a.json", b"{}")])
    copy = DownloadFolder(cast("Any", client), tmp_path / "copy", "artifacts")
    copy.look()
    assert copy.files() == [tmp_path / "copy" / "tasks" / "a.json"]


def test_what_is_gone_from_the_bucket_goes_from_the_folder(tmp_path: Path) -> None:
    client = Client([Blob("a.json", b"1"), Blob("b.json", b"2")])
    copy = DownloadFolder(cast("Any", client), tmp_path, "artifacts")
    copy.look()
    client.blobs = [Blob("b.json", b"3", generation=2)]
    copy.look()
    assert copy.files() == [tmp_path / "b.json"]
    assert (tmp_path / "b.json").read_bytes() == b"3"
    assert not (tmp_path / "a.json").exists()
