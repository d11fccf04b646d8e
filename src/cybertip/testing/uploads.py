"""What becomes of a picture on its way through the world, for tests and demonstrations: it is saved, and saved again."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

__all__ = ["save", "save_again"]


def save(picture: NDArray[np.uint8], path: Path) -> None:
    """Save a picture of `cybertip.testing.pictures` as it is."""
    Image.fromarray(picture).save(path)


def save_again(path: Path, into: Path, *, quality: int = 60) -> None:
    """Save a picture as somebody does who passes it on: turned, mirrored, at half its size and recompressed.

    No digest of it is that of the original.

    >>> import tempfile
    >>> from cybertip.testing.pictures import picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     one, other = Path(folder) / "one.png", Path(folder) / "other.jpg"
    ...     save(picture(1, 96, 128), one)
    ...     save_again(one, other)
    ...     with Image.open(other) as found:
    ...         found.size
    (48, 64)
    """
    with Image.open(path) as original:
        turned = ImageOps.mirror(original.convert("RGB").rotate(90, expand=True))
        turned.resize((turned.width // 2, turned.height // 2)).save(into, quality=quality)
