"""The calls of hash sharing over httpx. Nothing is remembered and nothing is retried but a call with renewed credentials."""

import ssl
from collections.abc import Callable, Generator, Sequence
from importlib.metadata import version
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import anyio.to_thread
import httpx

from cybertip import hash_sharing
from cybertip.adapters.transport.failures import NEVER_SENT
from cybertip.errors import NeverSent, TransportError
from cybertip.hash_sharing import (
    Accepted,
    Categories,
    HashSharingUnanswered,
    Identity,
    Members,
    Page,
    Reasons,
    Request,
    Source,
    Window,
    understand,
)
from cybertip.hash_sharing.understanding import LIMIT
from cybertip.hashing.values import HashType
from cybertip.protocol import Answer, Credentials

__all__ = ["AsyncHttpxHashSharing", "HttpxHashSharing", "Provider"]

R = TypeVar("R")

#: A host's credentials, or a function that returns those of the moment.
Provider = Credentials | Callable[[], Credentials] | None

#: A page of a large list takes the service its time.
_TIMEOUT: Final = httpx.Timeout(connect=10.0, read=120.0, write=30.0, pool=10.0)


class HttpxHashSharing:
    """Call NCMEC's hash sharing, each call answering with a value or raising what is known of the world.

    Args:
        source: which list.
        credentials: those that NCMEC gave for it, or a function that returns them: it is called when they are first needed,
            and again when NCMEC refuses them. They are not those of the CyberTipline. Without any, the authentication of
            `http` applies.
        http: an `httpx.Client` to use, with its proxies, certificates and hooks; it stays open when this one closes.
        timeout: seconds for each step of an exchange.

    All calls may raise `NcmecError` (they answered no), `NeverSent`, `HashSharingUnanswered` or `Misunderstanding`; any of
    them may be repeated. Calls may be made from several threads.
    """

    def __init__(
        self,
        source: Source,
        credentials: Provider = None,
        *,
        http: httpx.Client | None = None,
        timeout: float | None = None,
    ) -> None:
        self._source = source
        self._keys = _Keys(credentials)
        self._timeout = _timeout(timeout, ours=http is None)
        self._ours = http is None
        self._http = httpx.Client(**_settings(source)) if http is None else http

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._source.list!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. A client given as `http` stays open."""
        if self._ours:
            self._http.close()

    @property
    def source(self) -> Source:
        """Which list this is of."""
        return self._source

    def status(self) -> Identity:
        """Ask who NCMEC takes us for: whether address and credentials are well."""
        return self.ask(hash_sharing.status())

    def members(self) -> Members:
        """Ask who shares hashes on the list."""
        return self.ask(hash_sharing.members())

    def entries(self, window: Window) -> Page:
        """Ask for the first page of what changed in a window. For a whole list, see `HashSharingSync`."""
        return self.ask(hash_sharing.entries(window))

    def categories(self) -> Categories:
        """Ask for the words that entries may be described with."""
        return self.ask(hash_sharing.categories())

    def reasons(self, kind: HashType) -> Reasons:
        """Ask for the reasons for which a hash of a kind may be disputed."""
        return self.ask(hash_sharing.reasons(kind))

    def affirm(self, *, member: str, entry: str, kind: HashType) -> Accepted:
        """Say that a hash of an entry belongs on the list; `member` is the one that shared the entry."""
        return self.ask(hash_sharing.affirm(member=member, entry=entry, kind=kind))

    def dispute(self, *, member: str, entry: str, kind: HashType, reasons: Sequence[str]) -> Accepted:
        """Say that a hash of an entry does not belong on the list, for reasons by their ids."""
        return self.ask(hash_sharing.dispute(member=member, entry=entry, kind=kind, reasons=reasons))

    def ask(self, request: Request[R]) -> R:
        """Make a call."""
        credentials = self._keys.kept or self._keys.fetched(request)
        answer = self._exchange(request, credentials)
        if answer.status == 401 and self._keys.can_renew:
            renewed = self._keys.fetched(request)
            if renewed != credentials:
                answer = self._exchange(request, renewed)
        return understand(request, answer)

    def _exchange(self, request: Request[Any], credentials: Credentials | None) -> Answer:
        """Send a request, and return the answer as it came."""
        try:
            outgoing = self._http.build_request(**_parts(request, self._source, self._timeout))
            response = self._http.send(outgoing, auth=_auth(credentials), stream=True, follow_redirects=False)
        except Exception as error:
            raise _failure(request, error) from error
        reading = _Reading(response)
        try:
            if reading.wanted:
                for chunk in response.iter_raw():
                    if not reading.take(chunk):
                        # Not left half-way: that would leave an iterator of httpx behind, which this ends.
                        response.close()
        except Exception as error:
            if not reading.is_enough:
                raise _broken(request, error) from error
        finally:
            response.close()
        return reading.answer()


class AsyncHttpxHashSharing:
    """Call NCMEC's hash sharing on asyncio or trio, as `HttpxHashSharing` does; credentials are fetched in a thread."""

    def __init__(
        self,
        source: Source,
        credentials: Provider = None,
        *,
        http: httpx.AsyncClient | None = None,
        timeout: float | None = None,
    ) -> None:
        self._source = source
        self._keys = _Keys(credentials)
        self._timeout = _timeout(timeout, ours=http is None)
        self._ours = http is None
        self._http = httpx.AsyncClient(**_settings(source)) if http is None else http

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._source.list!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. A client given as `http` stays open."""
        if self._ours:
            await self._http.aclose()

    @property
    def source(self) -> Source:
        """Which list this is of."""
        return self._source

    async def status(self) -> Identity:
        """As `HttpxHashSharing.status`."""
        return await self.ask(hash_sharing.status())

    async def members(self) -> Members:
        """As `HttpxHashSharing.members`."""
        return await self.ask(hash_sharing.members())

    async def entries(self, window: Window) -> Page:
        """As `HttpxHashSharing.entries`."""
        return await self.ask(hash_sharing.entries(window))

    async def categories(self) -> Categories:
        """As `HttpxHashSharing.categories`."""
        return await self.ask(hash_sharing.categories())

    async def reasons(self, kind: HashType) -> Reasons:
        """As `HttpxHashSharing.reasons`."""
        return await self.ask(hash_sharing.reasons(kind))

    async def affirm(self, *, member: str, entry: str, kind: HashType) -> Accepted:
        """As `HttpxHashSharing.affirm`."""
        return await self.ask(hash_sharing.affirm(member=member, entry=entry, kind=kind))

    async def dispute(self, *, member: str, entry: str, kind: HashType, reasons: Sequence[str]) -> Accepted:
        """As `HttpxHashSharing.dispute`."""
        return await self.ask(hash_sharing.dispute(member=member, entry=entry, kind=kind, reasons=reasons))

    async def ask(self, request: Request[R]) -> R:
        """As `HttpxHashSharing.ask`."""
        credentials = self._keys.kept or await anyio.to_thread.run_sync(self._keys.fetched, request)
        answer = await self._exchange(request, credentials)
        if answer.status == 401 and self._keys.can_renew:
            renewed = await anyio.to_thread.run_sync(self._keys.fetched, request)
            if renewed != credentials:
                answer = await self._exchange(request, renewed)
        return understand(request, answer)

    async def _exchange(self, request: Request[Any], credentials: Credentials | None) -> Answer:
        """Send a request, and return the answer as it came."""
        try:
            outgoing = self._http.build_request(**_parts(request, self._source, self._timeout))
            response = await self._http.send(outgoing, auth=_auth(credentials), stream=True, follow_redirects=False)
        except Exception as error:
            raise _failure(request, error) from error
        reading = _Reading(response)
        try:
            if reading.wanted:
                async for chunk in response.aiter_raw():
                    if not reading.take(chunk):
                        # Not left half-way: that would leave an iterator of httpx behind, which this ends.
                        await response.aclose()
        except Exception as error:
            if not reading.is_enough:
                raise _broken(request, error) from error
        finally:
            await response.aclose()
        return reading.answer()


class _Keys:
    """The credentials of the moment, in memory for as long as they are accepted."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.kept = provider if isinstance(provider, Credentials) else None

    @property
    def can_renew(self) -> bool:
        """Tell whether asking again may bring others."""
        return self._provider is not None and not isinstance(self._provider, Credentials)

    def fetched(self, request: Request[Any]) -> Credentials | None:
        """Ask the host for them."""
        if self._provider is None or isinstance(self._provider, Credentials):
            return self._provider
        try:
            self.kept = self._provider()
        except Exception as error:
            # The provider's own words may hold the secret.
            reason = f"the host could not provide credentials ({type(error).__name__})"
            raise NeverSent(endpoint=request.endpoint, reason=reason) from error
        return self.kept


