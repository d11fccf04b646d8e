"""A file goes up whole, as it is, and block by block."""

import gzip
import hashlib
import io
import os
import re
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest
from python_multipart.multipart import parse_options_header

from cybertip import HashMismatch, InDoubt, InvalidReport, ReportId
from cybertip.adapters.transport import blocks

REPORT = ReportId(4564654)
FILE = "12345678901234567890123456789012"
SMALL = 1000


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks without many bytes."""
    monkeypatch.setattr(blocks, "BLOCK", SMALL)


class Receiver(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Take an upload as NCMEC does, and answer with the MD5 of what arrived."""

    def __init__(self, *, md5: str | None = None, only: int | None = None) -> None:
        self.md5, self.only = md5, only
        self.headers = httpx.Headers()
        self.pieces: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.headers = request.headers
        for piece in request.stream:
            self.pieces.append(piece)
            if self.only is not None and len(self.pieces) > self.only:
                break
        return self._answer()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        self.headers = request.headers
        async for piece in request.stream:
            self.pieces.append(piece)
            if self.only is not None and len(self.pieces) > self.only:
                break
        return self._answer()

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        boundary = parse_options_header(self.headers["Content-Type"])[1][b"boundary"]
        form = b"".join(self.pieces)
        file = form.split(b"\r\n\r\n", 2)[2]
        return file.removesuffix(b"\r\n--" + boundary + b"--\r\n")

    @property
    def file_name(self) -> str:
        """The name, as it was sent."""
        found = re.search(rb'filename="([^"]*)"', b"".join(self.pieces))
        assert found is not None
        return found[1].decode()

    def _answer(self) -> httpx.Response:
        md5 = self.md5 if self.md5 is not None else hashlib.md5(self.content).hexdigest()
        return httpx.Response(
            200,
            content=f"<reportResponse><responseCode>0</responseCode><reportId>{REPORT}</reportId>"
            f"<fileId>{FILE}</fileId><hash>{md5}</hash></reportResponse>".encode(),
        )


def uploading(source: Any, **settings: Any) -> Callable[[Any], Any]:
    """Return the call that uploads a source."""
    return lambda ncmec: ncmec.upload(REPORT, source, **{"name": "example.jpg", **settings})


CONTENT = bytes(range(256)) * 20 + b"\r\n--end"


class Pipe(io.RawIOBase):
    """A file that can only be read, in odd pieces, and knows nothing of its size."""

    def __init__(self, content: bytes) -> None:
        self._inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, 333))


class Bare:
    """No more of a file than `read`."""

    def __init__(self, content: bytes) -> None:
        self._inner = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self._inner.read(size)


def _standing(file: BinaryIO) -> BinaryIO:
    file.read(10)
    return file


SOURCES: dict[str, tuple[Callable[[Path], Any], bytes, bool]] = {
    "path": (lambda path: path, CONTENT, True),
    "path as text": (str, CONTENT, True),
    "bytes": (lambda path: CONTENT, CONTENT, True),
    "bytearray": (lambda path: bytearray(CONTENT), CONTENT, True),
    "one block": (lambda path: CONTENT[:SMALL], CONTENT[:SMALL], True),
    "two blocks": (lambda path: CONTENT[: 2 * SMALL], CONTENT[: 2 * SMALL], True),
    "one byte": (lambda path: b"x", b"x", True),
    "opener": (lambda path: lambda: path.open("rb"), CONTENT, True),
    "opener of memory": (lambda path: lambda: io.BytesIO(CONTENT), CONTENT, True),
    "opener of a pipe": (lambda path: lambda: Pipe(CONTENT), CONTENT, False),
    "memory": (lambda path: io.BytesIO(CONTENT), CONTENT, True),
    "memory in the middle": (lambda path: _standing(io.BytesIO(CONTENT)), CONTENT[10:], True),
    "raw file in the middle": (lambda path: _standing(open(path, "rb", buffering=0)), CONTENT[10:], True),  # noqa: SIM115 - closed by the test
    "pipe": (lambda path: Pipe(CONTENT), CONTENT, False),
    "bare": (lambda path: Bare(CONTENT), CONTENT, False),
    "unpacking": (lambda path: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(CONTENT))), CONTENT, True),
}


@pytest.mark.parametrize("known", [True, False], ids=["MD5 known", "MD5 computed"])
@pytest.mark.parametrize("name", SOURCES)
def test_any_source_arrives_whole(colour: Any, tmp_path: Path, name: str, known: bool) -> None:
    """Whatever a file comes from, its bytes arrive as they are, with their length where it can be known."""
    path = tmp_path / "stored"
    path.write_bytes(CONTENT)
    make, expected, sized = SOURCES[name]
    receiver = Receiver()
    progress: list[tuple[int, int | None]] = []
    md5 = hashlib.md5(expected).hexdigest()
    source = make(path)
    reply = colour(
        uploading(
            source, md5=md5 if known else None, progress=lambda *now: progress.append(now), media_type="image/jpeg"
        ),
        receiver,
    )
    assert receiver.content == expected
    assert (reply.file_id, reply.md5) == (FILE, md5)
    assert ("Content-Length" in receiver.headers) is sized
    assert (receiver.headers.get("Transfer-Encoding") == "chunked") is not sized
    if sized:
        assert int(receiver.headers["Content-Length"]) == sum(map(len, receiver.pieces))
    assert b'name="id"\r\n\r\n4564654\r\n' in receiver.pieces[0]
    assert b"Content-Type: image/jpeg\r\n" in receiver.pieces[0]
    # Progress rises to the end, and says the total where it is known.
    assert [sent for sent, _ in progress] == sorted({sent for sent, _ in progress})
    assert progress[-1] == (len(expected), len(expected) if sized else None)
    assert {total for _, total in progress} == {len(expected) if sized else None}
    assert all(len(piece) <= SMALL for piece in receiver.pieces)
    if hasattr(source, "close"):
        assert not source.closed
        source.close()


def test_each_upload_has_its_own_boundary(colour: Any) -> None:
    """A boundary cannot be learned from one upload to forge the next."""
    found = set()
    for _ in range(2):
        receiver = Receiver()
        colour(uploading(b"x"), receiver)
        found.add(receiver.headers["Content-Type"])
    assert len(found) == 2
    assert all(re.fullmatch(r"multipart/form-data; boundary=[0-9a-f]{32}", one) for one in found)


def test_a_hostile_name_arrives_harmless(colour: Any) -> None:
    """A name that tries to forge headers is one escaped name."""
    receiver = Receiver()
    colour(uploading(b"x", name='a"\r\nX-Forged: 1\r\n\r\n\u00fc'), receiver)
    assert receiver.file_name == "a%22%0D%0AX-Forged: 1%0D%0A%0D%0A\u00fc"


def test_an_opened_file_is_closed(colour: Any, tmp_path: Path) -> None:
    """What is opened for an upload is closed after it, whether it went well or not."""
    opened: list[io.BytesIO] = []

    def opener() -> BinaryIO:
        opened.append(io.BytesIO(CONTENT))
        return opened[-1]

    colour(uploading(opener), Receiver())
    with pytest.raises(HashMismatch):
        colour(uploading(opener), Receiver(md5="0" * 32))
    with pytest.raises(InvalidReport):
        colour(uploading(opener, media_type="nonsense"), Receiver())
    assert [file.closed for file in opened] == [True, True, True]


# -- the MD5 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, SMALL, 3 * SMALL + 7])
def test_other_bytes_at_ncmec_are_noticed(colour: Any, size: int) -> None:
    """An MD5 of NCMEC's that is not that of the bytes sent, or not the one given, is an error; letters have no case."""
    content = CONTENT[:size]
    md5 = hashlib.md5(content).hexdigest()
    for given in (None, md5, md5.upper()):
        with pytest.raises(HashMismatch, match="not ours"):
            colour(uploading(content, md5=given), Receiver(md5="0" * 32))
        assert colour(uploading(content, md5=given), Receiver(md5=md5.upper())).md5 == md5
    with pytest.raises(HashMismatch):
        colour(uploading(content, md5="0" * 32), Receiver())


def test_success_before_the_end_is_none(colour: Any) -> None:
    """An answer of success that came before the whole file was sent is not believed, whatever MD5 it names."""
    with pytest.raises(HashMismatch, match="before the whole file"):
        colour(uploading(CONTENT), Receiver(only=2))


