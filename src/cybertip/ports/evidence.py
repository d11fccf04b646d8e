"""Where the bytes of evidence are kept. The port has one colour: async callers use it from threads, for files block."""

import hashlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from cybertip.filing import FileEntry
from cybertip.filing.effects import Spoiled
from cybertip.model import FileDescription

__all__ = ["Evidence", "KeepingEvidence", "Keeps", "entry_of", "inspect"]

_BLOCK = 1024 * 1024


class Evidence(Protocol):
    """Keep bytes under references.

    - It may be called from several threads at once.
    - What was kept under a reference stays as it is; whoever opens it again reads the same bytes.
    - `OSError` is raised for what cannot be opened or read; nothing else. `FileNotFoundError` says that there is no such
      evidence, which calls a person; after any other it is tried again.
    """

    def open(self, reference: str) -> BinaryIO:
        """Open what is kept under a reference for reading, from its beginning. The caller closes it."""
        ...


class Keeps(Protocol):
    """Whatever keeps evidence, such as `LocalEvidence`."""

    def keep(self, source: BinaryIO) -> str:
        """Keep what is left to read of a stream, and return its reference.

        - When it returns, the bytes are kept for good under that reference.
        - `OSError` is raised for what cannot be read or kept; nothing refers to it then.
        """
        ...


class KeepingEvidence(Evidence, Keeps, Protocol):
    """Evidence that can be added to."""


def entry_of(
    evidence: Evidence,
    reference: str,
    *,
    name: str,
    media_type: str = "application/octet-stream",
    description: FileDescription | None = None,
) -> FileEntry:
    """Digest what is kept under a reference, in one pass, and return its entry in the manifest."""
    size, sha256, md5 = _digests(evidence, reference)
    return FileEntry(
        evidence=reference, name=name, media_type=media_type, size=size, sha256=sha256, md5=md5, description=description
    )


def inspect(evidence: Evidence, file: FileEntry, beat: Callable[[], object] = lambda: None) -> Spoiled | None:
    """Say what keeps a file's evidence from being what the manifest says; None if it is just that.

    No more is read than the manifest's size and a little. `beat` is called with each block: a large file takes long.
    """
    sha256, size = hashlib.sha256(), 0
    try:
        with evidence.open(file.evidence) as source:
            while size <= file.size and (block := source.read(_BLOCK)):
                sha256.update(block)
                size += len(block)
                beat()
    except OSError as error:
        return Spoiled.unread(error)
    if size != file.size:
        return Spoiled(
            f"has {'more' if size > file.size else 'less'} than the {file.size} bytes that the manifest says"
        )
    return None if sha256.hexdigest() == file.sha256 else Spoiled("is not what was digested when it was filed")


def _digests(evidence: Evidence, reference: str) -> tuple[int, str, str]:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with evidence.open(reference) as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            md5.update(block)
            size += len(block)
    return size, sha256.hexdigest(), md5.hexdigest()
