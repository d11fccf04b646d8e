"""Evidence in a folder of this machine."""

from pathlib import Path
from typing import BinaryIO

__all__ = ["LocalEvidence"]


class LocalEvidence:
    """Open files below a folder; references are paths relative to it, with slashes.

    A reference that leads out of the folder, by `..` or by a link, is refused like one that leads nowhere.
    """

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder).resolve()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def open(self, reference: str) -> BinaryIO:
        """Open a file."""
        path = (self._folder / reference).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            # Without the reference, which is a file's name.
            raise FileNotFoundError("no such evidence")
        return path.open("rb")
