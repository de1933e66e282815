"""What a file's labels are next to those that task.yaml declares: spelt otherwise, or unknown."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from functions.convert_dataset.checks.wording import first_few, number_of, quoted

MAX_DIFFERENT = 1000
"""So many different labels of a kind are counted by name; a column of texts has no end of them."""

_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[\s_-]+(?=[^\W\d_])")
_SEPARATORS = re.compile(r"[\s_-]+")
_LETTER = re.compile(r"[^\W\d_]")


class LabelTally:
    """Counts the labels of rows that are not spelt as task.yaml declares them.

    Attributes:
        respelt: (as the file has it, as it is declared) -> how often it was read so.
        unknown: Label that is not declared -> rows that have it.
    """

    def __init__(self) -> None:
        self.respelt: Counter[tuple[str, str]] = Counter()
        self.unknown: Counter[str] = Counter()

    def read_as(self, written: str, declared: str) -> None:
        """Count a label that was read as a declared one."""
        pair = (written, declared)
        if pair in self.respelt or len(self.respelt) < MAX_DIFFERENT:
            self.respelt[pair] += 1

    def refuse(self, name: str) -> None:
        """Count a label that is none."""
        if name in self.unknown or len(self.unknown) < MAX_DIFFERENT:
            self.unknown[name] += 1

    @property
    def explanation(self) -> tuple[str, ...]:
        """Say for the report which spellings were read as declared labels."""
        count = sum(self.respelt.values())
        if not count:
            return ()
        pairs = [
            f"{quoted(written)} as {quoted(declared)} ({times:,})"
            for (written, declared), times in self.respelt.most_common()
        ]
        differed = number_of(count, "label differed", "labels differed")
        were = "was" if count == 1 else "were"
        said = f"{differed} from the declared ones in letter case or marks only and {were} read as "
        return (f"{said}those: {first_few(pairs)}",)


def label_key(name: str) -> str:
    """Return what spellings of a label share: all but letter case, width and marks between words.

    A label without letters is its own key: 1 and -1 are two.
    """
    if not _LETTER.search(name):
        return name
    folded = _BETWEEN_LETTERS.sub("", unicodedata.normalize("NFKC", name).casefold())
    return _SEPARATORS.sub(" ", folded)


def declared_label(name: str, declared: tuple[str, ...]) -> str | None:
    """Return the declared label that a spelling means; None when there is none, or several."""
    return name if name in declared else _by_key(declared).get(label_key(name))


@lru_cache(maxsize=64)
def _by_key(declared: tuple[str, ...]) -> dict[str, str]:
    """Index labels by their keys; those that share one with another are left out."""
    keys = Counter(map(label_key, declared))
    return {label_key(name): name for name in declared if keys[label_key(name)] == 1}
