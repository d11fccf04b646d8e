"""What the tests of the clients share: three colours of one call, and a server that misbehaves to order."""

import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest

from cybertip import AsyncClient, Client, Environment, FileDetails, FileId, ReportId

REPORT = ReportId(4564654)
FILE = FileId("12345678901234567890123456789012")
DETAILS = FileDetails(report_id=REPORT, file_id=FILE)
SANDBOX = Environment.sandbox("http://127.0.0.1:8025")


def reply(code: int = 0, *, root: str = "reportResponse", **more: object) -> bytes:
    """Write a reply of NCMEC's."""
    rest = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return f"<{root}><responseCode>{code}</responseCode>{rest}</{root}>".encode()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run async tests on both event loops."""
    name: str = request.param
    return name


class Colour:
    """Make one call with one of the clients; tests are written once, and see no colour."""

    def __init__(self, backend: str | None) -> None:
        self.backend = backend

    def __repr__(self) -> str:
        return self.backend or "sync"

    def __call__(
        self,
        call: Callable[[Any], Any],
        transport: Any = None,
        *,
        environment: Environment = SANDBOX,
        credentials: Any = None,
        timeout: Any = None,
        **settings: Any,
    ) -> Any:
        """Make a call and return what it returns.

        With `transport` or `settings`, an httpx client of the caller's is made of them; without, the client makes its own.
        """
        own = transport is not None or settings
        if self.backend is None:
            http = httpx.Client(transport=transport, **settings) if own else None
            try:
                with Client(environment, credentials, http=http, timeout=timeout) as client:
                    found = call(client)
                assert http is None or not http.is_closed
                return found
            finally:
                if http is not None:
                    http.close()

        async def main() -> Any:
            http = httpx.AsyncClient(transport=transport, **settings) if own else None
            try:
                async with AsyncClient(environment, credentials, http=http, timeout=timeout) as client:
                    found = await call(client)
                assert http is None or not http.is_closed
                return found
            finally:
                if http is not None:
                    await http.aclose()

        return anyio.run(main, backend=self.backend)

    def hooks(self, hook: Callable[[Any], Any]) -> Any:
        """Return a hook as this colour's client takes it."""
        if self.backend is None:
            return hook

        async def awaited(what: Any) -> None:
            found = hook(what)
            if isinstance(found, Awaitable):
                await found

        return awaited


@pytest.fixture(params=[None, "asyncio", "trio"], ids=["sync", "asyncio", "trio"])
def colour(request: pytest.FixtureRequest) -> Colour:
    """Run a test with the sync client, and with the async one on both event loops."""
    return Colour(request.param)


def answering(
    body: bytes | Callable[[httpx.Request], bytes], status: int = 200, **headers: str
) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """Return a transport that answers everything alike, and the requests that it will have seen."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        content = body(request) if callable(body) else body
        return httpx.Response(
            status, content=content, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )

    return httpx.MockTransport(answer), seen


@contextmanager
def serving(*handlers: Callable[[socket.socket], None]) -> Iterator[Environment]:
    """Serve one connection with each handler, on loopback; whatever a handler raises fails the test."""
    listener = socket.create_server(("127.0.0.1", 0))
    failures: list[BaseException] = []

    def serve() -> None:
        for handler in handlers:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(20)
                    handler(connection)
            except (ConnectionError, TimeoutError):
                pass  # the client gave up first
            except OSError:
                return  # the test is over
            except BaseException as error:
                failures.append(error)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Environment.sandbox(f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        # Wakes a thread that still waits for a connection.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(20)
    assert not failures, failures


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """Return a request's head, and what was read of its body with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the client hung up")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def read_request(connection: socket.socket) -> tuple[bytes, bytes]:
    """Return a request's head and body, whose length its head must say."""
    head, body = read_head(connection)
    lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(1 << 20)
    return head, body


def http_answer(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """Write an HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
def kit() -> Any:
    """The helpers above, for tests in other files."""
    return sys.modules[__name__]
