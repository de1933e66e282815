"""Cuts a list of jobs into pages."""

from collections.abc import Sequence

from google.cloud import aiplatform_v1

from local.vertex.job_store import job_number
from local.vertex.wire import invalid

_LARGEST_PAGE = 100


def one_page(
    jobs: Sequence[aiplatform_v1.TuningJob], size: int, token: str
) -> aiplatform_v1.ListTuningJobsResponse:
    """Cut one page out of a list, the newest first.

    Args:
        jobs: All that are listed.
        size: Jobs a page, at most 100; 0 for 100.
        token: The next_page_token of the page before, or an empty string.

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
    return aiplatform_v1.ListTuningJobsResponse(tuning_jobs=page, next_page_token=next_token)
