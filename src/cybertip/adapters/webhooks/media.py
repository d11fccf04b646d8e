"""Media and other files by their addresses, over httpx, straight into evidence."""

import hashlib
import io
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, cast

import anyio.from_thread
import anyio.to_thread
import httpx

from cybertip.adapters.webhooks.answers import declined, failure_of, unencoded, unreadable
from cybertip.adapters.webhooks.backend import AsyncResolve, Resolve
from cybertip.adapters.webhooks.guarded import AsyncGuardedTransport, GuardedTransport, async_blocks_of, blocks_of
from cybertip.adapters.webhooks.hooks import plain_headers, timeouts
from cybertip.cases.references import EvidenceId
from cybertip.ports.webhooks import Fetched, Keeps
from cybertip.webhooks.addresses import Address, Guard
from cybertip.webhooks.endpoints import Limits
from cybertip.webhooks.failures import WebhookNotSent

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["LIMITS", "AsyncHttpxMedia", "HttpxMedia"]

_MEDIA = "media"

#: A long video takes its time.
LIMITS = Limits(deadline_for=timedelta(minutes=30), silence_for=timedelta(minutes=1), answer_bytes=10_000_000_000)

_PAGE = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_BLOCK = 1024 * 1024
#: Enough of a file's beginning to tell a page by.
_SNIFFED = 512


