"""Reads a document in a child process that is ended when it takes too long or too much memory.

A fresh interpreter without `site` and without this process's environment: it starts in some 30 ms,
shares nothing with the threads here, and can be killed at any time.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from functions.process_document.reading.document import Document, Hints
from shared import log
from shared.errors import Rejected, Retry

WALL_SECONDS = 60.0
"""The child's own limit is processor time; this one is for a machine on which it gets none.

A reader waits for nothing but its processor, so that what runs into this says nothing about the
document: it is tried again, where a document that uses up its processor time is rejected.
"""

_CHILD = "functions.process_document.reading.child"
_ROOT = Path(__file__).resolve().parents[3]
_STARTED = b'{"started": true}\n'
_ENDED = b'\n{"ended": true}\n'
_LIGHTER = "Save it in a simpler form, such as text, or split it."
_REASONS = {
    "memory": ("needs too much memory to be read.", _LIGHTER),
    "nesting": ("is nested too deeply to be read.", _LIGHTER),
}

# An instance has memory for one child at its limit; most end within a fifth of a second.
_one_at_a_time = threading.Lock()


def read_guarded(
    key: str, content: bytes, name: str, hints: Hints, wall_seconds: float = WALL_SECONDS
) -> list[Document]:
    """Read a document in a child process.

    Args:
        key: The format, as the registry has it.
        content: The document.
        name: Its name, for messages.
        hints: What task.yaml says.
        wall_seconds: How long to wait for a reader that may not have got its processor time.

    Raises:
        Rejected: Its reader refuses it, fails, or takes too much.
        Retry: The machine had no processor time for its reader.
        RuntimeError: The child cannot work, whatever the document.
    """
    request = json.dumps([key, name, hints]).encode() + b"\n" + content
    with _one_at_a_time:
        code, said = _run(request, wall_seconds)
    if code is None:
        raise Retry("the machine had no processor time for a document's reader")
    if not said.startswith(_STARTED):
        raise RuntimeError(f"a reading process ended with {code} before it began")
    if code != 0 or not said.endswith(_ENDED):
        log.warning("a reader was ended", format=key, code=code)
        raise Rejected(f"{name} takes too long, or too much memory, to be read.", _LIGHTER)
    documents: list[Document] = []
    for line in map(json.loads, said.splitlines()[1:-1]):
        if isinstance(line, dict):
            raise _rejection(line, key, name)
        text, reader, notes, row, flaw, media_type = line
        documents.append(Document(text, reader, tuple(notes), row, flaw, media_type))
    return documents


def _run(request: bytes, seconds: float) -> tuple[int | None, bytes]:
    """Run a child to its end: (exit status, what it said); no status when it was killed here."""
    paths = [str(_ROOT), *(path for path in sys.path if path)]
    with subprocess.Popen(  # noqa: S603 - this interpreter, and a module of our own
        [sys.executable, "-S", "-P", "-B", "-m", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env={"PYTHONPATH": os.pathsep.join(str(Path(path).resolve()) for path in paths)},
    ) as child:
        try:
            said, _ = child.communicate(request, timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            return None, b""
        return child.returncode, said


def _rejection(said: dict[str, Any], key: str, name: str) -> Rejected:
    """Make the error of what a child said."""
    if "missing" in said:
        raise RuntimeError(f"the module {said['missing']} is not installed")
    if "reason" in said:
        return Rejected(said["reason"], said["remedy"])
    error = said["error"]
    if error in _REASONS:
        reason, remedy = _REASONS[error]
        return Rejected(f"{name} {reason}", remedy)
    log.warning("a reader failed", format=key, error=error)
    return Rejected(f"{name} is damaged: its reader failed ({error}).", "Save it again.")
