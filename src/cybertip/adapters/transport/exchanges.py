"""One exchange on its way through httpx: the body that leaves, piece by piece, and the answer that comes back."""

import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

import httpx

from cybertip.adapters.transport.failures import failure_of
from cybertip.errors import NeverSent, TransportError
from cybertip.protocol import Answer, Endpoint, Request, frame

__all__ = ["AsyncSending", "Reading", "Sending"]

#: The largest body that is read, in bytes. Real replies have a few hundred, the schema about a hundred thousand.
_LIMIT = 1024 * 1024
_LIMIT_OF_SCHEMA = 8 * 1024 * 1024


class _Message:
    """One request on its way: its frame, its headers, and what is known of how far it came."""

    def __init__(self, request: Request[Any]) -> None:
        self.request = request
        #: Whether the request's head left. Only httpx's own connections tell.
        self.begun = False
        self._tunnelling = False
        #: What went wrong with the reading of the file.
        self.fault: Exception | None = None
        # Replies are read as they come: a compressed one could be larger than what was bounded.
        self.headers = {"Accept-Encoding": "identity"}
        self.head = self.tail = b""
        if request.file is not None:
            assert request.report_id is not None
            # Whoever made the file must not be able to end its part of the form: hence a boundary nobody can foresee.
            framed = frame(report_id=request.report_id, file=request.file, boundary=secrets.token_hex(16))
            self.head, self.tail = framed.head, framed.tail
            self.headers["Content-Type"] = framed.content_type
            if request.file.size is not None:
                self.headers["Content-Length"] = str(len(self.head) + request.file.size + len(self.tail))
        elif request.content_type is not None:
            self.headers["Content-Type"] = request.content_type

    def check(self, sent: int, *, whole: bool) -> None:
        """Refuse a file of another size than the form announced, before the form could be completed."""
        size = self.request.file.size if self.request.file is not None else None
        if size is not None and (sent > size or (whole and sent < size)):
            raise ValueError("the file has another size than the request says")

    def saw(self, event: str, info: object) -> None:
        """Note how far the connection came. What a proxy is asked, to open a tunnel, is no request of ours."""
        step = event.rpartition(".")[0]
        if event.endswith("send_request_headers.started"):
            request = info.get("request") if isinstance(info, dict) else None
            self._tunnelling = getattr(request, "method", b"") == b"CONNECT"
        elif step.endswith("send_request_headers") and event.endswith(".complete") and not self._tunnelling:
            self.begun = True

    def failure(self, error: Exception) -> TransportError:
        """Return our error for one of the client's."""
        if self._tunnelling and not self.begun:
            return NeverSent(
                endpoint=str(self.request.endpoint), reason=f"the proxy opened no way ({type(error).__name__})"
            )
        return failure_of(self.request.endpoint, error, source=self.fault, begun=self.begun)


class Sending(_Message, httpx.SyncByteStream):
    """A request and the body of its form, which begins anew each time it is iterated."""

    def __init__(self, request: Request[Any], content: Iterable[bytes] | None) -> None:
        super().__init__(request)
        self._content = content

    def trace(self, event: str, info: object) -> None:
        self.saw(event, info)

    def __iter__(self) -> "_Pieces":
        assert self._content is not None
        return _Pieces(self, self._content)


class AsyncSending(_Message, httpx.AsyncByteStream):
    """A request and the body of its form, for an async client."""

    def __init__(self, request: Request[Any], content: AsyncIterable[bytes] | None) -> None:
        super().__init__(request)
        self._content = content

    async def trace(self, event: str, info: object) -> None:
        self.saw(event, info)

    def __aiter__(self) -> "_AsyncPieces":
        assert self._content is not None
        return _AsyncPieces(self, self._content)


class _Pieces:
    """The head, the file's blocks, the tail. No generator: one that is left half-way would have to be closed."""

    def __init__(self, message: _Message, content: Iterable[bytes]) -> None:
        self._message = message
        self._given = content
        self._content: Iterator[bytes] | None = None
        self._sent = 0
        self._done = False

    def __iter__(self) -> "_Pieces":
        return self

    def __next__(self) -> bytes:
        if self._done:
            raise StopIteration
        try:
            if self._content is None:
                self._content = iter(self._given)
                return self._message.head
            block = next(self._content)
            self._sent += len(block)
            self._message.check(self._sent, whole=False)
            return block
        except StopIteration:
            return self._end()
        except Exception as error:
            self._message.fault = error
            raise

    def _end(self) -> bytes:
        self._done = True
        try:
            self._message.check(self._sent, whole=True)
        except ValueError as error:
            self._message.fault = error
            raise
        return self._message.tail


class _AsyncPieces:
    """The head, the file's blocks, the tail, for an async client."""

    def __init__(self, message: _Message, content: AsyncIterable[bytes]) -> None:
        self._message = message
        self._given = content
        self._content: AsyncIterator[bytes] | None = None
        self._sent = 0
        self._done = False

    def __aiter__(self) -> "_AsyncPieces":
        return self

    async def __anext__(self) -> bytes:
        if self._done:
            raise StopAsyncIteration
        try:
            if self._content is None:
                self._content = aiter(self._given)
                return self._message.head
            block = await anext(self._content)
            self._sent += len(block)
            self._message.check(self._sent, whole=False)
            return block
        except StopAsyncIteration:
            return self._end()
        except Exception as error:
            self._message.fault = error
            raise

    def _end(self) -> bytes:
        self._done = True
        try:
            self._message.check(self._sent, whole=True)
        except ValueError as error:
            self._message.fault = error
            raise
        return self._message.tail


class Reading:
    """A response while it is read, up to what its endpoint can need."""

    def __init__(self, endpoint: Endpoint, response: httpx.Response) -> None:
        self._response = response
        self._limit = _LIMIT_OF_SCHEMA if endpoint is Endpoint.SCHEMA else _LIMIT
        self._body = bytearray()
        self._fault = ""
        #: Whether the status alone says what the answer means, so that a lost body loses nothing.
        self.decided = response.status_code in (401, 403)

    def wanted(self) -> bool:
        """Tell whether there is a body to read; one that a caller's hook has read is taken as it is."""
        if self._response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
            self._fault = "it is encoded, though no encoding was accepted"
            return False
        if self._response.is_stream_consumed:
            self.take(self._response.content)
            return False
        return True

    def take(self, chunk: bytes) -> bool:
        """Keep a piece of the body; return False where enough was read."""
        self._body += chunk
        if len(self._body) > self._limit:
            self._fault = f"it is larger than {self._limit} bytes"
            del self._body[self._limit :]
        return not self._fault

    def answer(self) -> Answer:
        return Answer(
            status=self._response.status_code,
            headers=tuple(self._response.headers.multi_items()),
            body=bytes(self._body),
            fault=self._fault,
        )
