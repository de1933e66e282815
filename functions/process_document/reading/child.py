"""Reads one document in a process of its own, which may end at any time without harm.

It is started by `guarded`. What is to be read comes in on standard input, what was read goes out on
standard output, a JSON value a line; nothing of this process's environment is given to it.
"""

import json
import resource
import sys
from typing import Any

from functions.process_document.reading.document import Document, Hints
from shared.errors import Rejected

CPU_SECONDS = 4
MEMORY_BYTES = 256 << 20
_OPEN_FILES = 32


def main() -> None:
    """Read what is on standard input."""
    _limit()
    key, name, hints = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    from functions.process_document.reading.registry import reader_of

    read = reader_of(key)
    _say({"started": True})
    sys.stdout.flush()
    try:
        for document in read(content, name, Hints(*hints)):
            _say(document._replace(text=_whole(document.text).strip()))
    except Rejected as rejection:
        _say({"reason": rejection.reason, "remedy": rejection.remedy})
    except MemoryError:
        _say({"error": "memory"})
    except RecursionError:
        _say({"error": "nesting"})
    except ModuleNotFoundError as error:
        _say({"missing": error.name})
    except Exception as error:  # noqa: BLE001 - a library fails in any way on a damaged file
        _say({"error": type(error).__name__})
    _say({"ended": True})


def _limit() -> None:
    """Bound what this process may use, before it has seen anything of the document."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    if sys.platform == "linux":
        # Other systems do not keep to it, and some do not take it.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _whole(text: str) -> str:
    """Replace what no text may hold: zero bytes, and halves of surrogate pairs."""
    text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _say(value: Document | dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    sys.stdout.buffer.write(b"\n")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