class HttpxMedia:
    """Fetch files into evidence (see `cybertip.ports.webhooks.Media` for what is guaranteed).

    Args:
        guard: where files may be fetched from.
        headers: what is sent along, such as a token for the platform's own store. They go to every host of the guard.
        limits: how long and how much.
        verify: another judgement of certificates than that of httpx.
        resolve: how hosts are looked up, where not by the system.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        headers: Mapping[str, str] | None = None,
        limits: Limits = LIMITS,
        verify: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._limits = limits
        self._headers = dict(headers or {})
        self._transport = GuardedTransport(guard, deadline_for=limits.deadline_for, verify=verify, resolve=resolve)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def fetch(self, url: str, *, into: Keeps, html: bool = False) -> Fetched:
        """Fetch what is at an address and keep it; raise a `WebhookError` where that cannot be done whole."""
        request = _request(url, self._headers, self._limits)
        try:
            response = self._transport.handle_request(request)
        except Exception as error:
            raise failure_of(_MEDIA, error) from error
        try:
            arriving = _Arriving(response, limit=self._limits.answer_bytes, html=html)
            return _kept(_Reading(arriving, _next_of(blocks_of(response))), into)
        finally:
            response.close()


class AsyncHttpxMedia:
    """Fetch files into evidence on asyncio or trio, as `HttpxMedia` does."""

    def __init__(
        self,
        guard: Guard,
        *,
        headers: Mapping[str, str] | None = None,
        limits: Limits = LIMITS,
        verify: ssl.SSLContext | None = None,
        resolve: AsyncResolve | None = None,
    ) -> None:
        self._limits = limits
        self._headers = dict(headers or {})
        self._transport = AsyncGuardedTransport(guard, deadline_for=limits.deadline_for, verify=verify, resolve=resolve)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    async def fetch(self, url: str, *, into: Keeps, html: bool = False) -> Fetched:
        """Fetch what is at an address and keep it; raise a `WebhookError` where that cannot be done whole."""
        request = _request(url, self._headers, self._limits)
        try:
            response = await self._transport.handle_async_request(request)
        except Exception as error:
            raise failure_of(_MEDIA, error) from error
        try:
            arriving = _Arriving(response, limit=self._limits.answer_bytes, html=html)
            return await _async_kept(_Reading(arriving, _async_next_of(async_blocks_of(response))), into)
        finally:
            await response.aclose()


def _request(url: str, headers: Mapping[str, str], limits: Limits) -> httpx.Request:
    try:
        address = Address.of(url)
    except ValueError as error:
        raise WebhookNotSent(endpoint=_MEDIA, reason=f"the address {error}") from None
    return httpx.Request(
        "GET",
        address.url,
        headers=[("Accept", "*/*"), *plain_headers(), *headers.items()],
        extensions={"timeout": timeouts(limits)},
    )


class _Arriving:
    """A file on its way: how much came, its digest, and whether it is what it should be."""

    def __init__(self, response: httpx.Response, *, limit: int, html: bool) -> None:
        if response.status_code != 200:
            raise declined(_MEDIA, response)
        unencoded(_MEDIA, response)
        headers = response.headers
        if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
            raise unreadable(_MEDIA, "answered with a file whose end nobody could tell from a lost connection")
        self.media_type = headers.get("Content-Type", "")
        if not html and self.media_type.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml"):
            raise _page()
        self._limit = limit
        self._html = html
        self._digest = hashlib.sha256()
        self.size = 0
        announced = headers.get("Content-Length", "")
        if announced.isascii() and announced.isdigit() and int(announced) > limit:
            raise self._too_large()

    def take(self, block: bytes) -> None:
        """Count a block, or refuse it."""
        if not self.size and not self._html and _is_page(block[:_SNIFFED]):
            raise _page()
        self.size += len(block)
        if self.size > self._limit:
            raise self._too_large()
        self._digest.update(block)

    def end(self) -> None:
        """Refuse a file of nothing."""
        if not self.size:
            raise unreadable(_MEDIA, "answered with nothing")

    def _too_large(self) -> Exception:
        return unreadable(_MEDIA, f"answered with more than {self._limit} bytes")

    def fetched(self, reference: str) -> Fetched:
        return Fetched(
            evidence=EvidenceId(reference),
            size=self.size,
            sha256=self._digest.hexdigest(),
            media_type=self.media_type,
        )


def _page() -> Exception:
    return unreadable(_MEDIA, "answered with a page of HTML instead: the address may have expired, or wants a sign-in")


class _Reading(io.RawIOBase):
    """What evidence reads a file from."""

    def __init__(self, arriving: _Arriving, next_block: Callable[[], bytes | None]) -> None:
        self.arriving = arriving
        self._next_block = next_block
        self.ended = False
        #: What kept the file from arriving, whatever the evidence made of it.
        self.fault: BaseException | None = None
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: "WriteableBuffer") -> int:
        with memoryview(into).cast("B") as view:
            while not self._left and not self.ended:
                self._left = self._next()
            count = min(len(view), len(self._left))
            view[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def _next(self) -> bytes:
        """Return the next block; nothing once there is none."""
        try:
            block = self._next_block()
            if block is None:
                self.ended = True
                self.arriving.end()
                return b""
            self.arriving.take(block)
            return block
        except (httpx.HTTPError, httpx.StreamError) as error:
            self.fault = failure_of(_MEDIA, error)
            raise self.fault from error
        except BaseException as error:
            self.fault = error
            raise


def _next_of(blocks: Iterator[bytes]) -> Callable[[], bytes | None]:
    return lambda: next(blocks, None)


def _async_next_of(blocks: AsyncIterator[bytes]) -> Callable[[], bytes | None]:
    """Evidence reads in a thread; the blocks come in the event loop."""

    async def following() -> bytes | None:
        return await anext(blocks, None)

    return lambda: anyio.from_thread.run(following)


async def _async_kept(file: _Reading, into: Keeps) -> Fetched:
    return await anyio.to_thread.run_sync(_kept, file, into)


def _kept(file: _Reading, into: Keeps) -> Fetched:
    try:
        # Buffered, as evidence is read in blocks that are larger than what arrives at a time.
        reference = into.keep(cast(BinaryIO, io.BufferedReader(file, _BLOCK)))
    except Exception:
        if file.fault is not None:
            # Whatever the evidence made of it, this is what happened.
            raise file.fault from None
        raise
    if file.fault is not None:
        raise file.fault
    if not file.ended:
        raise unreadable(_MEDIA, "was not read to its end by what was to keep it")
    return file.arriving.fetched(reference)


def _is_page(beginning: bytes) -> bool:
    """Tell whether a page of HTML begins so, after any comments; a file that is made to be slow to read is not."""
    rest = beginning.lstrip()
    while rest.startswith(b"<!--"):
        end = rest.find(b"-->", 4)
        if end < 0:
            return False
        rest = rest[end + 3 :].lstrip()
    return _PAGE.match(rest) is not None
