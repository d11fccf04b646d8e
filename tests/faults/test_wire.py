"""The wire breaks, over real HTTP on loopback: whatever is not a whole answer is in doubt, and never success."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest

from cybertip.adapters.transport.httpx_transport import HttpxTransport
from cybertip.courier import Courier
from cybertip.filing.events import Lost
from cybertip.protocol import Answer, Credentials, Environment, Request
from cybertip.sandbox import Answer as SandboxAnswer, Fault, Ncmec
from cybertip.sandbox.server import BackgroundServer

CALLS = {"submit": "/submit", "upload": "/upload", "describe": "/fileinfo", "finish": "/finish"}
every_call = pytest.mark.parametrize("call", CALLS)
CREDENTIALS = Credentials(username="sandbox", password="sandbox")
AFTER_DOUBT = {
    "submit": ["open", "finished"],
    "upload": ["retracted", "finished"],
    "describe": ["retracted", "finished"],
    "finish": ["finished"],
}


@pytest.fixture(scope="module")
def server() -> Iterator[BackgroundServer]:
    """One server for all of these tests; each puts a double of its own behind it."""
    background = BackgroundServer(Ncmec())
    yield background
    background.stop()


class Served:
    """A world whose NCMEC is spoken to over HTTP."""

    def __init__(self, world: Any, url: str) -> None:
        self.world, self.url = world, url

    def settle(self, *faults: Fault) -> None:
        """Deliver with a courier that makes its own transport, with some answers spoiled."""
        world = self.world
        world.ncmec.faults += faults
        ports = {"storage": world.storage, "evidence": world.evidence, "clock": world.time, "policy": world.policy}
        with Courier(Environment.sandbox(self.url), CREDENTIALS, **ports) as courier:
            world.settle(courier)


@pytest.fixture
def served(server: BackgroundServer, world: Any) -> Served:
    """A world in which a report with one file waits, and a server."""
    server.ncmec = world.ncmec
    world.file(True)
    return Served(world, server.url)


def doubts(world: Any) -> list[str]:
    return [event.call for event in world.events() if isinstance(event, Lost)]


# -- spoiled answers ------------------------------------------------------------------------------------------------------

SPOILED: dict[str, Any] = {
    "no answer": "drop",
    "cut short": "truncate",
    "a length too long": lambda answer: SandboxAnswer(
        answer.status, (*answer.headers, ("Content-Length", str(len(answer.body) + 9))), answer.body
    ),
    "a length too short": lambda answer: SandboxAnswer(
        answer.status, (*answer.headers, ("Content-Length", str(len(answer.body) - 9))), answer.body
    ),
}


@every_call
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["no answer", "cut short"])
def test_f09_the_connection_ends(served: Served, call: str, when: Any, how: str) -> None:
    """A connection that is reset or ends in the middle of an answer leaves the call in doubt, whether NCMEC acted or not."""
    served.settle(Fault(endpoint=CALLS[call], when=when, answer=SPOILED[how]))
    served.world.is_filed()
    assert doubts(served.world) == [call]
    if when == "after":
        assert served.world.states() == AFTER_DOUBT[call]


@every_call
@pytest.mark.parametrize("how", ["a length too long", "a length too short"])
def test_f09_a_wrong_length(served: Served, call: str, how: str) -> None:
    """An answer that is shorter or longer than its Content-Length says is not believed."""
    served.settle(Fault(endpoint=CALLS[call], when="after", answer=SPOILED[how]))
    served.world.is_filed()
    assert doubts(served.world) == [call]
    assert served.world.states() == AFTER_DOUBT[call]


def test_f09_a_reset_in_mid_upload(served: Served) -> None:
    """A connection that is reset while the file goes up: NCMEC never has it whole, and a new attempt is made."""
    world = served.world

    def cut(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        # Nothing is sent any more, and what was not read is thrown away: the other side gets a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with answering(cut) as url:
        broken = HttpxTransport(Environment.sandbox(url), CREDENTIALS)
        sound = HttpxTransport(Environment.sandbox(served.url), CREDENTIALS)
        wire = Switching(sound, {"/upload": broken})
        world.settle(world.courier(transport=wire))
        broken.close()
        sound.close()
    world.is_filed()
    assert doubts(world) == ["upload"]
    assert world.states() == ["retracted", "finished"]


# -- answers that are none ------------------------------------------------------------------------------------------------

HTML = (("Content-Type", "text/html"),)
NONSENSE = {
    "html": SandboxAnswer(200, HTML, b"<!DOCTYPE html><html><body>Sign in</body></html>"),
    "nothing": SandboxAnswer(200, (), b""),
    "no xml": SandboxAnswer(200, (), b"\x00\x01\x02"),
    "doctype": SandboxAnswer(
        200, (), b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><reportResponse>&a;</reportResponse>'
    ),
}


@every_call
@pytest.mark.parametrize("how", NONSENSE)
def test_f10_an_answer_that_is_none_over_http(served: Served, call: str, how: str) -> None:
    """HTTP 200 with something else than a reply is in doubt, and resolved by the rule for its call."""
    served.settle(Fault(endpoint=CALLS[call], when="after", answer=NONSENSE[how]))
    served.world.is_filed()
    assert doubts(served.world) == [call]
    assert served.world.states() == AFTER_DOUBT[call]


@pytest.mark.parametrize("chunked", [False, True], ids=["of known length", "in chunks"])
def test_f10_an_answer_of_100_mb(served: Served, chunked: bool) -> None:
    """No more of an answer is read than a reply can need, however much comes: the call is in doubt."""
    world, sent = served.world, [0]
    block = b"<!-- endless -->" * 4096

    def flood(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 104857600"
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n")
        while sent[0] < 100 * 1024 * 1024:
            connection.sendall(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
            sent[0] += len(block)

    with answering(flood) as url:
        flooding = HttpxTransport(Environment.sandbox(url), CREDENTIALS)
        sound = HttpxTransport(Environment.sandbox(served.url), CREDENTIALS)
        world.settle(world.courier(transport=Switching(sound, {"/finish": flooding})))
        flooding.close()
        sound.close()
    world.is_filed()
    assert doubts(world) == ["finish"]
    # What fits between the two sides was sent, and then the line was closed.
    assert sent[0] < 50 * 1024 * 1024
    (lost,) = [event for event in world.events() if isinstance(event, Lost)]
    assert lost.observation is not None
    assert len(lost.observation.raw) <= 256 * 1024


@every_call
def test_f08_a_timeout_over_http(served: Served, call: str) -> None:
    """An answer that never comes is given up after a while, and the call is in doubt."""
    world = served.world
    world.ncmec.faults.append(Fault(endpoint=CALLS[call], when="after", answer="hang"))
    hasty = HttpxTransport(Environment.sandbox(served.url), CREDENTIALS, timeout=httpx.Timeout(20, read=1.5))
    patient = HttpxTransport(Environment.sandbox(served.url), CREDENTIALS)
    world.settle(world.courier(transport=Switching(patient, {CALLS[call]: hasty})))
    hasty.close()
    patient.close()
    world.is_filed()
    assert doubts(world) == [call]
    # A slow server may act after it was given up.
    assert sorted(world.states()) == sorted(AFTER_DOUBT[call])


# -- a server that misbehaves ---------------------------------------------------------------------------------------------


class Switching:
    """Carries the first call of some endpoints with other transports."""

    def __init__(self, usual: HttpxTransport, others: dict[str, HttpxTransport]) -> None:
        self._usual, self._others = usual, dict(others)

    def exchange(self, request: Request[Any], content: Any = None) -> Answer:
        return self._others.pop(str(request.endpoint), self._usual).exchange(request, content)


@contextmanager
def answering(handler: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection on loopback."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        # The client hangs up when it has enough, and the test is over when the listener is closed.
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(20)
                handler(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(20)