def test_hashing_happens_elsewhere(colour: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The MD5 is computed in a thread of its own, block by block in order, and says that it is not for security."""
    threads: set[int] = set()
    real = hashlib.md5

    class Watched:
        def __init__(self, **settings: Any) -> None:
            assert settings == {"usedforsecurity": False}
            self._inner = real()

        def update(self, block: bytes) -> None:
            threads.add(threading.get_ident())
            self._inner.update(block)

        def hexdigest(self) -> str:
            return self._inner.hexdigest()

    receiver = Receiver(md5=real(CONTENT).hexdigest())
    monkeypatch.setattr(hashlib, "md5", Watched)
    colour(uploading(CONTENT), receiver)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


# -- what cannot be sent ------------------------------------------------------------------------------------------------


def nothing_sent(request: httpx.Request) -> httpx.Response:
    """Fail a test that sends anything."""
    raise AssertionError("something was sent")


@pytest.mark.parametrize(
    "source", [b"", io.BytesIO(), lambda: Pipe(b""), Bare(b""), _standing(io.BytesIO(b"0123456789"))]
)
def test_an_empty_file_is_refused(colour: Any, source: Any) -> None:
    """A file without bytes helps nobody, and is refused before anything is sent, even where its size is not known."""
    with pytest.raises(InvalidReport) as raised:
        colour(uploading(source), httpx.MockTransport(nothing_sent))
    assert [violation.rule for violation in raised.value.violations] == ["empty-file"]


def test_a_file_that_cannot_be_opened_is_the_callers_error(colour: Any, tmp_path: Path) -> None:
    """What opening a source raises comes as it is, for nothing was sent; a path is not repeated."""
    for path, expected in ((tmp_path / "canary", FileNotFoundError), (tmp_path, IsADirectoryError)):
        with pytest.raises(expected) as raised:
            colour(uploading(path), httpx.MockTransport(nothing_sent))
        assert "canary" not in str(raised.value) + repr(raised.value)
        assert raised.value.errno

    def failing() -> BinaryIO:
        raise KeyError("evidence")

    with pytest.raises(KeyError):
        colour(uploading(failing), httpx.MockTransport(nothing_sent))


class Failing(io.BytesIO):
    """A file that breaks after some blocks."""

    def __init__(self, content: bytes, good: int, error: Exception) -> None:
        super().__init__(content)
        self._good, self._error = good, error

    def read(self, size: int | None = -1) -> bytes:
        self._good -= 1
        if self._good < 0:
            raise self._error
        return super().read(size)


def test_a_file_that_cannot_be_read_at_all_was_never_sent(colour: Any) -> None:
    """What the first read raises comes as it is, for nothing was sent."""
    error = OSError(5, "Input/output error")
    with pytest.raises(OSError, match="Input/output") as raised:
        colour(uploading(Failing(CONTENT, 0, error)), httpx.MockTransport(nothing_sent))
    assert raised.value is error


@pytest.mark.parametrize("known", [True, False])
def test_a_file_that_breaks_on_the_way_leaves_doubt(colour: Any, known: bool) -> None:
    """Once bytes may have left, a file that cannot be read on leaves the upload in doubt, with the reason as its cause."""
    error = OSError(5, "Input/output error")
    with pytest.raises(InDoubt, match="could not be read to its end") as raised:
        colour(uploading(Failing(CONTENT, 3, error), md5="0" * 32 if known else None), Receiver())
    assert raised.value.__cause__ is error
    assert raised.value.endpoint == "/upload"


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("change", [-1, +1, +2 * SMALL])
def test_a_file_that_changes_on_the_way_is_broken_off(
    colour: Any, tmp_path: Path, change: int, known: bool, own: bool
) -> None:
    """A file that grows or shrinks while it is sent is noticed before its form is complete."""
    path = tmp_path / "growing"
    path.write_bytes(CONTENT)
    changed = False

    def once(*_: object) -> None:
        nonlocal changed
        if not changed:
            os.truncate(path, len(CONTENT) + change)
        changed = True

    receiver = Receiver()
    source: Any = path if own else lambda: path.open("rb", buffering=0)
    with pytest.raises(InDoubt, match="could not be read to its end"):
        colour(uploading(source, md5="0" * 32 if known else None, progress=once), receiver)
    assert not any(piece.endswith(b"--\r\n") for piece in receiver.pieces)


def test_a_small_file_that_changes_is_never_sent(colour: Any, tmp_path: Path) -> None:
    """A file that changed before its first block left is refused, and nothing is sent."""

    class Growing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            found = super().read(size)
            self.write(b"more")
            self.seek(-4, os.SEEK_CUR)
            return found

    with pytest.raises(InvalidReport) as raised:
        colour(uploading(Growing(b"example")), httpx.MockTransport(nothing_sent))
    assert [violation.rule for violation in raised.value.violations] == ["file-changed"]


def test_progress_that_fails_breaks_the_upload_off(colour: Any) -> None:
    """An error in the caller's progress ends the upload, which is then in doubt, with the error as its cause."""
    error = RuntimeError("stop")

    def failing(*_: object) -> None:
        raise error

    receiver = Receiver()
    with pytest.raises(InDoubt) as raised:
        colour(uploading(CONTENT, progress=failing), receiver)
    assert raised.value.__cause__ is error
    assert len(receiver.pieces) == 2


@pytest.mark.parametrize("source", [None, 7, ["a"], object()])
def test_what_is_no_source_is_refused(colour: Any, source: Any) -> None:
    """Something that is no file is a mistake of the program, and is named."""
    with pytest.raises(TypeError, match="a source is"):
        colour(uploading(source), httpx.MockTransport(nothing_sent))


def test_a_text_file_is_refused(colour: Any) -> None:
    """A file opened as text would be sent in another encoding than it has."""
    with pytest.raises(TypeError, match="binary"):
        colour(uploading(io.StringIO("text")), httpx.MockTransport(nothing_sent))


def test_a_file_that_is_not_ready_is_refused(colour: Any) -> None:
    """A file that does not block would look as if it had ended."""

    class Unready(Bare):
        def read(self, size: int) -> Any:
            return None

    with pytest.raises(BlockingIOError):
        colour(uploading(Unready(b"")), httpx.MockTransport(nothing_sent))


class Twice(httpx.Auth):
    """Send everything twice."""

    def auth_flow(self, request: httpx.Request) -> Any:
        yield request
        yield request


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", SOURCES)
def test_a_source_starts_anew_where_it_can(colour: Any, tmp_path: Path, name: str, known: bool) -> None:
    """An authentication that sends the request again sends the file from where it began; one that cannot is in doubt."""
    path = tmp_path / "stored"
    path.write_bytes(CONTENT)
    make, expected, sized = SOURCES[name]
    received: list[bytes] = []

    class Keeping(Receiver):
        def _answer(self) -> httpx.Response:
            received.append(self.content)
            self.pieces.clear()
            md5 = hashlib.md5(expected).hexdigest()
            return Receiver(md5=md5)._answer()

    source = make(path)
    call = uploading(source, md5=hashlib.md5(expected).hexdigest() if known else None)
    if sized or callable(source):
        colour(call, Keeping(), auth=Twice())
        assert received == [expected, expected]
    else:
        with pytest.raises(InDoubt):
            colour(call, Keeping(), auth=Twice())
        assert received == [expected]
    if hasattr(source, "close"):
        source.close()


def test_no_file_is_held_in_memory(colour: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large upload needs a few blocks of memory, however large it is."""
    monkeypatch.setattr(blocks, "BLOCK", 1 << 16)
    total = 64 << 20

    class Zeros:
        def __init__(self) -> None:
            self.left = total

        def read(self, size: int) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

        def close(self) -> None:
            self.left = 0

    class Discarding(Receiver):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.SyncByteStream)
            self.count = sum(len(piece) for piece in request.stream)
            return self._answer()

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            self.count = 0
            async for piece in request.stream:
                self.count += len(piece)
            return self._answer()

    receiver = Discarding(md5=hashlib.md5(bytes(total)).hexdigest())
    colour(uploading(b"warm"), Receiver())
    tracemalloc.start()
    colour(uploading(Zeros), receiver)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert receiver.count > total
    assert peak < 2 << 20
