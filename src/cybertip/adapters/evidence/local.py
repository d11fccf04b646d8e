"""Evidence in a folder of this machine."""

import errno
import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["LocalEvidence"]

_BLOCK = 1024 * 1024

#: What a file is called until it has its place. One that a crash left behind is referred to by nobody.
_INCOMING = ".incoming-"


class LocalEvidence:
    """Keep files below a folder and open them; references are paths relative to it, with slashes.

    A reference that leads out of the folder, by `..` or by a link, is refused like one that leads nowhere.

    Args:
        folder: where the files are. The first `keep` makes it, for its owner alone.
        read_only: refuse to keep anything, as a worker may that only delivers.
    """

    def __init__(self, folder: Path | str, *, read_only: bool = False) -> None:
        self._folder = Path(folder).resolve()
        self._read_only = read_only

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def open(self, reference: str) -> BinaryIO:
        """Open a file."""
        # Errors are raised anew without the reference, which may be a file's name.
        path = self._path(reference)
        if path is None:
            if not self._folder.is_dir():
                # As when a disk elsewhere is away for a while: nobody knows what is in it.
                raise OSError(errno.ENOTDIR, "the folder of the evidence is not there")
            raise FileNotFoundError("no such evidence")
        try:
            return path.open("rb")
        except OSError as error:
            raise OSError(error.errno, error.strerror) from None

    def _path(self, reference: str) -> Path | None:
        try:
            path = (self._folder / reference).resolve()
            return path if path.is_relative_to(self._folder) and path.is_file() else None
        except (OSError, RuntimeError, ValueError):
            # No path can be spelled like this, or its links lead in a circle.
            return None

    def keep(self, source: BinaryIO | Path | str) -> str:
        """Copy a file, or what is left to read of a stream, into the folder and return its reference.

        The reference is made of the SHA-256 of the bytes: the same bytes have the same one, however often they are kept, and
        a copy that was damaged meanwhile is replaced by a sound one. When this returns, the bytes are on the disk under that
        reference; when it raises `OSError`, or the machine stops, there may be a file left over that nothing refers to.

        >>> import io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     LocalEvidence(folder).keep(io.BytesIO(b"synthetic"))[:12]
        'b3/cc0475bb7'
        """
        if self._read_only:
            raise OSError(errno.EROFS, "this evidence was opened for reading only")
        if not isinstance(source, Path | str):
            return self._keep(source)
        with Path(source).open("rb") as file:
            return self._keep(file)

    def _keep(self, source: BinaryIO) -> str:
        _make(self._folder)
        number, name = tempfile.mkstemp(prefix=_INCOMING, dir=self._folder)
        try:
            with os.fdopen(number, "wb") as incoming:
                digest = hashlib.sha256()
                while block := source.read(_BLOCK):
                    digest.update(block)
                    incoming.write(block)
                incoming.flush()
                os.fsync(incoming.fileno())
            return self._settle(name, digest.hexdigest())
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise

    def _settle(self, incoming: str, digest: str) -> str:
        """Give a file that is whole and on the disk its name."""
        place = self._folder / digest[:2] / digest[2:]
        place.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(incoming, place)
        # A name is on the disk once its folder is. Another process may have made that folder a moment ago.
        _sync(place.parent)
        _sync(self._folder)
        return f"{digest[:2]}/{digest[2:]}"


def _make(folder: Path) -> None:
    """Make a folder and those above it, each on the disk before there is anything in it."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
