"""Evidence in memory, for tests."""

import hashlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

__all__ = ["MemoryEvidence"]


class MemoryEvidence:
    """Hold bytes by reference."""

    def __init__(self, kept: Mapping[str, bytes] | None = None) -> None:
        self.kept = dict(kept or {})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.kept)}>"

    def open(self, reference: str) -> BinaryIO:
        """Open what is held."""
        try:
            return BytesIO(self.kept[reference])
        except KeyError:
            raise FileNotFoundError("no such evidence") from None

    def keep(self, source: BinaryIO | Path | str) -> str:
        """Hold the bytes of a file, or what is left to read of a stream; the reference is made as `LocalEvidence` does.

        >>> MemoryEvidence().keep(BytesIO(b"synthetic"))[:12]
        'b3/cc0475bb7'
        """
        data = Path(source).read_bytes() if isinstance(source, Path | str) else source.read()
        digest = hashlib.sha256(data).hexdigest()
        reference = f"{digest[:2]}/{digest[2:]}"
        self.kept[reference] = data
        return reference
