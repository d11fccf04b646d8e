"""The double as an ASGI application: bodies stream through it chunk by chunk, in both directions."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from cybertip.sandbox.answers import Answer, Delivery
from cybertip.sandbox.core import Ncmec
from cybertip.sandbox.exchange import Exchange

__all__ = ["Application"]

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Up to this many bytes of a body that nobody wants are read all the same: a client that is not listening while it sends
#: would lose an answer that comes with a closed connection.
_PATIENCE = 1024 * 1024


class Application:
    """Serve `ncmec`, which may be replaced between requests.

    ASGI has no message for breaking a connection, which faults need: `hang_up(scope)` is the server's way of doing it.
    """

    def __init__(self, ncmec: Ncmec, *, hang_up: Callable[[_Scope], None]) -> None:
        self.ncmec = ncmec
        self._hang_up = hang_up

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        peer = (scope.get("client") or ("127.0.0.1",))[0]
        exchange = self.ncmec.begin(scope["method"], scope["path"], headers, peer=peer)
        try:
            if exchange.answer is not None and _is_long(headers):
                await self._answer(exchange.answer, scope, receive, send, closing=True)
            elif await _arrived(exchange, receive):
                await self._answer(exchange.end(), scope, receive, send)
        finally:
            exchange.abort()

    async def _answer(
        self, answer: Answer, scope: _Scope, receive: _Receive, send: _Send, *, closing: bool = False
    ) -> None:
        if answer.delivery is Delivery.NEVER:
            await _gone(receive)
            return
        if answer.delivery is Delivery.NOTHING:
            self._hang_up(scope)
            await _gone(receive)
            return
        headers, body, breaks = answer.framed()
        fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if closing:
            fields.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        for piece in answer.pieces(body):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if breaks:
            self._hang_up(scope)
            await _gone(receive)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_long(headers: list[tuple[str, str]]) -> bool:
    """Tell whether the body that follows is too long to be read for nothing; one of unknown length is."""
    known = dict(headers)
    length = known.get("content-length", "0")
    return "transfer-encoding" in known or not length.isdigit() or int(length) > _PATIENCE


async def _arrived(exchange: Exchange, receive: _Receive) -> bool:
    """Feed the whole body to an exchange; False where the client broke off."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        exchange.feed(message.get("body", b""))
        if not message.get("more_body", False):
            return True


async def _gone(receive: _Receive) -> None:
    """Wait until the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass
