"""A bucket that is a folder: its objects are files, read and written as streams."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from shared.errors import Conflict, NotFound
from shared.ports import StoredObject

LONGEST_NAME = 255
"""Bytes in a part of a path; file systems take no more."""


class FolderBucket:
    """A bucket for one process. A file's generation is the time of its last change.

    Args:
        name: The bucket's name.
        folder: Where its objects are; links in it lead to files elsewhere.

    Attributes:
        reading: The stream that was opened last for reading.
        writing: Whether a stream was opened for writing.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self.reading: BinaryIO | None = None
        self.writing = False

    def find(self, name: str) -> StoredObject | None:
        """Look an object up; None when it is not there."""
        try:
            path = self._path(name)
        except NotFound:
            return None
        if not path.is_file():
            return None
        status = path.stat()
        changed = datetime.fromtimestamp(status.st_mtime, UTC)
        return StoredObject(name, status.st_mtime_ns, status.st_size, changed)

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        """Read a whole small object: (content, generation). Raises NotFound."""
        found = self._get(name, generation)
        return self._path(name).read_bytes(), found.generation

    @contextmanager
    def open_read(self, name: str, generation: int | None = None) -> Iterator[BinaryIO]:
        """Open an object to read it as a stream. Raises NotFound."""
        self._get(name, generation)
        with self._path(name).open("rb") as stream:
            self.reading = stream
            yield stream

    def write(
        self,
        name: str,
        content: bytes,
        if_generation: int | None = None,
        content_type: str = "application/json",  # noqa: ARG002 - files have no type
    ) -> int:
        """Write a whole small object and return its generation. Raises Conflict."""
        found = self.find(name)
        if if_generation is not None and if_generation != (found.generation if found else 0):
            raise Conflict(name)
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path.stat().st_mtime_ns

    @contextmanager
    def open_write(self, name: str, content_type: str) -> Iterator[BinaryIO]:  # noqa: ARG002 - files have no type
        """Open an object to write it as a stream; it exists once the stream is closed cleanly."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        self.writing = True
        with part.open("wb") as stream:
            yield stream
        part.replace(path)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """List the objects whose names begin with a prefix, by name."""
        names = sorted(
            (Path(folder) / file).relative_to(self._folder).as_posix()
            for folder, _, files in os.walk(self._folder)
            for file in files
        )
        for name in names:
            found = self.find(name) if name.startswith(prefix) else None
            if found is not None:
                yield found

    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is fine."""
        self._path(name).unlink(missing_ok=True)

    def _get(self, name: str, generation: int | None) -> StoredObject:
        found = self.find(name)
        if found is None or generation not in {None, found.generation}:
            raise NotFound(name)
        return found

    def _path(self, name: str) -> Path:
        """Return an object's file; data may hold any name, and none may lead out of the folder."""
        for part in name.split("/"):
            size = len(part.encode(errors="replace"))
            if part in {"", ".", ".."} or "\0" in part or size > LONGEST_NAME:
                raise NotFound(name)
        return self._folder / name
