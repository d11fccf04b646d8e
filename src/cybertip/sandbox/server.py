"""The double on a loopback port, for clients in any language; uvicorn carries the bytes."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cybertip.sandbox.asgi import Application
from cybertip.sandbox.behaviour import Behaviour
from cybertip.sandbox.clock import ShiftedClock
from cybertip.sandbox.core import Ncmec

__all__ = ["BackgroundServer", "running", "serve", "system_clock"]


def system_clock() -> ShiftedClock:
    """Return a clock that runs as the system's does and can be moved forwards."""
    return ShiftedClock(lambda: datetime.now(UTC))


def serve(
    ncmec: Ncmec | Behaviour | None = None,
    *,
    port: int = 8025,
    host: str = "127.0.0.1",
    ready: Callable[[str], None] | None = None,
    allow_remote: bool = False,
) -> None:
    """Serve until interrupted, and print nothing.

    Args:
        ncmec: the double to serve, or how one with the system's clock is to behave.
        port: the TCP port; 0 takes a free one.
        host: the address to listen on.
        ready: called with the address, such as `http://127.0.0.1:8025`, as soon as connections are taken.
        allow_remote: listen even on an address that is not loopback. The control routes ask for no credentials.

    Raises `ValueError` for an address that is not loopback, and `OSError` when the port is taken.
    """
    with _listen(host, port, allow_remote=allow_remote) as listening:
        server = _Server(_double(ncmec))
        if ready is not None:
            ready(_url(listening))
        # Control-C is how a server in the foreground is stopped, and no error.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


@contextmanager
def running(ncmec: Ncmec | Behaviour | None = None, *, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve in a background thread for as long as the block runs, and yield the address, as `serve` does.

    ```python
    with running(Behaviour(after_deletion=5101)) as url:
        httpx.get(f"{url}/ispws/status", auth=("sandbox", "sandbox"))
    ```
    """
    server = BackgroundServer(_double(ncmec), port=port, host=host)
    try:
        yield server.url
    finally:
        server.stop()


def _double(given: Ncmec | Behaviour | None) -> Ncmec:
    return given if isinstance(given, Ncmec) else Ncmec(given, clock=system_clock())


class BackgroundServer:
    """A server in a thread of its own, from construction to `stop`; `ncmec` may be replaced meanwhile."""

    def __init__(self, ncmec: Ncmec, *, port: int = 0, host: str = "127.0.0.1") -> None:
        # Connections are taken from here on; they wait until the thread answers them.
        self._listening = _listen(host, port, allow_remote=False)
        self.url = _url(self._listening)
        self._server = _Server(ncmec)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listening],), name="cybertip-sandbox", daemon=True
        )
        self._thread.start()

    @property
    def ncmec(self) -> Ncmec:
        """The double that answers."""
        return self._server.application.ncmec

    @ncmec.setter
    def ncmec(self, ncmec: Ncmec) -> None:
        self._server.application.ncmec = ncmec

    def stop(self) -> None:
        """Close the port and every connection, and wait for the thread to end."""
        self._server.should_exit = True
        self._thread.join()


class _Server(uvicorn.Server):
    """uvicorn, with a way to break a connection and without waiting for anybody at the end."""

    def __init__(self, ncmec: Ncmec) -> None:
        self._lines: dict[tuple[str, int], asyncio.Transport] = {}
        self.application = Application(ncmec, hang_up=self._hang_up)
        config = uvicorn.Config(
            self.application,
            http=_protocol(self._lines),
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            # Nothing is logged but what goes wrong with the server itself, and logging stays as the program has it.
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            # Replies carry the date of the double's own clock.
            date_header=False,
            timeout_graceful_shutdown=5,
        )
        super().__init__(config)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for line in list(self._lines.values()):
            line.abort()
        await super().shutdown(sockets)

    def _hang_up(self, scope: MutableMapping[str, Any]) -> None:
        line = self._lines.get(scope["client"])
        if line is not None:
            line.close()


def _protocol(lines: dict[tuple[str, int], asyncio.Transport]) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol, keeping each connection's transport under its peer's address.

    An ASGI application cannot reach the connection; the peer's address, which the scope names, is what leads to it.
    """

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
            super().connection_made(transport)
            self._line = self.client
            if self._line is not None:
                lines[self._line] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            if self._line is not None:
                lines.pop(self._line, None)
            super().connection_lost(exc)

    return Protocol


def _listen(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """Bind and listen, on loopback unless told otherwise."""
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not (address.is_loopback or allow_remote):
        raise ValueError("the sandbox listens on loopback addresses only, unless remote clients are allowed")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((str(address), port))
        listening.listen(128)
    except BaseException:
        listening.close()
        raise
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
