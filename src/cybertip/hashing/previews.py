"""Small copies of pictures, for services that have to see them: what can be seen leaves the machine, and nothing else.

A copy is decoded within the same limits as what is hashed, upright and in plain colours, and written anew: it has nothing of
the file's bytes, names, places and times.
"""

import io
from pathlib import Path
from typing import BinaryIO, Final

import attrs
from PIL import Image

from cybertip.hashing.decoding import Limits, Refused, opened, whole
from cybertip.hashing.pictures import Remark, Unhashed, plain
from cybertip.hashing.values import NotChecked

__all__ = ["Preview", "preview"]

_QUALITY: Final = 85


@attrs.frozen(kw_only=True)
class Preview:
    """A small JPEG of a picture."""

    data: bytes = attrs.field(repr=False)
    width: int
    height: int
    #: There are more pictures in the file than the one that this is of.
    moving: bool


def preview(source: bytes | Path | BinaryIO, *, side: int = 640, limits: Limits | None = None) -> Preview | Unhashed:
    """Return a small copy of what can be seen in a file, or say why there is none. It raises for no file.

    Args:
        source: the file's bytes, its path, or the file, open for reading; it is not closed.
        side: the longer side is at most so many pixels; smaller pictures keep their size.
        limits: what is too large or too small. PDQ's quality has no say here.
    """
    limits = limits or Limits()
    try:
        found = opened(whole(source, most=limits.most_bytes), _decoding(limits, side))
        picture, remarks = plain(found, _decoding(limits, side))
        picture.thumbnail((side, side))
        # Pillow would write comments of the file into the copy: it gets the pixels alone.
        copy = Image.new(picture.mode, picture.size)
        copy.paste(picture)
        file = io.BytesIO()
        copy.save(file, "JPEG", quality=_QUALITY)
    except Refused as refused:
        return Unhashed(reason=refused.reason)
    except MemoryError:
        return Unhashed(reason=NotChecked.TOO_LARGE)
    return Preview(data=file.getvalue(), width=copy.width, height=copy.height, moving=Remark.FIRST_FRAME in remarks)


def _decoding(limits: Limits, side: int) -> Limits:
    """Return limits with which no more is decoded than it takes for a good copy: twice its size each way."""
    return attrs.evolve(limits, huge_pixels=min(limits.huge_pixels, 4 * side * side))
