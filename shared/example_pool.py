"""The examples that a prompt's are picked from for each text: one object, named by its content."""

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from shared.examples import Example
from shared.nearest import Nearest
from shared.ports import Bucket

KEPT = 4
"""So many pools are kept by a process; an index of 2,000 examples takes half a second to make."""


@dataclass(frozen=True)
class Pool:
    """Examples and their index."""

    examples: tuple[Example, ...]
    index: Nearest

    def nearest(self, text: str, count: int) -> list[Example]:
        """Return the examples that resemble a text most, the one that does most last.

        Next to the question it weighs most (Liu et al. 2022, "What Makes Good In-Context Examples
        for GPT-3?").
        """
        return [self.examples[place] for place in reversed(self.index.find(text, count))]


_pools: OrderedDict[tuple[Bucket, str], Pool] = OrderedDict()
_lock = threading.Lock()


def write_pool(examples: Sequence[Example]) -> bytes:
    """Write a pool as JSON lines."""
    lines = (json.dumps(example._asdict(), ensure_ascii=False) for example in examples)
    return "\n".join(lines).encode()


def open_pool(bucket: Bucket, path: str) -> Pool:
    """Read a pool, unless this process has it; its name says its content, so it never changes.

    Raises:
        NotFound: There is no such object.
    """
    key = (bucket, path)
    # Those that come at the same time wait for one that makes the index.
    with _lock:
        pool = _pools.get(key)
        if pool is None:
            content, _ = bucket.read(path)
            examples = tuple(Example(**json.loads(line)) for line in content.splitlines())
            pool = _pools[key] = Pool(examples, Nearest([example.text for example in examples]))
            while len(_pools) > KEPT:
                _pools.popitem(last=False)
        _pools.move_to_end(key)
        return pool
