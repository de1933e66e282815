"""Folders that are kept copies of what buckets hold, and those that are uploaded."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from google.api_core.exceptions import NotFound
from rich.console import Console

from local.folders import DownloadFolder, UploadFolder
from local.strays import Strays
from tests.fakes import fake_world


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


class Uploads:
    """A storage client of one bucket that takes everything."""

    def bucket(self, _name: str) -> "Uploads":
        return self

    def get_blob(self, _name: str) -> None:
        """Nothing was there before."""

    def blob(self, _name: str) -> "Uploads":
        return self

    def upload_from_string(self, _content: bytes) -> None:
        """It is taken."""


def test_documents_of_a_misspelt_task_are_told_of_once_when_they_are_uploaded(
    tmp_path: Path,
) -> None:
    fakes = fake_world()
    fakes.datasets.put("owls/owls.csv", "text,label")
    (tmp_path / "datasets" / "birds").mkdir(parents=True)
    page = io.StringIO()
    console = Console(file=page, width=200)
    strays = Strays(fakes.world.buckets, tmp_path / "datasets", console)
    for name in ("owls/a.txt", "birds/a.txt", "brids/a.txt", "brids/b.txt", "BAD/a.txt", "a.txt"):
        path = tmp_path / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("hoo")
    client = cast("Any", Uploads())
    folder = UploadFolder(client, tmp_path / "documents", "documents", strays.uploaded)
    folder.look()
    assert page.getvalue() == ""
    folder.look()
    said = " ".join(page.getvalue().split())
    assert said.startswith("brids documents wait: there is no labelled file for it yet; ")
    assert said.endswith("; tasks there are birds, owls")
