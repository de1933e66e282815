"""What is inside of uploaded zip archives: a workbook, one file, or folders of texts."""

import re
import stat
import zipfile
from collections.abc import Sequence
from typing import NamedTuple

MAX_WORKBOOK_BYTES = 300_000_000
MAX_CLASS_FILE_BYTES = 1_000_000
SPLIT_FOLDERS = frozenset({"train", "training", "test", "testing", "valid", "validation", "val",
                           "dev"})  # fmt: skip

_LOOK_BYTES = 65_536
_WORKBOOK = re.compile(rb"PK\x03\x04.{26}(?:xl/|\[Content_Types\]|docProps/|_rels/)", re.DOTALL)


class Place(NamedTuple):
    """Where a file lies in an archive of class folders.

    Attributes:
        split: The folder that names a split; empty when there is none.
        folder: The class: the name of its folder.
    """

    split: str
    folder: str


def files_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files that somebody put there: no folders, no links, nothing hidden."""
    return [
        member
        for member in archive.infolist()
        if not member.filename.endswith("/")
        and member.filename
        and not stat.S_ISLNK(member.external_attr >> 16)
        and not any(_is_hidden(part) for part in member.filename.split("/"))
    ]


def begins_like_workbook(data: bytes) -> bool:
    """Whether the first bytes of a zip archive are those of an Excel workbook."""
    return _WORKBOOK.search(data, 0, _LOOK_BYTES) is not None


def class_folders(files: Sequence[zipfile.ZipInfo]) -> list[Place] | None:
    """Say which class each file belongs to by its folder; None when folders are no classes.

    An outer folder around everything does not matter. Above the classes there may be folders that
    are named like splits.
    """
    paths = [member.filename.split("/")[:-1] for member in files]
    if any(member.file_size > MAX_CLASS_FILE_BYTES for member in files):
        return None
    while paths and all(len(path) > 1 for path in paths) and len({path[0] for path in paths}) == 1:
        paths = [path[1:] for path in paths]
    depths = {len(path) for path in paths}
    if depths == {2} and all(path[0].lower() in SPLIT_FOLDERS for path in paths):
        places = [Place(*path) for path in paths]
    elif depths == {1}:
        places = [Place("", *path) for path in paths]
    else:
        return None
    classes = {place.folder for place in places}
    return (
        places if len(classes) > 1 and not {c.lower() for c in classes} <= SPLIT_FOLDERS else None
    )


def _is_hidden(part: str) -> bool:
    """Whether a part of a path is what computers put there, not people."""
    return (part.startswith(".") and part.strip(".") != "") or part in {
        "__MACOSX",
        "Thumbs.db",
        "desktop.ini",
    }
