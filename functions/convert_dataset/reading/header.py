"""Tells whether the first row of a table names its columns."""

import re
import statistics
from collections import Counter
from collections.abc import Collection, Sequence

_LONGEST_NAME = 60
_MOST_ABOVE = 10
_MOST_WORDS = 4
_ENOUGH_ROWS = 8
_LONG_TEXT = 20
_SENTENCE = re.compile(r"[?!,;…。！？，；、]|\.(?:\s|\Z)|\A\W+\Z|https?:")
_NUMBER = re.compile(r"[.,:/ %+-]*+\d[\d.,:/ %+-]*+")


def is_header(rows: Sequence[Sequence[str]], known_columns: Collection[str]) -> bool:
    """Whether the first of some rows names the columns.

    It does when it has two known names, or one that does not come again below and beside names
    that could be some. Without a known name it does when all its cells could be names and a column
    is of another kind below: numbers, few values again and again, or much longer texts. A first
    row on its own that could hold names is taken for a header: a table needs rows to be of use.

    Args:
        rows: The first rows of the table.
        known_columns: Lower-case names that a header has. A number among them says that columns
            are named by numbers, so that there is no header.
    """
    first, *rest = rows or [[]]
    names = [cell.strip() for cell in first]
    known = [name for name in names if name.lower() in known_columns and not name.isdigit()]
    if len(set(known)) > 1:
        return True
    if not known and any(name.isdigit() for name in known_columns):
        return False
    whole = [cells for cells in rest if len(cells) == len(names)]
    below = [[cells[place].strip() for cells in whole] for place in range(len(names))]
    if not _could_be_names(names) or _comes_again(names, below):
        return False
    pairs = [(name, column) for name, column in zip(names, below, strict=True) if name]
    plain = all(" " not in name for name in names)
    if known or not whole:
        return plain or any(_is_longer(name, column) for name, column in pairs)
    return _stand_out(pairs, plain=plain)


def rows_above_header(rows: Sequence[Sequence[str]], known_columns: Collection[str]) -> int:
    """Count the rows above the header: a title, a comment. They have fewer cells than it.

    Args:
        rows: The first rows of the table.
        known_columns: Lower-case names that a header has.
    """
    for place, cells in enumerate(rows[:_MOST_ABOVE]):
        names = {cell.strip().lower() for cell in cells if not cell.strip().isdigit()}
        if len(names & set(known_columns)) > 1:
            fewer = all(_filled(above) < _filled(cells) for above in rows[:place])
            return place if fewer else 0
    return 0


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _stand_out(pairs: Sequence[tuple[str, Sequence[str]]], *, plain: bool) -> bool:
    """Whether names stand out from the columns below them.

    Names of several words could also be short texts. These have to stand out all, unless each word
    begins with a capital letter, as in "Ticket Text".
    """
    if any(_are_numbers(column) for _, column in pairs):
        return True
    many = all(len(column) >= _ENOUGH_ROWS for _, column in pairs)
    capital = many and all(word[0].isupper() for name, _ in pairs for word in name.split())
    stand_out = [_are_few(column) or _is_longer(name, column) for name, column in pairs]
    return any(stand_out) if plain or capital else all(stand_out)


def column_names(cells: Sequence[str]) -> list[str]:
    """Name columns by a header: one without a name by its number, a second one with .2."""
    names: dict[str, None] = {}
    again: Counter[str] = Counter()
    for number, cell in enumerate(cells, 1):
        base = name = cell.strip() or str(number)
        while name in names:
            again[base] += 1
            name = f"{base}.{again[base] + 1}"
        names[name] = None
    return list(names)


def _could_be_names(names: Sequence[str]) -> bool:
    """Whether cells are short, different and no numbers or sentences; the first may be empty."""
    end = max((place for place, name in enumerate(names, 1) if name), default=0)
    given = names[not names[:1] or not names[0] : end]
    if not given or len({name.lower() for name in given}) < len(given):
        return False
    return not any(
        not name
        or len(name) > _LONGEST_NAME
        or len(name.split()) > _MOST_WORDS
        or _NUMBER.fullmatch(name)
        or _SENTENCE.search(name)
        for name in given
    )


def _comes_again(names: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether the first row's cells come again in their columns, as those of a data row do."""
    return any(name in column for name, column in zip(names, below, strict=True) if name)


def _are_numbers(column: Sequence[str]) -> bool:
    """Whether the values of a column are numbers."""
    given = [value for value in column if value]
    return sum(bool(_NUMBER.fullmatch(value)) for value in given) * 10 > len(given) * 9


def _are_few(column: Sequence[str]) -> bool:
    """Whether a column has few values, again and again."""
    given = [value for value in column if value]
    return len(given) >= _ENOUGH_ROWS and len(set(given)) * 2 <= len(given)


def _is_longer(name: str, column: Sequence[str]) -> bool:
    """Whether the values of a column are texts, much longer than the name above them."""
    length = statistics.median(map(len, column)) if column else 0
    return length >= _LONG_TEXT and length >= 2 * len(name)
