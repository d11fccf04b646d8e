"""A checkpoint that was kept in a file."""

from collections.abc import Collection, Generator, Iterator
from os import PathLike
from pathlib import Path

from cybertip.errors import InvalidCheckpoint
from cybertip.filing.checkpoint import Mark, Seal, Verifier, check, marks

__all__ = ["Checkpoint"]

#: Bytes of the longest line that is read: no file can fill the memory.
_LONGEST = 64 * 1024


class Checkpoint:
    """A checkpoint in a file, read to its end and found whole.

    Args:
        path: the file. It is read again while it is compared, and must stay as it is until then.
        trusted: public keys, of which one must have signed it; without any, whoever wrote it is believed.

    Raises `InvalidCheckpoint` for a file that is cut off, altered, or not signed by a trusted key.
    """

    def __init__(self, path: PathLike[str] | str, *, trusted: Collection[Verifier] = ()) -> None:
        self._path = Path(path)
        self.seal: Seal = check(self._lines(), trusted=trusted)
        #: Whether somebody's signature was asked for, and found.
        self.trusted = bool(trusted)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.seal.taken_at} over {self.seal.count} journals>"

    def marks(self) -> Generator[Mark, None, None]:
        """Yield the marks in the order of their keys."""
        seal = yield from marks(self._lines())
        if seal.root != self.seal.root:
            raise InvalidCheckpoint("the checkpoint was replaced by another while it was read")

    def _lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while line := file.readline(_LONGEST):
                yield line
