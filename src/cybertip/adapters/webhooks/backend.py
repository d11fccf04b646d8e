"""Connections that are made only to addresses that were checked, and that end in time.

A host is looked up once, each address that it stands for is checked, and the connection is made to one of those: a second
look-up, which could give another answer, never happens. Every step has what is left of the exchange's deadline, so that a
server cannot prolong it by sending a byte now and then.
"""

import math
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import anyio
import httpcore

from cybertip.webhooks.addresses import Address, Guard

__all__ = ["AddressRefused", "AsyncGuardedBackend", "AsyncResolve", "Deadline", "GuardedBackend", "Resolve"]

#: Look a host up: its name and port to the addresses that it stands for.
Resolve = Callable[[str, int], Sequence[str]]
AsyncResolve = Callable[[str, int], Awaitable[Sequence[str]]]

#: What is sent at a time, so that the deadline is looked at in between.
_BLOCK = 64 * 1024


class AddressRefused(httpcore.UnsupportedProtocol):
    """The guard spoke against an address; nothing was sent."""


class Deadline:
    """How much time an exchange has left."""

    def __init__(self, lasts_for: timedelta) -> None:
        self._end = time.monotonic() + lasts_for.total_seconds()

    def cut(self) -> None:
        """End it: nothing more is read or sent."""
        self._end = -math.inf

    def left(self, step: float | None, late: type[Exception]) -> float:
        """Return the seconds that a step may take: its own at the most. Raise `late` where none are left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise late("the exchange took too long as a whole")
        return left if step is None else min(step, left)


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system what a host stands for."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError("the host's name could not be looked up") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def async_resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system what a host stands for, without keeping the event loop waiting."""
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError("the host's name could not be looked up") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _checked(found: Sequence[str], guard: Guard, address: Address) -> Sequence[str]:
    """Return what a host stands for, unless something speaks against any of it."""
    if not found:
        raise httpcore.ConnectError("the host's name stands for nothing")
    for ip in found:
        refused = guard.against_ip(ip, address)
        if refused is not None:
            raise AddressRefused(refused)
    return found


class GuardedBackend(httpcore.NetworkBackend):
    """Make connections for one exchange with one address."""

    def __init__(self, guard: Guard, address: Address, deadline: Deadline, find: Resolve | None) -> None:
        self._guard = guard
        self._address = address
        self._deadline = deadline
        self._find = find or resolve
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to what the address's host stands for."""
        found = self._find(self._address.host, self._address.port)
        failure: Exception | None = None
        for ip in _checked(found, self._guard, self._address):
            left = self._deadline.left(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(ip, self._address.port, timeout=left)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return _Stream(stream, self._deadline)
        assert failure is not None
        raise failure


class AsyncGuardedBackend(httpcore.AsyncNetworkBackend):
    """Make connections for one exchange with one address, on asyncio or trio."""

    def __init__(self, guard: Guard, address: Address, deadline: Deadline, find: AsyncResolve | None) -> None:
        self._guard = guard
        self._address = address
        self._deadline = deadline
        self._find = find or async_resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to what the address's host stands for."""
        found = await self._find(self._address.host, self._address.port)
        failure: Exception | None = None
        for ip in _checked(found, self._guard, self._address):
            left = self._deadline.left(timeout, httpcore.ConnectTimeout)
            try:
                stream = await self._inner.connect_tcp(ip, self._address.port, timeout=left)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return _AsyncStream(stream, self._deadline)
        assert failure is not None
        raise failure


class _Stream(httpcore.NetworkStream):
    """A connection that knows the exchange's deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _BLOCK):
            left = self._deadline.left(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + _BLOCK], left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _AsyncStream(httpcore.AsyncNetworkStream):
    """A connection that knows the exchange's deadline, on asyncio or trio."""

    def __init__(self, inner: httpcore.AsyncNetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as above
        return await self._inner.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        for start in range(0, len(buffer), _BLOCK):
            left = self._deadline.left(timeout, httpcore.WriteTimeout)
            await self._inner.write(buffer[start : start + _BLOCK], left)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
