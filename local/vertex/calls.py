"""One request as the methods take it, and the resources that paths name."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from local.vertex.wire import invalid

PARENT = r"projects/[^/:]+/locations/[^/:]+"
"""A location, in a path."""


@dataclass(frozen=True)
class Call:
    """One request, read: the resource in its path, its body and its query."""

    resource: str
    body: bytes
    query: dict[str, str]


Method = Callable[[Call], Response]
Route = tuple[str, str, str, str, Method]
"""Verb, pattern of the resource, what stands behind it, the method's name, and the method."""


def paging(query: dict[str, str]) -> tuple[int, str]:
    """Read a list's page size and token; what else stands in the query is refused."""
    known = {"filter", "pageSize", "pageToken", "$alt", "alt", "prettyPrint", "$prettyPrint"}
    for name in query:
        if name not in known:
            raise invalid(f"Unknown name {name[:40]!r} in the query.")
    size = query.get("pageSize", "0")
    if not size.isdecimal():
        raise invalid("pageSize must be a number of at least 0.")
    return int(size), query.get("pageToken", "")
