"""A file as blocks to send: read as they are needed, hashed in a thread while they are being sent, never held in memory.

A file that changes under our hands is noticed *before* its last block leaves: the exchange is then broken off, and NCMEC
never holds a whole, wrong file.
"""

import hashlib
import io
import os
import stat
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import BinaryIO, cast

import anyio
import anyio.to_thread

from cybertip.errors import InvalidReport, Violation

__all__ = ["BLOCK", "AsyncBlocks", "Blocks", "Progress", "Source"]

#: A path, the bytes themselves, a binary file, or a function that opens one.
Source = str | os.PathLike[str] | bytes | BinaryIO | Callable[[], BinaryIO]

#: Called with the bytes of the file that were handed to the connection, and with their total where it is known.
Progress = Callable[[int, int | None], object]

#: Bytes in a block. Measured (benchmarks/upload.py): smaller ones cost more calls, larger ones more memory, and the
#: network stack copies what it could not send of a block at once. Up to five blocks are in memory.
BLOCK = 1024 * 1024


_THREADLESS = (io.FileIO, io.BytesIO, io.BufferedReader, io.BufferedRandom)


class FileChanged(OSError):
    """The file grew or shrank while it was being sent."""


class Reader:
    """Open a source and hand out its blocks. It blocks, so others use it from a thread, one call at a time."""

    def __init__(self, source: Source, *, digest: bool) -> None:
        self._source = source
        self._file: BinaryIO | None = None
        self._ours = False
        self._start: int | None = None
        self._digest = digest
        self._hashing: _Hashing | None = None
        self._first = b""
        self._total = 0
        self._begun = False
        self._again = False
        #: The file's size in bytes; None where nobody can tell.
        self.size: int | None = None
        #: The MD5 of what was handed out, once all of it was; empty until then, and where none was asked for.
        self.md5 = ""

    def open(self) -> None:
        """Open the source, learn its size, and read the first block: what fails here fails before anything is sent."""
        try:
            self._open()
            self._first = self._read()
            if not self._first:
                raise InvalidReport((Violation(path="source", rule="empty-file", message="has no bytes"),))
        except FileChanged:
            self.close()
            message = "changed while it was being read"
            raise InvalidReport((Violation(path="source", rule="file-changed", message=message),)) from None
        except BaseException:
            self.close()
            raise

    def restart(self) -> None:
        """Begin again with the first block, where any block was handed out; the next call of `next` sees to it."""
        self._again = self._begun

    def next(self) -> bytes:
        """Return the next block, or nothing at the end. Raises `OSError` where the file cannot be read to its end."""
        if self._again:
            self._rewind()
        self._begun = True
        block, self._first = self._first or self._read(), b""
        if self._hashing is not None:
            if block:
                self._hashing.feed(block)
            else:
                self.md5 = self._hashing.hexdigest()
        return block

    @property
    def may_run_ahead(self) -> bool:
        """Tell whether reading from another thread is allowed and worth it.

        Only Python's own files are known not to mind which thread reads them; where a thread hashes, that is what everybody
        waits for; and of a small file nothing is left to be read.
        """
        return isinstance(self._file, _THREADLESS) and not self._digest and self._total != self.size

    def close(self) -> None:
        """Close what was opened here; a caller's own file stays open."""
        hashing, self._hashing = self._hashing, None
        if hashing is not None:
            hashing.close()
        file, self._file = self._file, None
        if file is not None and self._ours:
            file.close()

    def _open(self) -> None:
        source = self._source
        if isinstance(source, str | os.PathLike):
            try:
                # Unbuffered: blocks are large, and a buffer would only copy them.
                self._file = open(source, "rb", buffering=0)  # noqa: SIM115 - closed by close()
            except OSError as error:
                # The path may be the name that a user gave the file; the caller knows which file it asked for.
                del error.filename
                raise
            self._ours = True
        elif isinstance(source, bytes | bytearray | memoryview):
            self._file, self._ours = io.BytesIO(source), True
        elif hasattr(source, "read") and not isinstance(source, type):
            self._file, self._ours = cast(BinaryIO, source), False
        elif callable(source):
            self._file, self._ours = source(), True
        else:
            raise TypeError("a source is a path, bytes, a binary file, or a function that opens one")
        self._start, self.size = _measure(self._file)
        self._begin()

    def _begin(self) -> None:
        self._total, self._first, self._begun, self.md5 = 0, b"", False, ""
        self._hashing = _Hashing() if self._digest else None

    def _rewind(self) -> None:
        """Go back to the start, which only an authentication that answers a challenge asks for."""
        self._again = False
        if self._hashing is not None:
            self._hashing.close()
        if self._file is not None and self._start is not None:
            self._file.seek(self._start)
        elif self._file is not None and self._ours and callable(self._source):
            self._file.close()
            self._file = self._source()
        else:
            raise io.UnsupportedOperation("the file cannot be read a second time")
        # The size stays what the request's head said; a file of another size is a file that changed.
        self._begin()

    def _read(self) -> bytes:
        """Read a block; with the last one of a known size, make sure that nothing follows."""
        assert self._file is not None
        block = _sound(self._file.read(BLOCK))
        self._total += len(block)
        if self.size is not None:
            grown = self._total > self.size or (self._total == self.size and block and self._file.read(1))
            if grown or (not block and self._total < self.size):
                raise FileChanged("the file grew or shrank while it was being sent")
        return block


