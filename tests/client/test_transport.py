"""What a transport guarantees to those who use it without a client."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx
import pytest

from cybertip import InDoubt, ReportId
from cybertip.adapters.transport.httpx_transport import AsyncHttpxTransport, HttpxTransport
from cybertip.ports.transport import AsyncTransport, Transport
from cybertip.protocol import Answer, Environment, Request, finish, upload

REPORT = ReportId(4564654)
SANDBOX = Environment.sandbox("http://127.0.0.1:8025")


def exchange(colour: Any, request: Request[Any], wire: Any, blocks: list[bytes] | None = None) -> Answer:
    """Make one exchange with the transport of a colour, given the blocks of a file."""
    if colour.backend is None:
        with httpx.Client(transport=wire) as http:
            transport: Transport = HttpxTransport(SANDBOX, http=http)
            return transport.exchange(request, iter(blocks) if blocks is not None else None)

    async def content(given: list[bytes]) -> AsyncIterator[bytes]:
        for block in given:
            yield block

    async def main() -> Answer:
        async with httpx.AsyncClient(transport=wire) as http:
            transport: AsyncTransport = AsyncHttpxTransport(SANDBOX, http=http)
            return await transport.exchange(request, content(blocks) if blocks is not None else None)

    return anyio.run(main, backend=colour.backend)


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Keep what arrives."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.pieces.extend(request.stream)
        return httpx.Response(418, content=b"canary", headers={"Request-ID": "abc"})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for piece in request.stream:
            self.pieces.append(piece)
        return httpx.Response(418, content=b"canary", headers={"Request-ID": "abc"})


def test_an_answer_is_brought_back_as_it_is(colour: Any) -> None:
    """An answer of any status is returned, not judged, and its repr shows nothing of it."""
    answer = exchange(colour, finish(REPORT), Wire())
    assert (answer.status, answer.body, answer.fault) == (418, b"canary", "")
    assert ("request-id", "abc") in [(name.lower(), value) for name, value in answer.headers]
    assert "canary" not in repr(answer)


@pytest.mark.parametrize("blocks", [[b"12345"], [b"1", b"", b"2345"], [b""] * 3 + [b"12345", b""]])
@pytest.mark.parametrize("size", [5, None])
def test_blocks_may_be_of_any_size(colour: Any, blocks: list[bytes], size: int | None) -> None:
    """Blocks are sent as they come; an empty one is not the end."""
    wire = Wire()
    exchange(colour, upload(REPORT, name="a", size=size), wire, blocks)
    assert b"".join(wire.pieces[1:-1]) == b"12345"
    assert wire.pieces[-1].endswith(b"--\r\n")


@pytest.mark.parametrize("blocks", [[b"1234"], [], [b"123456"], [b"12345", b"6"], [b"1234", b"56"]])
def test_a_file_of_another_size_is_broken_off(colour: Any, blocks: list[bytes]) -> None:
    """A file that is not as long as its request says never makes a whole form, and leaves doubt."""
    wire = Wire()
    with pytest.raises(InDoubt, match="could not be read to its end"):
        exchange(colour, upload(REPORT, name="a", size=5), wire, blocks)
    assert not any(piece.endswith(b"--\r\n") for piece in wire.pieces)


def test_content_is_asked_for_only_when_it_is_sent(colour: Any) -> None:
    """Nothing is read of a file for which there is no connection."""

    class Untouched:
        def __iter__(self) -> Iterator[bytes]:
            raise AssertionError("it was read")

        def __aiter__(self) -> AsyncIterator[bytes]:
            raise AssertionError("it was read")

    class Nobody(Wire):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("nobody")

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("nobody")

    transport: Any = HttpxTransport if colour.backend is None else AsyncHttpxTransport
    made = upload(REPORT, name="a", size=5)
    if colour.backend is None:
        with httpx.Client(transport=Nobody()) as http, pytest.raises(Exception, match="Nothing was sent"):
            transport(SANDBOX, http=http).exchange(made, Untouched())
        return

    async def main() -> None:
        async with httpx.AsyncClient(transport=Nobody()) as http:
            await transport(SANDBOX, http=http).exchange(made, Untouched())

    with pytest.raises(Exception, match="Nothing was sent"):
        anyio.run(main, backend=colour.backend)
