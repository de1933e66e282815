"""What the errors of Vertex AI's clients become."""

import pytest
from google.api_core import exceptions

from shared.errors import NotFound, Rejected, Retry
from shared.gcp.errors import NotAllowed, vertex_errors


@pytest.mark.parametrize(
    ("error", "outcome", "said"),
    [
        (exceptions.NotFound("no such method"), NotFound, "no such method"),
        (exceptions.InvalidArgument("too long"), Rejected, "refused: too long"),
        (exceptions.PermissionDenied("denied"), NotAllowed, "needs roles/aiplatform.user"),
        (exceptions.ServiceUnavailable("busy"), Retry, "ServiceUnavailable"),
    ],
)
def test_an_error_becomes_what_is_to_be_done_about_it(
    error: Exception, outcome: type[Exception], said: str
) -> None:
    with pytest.raises(outcome, match=said), vertex_errors("Evaluation service"):
        raise error
