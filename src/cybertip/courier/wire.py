"""The courier's own transport: made when the first call needs it, with the credentials of that moment, and made anew when
they were refused."""

import threading
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.to_thread
import attrs

from cybertip.errors import NeverSent
from cybertip.ports.transport import AsyncTransport, Transport
from cybertip.protocol import Answer, Credentials, Environment, Request

__all__ = ["AsyncWire", "Provider", "Wire"]

#: A host's credentials, or a function that returns those of the moment.
Provider = Credentials | Callable[[], Credentials] | None


@attrs.define(eq=False)
class _Made:
    """A transport that was made here, and how many exchanges use it."""

    transport: Any
    busy: int = 0
    retired: bool = False
    closed: bool = False


class Wire:
    """Carry exchanges with a given transport, or with one of httpx's that is made here and closed when it is done with."""

    def __init__(self, environment: Environment, credentials: Provider, given: Transport | None) -> None:
        self._environment, self._credentials, self._given = environment, credentials, given
        self._lock = threading.Lock()
        self._current: _Made | None = None

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        """Make one exchange, with the credentials of the moment."""
        if self._given is not None:
            return self._given.exchange(request, content)
        made = self._take(request)
        try:
            answer: Answer = made.transport.exchange(request, content)
            return answer
        finally:
            made.busy -= 1
            self._close_if_done(made)

    def renew(self) -> None:
        """Ask for the credentials again before the next exchange; those under way go on with the old ones."""
        with self._lock:
            made, self._current = self._current, None
        if made is not None:
            made.retired = True
            self._close_if_done(made)

    def close(self) -> None:
        """Close what was made here."""
        self.renew()

    def _take(self, request: Request[Any]) -> "_Made":
        with self._lock:
            if self._current is None:
                from cybertip.adapters.transport.httpx_transport import HttpxTransport

                credentials = _credentials_of(self._credentials, request)
                with _making(request):
                    self._current = _Made(HttpxTransport(self._environment, credentials))
            self._current.busy += 1
            return self._current

    def _close_if_done(self, made: "_Made") -> None:
        if made.retired and not made.busy and not made.closed:
            made.closed = True
            made.transport.close()


class AsyncWire:
    """Carry exchanges as `Wire` does, from asyncio or trio; a provider of credentials is called in a thread."""

    def __init__(self, environment: Environment, credentials: Provider, given: AsyncTransport | None) -> None:
        self._environment, self._credentials, self._given = environment, credentials, given
        self._lock = anyio.Lock()
        self._current: _Made | None = None

    async def exchange(self, request: Request[Any], content: AsyncIterable[bytes] | None = None) -> Answer:
        """Make one exchange, with the credentials of the moment."""
        if self._given is not None:
            return await self._given.exchange(request, content)
        made = await self._take(request)
        try:
            answer: Answer = await made.transport.exchange(request, content)
            return answer
        finally:
            made.busy -= 1
            await self._close_if_done(made)

    async def renew(self) -> None:
        """Ask for the credentials again before the next exchange; those under way go on with the old ones."""
        async with self._lock:
            made, self._current = self._current, None
        if made is not None:
            made.retired = True
            await self._close_if_done(made)

    async def aclose(self) -> None:
        """Close what was made here."""
        await self.renew()

    async def _take(self, request: Request[Any]) -> "_Made":
        async with self._lock:
            if self._current is None:
                from cybertip.adapters.transport.httpx_transport import AsyncHttpxTransport

                credentials = await anyio.to_thread.run_sync(_credentials_of, self._credentials, request)
                with _making(request):
                    self._current = _Made(AsyncHttpxTransport(self._environment, credentials))
            self._current.busy += 1
            return self._current

    async def _close_if_done(self, made: "_Made") -> None:
        if made.retired and not made.busy and not made.closed:
            made.closed = True
            await made.transport.aclose()


@contextmanager
def _making(request: Request[Any]) -> Iterator[None]:
    """A client that cannot be made, for want of files or of certificates, sends nothing."""
    try:
        yield
    except Exception as error:
        raise NeverSent(
            endpoint=str(request.endpoint), reason=f"no connection can be made here ({type(error).__name__})"
        ) from error


def _credentials_of(provider: Provider, request: Request[Any]) -> Credentials:
    """Return the credentials of the moment. Without any nothing is sent, and a submission loses nothing by it."""
    endpoint = str(request.endpoint)
    if provider is None:
        raise NeverSent(endpoint=endpoint, reason="the courier was given no credentials")
    if isinstance(provider, Credentials):
        return provider
    try:
        return provider()
    except Exception as error:
        # The provider's own words may hold the secret.
        raise NeverSent(
            endpoint=endpoint, reason=f"the host could not provide credentials ({type(error).__name__})"
        ) from error
