"""The closed set of outcomes: done, Rejected, Retry. Anything else that is raised is a bug."""


class TunedropError(Exception):
    """The root of every error this project raises on purpose."""


class Rejected(TunedropError):
    """The user's data or request is wrong, and trying again will not help.

    It is recorded with its reason, published as a fact and acknowledged.

    Args:
        reason: One sentence that names the file, the row and what is wrong with it.
        remedy: One sentence that says what to do about it.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(f"{reason} {remedy}".strip())
        self.reason = reason
        self.remedy = remedy


class Retry(TunedropError):
    """The world is wrong for the moment: the event is redelivered, and dead-lettered at last."""


class Busy(Retry):
    """The service has no room for the request at this moment (429 or 503): ask more slowly."""


class ModelGone(Retry):
    """The model that was asked is not there, or not deployed: not yet, or not any more."""


class NotFound(TunedropError):
    """The object, job or endpoint that was asked for does not exist."""


class Conflict(TunedropError):
    """A compare-and-set lost: the object's generation is not the expected one any more."""


class QuotaExceeded(TunedropError):
    """The service refused because a quota is used up (429 RESOURCE_EXHAUSTED)."""
