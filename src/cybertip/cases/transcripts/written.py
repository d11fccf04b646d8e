"""A transcript on its way out: blocks of bytes that are counted and digested while they pass."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Written"]

#: Lines are gathered up to this many bytes.
_BLOCK = 64 * 1024
#: Evidence is read in blocks of this size.
_BUFFER = 1024 * 1024


class Written:
    """Iterate over the blocks of a transcript, once.

    >>> written = Written(b"", iter([b"one\\n", b"two\\n"]))
    >>> b"".join(written)
    b'one\\ntwo\\n'
    >>> written.messages, written.size, written.sha256[:8]
    (2, 8, 'c3f9c8c2')
    """

    def __init__(self, head: bytes, lines: Iterator[bytes]) -> None:
        self._head = head
        self._lines = lines
        self._digest = hashlib.sha256()
        #: How many messages have passed.
        self.messages = 0
        #: How many bytes have passed.
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        gathered = [self._head] if self._head else []
        size = len(self._head)
        for line in self._lines:
            gathered.append(line)
            size += len(line)
            self.messages += 1
            if size >= _BLOCK:
                yield self._passing(b"".join(gathered))
                gathered, size = [], 0
        if gathered:
            yield self._passing(b"".join(gathered))

    def _passing(self, block: bytes) -> bytes:
        self._digest.update(block)
        self.size += len(block)
        return block

    @property
    def sha256(self) -> str:
        """The SHA-256 of what has passed: of the transcript, once all of it has."""
        return self._digest.hexdigest()

    def as_file(self) -> BinaryIO:
        """Return a file to read it from, once, as evidence is kept."""
        return cast(BinaryIO, io.BufferedReader(_File(self), _BUFFER))


class _File(io.RawIOBase):
    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: "WriteableBuffer") -> int:
        self._left = self._left or next(self._blocks, b"")
        with memoryview(into) as view:
            count = min(len(view), len(self._left))
            view[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
