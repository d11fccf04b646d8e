"""What only the async client promises: it can be cancelled, and it keeps nobody waiting."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import anyio
import anyio.lowlevel
import httpx
import pytest

from cybertip import AsyncClient, Environment, ReportId

REPORT = ReportId(4564654)
pytestmark = [
    pytest.mark.anyio,
    # What a cancelled exchange half-sent is closed by httpx without telling its own generators, which trio notices.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Slow:
    """A file on a slow disk."""

    def __init__(self, blocks: int, wait_for: float) -> None:
        self.left, self.wait_for, self.closed = blocks, wait_for, False

    def read(self, size: int) -> bytes:
        time.sleep(self.wait_for)
        self.left -= 1
        return bytes(1000) if self.left >= 0 else b""

    def close(self) -> None:
        self.closed = True


async def longest_wait(work: Callable[[], Any]) -> float:
    """Return the longest time, in seconds, that some work kept everything else from running."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await anyio.lowlevel.checkpoint()
            longest = max(longest, time.perf_counter() - before)
            await anyio.sleep(0.001)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await work()
        tasks.cancel_scope.cancel()
    return longest


async def test_a_slow_disk_keeps_nobody_waiting(kit: Any) -> None:
    """Opening, reading, and closing a file happen in threads: the event loop runs on."""

    def opener() -> BinaryIO:
        time.sleep(0.2)
        return Slow(5, 0.2)  # type: ignore[return-value] # all of a file that is needed

    transport, _ = kit.answering(kit.reply(5102))

    async def work() -> None:
        async with httpx.AsyncClient(transport=transport) as http:
            ncmec = AsyncClient(Environment.TEST, http=http)
            with pytest.raises(Exception, match="5102"):
                await ncmec.upload(REPORT, opener, name="a")

    assert await longest_wait(work) < 0.15


async def test_a_large_upload_keeps_nobody_waiting(kit: Any, tmp_path: Path) -> None:
    """Hashing and sending a large file blocks the event loop for moments only."""
    path = tmp_path / "large"
    path.write_bytes(bytes(100 << 20))

    def handler(connection: Any) -> None:
        head, rest = kit.read_head(connection)
        left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - len(rest)
        while left:
            left -= len(connection.recv(1 << 20))
        connection.sendall(kit.http_answer(kit.reply(5102)))

    with kit.serving(handler) as environment:

        async def work() -> None:
            async with AsyncClient(environment) as ncmec:
                with pytest.raises(Exception, match="5102"):
                    await ncmec.upload(REPORT, path, name="a")

        # The server runs in this process and takes its turns; benchmarks/upload.py measures without it.
        assert await longest_wait(work) < 0.15


@pytest.mark.parametrize("when", ["opening", "reading", "waiting"])
async def test_a_cancelled_upload_closes_its_file(kit: Any, when: str) -> None:
    """Cancelling an upload, wherever it stands, closes what it opened and stops its threads."""
    opened: list[Slow] = []

    def opener() -> BinaryIO:
        if when == "opening":
            time.sleep(0.3)
        opened.append(Slow(1_000_000 if when == "reading" else 3, 0.01))
        return opened[-1]  # type: ignore[return-value] # all of a file that is needed

    def handler(connection: Any) -> None:
        while connection.recv(1 << 20):
            pass

    with kit.serving(handler) as environment:
        async with AsyncClient(environment) as ncmec:
            with anyio.move_on_after(0.2) as scope:
                await ncmec.upload(REPORT, opener, name="a")
            assert scope.cancelled_caught
    assert [file.closed for file in opened] == [True]


async def test_uploads_go_side_by_side(kit: Any) -> None:
    """Several uploads of one client run at once, each with its own file and hash."""
    content = [bytes([number]) * 5000 for number in range(5)]

    def answer(request: httpx.Request) -> httpx.Response:
        boundary = request.headers["Content-Type"].split("boundary=")[1].encode()
        file = request.content.split(b"\r\n\r\n", 2)[2].removesuffix(b"\r\n--" + boundary + b"--\r\n")
        md5 = hashlib.md5(file).hexdigest()
        return httpx.Response(200, content=kit.reply(reportId=REPORT, fileId=f"{file[0]:032x}", hash=md5))

    found: dict[int, str] = {}
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        ncmec = AsyncClient(Environment.TEST, http=http)

        async def upload(number: int) -> None:
            found[number] = (await ncmec.upload(REPORT, content[number], name="a")).file_id

        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(upload, number)
    assert found == {number: f"{number:032x}" for number in range(5)}