def _sound(block: object) -> bytes:
    if isinstance(block, bytes):
        return block
    if block is None:
        raise BlockingIOError("the file is not ready; give one that blocks")
    raise TypeError("a file must be opened in binary mode and read as bytes")


def _measure(file: BinaryIO) -> tuple[int | None, int | None]:
    """Return where a file stands and how many bytes it has from there; None for what it does not know."""
    if isinstance(file, io.FileIO):
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None, None
        start = file.tell()
        return start, max(0, status.st_size - start)
    # Only seeking tells the truth of a file that unpacks or decrypts what it reads.
    try:
        if not file.seekable():
            return None, None
        start = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(start)
    except (AttributeError, OSError, ValueError):
        return None, None
    return start, max(0, end - start)


class _Hashing:
    """Hash in a thread, two blocks behind at most: enough for the thread never to wait, and no more memory than that."""

    def __init__(self) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._thread = ThreadPoolExecutor(1, "cybertip-md5")
        self._pending: deque[Future[None]] = deque()

    def feed(self, block: bytes) -> None:
        self._wait(1)
        self._pending.append(self._thread.submit(self._md5.update, block))

    def hexdigest(self) -> str:
        self._wait(0)
        return self._md5.hexdigest()

    def close(self) -> None:
        self._thread.shutdown()

    def _wait(self, left: int) -> None:
        while len(self._pending) > left:
            self._pending.popleft().result()


class Blocks:
    """Iterate over a source's blocks, telling `progress` of each that the connection took.

    Entering opens the source and reads its first block, and so fails before anything is sent where that cannot be done.
    Iterating again starts again, where the source can. While a block is being sent, a thread hashes it; or, where nothing is
    hashed and the file allows it, reads the next one.
    """

    def __init__(self, source: Source, *, digest: bool, progress: Progress | None = None) -> None:
        self._reader = Reader(source, digest=digest)
        self._progress = progress
        self._sent = 0
        self._last = 0
        self._thread = ThreadPoolExecutor(1, "cybertip-read")
        self._coming: Future[bytes] | None = None
        self._again = False

    @property
    def size(self) -> int | None:
        """The source's size in bytes; None where nobody can tell."""
        return self._reader.size

    @property
    def md5(self) -> str:
        """The MD5 of what was sent; empty where not all of it was."""
        return self._reader.md5

    def __enter__(self) -> "Blocks":
        self._reader.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        self._reader.close()

    def __iter__(self) -> "Blocks":
        self._again = True
        self._sent = self._last = 0
        return self

    def __next__(self) -> bytes:
        self._report()
        if self._again:
            # The reader serves one call at a time; what it still does is from before.
            self._settle()
            self._again = False
            self._reader.restart()
        ahead = self._coming is not None or self._reader.may_run_ahead
        block = self._fetched() if ahead else self._reader.next()
        if not block:
            raise StopIteration
        self._last = len(block)
        return block

    def _fetched(self) -> bytes:
        coming = self._coming or self._thread.submit(self._reader.next)
        block = coming.result()
        self._coming = self._thread.submit(self._reader.next) if block else None
        return block

    def _settle(self) -> None:
        coming, self._coming = self._coming, None
        if coming is not None:
            wait([coming])

    def _report(self) -> None:
        self._sent += self._last
        if self._last and self._progress is not None:
            self._progress(self._sent, self.size)
        self._last = 0


class AsyncBlocks:
    """Iterate over a source's blocks as `Blocks` does; whatever touches the source happens in a thread.

    The next block is read while one is being sent, so that the event loop rarely has to wait for it.
    """

    def __init__(self, source: Source, *, digest: bool, progress: Progress | None = None) -> None:
        self._reader = Reader(source, digest=digest)
        self._progress = progress
        self._sent = 0
        self._last = 0
        self._thread = ThreadPoolExecutor(1, "cybertip-read")
        self._coming: Future[bytes] | None = None
        self._again = False

    @property
    def size(self) -> int | None:
        """The source's size in bytes; None where nobody can tell."""
        return self._reader.size

    @property
    def md5(self) -> str:
        """The MD5 of what was sent; empty where not all of it was."""
        return self._reader.md5

    async def __aenter__(self) -> "AsyncBlocks":
        try:
            await anyio.to_thread.run_sync(self._reader.open)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    def __aiter__(self) -> "AsyncBlocks":
        self._again = True
        self._sent = self._last = 0
        return self

    async def __anext__(self) -> bytes:
        self._report()
        block = await self._fetched()
        if not block:
            raise StopAsyncIteration
        self._coming = self._thread.submit(self._reader.next)
        self._last = len(block)
        return block

    async def _fetched(self) -> bytes:
        if self._again and self._coming is not None:
            # The reader serves one call at a time; what it still does is from before.
            await anyio.to_thread.run_sync(wait, [self._coming])
            self._coming = None
        if self._again:
            self._again = False
            self._reader.restart()
        if self._coming is None:
            self._coming = self._thread.submit(self._reader.next)
        if not self._coming.done():
            await anyio.to_thread.run_sync(wait, [self._coming])
        return self._coming.result()

    def _report(self) -> None:
        self._sent += self._last
        if self._last and self._progress is not None:
            self._progress(self._sent, self.size)
        self._last = 0

    async def _close(self) -> None:
        # A cancelled upload closes its file, too.
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._close_in_thread)

    def _close_in_thread(self) -> None:
        self._thread.shutdown()
        self._reader.close()
