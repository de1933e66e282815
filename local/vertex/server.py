"""The stand-in's HTTP side: the web application, and the server in a thread."""

import socket
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.vertex.api import VertexApi, VertexSettings
from local.vertex.wire import ApiError, refuse

_MAXIMUM_BODY = 20_000_000
_START_SECONDS = 15.0


def make_app(api: VertexApi) -> Starlette:
    """Make the web application.

    Args:
        api: What answers the requests.

    Returns:
        An ASGI application.
    """

    async def handle(request: Request) -> Response:
        body = await request.body()
        if len(body) > _MAXIMUM_BODY:
            return refuse(ApiError("INVALID_ARGUMENT", "Request payload size exceeds the limit."))
        # Clients may send ":" as %3A, which some servers leave encoded.
        path = unquote(request.scope["path"]).lstrip("/")
        if path == "_faults":
            return api.faults(request.method, body)
        if path == "_state":
            return api.state()
        query = dict(request.query_params)
        return await run_in_threadpool(api.call, request.method, path, query, body)

    return Starlette(
        routes=[Route("/{path:path}", handle, methods=["GET", "POST", "DELETE", "PATCH", "PUT"])]
    )


class VertexServer:
    """The stand-in on a port of 127.0.0.1, in a thread of this process; a context manager."""

    def __init__(self, state: Path, port: int = 0, settings: VertexSettings | None = None) -> None:
        """Prepare a server; `start` opens it.

        Args:
            state: The directory that keeps jobs and models.
            port: The port, or 0 for any free one.
            settings: How the stand-in behaves.
        """
        self._state = state
        self._port = port
        self._settings = settings or VertexSettings()
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._api: VertexApi | None = None

    @property
    def address(self) -> str:
        """Where it listens, as http://127.0.0.1:PORT.

        Raises:
            RuntimeError: The server is not started.
        """
        if self._socket is None:
            raise RuntimeError("the server is not started")
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> "VertexServer":
        """Listen and answer.

        Returns:
            The server itself.

        Raises:
            OSError: The port is taken.
            RuntimeError: The server does not come up.
        """
        # Only for sockets that name TCP does asyncio turn Nagle's delay (40 ms an answer) off.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self._port))
            self._api = VertexApi(self._state, self._settings)
        except BaseException:
            listener.close()
            raise
        self._socket = listener
        config = uvicorn.Config(
            make_app(self._api), log_level="warning", access_log=False, lifespan="off", ws="none"
        )
        server = uvicorn.Server(config)
        self._server = server
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop answering; jobs that were running will run again at the next start."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_START_SECONDS)
        if self._api is not None:
            self._api.jobs.close()
            self._api.batches.close()
        if self._socket is not None:
            self._socket.close()
        self._socket = self._server = self._thread = self._api = None

    def __enter__(self) -> "VertexServer":
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.stop()
