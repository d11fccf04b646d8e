"""Exchanges with a NCMEC double in this process: as they should be, and with bad luck."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cybertip.errors import InDoubt, NeverSent
from cybertip.protocol import Answer, Credentials, Endpoint, Request, frame
from cybertip.sandbox.core import Ncmec

if TYPE_CHECKING:
    from cybertip.testing.simulation.world import Simulation

__all__ = ["BadWire", "SandboxWire"]

_CALLS = {
    Endpoint.SUBMIT: "submit",
    Endpoint.UPLOAD: "upload",
    Endpoint.FILE_INFO: "describe",
    Endpoint.FINISH: "finish",
    Endpoint.RETRACT: "retract",
}


class SandboxWire:
    """Carry exchanges to a double in this process, without a socket (see `cybertip.ports.transport.Transport`).

    >>> from cybertip import protocol
    >>> SandboxWire(Ncmec()).exchange(protocol.status()).status
    200
    """

    def __init__(self, ncmec: Ncmec, credentials: Credentials | None = None) -> None:
        self.ncmec = ncmec
        known = ncmec.behaviour
        self._credentials = credentials or Credentials(username=known.username, password=known.password)

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        """Make one exchange."""
        headers = {"Authorization": self._credentials.authorization()}
        parts: Iterable[bytes] = (request.body,)
        if request.file is not None:
            assert request.report_id is not None
            boundary = hashlib.sha256(request.file.name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
            framed = frame(report_id=request.report_id, file=request.file, boundary=boundary)
            headers["Content-Type"] = framed.content_type
            parts = (framed.head, *(content or ()), framed.tail)
        elif request.content_type is not None:
            headers["Content-Type"] = request.content_type
        exchange = self.ncmec.begin(request.endpoint.method, f"/ispws{request.endpoint.path}", headers)
        for part in parts:
            exchange.feed(part)
        answer = exchange.end()
        return Answer(status=answer.status, headers=tuple(answer.headers), body=answer.body)


class BadWire(SandboxWire):
    """A wire with the simulation's luck, which lets nothing pass that was not recorded before.

    Args:
        world: whose luck it has.
        check: called with the name of each call before it leaves.
    """

    def __init__(self, world: "Simulation", check: Callable[[str], None]) -> None:
        super().__init__(world.ncmec)
        self._world = world
        self._check = check

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        world, endpoint = self._world, str(request.endpoint)
        self._check(_CALLS[request.endpoint])
        if world.strikes("never_sent"):
            raise NeverSent(endpoint=endpoint, reason="no connection")
        if world.strikes("lost_request"):
            raise InDoubt(endpoint=endpoint, reason="the request was lost")
        if world.strikes("late_request"):
            parts = None if content is None else list(content)
            world.on_the_way.append(lambda: super(BadWire, self).exchange(request, parts))
            raise InDoubt(endpoint=endpoint, reason="the request is still on its way")
        if world.strikes("refused_for_now"):
            return world.chance.choice(_REFUSALS)
        if world.strikes("refused_credentials"):
            return Answer(status=401)
        if content is not None and world.strikes("corrupted"):
            content = _corrupted(content)
        answer = super().exchange(request, content)
        if world.strikes("lost_answer"):
            raise InDoubt(endpoint=endpoint, reason="the answer was lost")
        return _garbled(world, answer) if world.strikes("garbled") else answer


_REFUSALS = (
    Answer(status=503, headers=(("Retry-After", "30"),)),
    Answer(status=429),
    Answer(status=200, body=b"<reportResponse><responseCode>1000</responseCode></reportResponse>"),
)


def _corrupted(content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield other bytes, and as many."""
    for block in content:
        yield bytes([block[0] ^ 1]) + block[1:]


def _garbled(world: "Simulation", answer: Answer) -> Answer:
    """Return what comes in an answer's place when NCMEC has acted."""
    return world.chance.choice(
        (
            Answer(status=200, body=b"<html>gateway</html>"),
            Answer(status=502),
            Answer(status=503),
            Answer(status=504, body=b"<html>gateway</html>"),
            Answer(status=200, headers=answer.headers, body=answer.body[: len(answer.body) // 2]),
            Answer(status=500, headers=answer.headers, body=answer.body),
            Answer(status=200, body=b"<reportResponse><responseCode>7777</responseCode></reportResponse>"),
        )
    )
