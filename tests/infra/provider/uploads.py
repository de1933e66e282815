"""Objects that are uploaded from a file or a text: what they hold decides what they are."""

import hashlib
from base64 import b64encode
from pathlib import Path

from tests.infra.provider.provider import Refused
from tests.infra.provider.values import UNKNOWN, Object, is_unknown
from tests.infra.provider.wire import Problem

TYPE = "google_storage_bucket_object"
DIGEST = "detect_md5hash"


def plan_upload(planned: Object, folder: Path) -> None:
    """Plan an object's digest from the file as it is now, so that a changed one is noticed."""
    content = _content(planned, folder)
    planned[DIGEST] = UNKNOWN if content is None else _md5(content)


def finish_upload(state: Object, folder: Path) -> None:
    """Write an object's digests; a file that is not there is an error only now."""
    content = _content(state, folder)
    if content is None:
        source = state["source"]
        raise Refused(Problem(f"open {source}: no such file or directory", steps=("source",)))
    state[DIGEST] = state["md5hash"] = _md5(content)
    state["md5hexhash"] = hashlib.md5(content, usedforsecurity=False).hexdigest()


def _content(state: Object, folder: Path) -> bytes | None:
    """Return what is to be uploaded; None where that cannot be said."""
    source, content = state["source"], state["content"]
    if isinstance(source, str):
        path = folder / source
        return path.read_bytes() if path.is_file() else None
    return None if is_unknown(content) or content is None else str(content).encode()


def _md5(content: bytes) -> str:
    """Return the digest as Cloud Storage writes it."""
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
