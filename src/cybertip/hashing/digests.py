"""MD5, SHA-1 and SHA-256 of bytes, in one pass over them.

Lists of known files are made of these three. They find a file only as long as not one bit of it changes, and then they are
certain; what was re-saved or resized is for `cybertip.hashing.pdq`.
"""

import errno
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import attrs

from cybertip.hashing.together import Progress, each
from cybertip.hashing.values import MD5, SHA1, SHA256, MediaHash

__all__ = ["Digests", "digest", "digest_many"]

#: Small enough to stay in a core's cache while three digests read it, large enough to let other threads run meanwhile.
_BLOCK = 256 * 1024

#: What can be digested: bytes, a path, a file that is open for reading (from where it stands), or blocks of bytes.
Source = bytes | bytearray | memoryview | Path | BinaryIO | Iterable[bytes]


@attrs.frozen(kw_only=True)
class Digests:
    """Three digests of the same bytes, in lower-case hexadecimal digits. No repr shows them."""

    size: int
    md5: str = attrs.field(repr=False)
    sha1: str = attrs.field(repr=False)
    sha256: str = attrs.field(repr=False)

    @property
    def hashes(self) -> tuple[MediaHash, MediaHash, MediaHash]:
        """The digests as a matcher takes them."""
        return (
            MediaHash(type=MD5, value=self.md5),
            MediaHash(type=SHA1, value=self.sha1),
            MediaHash(type=SHA256, value=self.sha256),
        )


def digest(source: Source) -> Digests:
    """Digest bytes in one pass, holding no more than a block of them.

    Args:
        source: bytes, a path, a file open for reading (from where it stands; it is not closed), or blocks of bytes.

    Raises:
        OSError: a file cannot be read.

    >>> digest(b"").md5
    'd41d8cd98f00b204e9800998ecf8427e'
    >>> digest([b"syn", b"thetic"]) == digest(b"synthetic")
    True
    """
    md5, sha1 = hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False)
    sha256, size = hashlib.sha256(), 0
    for block in _blocks(source):
        md5.update(block)
        sha1.update(block)
        sha256.update(block)
        size += len(block)
    return Digests(size=size, md5=md5.hexdigest(), sha1=sha1.hexdigest(), sha256=sha256.hexdigest())


def digest_many(
    sources: Iterable[Path | bytes], *, threads: int | None = None, progress: Progress | None = None
) -> Iterator[Digests | OSError]:
    """Digest many files at a time, in threads, and yield one answer for each, in their order.

    A file that cannot be read is answered with the error and keeps none of the others waiting. Files are taken a few ahead
    of what is yielded, so that there may be any number of them.

    Args:
        sources: paths, or bytes.
        threads: as many as there are cores, where nothing is said.
        progress: told how many are done.
    """
    return each(_digest_or_say_why, sources, threads=threads, progress=progress)


def _digest_or_say_why(source: Path | bytes) -> Digests | OSError:
    try:
        return digest(source)
    except OSError as error:
        return error


def _blocks(source: Source) -> Iterator[bytes | memoryview]:
    if isinstance(source, bytes | bytearray | memoryview):
        whole = memoryview(source).cast("B")
        yield from (whole[begin : begin + _BLOCK] for begin in range(0, len(whole), _BLOCK))
    elif isinstance(source, Path):
        with _opened(source) as file:
            yield from _filled(file)
    elif hasattr(source, "read"):
        while block := source.read(_BLOCK):
            yield block
    else:
        yield from source


def _opened(path: Path) -> BinaryIO:
    """Open a file; of a name that no file can have there is none."""
    try:
        return path.open("rb", buffering=0)
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have this name") from None


def _filled(file: BinaryIO) -> Iterator[memoryview]:
    """Read a file into one buffer again and again: each block is good until the next is asked for."""
    buffer = memoryview(bytearray(_BLOCK))
    while read := file.readinto(buffer):  # type: ignore[attr-defined] # raw files have it, and BinaryIO does not say so
        yield buffer[:read]