class _Basic(httpx.Auth):
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._credentials.authorization()
        yield request


class _Reading:
    """An answer while it is read, up to what a page can need."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._body = bytearray()
        self._fault = ""
        #: Whether there is a body to read that can be understood.
        self.wanted = True
        #: Whether more was sent than is read.
        self.is_enough = False
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
            # A compressed answer could be larger than what was bounded.
            self._fault, self.wanted = "it is encoded, though no encoding was accepted", False
        elif response.is_stream_consumed:
            # A hook of the caller's client has read it.
            self.wanted = False
            self.take(response.content)

    def take(self, chunk: bytes) -> bool:
        """Keep a piece of the body; return False where enough was read."""
        if not self.is_enough:
            self._body += chunk
        if len(self._body) > LIMIT:
            self._fault = f"it is larger than {LIMIT} bytes"
            self.is_enough = True
        return not self.is_enough

    def answer(self) -> Answer:
        headers = tuple(self._response.headers.multi_items())
        body = b"" if self._fault else bytes(self._body)
        return Answer(status=self._response.status_code, headers=headers, body=body, fault=self._fault)


def _parts(request: Request[Any], source: Source, timeout: Any) -> dict[str, Any]:
    """Return what httpx makes a request of."""
    headers = {"Accept": "application/xml", "Accept-Encoding": "identity"}
    if request.body:
        headers["Content-Type"] = "application/xml; charset=utf-8"
    return {
        "method": request.method,
        "url": source.url + request.path,
        "content": request.body or None,
        "headers": headers,
        "timeout": timeout,
    }


def _auth(credentials: Credentials | None) -> Any:
    return httpx.USE_CLIENT_DEFAULT if credentials is None else _Basic(credentials)


def _timeout(timeout: float | None, *, ours: bool) -> Any:
    if timeout is not None:
        return httpx.Timeout(timeout)
    return _TIMEOUT if ours else httpx.USE_CLIENT_DEFAULT


def _settings(source: Source) -> dict[str, Any]:
    """Return the settings of a client of our own."""
    return {
        "follow_redirects": False,
        # TLS is verified, always. Where none is spoken, a context that trusts nobody saves the loading of certificates.
        "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if source.url.startswith("http://") else True,
        # What is on this machine is no proxy's business.
        "trust_env": not source.is_local,
        "headers": {"User-Agent": f"cybertip/{version('cybertip')}"},
    }


def _failure(request: Request[Any], error: Exception) -> TransportError:
    """Return our error for one of the client's. Neither its text nor the address is quoted."""
    if not isinstance(error, tuple(NEVER_SENT)):
        return _broken(request, error)
    reason = next(words for kind, words in NEVER_SENT.items() if isinstance(error, kind))
    return NeverSent(endpoint=request.endpoint, reason=f"{reason} ({type(error).__name__})")


def _broken(request: Request[Any], error: Exception) -> TransportError:
    return HashSharingUnanswered(endpoint=request.endpoint, reason=f"no whole answer came ({type(error).__name__})")
