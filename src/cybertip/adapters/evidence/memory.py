"""Evidence in memory, for tests."""

from collections.abc import Mapping
from io import BytesIO
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
