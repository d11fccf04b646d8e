"""Over a real connection: what is known when it breaks."""

import contextlib
import hashlib
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from cybertip import (
    AlreadyFinished,
    Environment,
    InDoubt,
    Misunderstanding,
    NeverSent,
    NotAllowed,
    ReportId,
    Unavailable,
)

# What is half-sent or half-read is closed by httpx without telling its own generators, which trio notices.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

REPORT = ReportId(4564654)
FILE = "12345678901234567890123456789012"
CALLS: dict[str, Callable[[Any], Any]] = {
    "status": lambda ncmec: ncmec.status(),
    "schema": lambda ncmec: ncmec.schema(),
    "finish": lambda ncmec: ncmec.finish(REPORT),
    "upload": lambda ncmec: ncmec.upload(REPORT, bytes(3 << 20), name="example.bin"),
    "small upload": lambda ncmec: ncmec.upload(REPORT, b"example", name="example.bin"),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
FINISHED = (
    b"<reportDoneResponse><responseCode>0</responseCode><reportId>4564654</reportId>"
    b"<files><fileId>12345678901234567890123456789012</fileId></files></reportDoneResponse>"
)


def reset(connection: socket.socket) -> None:
    """Break a connection off instead of closing it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@each_call
def test_nobody_listening_means_never_sent(colour: Any, call: Any) -> None:
    """Where no connection can be made, nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NeverSent, match="no connection"):
        colour(call, environment=Environment.sandbox(f"http://127.0.0.1:{port}"))


