"""Connections for many requests at the same time.

httpx keeps the connections of a client in one pool, and looks at every pair of them for every
request: with 64 of them that costs as much as the rest of the request. It also closes all but 20 of
them after each. Here every request under way has a pool of its own, which is kept for the next one.
"""

from queue import Empty, LifoQueue
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import ssl


class Connections(httpx.BaseTransport):
    """As many transports as there were ever requests under way at the same time."""

    def __init__(self) -> None:
        self._free: LifoQueue[httpx.HTTPTransport] = LifoQueue()
        self._all: list[httpx.HTTPTransport] = []
        # Reading the certificates takes longer than a request.
        self._context: ssl.SSLContext = httpx.create_ssl_context()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over the connection that was used last, of those that are free."""
        try:
            transport = self._free.get_nowait()
        except Empty:
            transport = httpx.HTTPTransport(verify=self._context)
            self._all.append(transport)
        try:
            # The answer's body is read later, maybe while the next request is sent. Then the
            # transport opens a second connection.
            return transport.handle_request(request)
        finally:
            self._free.put(transport)

    def close(self) -> None:
        """Close all connections."""
        for transport in self._all:
            transport.close()
