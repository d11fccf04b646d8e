"""An httpx transport that talks to the double in memory: no socket, no thread, no port."""

from collections.abc import AsyncIterator, Iterator

import httpx

from cybertip.sandbox.answers import Answer, Delivery
from cybertip.sandbox.core import Ncmec
from cybertip.sandbox.exchange import Exchange

__all__ = ["SandboxTransport"]


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Give it to `httpx.Client` or `httpx.AsyncClient`: whatever host they ask for, this double answers.

    Bodies are streamed both ways. Broken answers are httpx's errors: `RemoteProtocolError` for a connection that closed
    early, `ReadTimeout` for an answer that never comes.

    >>> client = httpx.Client(transport=SandboxTransport(Ncmec()), auth=("sandbox", "sandbox"))
    >>> client.get("https://ncmec.example.com/ispws/status").status_code
    200
    """

    def __init__(self, ncmec: Ncmec) -> None:
        self.ncmec = ncmec

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        exchange = self._begin(request)
        try:
            assert isinstance(request.stream, httpx.SyncByteStream)
            # A server that has answered reads no more of the body.
            if exchange.answer is None:
                for chunk in request.stream:
                    exchange.feed(chunk)
            return _response(exchange.end(), request)
        finally:
            exchange.abort()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = self._begin(request)
        try:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            if exchange.answer is None:
                async for chunk in request.stream:
                    exchange.feed(chunk)
            return _response(exchange.end(), request)
        finally:
            exchange.abort()

    def _begin(self, request: httpx.Request) -> Exchange:
        return self.ncmec.begin(request.method, request.url.path, request.headers.multi_items())


def _response(answer: Answer, request: httpx.Request) -> httpx.Response:
    match answer.delivery:
        case Delivery.NOTHING:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        case Delivery.NEVER:
            raise httpx.ReadTimeout("The answer never comes.", request=request)
    headers, body, breaks = answer.framed()
    return httpx.Response(answer.status, headers=list(headers), stream=_Stream(answer, body, breaks), request=request)


class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer, which may break off."""

    def __init__(self, answer: Answer, body: bytes, breaks: bool) -> None:
        self._answer, self._body, self._breaks = answer, body, breaks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.pieces(self._body)
        if self._breaks:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece
