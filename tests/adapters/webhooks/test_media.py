"""Media is fetched whole into evidence or not at all, from where it may be fetched, without being gathered on the way."""

import hashlib
import logging
import os
import socket
import time
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import anyio
import pytest

from cybertip.adapters.evidence import LocalEvidence, MemoryEvidence
from cybertip.adapters.webhooks import AsyncHttpxMedia, media
from cybertip.errors import AdapterError
from cybertip.webhooks.addresses import LOOPBACK, Guard
from cybertip.webhooks.endpoints import Limits
from cybertip.webhooks.failures import (
    WebhookDeclined,
    WebhookNotSent,
    WebhookUnanswered,
    WebhookUnreadable,
)

HERE = Guard(hosts=["127.0.0.1"], networks=LOOPBACK)
BYTES = b"\xff\xd8 synthetic " * 9000
OK = b"HTTP/1.1 200 OK\r\n"


def files(folder: Path) -> list[Path]:
    """Return every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_kept_as_it_came(colour: Any, serving: Any, answer: Any, tmp_path: Path) -> None:
    """What is kept is what was sent, and its size, digest and type are told."""
    for evidence in (LocalEvidence(tmp_path), MemoryEvidence()):
        with serving(answer(BYTES, Content_Type="image/jpeg")) as server:
            fetched = colour.media(HERE).fetch(f"{server.url}/a%2Fb?token=1", into=evidence)
        with evidence.open(fetched.evidence) as kept:
            assert kept.read() == BYTES
        assert (fetched.size, fetched.media_type) == (len(BYTES), "image/jpeg")
        assert fetched.sha256 == hashlib.sha256(BYTES).hexdigest()
        assert (server.requests[0].method, server.requests[0].target) == ("GET", "/a%2Fb?token=1")


def chunks(connection: socket.socket, _: object) -> None:
    """Answer in pieces of all sizes."""
    connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    for start in range(0, len(BYTES), 7001):
        piece = BYTES[start : start + 7001]
        connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    connection.sendall(b"0\r\n\r\n")


def test_a_file_in_pieces_is_kept_whole(colour: Any, serving: Any) -> None:
    """A server that does not know the length beforehand says where the end is."""
    evidence = MemoryEvidence()
    with serving(chunks) as server:
        fetched = colour.media(HERE).fetch(server.url, into=evidence)
    assert evidence.kept[fetched.evidence] == BYTES


@pytest.mark.parametrize(
    "said",
    [
        OK + b"Content-Length: 500\r\n\r\nhalf",
        OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Content-Length: 500\r\n\r\n",
    ],
)
def test_half_a_file_is_not_kept(colour: Any, serving: Any, tmp_path: Path, said: bytes) -> None:
    """A connection that ends before the file does leaves nothing that could be taken for the file."""
    with serving(lambda connection, _: connection.sendall(said)) as server, pytest.raises(WebhookUnanswered):
        colour.media(HERE).fetch(server.url, into=LocalEvidence(tmp_path))
    assert not files(tmp_path)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"\r\nwho knows whether this is all", "whose end nobody could tell"),
        (b"Content-Length: 0\r\n\r\n", "with nothing"),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "with nothing"),
        (b"Content-Length: 6\r\nContent-Type: text/html; charset=utf-8\r\n\r\ncanary", "a page of HTML instead"),
        (b"Content-Length: 30\r\nContent-Type: image/jpeg\r\n\r\n \n<!DOCTYPE html><title>canary<", "of HTML instead"),
        (b"Content-Length: 13\r\n\r\n<HTML>canary<", "a page of HTML instead"),
        (b"Content-Length: 4\r\nContent-Encoding: gzip\r\n\r\nabcd", "an encoding"),
        (b"Content-Length: 99999999\r\n\r\n", "more than 1000000 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_file_is_not_kept(colour: Any, serving: Any, tmp_path: Path, said: bytes, words: str) -> None:
    """A sign-in page, an empty answer or one that is too large is named, and nothing of it is kept or repeated."""
    limits = Limits(answer_bytes=1_000_000)
    with (
        serving(lambda connection, _: connection.sendall(OK + said)) as server,
        pytest.raises(WebhookUnreadable, match=words) as refused,
    ):
        colour.media(HERE, limits=limits).fetch(server.url, into=LocalEvidence(tmp_path))
    assert not files(tmp_path)
    assert "canary" not in str(refused.value)


def test_a_page_is_kept_where_a_page_is_wanted(colour: Any, serving: Any, answer: Any) -> None:
    """Evidence may be a page of HTML: then the host says so."""
    page = b"<!DOCTYPE html><title>evidence</title>"
    evidence = MemoryEvidence()
    with serving(answer(page, Content_Type="text/html")) as server:
        fetched = colour.media(HERE).fetch(server.url, into=evidence, html=True)
    assert evidence.kept[fetched.evidence] == page


def test_an_endless_file_is_given_up(colour: Any, serving: Any, tmp_path: Path) -> None:
    """A file that turns out larger than any may be is broken off, and what came of it is not kept."""

    def endless(connection: socket.socket, _: object) -> None:
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    limits = Limits(answer_bytes=1_000_000)
    with serving(endless) as server, pytest.raises(WebhookUnreadable, match="more than 1000000 bytes"):
        colour.media(HERE, limits=limits).fetch(server.url, into=LocalEvidence(tmp_path))
    assert not files(tmp_path)


def test_a_slow_file_is_given_up_as_a_whole(colour: Any, serving: Any, tmp_path: Path) -> None:
    """A server that sends a byte now and then holds nobody up beyond the deadline."""
    import time

    def drip(connection: socket.socket, _: object) -> None:
        connection.sendall(OK + b"Content-Length: 400\r\n\r\n")
        for _ in range(400):
            connection.sendall(b"x")
            time.sleep(0.05)

    limits = Limits(deadline_for=timedelta(seconds=0.5), silence_for=timedelta(seconds=10))
    with serving(drip) as server, pytest.raises(WebhookUnanswered, match="in time"):
        colour.media(HERE, limits=limits).fetch(server.url, into=LocalEvidence(tmp_path))
    assert not files(tmp_path)


@pytest.mark.parametrize("status", [204, 206, 302, 304, 403, 404, 410, 500])
def test_only_the_whole_file_is_a_success(colour: Any, serving: Any, answer: Any, status: int) -> None:
    """A part of a file, a redirect or a refusal, as of an address that has expired, is told by its status."""
    evidence = MemoryEvidence()
    body = b"" if status in (204, 304) else b"canary"
    with (
        serving(answer(body, status=f"{status} X", Location="https://intranet.example/")) as server,
        pytest.raises(WebhookDeclined) as declined,
    ):
        colour.media(HERE).fetch(server.url, into=evidence)
    assert declined.value.status == status
    assert not evidence.kept
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://intranet.example/canary", "not on the list"),
        ("http://platform.example/canary", "must be https"),
        ("file:///etc/canary", "https"),
        ("/canary", "https"),
        ("https://user:canary@127.0.0.1/", "without user"),
        ("https://127.0.0.1/ canary", "unusual characters"),
    ],
)
def test_an_address_that_is_not_allowed_is_not_fetched_from(colour: Any, url: str, words: str) -> None:
    """An address comes from a platform's answer, and could be anything: it is refused before anything is sent."""
    with pytest.raises(WebhookNotSent, match=words) as refused:
        colour.media(HERE).fetch(url, into=MemoryEvidence())
    assert "canary" not in str(refused.value)


def test_loopback_wants_an_allowance(colour: Any, serving: Any, answer: Any) -> None:
    """An address in an answer cannot reach a service of this machine."""
    with serving(answer(BYTES)) as server, pytest.raises(WebhookNotSent, match="loopback"):
        colour.media(Guard(hosts=["127.0.0.1"])).fetch(server.url, into=MemoryEvidence())
    assert not server.requests


class FullDisk:
    """Evidence that has no room."""

    def keep(self, source: BinaryIO) -> str:
        """Read a little and fail."""
        source.read(10)
        raise OSError("no space left")


class Hasty:
    """Evidence that does not read to the end."""

    def keep(self, source: BinaryIO) -> str:
        """Read a little and be content."""
        return source.read(10).hex()


class Careless(MemoryEvidence):
    """Evidence that passes over what goes wrong."""

    def keep(self, source: Any) -> str:
        """Keep what can be read."""
        try:
            return super().keep(source)
        except Exception:
            return "something"


class Translating(MemoryEvidence):
    """Evidence that turns whatever goes wrong into an error of its own."""

    def keep(self, source: Any) -> str:
        """Keep it, or fail in one's own words."""
        try:
            return super().keep(source)
        except Exception as error:
            raise AdapterError("Evidence.keep failed") from error


def test_the_evidences_own_failures_are_its_own(colour: Any, serving: Any, answer: Any) -> None:
    """Where the disk is full the host hears just that, and not that the wire failed."""
    with serving(answer(BYTES)) as server, pytest.raises(OSError, match="no space left"):
        colour.media(HERE).fetch(server.url, into=FullDisk())


