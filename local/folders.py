"""Folders that stand for buckets: dropping a file into one is dropping it into the bucket."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from google.api_core.exceptions import NotFound
from google.cloud import storage

TASK_FILE = "task.yaml"


class UploadFolder:
    """Uploads the files of a folder that are new or changed.

    A file is uploaded once it has stayed the same for two looks, so that one that is still being
    copied is left alone. What was uploaded before is known from the bucket itself.

    Args:
        client: The storage client.
        folder: The folder; it is made.
        bucket: The bucket's name.
        tell: Is told the name of each object that was uploaded.
    """

    def __init__(
        self,
        client: storage.Client,
        folder: Path,
        bucket: str,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._bucket = client.bucket(bucket)
        self._folder = folder
        self._tell = tell
        self._seen: dict[str, tuple[int, int]] = {}
        self._uploaded: dict[str, tuple[int, int]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def look(self) -> None:
        """Upload what is new; a task.yaml before the other files of its folder."""
        paths = [path for path in self._folder.rglob("*") if _is_meant(path)]
        paths.sort(key=lambda path: (path.parent, path.name != TASK_FILE, path.name))
        for path in paths:
            name = path.relative_to(self._folder).as_posix()
            facts = path.stat()
            state = (facts.st_mtime_ns, facts.st_size)
            settled = self._seen.get(name) == state
            self._seen[name] = state
            if settled and self._uploaded.get(name) != state:
                self._upload(path, name)
                self._uploaded[name] = state

    def _upload(self, path: Path, name: str) -> None:
        content = path.read_bytes()
        there = self._bucket.get_blob(name)
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        if there is None or there.md5_hash != digest:
            self._bucket.blob(name).upload_from_string(content)
            if self._tell is not None:
                self._tell(name)


class DownloadFolder:
    """Keeps a folder a copy of what a bucket holds.

    Args:
        client: The storage client.
        folder: The folder; it is made.
        bucket: The bucket's name.
    """

    def __init__(self, client: storage.Client, folder: Path, bucket: str) -> None:
        self._client = client
        self._bucket = client.bucket(bucket)
        self._folder = folder
        self._known: dict[str, int] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def files(self) -> list[Path]:
        """List what was downloaded, by name."""
        return [self._folder / name for name in sorted(self._known)]

    def look(self) -> None:
        """Download what is new or changed; delete what is gone from the bucket."""
        there: set[str] = set()
        for blob in self._client.list_blobs(self._bucket):
            target = self._folder / blob.name
            if not target.resolve().is_relative_to(self._folder.resolve()):
                continue
            there.add(blob.name)
            if self._known.get(blob.name) == blob.generation and target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            # Whoever watches the folder sees a file whole or not at all.
            unfinished = target.with_name(f".{blob.generation}.unfinished")
            try:
                content = blob.download_as_bytes()
            except NotFound:
                # It was deleted since it was listed, as markers of open work are.
                there.discard(blob.name)
                continue
            unfinished.write_bytes(content)
            unfinished.replace(target)
            self._known[blob.name] = blob.generation
        for name in set(self._known) - there:
            (self._folder / name).unlink(missing_ok=True)
            del self._known[name]


def _is_meant(path: Path) -> bool:
    """Whether a path is a file to upload: no link, not hidden, nobody's leftover."""
    if path.is_symlink() or not path.is_file():
        return False
    leftover = path.suffix in {".part", ".tmp", ".crdownload"} or path.name.endswith("~")
    return not path.name.startswith(".") and not leftover
