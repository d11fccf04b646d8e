"""To NCMEC with httpx: our own client, or the caller's with all that it brings along."""

import ssl
from collections.abc import AsyncIterable, Generator, Iterable
from importlib.metadata import version
from typing import Any

import httpx

from cybertip.adapters.transport.exchanges import AsyncSending, Reading, Sending
from cybertip.adapters.transport.failures import failure_of
from cybertip.errors import NeverSent
from cybertip.protocol import Answer, Credentials, Endpoint, Environment, Request

__all__ = ["TIMEOUT", "AsyncHttpxTransport", "HttpxTransport", "Timeout"]

#: Seconds for each step, or httpx's own way to say more.
Timeout = float | httpx.Timeout

#: NCMEC takes its time to answer a large upload; a connection that cannot be made in ten seconds will not be made.
TIMEOUT = httpx.Timeout(connect=10.0, read=120.0, write=120.0, pool=10.0)


class HttpxTransport:
    """Carry exchanges with httpx (see `cybertip.ports.transport.Transport` for what is guaranteed).

    Without `http`, a client is made here: TLS is verified, timeouts are `TIMEOUT` unless given, no redirect is followed,
    and proxies are those of the process's surroundings, but none for a sandbox.

    A client of the caller's keeps everything it has: authentication, headers, proxies, certificates, hooks, timeouts. Only
    where `credentials` or `timeout` are given do they take the place of its own; redirects are never followed, and it is
    never closed here.
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Credentials | None = None,
        *,
        http: httpx.Client | None = None,
        timeout: Timeout | None = None,
    ) -> None:
        _check(environment, credentials, http, httpx.Client)
        self._environment = environment
        self._auth = _auth(credentials)
        self._timeout = _timeout(timeout, ours=http is None)
        self._ours = http is None
        self._http = httpx.Client(**_settings(environment)) if http is None else http

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        """Send one request and return its answer, or raise `NeverSent` or `InDoubt`."""
        sending = Sending(request, content)
        outgoing = self._outgoing(sending)
        try:
            response = self._http.send(outgoing, auth=self._auth, stream=True, follow_redirects=False)
        except Exception as error:
            answer = _refused_by_hook(error, outgoing)
            if answer is None:
                raise sending.failure(error) from error
            return answer
        try:
            return self._received(request, response)
        finally:
            response.close()

    def _outgoing(self, sending: "Sending") -> httpx.Request:
        request = sending.request
        try:
            outgoing = self._http.build_request(
                request.endpoint.method,
                self._environment.address(request.endpoint),
                content=sending if request.file is not None else request.body or None,
                headers=sending.headers,
                timeout=self._timeout,
                extensions={"trace": sending.trace},
            )
        except Exception as error:
            raise _unbuilt(request.endpoint, error) from error
        if self._http.is_closed:
            raise _closed(request.endpoint)
        if request.file is not None:
            outgoing.stream = sending
        return outgoing

    def _received(self, request: Request[Any], response: httpx.Response) -> Answer:
        reading = Reading(request.endpoint, response)
        try:
            if reading.wanted():
                for chunk in response.iter_raw():
                    if not reading.take(chunk):
                        break
        except Exception as error:
            if not reading.decided:
                raise failure_of(request.endpoint, error, begun=True) from error
        return reading.answer()

    def close(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._ours:
            self._http.close()


class AsyncHttpxTransport:
    """Carry exchanges with httpx on asyncio or trio, as `HttpxTransport` does."""

    def __init__(
        self,
        environment: Environment,
        credentials: Credentials | None = None,
        *,
        http: httpx.AsyncClient | None = None,
        timeout: Timeout | None = None,
    ) -> None:
        _check(environment, credentials, http, httpx.AsyncClient)
        self._environment = environment
        self._auth = _auth(credentials)
        self._timeout = _timeout(timeout, ours=http is None)
        self._ours = http is None
        self._http = httpx.AsyncClient(**_settings(environment)) if http is None else http

    async def exchange(self, request: Request[Any], content: AsyncIterable[bytes] | None = None) -> Answer:
        """Send one request and return its answer, or raise `NeverSent` or `InDoubt`."""
        sending = AsyncSending(request, content)
        outgoing = self._outgoing(sending)
        try:
            response = await self._http.send(outgoing, auth=self._auth, stream=True, follow_redirects=False)
        except Exception as error:
            answer = _refused_by_hook(error, outgoing)
            if answer is None:
                raise sending.failure(error) from error
            return answer
        try:
            return await self._received(request, response)
        finally:
            await response.aclose()

    def _outgoing(self, sending: "AsyncSending") -> httpx.Request:
        request = sending.request
        try:
            outgoing = self._http.build_request(
                request.endpoint.method,
                self._environment.address(request.endpoint),
                content=sending if request.file is not None else request.body or None,
                headers=sending.headers,
                timeout=self._timeout,
                extensions={"trace": sending.trace},
            )
        except Exception as error:
            raise _unbuilt(request.endpoint, error) from error
        if self._http.is_closed:
            raise _closed(request.endpoint)
        if request.file is not None:
            outgoing.stream = sending
        return outgoing

    async def _received(self, request: Request[Any], response: httpx.Response) -> Answer:
        reading = Reading(request.endpoint, response)
        try:
            if reading.wanted():
                async for chunk in response.aiter_raw():
                    if not reading.take(chunk):
                        break
        except Exception as error:
            if not reading.decided:
                raise failure_of(request.endpoint, error, begun=True) from error
        return reading.answer()

    async def aclose(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._ours:
            await self._http.aclose()


def _refused_by_hook(error: Exception, outgoing: httpx.Request) -> Answer | None:
    """Return the answer that a hook of the caller's client raised `HTTPStatusError` for: it is an answer all the same."""
    if not isinstance(error, httpx.HTTPStatusError) or error.request is not outgoing:
        return None
    try:
        body, fault = error.response.content, ""
    except httpx.ResponseNotRead:
        body, fault = b"", "a hook of the client raised before it was read"
    headers = tuple(error.response.headers.multi_items())
    return Answer(status=error.response.status_code, headers=headers, body=body, fault=fault)