@each_call
def test_a_server_without_tls_means_never_sent(colour: Any, kit: Any, call: Any) -> None:
    """Where TLS cannot be agreed on, nothing was sent: nobody but a proven NCMEC sees a byte."""

    def handler(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with kit.serving(handler) as environment, pytest.raises(NeverSent):
        colour(call, environment=Environment.sandbox(environment.url.replace("http:", "https:")))


@each_call
@pytest.mark.parametrize("end", [lambda connection: None, reset], ids=["closed", "reset"])
@pytest.mark.parametrize("reads", ["nothing", "the head", "everything"])
def test_a_connection_that_ends_without_an_answer_leaves_doubt(
    colour: Any, kit: Any, call: Any, reads: str, end: Callable[[socket.socket], None]
) -> None:
    """Whether NCMEC read nothing, a part or all of a request: without an answer nobody knows what it did."""

    def handler(connection: socket.socket) -> None:
        if reads == "nothing":
            connection.recv(1, socket.MSG_PEEK)
        elif reads == "the head":
            kit.read_head(connection)
        elif reads == "everything":
            kit.read_request(connection)
        end(connection)

    with kit.serving(handler) as environment, pytest.raises(InDoubt):
        colour(call, environment=environment)


@each_call
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + FINISHED,
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
        b"HTTP/1.1 503 Later\r\nContent-Length: 500\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<repo",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_an_answer_that_is_cut_short_leaves_doubt(colour: Any, kit: Any, call: Any, answer: bytes) -> None:
    """An answer whose end is missing is no answer, even where what came looks whole."""

    def handler(connection: socket.socket) -> None:
        kit.read_request(connection)
        connection.sendall(answer)

    with kit.serving(handler) as environment, pytest.raises(InDoubt):
        colour(call, environment=environment)


def test_a_length_that_is_too_short_cuts_the_receipt(colour: Any, kit: Any) -> None:
    """A Content-Length that cuts a reply short makes it unreadable, never a success."""

    def handler(connection: socket.socket) -> None:
        kit.read_request(connection)
        connection.sendall(kit.http_answer(FINISHED, length=len(FINISHED) - 30))

    with kit.serving(handler) as environment, pytest.raises(Misunderstanding):
        colour(CALLS["finish"], environment=environment)


@each_call
@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_refused_credentials_need_no_body(colour: Any, kit: Any, call: Any, status: str) -> None:
    """HTTP 401 and 403 are understood even where their body was lost, or came before the file was read."""

    def cut(connection: socket.socket) -> None:
        kit.read_request(connection)
        connection.sendall(kit.http_answer(b"<html>", status, length=500))

    def early(connection: socket.socket) -> None:
        kit.read_head(connection)
        connection.sendall(kit.http_answer(b"", status, "Request-ID: abc", "Connection: close"))
        connection.shutdown(socket.SHUT_WR)
        # The rest is read away, as a server does that does not want the client to lose the answer.
        with contextlib.suppress(OSError):
            while connection.recv(1 << 20):
                pass

    for handler, request_id in ((cut, None), (early, "abc")):
        with kit.serving(handler) as environment, pytest.raises(NotAllowed) as raised:
            colour(call, environment=environment)
        assert (raised.value.status, raised.value.request_id) == (int(status[:3]), request_id)


@each_call
def test_a_silent_server_leaves_doubt(colour: Any, kit: Any, call: Any) -> None:
    """An answer that does not come in time is waited for no longer, and leaves the call in doubt."""

    def handler(connection: socket.socket) -> None:
        kit.read_request(connection)
        connection.recv(1)  # until the client hangs up

    began = time.monotonic()
    with kit.serving(handler) as environment, pytest.raises(InDoubt, match="no answer came in time"):
        colour(call, environment=environment, timeout=httpx.Timeout(10, read=0.2))
    assert time.monotonic() - began < 10


def test_a_server_that_reads_no_more_leaves_doubt(colour: Any, kit: Any) -> None:
    """An upload that is stuck is not waited for for ever."""

    def handler(connection: socket.socket) -> None:
        kit.read_head(connection)
        time.sleep(1.5)

    with kit.serving(handler) as environment, pytest.raises(InDoubt):
        colour(
            lambda ncmec: ncmec.upload(REPORT, bytes(64 << 20), name="example.bin"),
            environment=environment,
            timeout=httpx.Timeout(10, write=0.2),
        )


def test_a_slow_answer_is_an_answer(colour: Any, kit: Any) -> None:
    """An answer that comes byte by byte is read to its end."""

    def handler(connection: socket.socket) -> None:
        kit.read_request(connection)
        answer = kit.http_answer(FINISHED, "200 OK", "Request-ID: abc")
        for start in range(0, len(answer), 40):
            connection.sendall(answer[start : start + 40])
            time.sleep(0.01)

    with kit.serving(handler) as environment:
        receipt = colour(CALLS["finish"], environment=environment)
    assert (receipt.request_id, receipt.raw, receipt.file_ids) == ("abc", FINISHED, (FILE,))


def test_a_connection_is_used_again_and_not_believed(colour: Any, kit: Any) -> None:
    """A kept connection that NCMEC closed between two calls never turns a lost answer into "never sent"."""
    body = kit.reply()

    def handler(connection: socket.socket) -> None:
        for _ in range(2):
            kit.read_request(connection)
            connection.sendall(kit.http_answer(body))
        kit.read_request(connection)  # and hang up without an answer

    def three(ncmec: Any) -> Any:
        if colour.backend is None:
            ncmec.status()
            ncmec.retract(REPORT)
            return ncmec.finish(REPORT)

        async def main() -> None:
            await ncmec.status()
            await ncmec.retract(REPORT)
            await ncmec.finish(REPORT)

        return main()

    with kit.serving(handler) as environment, pytest.raises(InDoubt):
        colour(three, environment=environment)


@pytest.mark.parametrize("size", [1, 1 << 20, (5 << 20) + 1])
def test_a_file_arrives_over_the_wire(colour: Any, kit: Any, tmp_path: Path, size: int) -> None:
    """A real server gets the form byte for byte, with its true length."""
    content = hashlib.shake_128(b"example").digest(size)
    path = tmp_path / "stored"
    path.write_bytes(content)
    got: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        head, form = kit.read_request(connection)
        boundary = head.split(b"boundary=")[1].split(b"\r\n")[0]
        got.append(form.split(b"\r\n\r\n", 2)[2].removesuffix(b"\r\n--" + boundary + b"--\r\n"))
        body = kit.reply(reportId=REPORT, fileId=FILE, hash=hashlib.md5(got[0]).hexdigest())
        connection.sendall(kit.http_answer(body))

    with kit.serving(handler) as environment:
        reply = colour(lambda ncmec: ncmec.upload(REPORT, path, name="example.bin"), environment=environment)
    assert got == [content]
    assert reply.md5 == hashlib.md5(content).hexdigest()


def test_a_file_that_shrinks_never_makes_a_whole_form(colour: Any, kit: Any, tmp_path: Path) -> None:
    """Where a file breaks off, so does the connection: the server cannot take the form for a whole one."""
    path = tmp_path / "shrinking"
    path.write_bytes(bytes(4 << 20))
    ended: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        _, form = kit.read_head(connection)
        while piece := connection.recv(1 << 16):
            form = (form + piece)[-100:]
        ended.append(form)

    def shrink(*_: object) -> None:
        path.write_bytes(b"")

    with kit.serving(handler) as environment, pytest.raises(InDoubt, match="could not be read to its end"):
        colour(lambda ncmec: ncmec.upload(REPORT, path, name="a", progress=shrink), environment=environment)
    assert not any(form.endswith(b"--\r\n") for form in ended)


@pytest.mark.parametrize(("status", "expected"), [("200 OK", AlreadyFinished), ("503 Later", AlreadyFinished)])
def test_a_code_is_heard_over_the_wire(colour: Any, kit: Any, status: str, expected: type[Exception]) -> None:
    """A refusal that came whole is a refusal."""

    def handler(connection: socket.socket) -> None:
        kit.read_request(connection)
        connection.sendall(kit.http_answer(kit.reply(5102), status))

    with kit.serving(handler) as environment, pytest.raises(expected):
        colour(CALLS["finish"], environment=environment)


def test_a_gateway_that_answers_early_is_heard(colour: Any, kit: Any) -> None:
    """A server that is too busy to read an upload says so, and is heard."""

    def handler(connection: socket.socket) -> None:
        kit.read_head(connection)
        connection.sendall(kit.http_answer(b"", "503 Later", "Retry-After: 5", "Connection: close"))
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while connection.recv(1 << 20):
                pass

    with kit.serving(handler) as environment, pytest.raises(Unavailable) as raised:
        colour(CALLS["upload"], environment=environment)
    assert raised.value.retry_after_for == 5.0
