"""A transport for httpx that goes only where it may: for our own requests, and for any client of the host's.

```python
client = httpx.Client(transport=GuardedTransport(Guard(hosts=["platform.example"])))
```
"""

import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn, cast

import httpcore
import httpx

from cybertip.adapters.webhooks.backend import (
    AddressRefused,
    AsyncGuardedBackend,
    AsyncResolve,
    Deadline,
    GuardedBackend,
    Resolve,
)
from cybertip.webhooks.addresses import Address, Guard

__all__ = ["AsyncGuardedTransport", "GuardedTransport", "async_blocks_of", "blocks_of"]

_DEADLINE = timedelta(seconds=60)


class GuardedTransport(httpx.BaseTransport):
    """Carry one request a connection, to an address that was checked (see `cybertip.webhooks.addresses`).

    Args:
        guard: where requests may go. What it speaks against raises `httpx.UnsupportedProtocol`; nothing is sent.
        deadline_for: how long an exchange may take as a whole, the reading of the answer included.
        verify: another judgement of certificates than that of httpx.
        resolve: how hosts are looked up, where not by the system.

    No proxy is used: it would look hosts up by itself.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        deadline_for: timedelta = _DEADLINE,
        verify: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._guard = guard
        self._deadline_for = deadline_for
        self._certificates = _Certificates(verify)
        self._resolve = resolve

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        address = _allowed(self._guard, request)
        deadline = Deadline(self._deadline_for)
        context = self._certificates.context(address)
        backend = GuardedBackend(self._guard, address, deadline, self._resolve)
        pool = httpcore.ConnectionPool(ssl_context=context, max_connections=1, network_backend=backend)
        try:
            response = pool.handle_request(_outgoing(request, address))
        except Exception as error:
            pool.close()
            _raise(error)
        body = _Body(cast("Iterable[bytes]", response.stream), pool, deadline)
        return httpx.Response(response.status, headers=response.headers, stream=body, extensions=response.extensions)


class AsyncGuardedTransport(httpx.AsyncBaseTransport):
    """Carry one request a connection on asyncio or trio, as `GuardedTransport` does."""

    def __init__(
        self,
        guard: Guard,
        *,
        deadline_for: timedelta = _DEADLINE,
        verify: ssl.SSLContext | None = None,
        resolve: AsyncResolve | None = None,
    ) -> None:
        self._guard = guard
        self._deadline_for = deadline_for
        self._certificates = _Certificates(verify)
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        address = _allowed(self._guard, request)
        deadline = Deadline(self._deadline_for)
        context = self._certificates.context(address)
        backend = AsyncGuardedBackend(self._guard, address, deadline, self._resolve)
        pool = httpcore.AsyncConnectionPool(ssl_context=context, max_connections=1, network_backend=backend)
        try:
            response = await pool.handle_async_request(_outgoing(request, address))
        except Exception as error:
            await pool.aclose()
            _raise(error)
        body = _AsyncBody(response.stream, pool, deadline)
        return httpx.Response(response.status, headers=response.headers, stream=body, extensions=response.extensions)


class _Body(httpx.SyncByteStream):
    """An answer's body; the connection ends with it.

    Below it are generators, and one that is left half-way would have to be closed, innermost first. So an answer that is not
    read to its end is cut off there, and then read on: they all end by themselves.
    """

    def __init__(self, stream: Any, pool: httpcore.ConnectionPool, deadline: Deadline) -> None:
        self._stream = stream
        self._blocks: Any = None
        self._pool = pool
        self._deadline = deadline

    def __iter__(self) -> "_Body":
        self._blocks = iter(self._stream)
        return self

    def __next__(self) -> bytes:
        try:
            block: bytes = next(self._blocks)
            return block
        except StopIteration:
            raise
        except Exception as error:
            _raise(error)

    def close(self) -> None:
        self._deadline.cut()
        try:
            with suppress(Exception):
                while self._blocks is not None:
                    next(self._blocks)
        finally:
            self._stream.close()
            self._pool.close()


class _AsyncBody(httpx.AsyncByteStream):
    """An answer's body, on asyncio or trio; the connection ends with it."""

    def __init__(self, stream: Any, pool: httpcore.AsyncConnectionPool, deadline: Deadline) -> None:
        self._stream = stream
        self._blocks: Any = None
        self._pool = pool
        self._deadline = deadline

    def __aiter__(self) -> "_AsyncBody":
        self._blocks = aiter(self._stream)
        return self

    async def __anext__(self) -> bytes:
        try:
            block: bytes = await anext(self._blocks)
            return block
        except StopAsyncIteration:
            raise
        except Exception as error:
            _raise(error)

    async def aclose(self) -> None:
        self._deadline.cut()
        try:
            with suppress(Exception):
                while self._blocks is not None:
                    await anext(self._blocks)
        finally:
            await self._stream.aclose()
            await self._pool.aclose()


def blocks_of(response: httpx.Response) -> Iterator[bytes]:
    """Return a body's blocks as they come. httpx's own `iter_raw` is a generator, with all that goes with leaving one."""
    return iter(cast(_Body, response.stream))


def async_blocks_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return a body's blocks as they come."""
    return aiter(cast(_AsyncBody, response.stream))


def _allowed(guard: Guard, request: httpx.Request) -> Address:
    """Return the address of a request in our own reading, which is the one that is connected to."""
    try:
        address = Address.of(str(request.url))
    except ValueError as error:
        raise httpx.UnsupportedProtocol(f"the address {error}", request=request) from None
    refused = guard.against(address)
    if refused is not None:
        raise httpx.UnsupportedProtocol(refused, request=request)
    return address


class _Certificates:
    """What judges certificates, loaded when it is first needed."""

    def __init__(self, given: ssl.SSLContext | None) -> None:
        self._given = given

    def context(self, address: Address) -> ssl.SSLContext:
        if address.scheme == "http":
            # None are shown: a context that trusts nobody saves the loading of those that are trusted.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._given = self._given or httpx.create_ssl_context()
        return self._given


def _outgoing(request: httpx.Request, address: Address) -> httpcore.Request:
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _raise(error: Exception) -> NoReturn:
    """Raise httpx's exception of the same name: both libraries mean the same by it."""
    if isinstance(error, AddressRefused):
        raise httpx.UnsupportedProtocol(str(error)) from error
    kind = getattr(httpx, type(error).__name__, None)
    if kind is None or not issubclass(kind, httpx.TransportError) or not type(error).__module__.startswith("httpcore"):
        raise error
    raise kind(str(error)) from error