def _unbuilt(endpoint: Endpoint, error: Exception) -> NeverSent:
    return NeverSent(endpoint=str(endpoint), reason=f"the client could not make the request ({type(error).__name__})")


def _closed(endpoint: Endpoint) -> NeverSent:
    return NeverSent(endpoint=str(endpoint), reason="the client was closed")


def _check(environment: object, credentials: object, http: object, kind: type) -> None:
    if not isinstance(environment, Environment):
        raise TypeError("environment must be Environment.TEST, Environment.PRODUCTION or Environment.sandbox(url)")
    if credentials is not None and not isinstance(credentials, Credentials):
        raise TypeError("credentials must be Credentials(username=..., password=...)")
    if http is not None and not isinstance(http, kind):
        raise TypeError(f"http must be an httpx.{kind.__name__}")


def _settings(environment: Environment) -> dict[str, Any]:
    """Return the settings of a client of our own."""
    return {
        "timeout": TIMEOUT,
        "follow_redirects": False,
        "verify": _verification(environment),
        # A sandbox is on this machine, where no proxy has any business.
        "trust_env": not environment.is_sandbox,
        "headers": {"User-Agent": f"cybertip/{version('cybertip')}"},
    }


def _verification(environment: Environment) -> bool | ssl.SSLContext:
    """Verify TLS, always. Where none is spoken, a context that trusts nobody saves the loading of certificates."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if environment.url.startswith("http://") else True


def _timeout(timeout: Timeout | None, *, ours: bool) -> Any:
    if timeout is not None:
        return httpx.Timeout(timeout)
    return TIMEOUT if ours else httpx.USE_CLIENT_DEFAULT


def _auth(credentials: Credentials | None) -> Any:
    """Return what httpx calls with each request: the credentials' header, or whatever the client itself has."""
    return httpx.USE_CLIENT_DEFAULT if credentials is None else _Basic(credentials)


class _Basic(httpx.Auth):
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._credentials.authorization()
        yield request
