"""The reasons a request is refused, each with the gRPC status Cloud Pub/Sub answers with."""

from typing import ClassVar


class RequestRefusedError(Exception):
    """A request that cannot be carried out; `status` names its gRPC status code."""

    status: ClassVar[str] = "INTERNAL"


class InvalidRequestError(RequestRefusedError):
    """The request itself is wrong."""

    status = "INVALID_ARGUMENT"


class NotFoundError(RequestRefusedError):
    """The topic or subscription does not exist."""

    status = "NOT_FOUND"


class AlreadyExistsError(RequestRefusedError):
    """A topic or subscription of that name exists already."""

    status = "ALREADY_EXISTS"


class WrongKindError(RequestRefusedError):
    """A pull from a push subscription, or a push from a pull subscription."""

    status = "FAILED_PRECONDITION"


class UnsupportedError(RequestRefusedError):
    """Something Cloud Pub/Sub does and this server does not."""

    status = "UNIMPLEMENTED"


class StoppedError(RequestRefusedError):
    """The server is stopping; clients try again."""

    status = "UNAVAILABLE"
