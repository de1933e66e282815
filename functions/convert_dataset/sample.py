"""Keeps a sample of a file's examples: the same ones, whatever order they come in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from functions.convert_dataset.checks import Batch, Sample

if TYPE_CHECKING:
    from shared.examples import Answer

SAMPLE_ROWS = 20_000
SAMPLE_CHARACTERS = 16_000_000


class Reservoir:
    """Holds the examples with the smallest keys, whatever order they come in."""

    def __init__(self) -> None:
        self._items: list[tuple[int, int, str, Answer]] = []
        self._below = 1 << 64
        self._characters = 0

    def add(self, keys: Sequence[int], batch: Batch) -> None:
        """See the next examples with their keys."""
        below = self._below
        found = [item for item in zip(keys, *batch, strict=True) if item[0] < below]
        self._items += found
        self._characters += sum(len(item[2]) for item in found)
        if len(self._items) > 2 * SAMPLE_ROWS or self._characters > 2 * SAMPLE_CHARACTERS:
            self._shrink()

    def sample(self) -> Sample:
        """Return what is held, by key."""
        self._shrink()
        _, rows, texts, answers = zip(*self._items, strict=True) if self._items else ((),) * 4
        return Sample(rows, texts, answers, whole=self._below == 1 << 64)

    def _shrink(self) -> None:
        """Let go of the largest keys."""
        self._items.sort(key=lambda item: item[:2])
        size = 0
        for number, item in enumerate(self._items):
            size += len(item[2])
            if number == SAMPLE_ROWS or (size > SAMPLE_CHARACTERS and number > 0):
                self._below = item[0]
                del self._items[number:]
                break
        self._characters = sum(len(item[2]) for item in self._items)
