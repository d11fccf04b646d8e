"""Evidence that keeps a claim alive while it is read or kept: a long film must not outlast the claim on its case."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

from cybertip.ports.evidence import KeepingEvidence

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["BeatingEvidence"]

_BUFFER = 1024 * 1024


class BeatingEvidence:
    """Pass everything on to other evidence, and call `beat` with each block that is read; what it raises gets out."""

    def __init__(self, evidence: KeepingEvidence, beat: Callable[[], object]) -> None:
        self._evidence, self._beat = evidence, beat

    def open(self, reference: str) -> BinaryIO:
        """Open what is kept; see `cybertip.ports.evidence.Evidence`."""
        return self._beating(self._evidence.open(reference), is_ours=True)

    def keep(self, source: BinaryIO) -> str:
        """Keep what is left of a stream; see `cybertip.ports.evidence.Keeps`."""
        return self._evidence.keep(self._beating(source, is_ours=False))

    def _beating(self, source: BinaryIO, *, is_ours: bool) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Beating(source, self._beat, is_ours=is_ours), _BUFFER))


class _Beating(io.RawIOBase):
    def __init__(self, source: BinaryIO, beat: Callable[[], object], *, is_ours: bool) -> None:
        self._source, self._beat, self._is_ours = source, beat, is_ours

    def readable(self) -> bool:
        return True

    def readinto(self, into: "WriteableBuffer") -> int:
        self._beat()
        with memoryview(into) as view:
            block = self._source.read(len(view))
            view[: len(block)] = block
            return len(block)

    def close(self) -> None:
        if self._is_ours:
            self._source.close()
        super().close()
