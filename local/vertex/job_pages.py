"""Cuts a list of jobs into pages."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from local.vertex.job_store import job_number
from local.vertex.wire import invalid

_LARGEST_PAGE = 100


class Named(Protocol):
    """What has a full name that ends in a number: a tuning job, a batch."""

    name: str


J = TypeVar("J", bound=Named)


def one_page(jobs: Sequence[J], size: int, token: str) -> tuple[list[J], str]:
    """Cut one page out of a list, the newest first.

    Args:
        jobs: All that are listed.
        size: Jobs a page, at most 100; 0 for 100.
        token: The next_page_token of the page before, or an empty string.

    Returns:
        (The page's jobs, the next_page_token).

    Raises:
        ApiError: The token is not valid.
    """
    if token and not token.isdecimal():
        raise invalid("page_token is not valid.")
    size = min(size or _LARGEST_PAGE, _LARGEST_PAGE)
    newest = sorted(jobs, key=lambda job: job_number(job.name), reverse=True)
    # The token is the last job given, so jobs that are created meanwhile shift nothing.
    rest = [job for job in newest if not token or job_number(job.name) < int(token)]
    page = rest[:size]
    next_token = str(job_number(page[-1].name)) if len(rest) > size else ""
    return page, next_token