def test_what_the_wire_did_is_said_whatever_the_evidence_makes_of_it(colour: Any, serving: Any) -> None:
    """Evidence that turns errors into its own, or swallows them, does not hide that the file is not whole."""
    half = OK + b"Content-Length: 500\r\n\r\nhalf"
    for evidence in (Translating(), Careless()):
        with serving(lambda connection, _: connection.sendall(half)) as server, pytest.raises(WebhookUnanswered):
            colour.media(HERE).fetch(server.url, into=evidence)


def test_evidence_that_stops_early_kept_nothing(colour: Any, serving: Any, answer: Any) -> None:
    """A reference to less than the file is no reference to the file."""
    with serving(answer(BYTES)) as server, pytest.raises(WebhookUnreadable, match="not read to its end"):
        colour.media(HERE).fetch(server.url, into=Hasty())


def test_a_token_is_sent_and_shown_to_nobody(
    colour: Any, serving: Any, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A host's own headers reach its store; neither they nor the address are in a log, a repr or an error."""
    caplog.set_level(logging.DEBUG)
    with serving(answer(b"x", status="403 X")) as server:
        media = colour.media(HERE, headers={"Authorization": "Bearer canary"})
        with pytest.raises(WebhookDeclined) as declined:
            media.fetch(f"{server.url}/canary?canary", into=MemoryEvidence())
    assert server.requests[0].headers["authorization"] == "Bearer canary"
    assert "canary" not in f"{caplog.text} {media!r} {declined.value!r} {declined.value}"


def test_a_large_file_takes_no_more_memory(colour: Any, serving: Any, tmp_path: Path) -> None:
    """A file of any size passes through a few blocks of memory."""
    block, count = os.urandom(1024 * 1024), 24

    def large(connection: socket.socket, _: object) -> None:
        connection.sendall(OK + f"Content-Length: {len(block) * count}\r\n\r\n".encode())
        for _ in range(count):
            connection.sendall(block)

    with serving(large) as server:
        media = colour.media(HERE)
        tracemalloc.start()
        try:
            fetched = media.fetch(server.url, into=LocalEvidence(tmp_path))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert fetched.size == len(block) * count
    assert peak < len(block) * 8


@pytest.fixture
def silent(serving: Any) -> Iterator[Any]:
    """Return a server that begins an answer and then says nothing."""

    def behave(connection: socket.socket, _: object) -> None:
        connection.sendall(OK + b"Content-Length: 500\r\n\r\nhalf")
        connection.recv(1)

    with serving(behave) as server:
        yield server


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_fetch_ends_at_once(backend: str, silent: Any, tmp_path: Path) -> None:
    """A caller that gives up is not held by a server that says nothing, and nothing is kept."""

    async def give_up() -> bool:
        with anyio.move_on_after(0.3) as scope:
            await AsyncHttpxMedia(HERE).fetch(silent.url, into=LocalEvidence(tmp_path))
        return scope.cancelled_caught

    assert anyio.run(give_up, backend=backend)
    assert not files(tmp_path)


@pytest.mark.parametrize(
    ("beginning", "is_page"),
    [
        (b"<!DOCTYPE html><html>", True),
        (b"  <!-- a --> <!-- > -- -->\n<HTML lang='en'>", True),
        (b"<!---->" * 73, False),
        (b"<!---->" * 72 + b"<html>", True),
        (b"<!--->" * 80, False),
        (b"<!-- " * 100, False),
        (b"\x89PNG\r\n", False),
        (b"<htmlx>", False),
        (b"", False),
    ],
)
def test_a_page_is_told_by_its_beginning_at_once(beginning: bytes, is_page: bool) -> None:
    """Also where somebody uploads a file that is made to be slow to read: comment after comment, and then nothing."""
    begun = time.process_time()
    assert media._is_page(beginning) is is_page
    # With a pattern that tries every way to split comments it would take longer than the universe is old.
    assert time.process_time() - begun < 5
