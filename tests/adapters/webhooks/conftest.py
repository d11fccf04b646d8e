"""Small servers on loopback that do what they are told, and each adapter in each of its colours."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import anyio
import pytest

from cybertip.adapters.webhooks import AsyncHttpxMedia, AsyncHttpxWebhooks, HttpxMedia, HttpxWebhooks

Headers = dict[str, str]


class Request:
    """A request as a server got it."""

    def __init__(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += _some(connection)
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.headers: Headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        while len(self.body) < int(self.headers.get("content-length", "0")):
            self.body += _some(connection)


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError
    return data


#: What a server does with a request: it writes to the connection.
Behaviour = Callable[[socket.socket, Request], None]


class Server:
    """A server that does one thing to every request, and remembers them."""

    def __init__(self, behaviour: Behaviour, context: ssl.SSLContext | None) -> None:
        self._behaviour = behaviour
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.requests: list[Request] = []

    def serve(self) -> None:
        """Take connections until the server is stopped."""
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._take, args=(connection,), daemon=True).start()

    def _take(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                request = Request(connection)
                self.requests.append(request)
                self._behaviour(connection, request)

    def stop(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def _serving(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(behaviour, context)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(10)


@pytest.fixture
def serving() -> Callable[..., Any]:
    """Return a function that starts a server with a behaviour."""
    return _serving


def _answer(body: bytes = b"{}", *, status: str = "200 OK", **headers: str) -> Behaviour:
    """Answer with a body, its length and some headers."""
    given = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return lambda connection, _: connection.sendall(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body)


@pytest.fixture
def answer() -> Callable[..., Behaviour]:
    """Return a function that makes the behaviour of answering."""
    return _answer


class Colour:
    """Adapters in one colour, called as if they were sync."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.webhooks_kind: Any = HttpxWebhooks if name == "sync" else AsyncHttpxWebhooks
        self.media_kind: Any = HttpxMedia if name == "sync" else AsyncHttpxMedia

    def webhooks(self, **given: Any) -> "_Calling":
        """Return the adapter for the platform's endpoints."""
        return _Calling(self.webhooks_kind(**self._coloured(given)), self.name)

    def media(self, guard: Any, **given: Any) -> "_Calling":
        """Return the adapter for media."""
        return _Calling(self.media_kind(guard, **self._coloured(given)), self.name)

    def _coloured(self, given: dict[str, Any]) -> dict[str, Any]:
        find = given.get("resolve")
        if find is not None and self.name != "sync":

            async def resolve(host: str, port: int) -> Any:
                return find(host, port)

            given["resolve"] = resolve
        return given


class _Calling:
    def __init__(self, adapter: Any, colour: str) -> None:
        self._adapter = adapter
        self._colour = colour

    def __repr__(self) -> str:
        return repr(self._adapter)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._adapter, name)
        if self._colour == "sync":
            return method
        return lambda *args, **kwargs: anyio.run(partial(method, *args, **kwargs), backend=self._colour)


@pytest.fixture(params=["sync", "asyncio", "trio"])
def colour(request: pytest.FixtureRequest) -> Colour:
    """Return the adapters, in each colour in turn."""
    return Colour(request.param)
