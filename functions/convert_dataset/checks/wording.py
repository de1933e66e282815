"""Words that several checks' findings are put together from."""

from collections.abc import Sequence

_NAMED = 5


def number_of(count: int, one: str, many: str) -> str:
    """Write a number with its noun, or its noun and verb: "1 row is", "2,000 rows are"."""
    return f"{count:,} {one if count == 1 else many}"


def first_few(names: Sequence[str]) -> str:
    """Name the first five, and say how many more there are."""
    named = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def quoted(name: str) -> str:
    """Put a label or a value in quotation marks, cut to 60 characters."""
    return repr(name if len(name) <= 60 else f"{name[:59]}…")  # noqa: PLR2004
