"""PDQ of files: each is brought to plain pixels first, the same however it was saved.

A palette's numbers, the inks of a print or a camera's rotation are no brightness: hashed as they lie in the file, a known
picture that was saved in another way has a hash that no list knows, and nobody notices. So a picture is first turned as its
camera held it, laid over white where it is transparent, and brought to red, green and blue, or to grey.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import attrs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cybertip.hashing.decoding import Limits, Opened, Refused, opened, shrinking, whole
from cybertip.hashing.pdq import PdqHashes, pdq
from cybertip.hashing.together import Progress, each
from cybertip.hashing.values import MediaHash, NotChecked

__all__ = ["Limits", "PictureHashes", "Remark", "Unhashed", "hash_picture", "hash_pictures", "plain"]

#: EXIF's number for how the camera was held, and what undoes each of its values.
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: How many numbers are brought to grey at a time.
_AT_A_TIME: Final = 2**20


class Remark(StrEnum):
    """What was done to a picture, or left out, before it was hashed."""

    #: There are more pictures in the file, and only the first was looked at.
    FIRST_FRAME = "first_frame"
    #: It is transparent in places, and was laid over white.
    OVER_WHITE = "over_white"
    #: It is huge, and was made smaller: its hash differs from that of the full size in a few bits.
    SHRUNK = "shrunk"


@attrs.frozen(kw_only=True)
class PictureHashes:
    """The hashes of a picture and its flips and rotations."""

    pdq: PdqHashes
    #: In pixels, as the file's head says.
    width: int
    height: int
    remarks: frozenset[Remark] = frozenset()

    @property
    def hashes(self) -> tuple[MediaHash, ...]:
        """The hashes as a matcher takes them."""
        return self.pdq.hashes


@attrs.frozen(kw_only=True)
class Unhashed:
    """A file that was not hashed, and why. It may show anything."""

    reason: NotChecked


def hash_picture(source: bytes | Path | BinaryIO, *, limits: Limits | None = None) -> PictureHashes | Unhashed:
    """Hash what can be seen in a file, or say why not. It raises for no file.

    Args:
        source: the file's bytes, its path, or the file, open for reading; it is not closed.
        limits: what is too large, too small or too poor.

    >>> hash_picture(b"no picture").reason
    <NotChecked.UNSUPPORTED_TYPE: 'unsupported_type'>
    """
    limits = limits or Limits()
    try:
        return _hashed(whole(source, most=limits.most_bytes), limits)
    except Refused as refused:
        return Unhashed(reason=refused.reason)
    except MemoryError:
        return Unhashed(reason=NotChecked.TOO_LARGE)


def hash_pictures(
    sources: Iterable[bytes | Path],
    *,
    limits: Limits | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Iterator[PictureHashes | Unhashed]:
    """Hash many files at a time, in threads, and yield one answer for each, in their order.

    Decoding and hashing let other threads run. Files are taken a few ahead of what is yielded, so that there may be any
    number of them; each thread holds one decoded picture.

    Args:
        sources: paths, or bytes.
        limits: as for one.
        threads: as many as there are cores, where nothing is said.
        progress: told how many are done.
    """
    return each(partial(hash_picture, limits=limits), sources, threads=threads, progress=progress)


def _hashed(data: bytes, limits: Limits) -> PictureHashes:
    found = opened(data, limits)
    picture, remarks = plain(found, limits)
    hashes = pdq(np.asarray(picture))
    if hashes.quality < limits.lowest_quality:
        raise Refused(NotChecked.LOW_QUALITY)
    return PictureHashes(pdq=hashes, width=found.width, height=found.height, remarks=remarks)


def plain(found: Opened, limits: Limits) -> tuple[Image.Image, frozenset[Remark]]:
    """Return a decoded picture upright, in grey or in red, green and blue, and what was done to it; or raise `Refused`."""
    remarks = {Remark.FIRST_FRAME} if found.moving else set()
    picture = found.picture
    if picture.mode in ("I", "F"):
        # Numbers are shrunk as they are, for to bring them to grey takes as much memory again.
        picture = _shrunk(picture, limits)
    try:
        picture = _in_colours(picture)
    except ValueError as error:
        # Pillow has colours that it cannot bring to red, green and blue.
        raise Refused(NotChecked.UNSUPPORTED_TYPE) from error
    picture = _shrunk(picture, limits)
    if picture.width * picture.height < found.width * found.height:
        remarks.add(Remark.SHRUNK)
    if picture.mode in ("LA", "RGBA"):
        picture, seen_through = _over_white(picture)
        remarks |= {Remark.OVER_WHITE} if seen_through else set()
    if (turn := _UPRIGHT.get(_orientation(found.picture))) is not None:
        picture = picture.transpose(turn)
    return picture, frozenset(remarks)


def _shrunk(picture: Image.Image, limits: Limits) -> Image.Image:
    share = shrinking(picture, limits)
    return picture.reduce(share) if share > 1 else picture


def _in_colours(picture: Image.Image) -> Image.Image:
    """Return a picture in grey or in red, green and blue, either with what can be seen through."""
    mode = picture.mode
    if mode.startswith("I;16"):
        # Pillow would cut off the brighter parts.
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if mode in ("I", "F"):
        return _stretched(np.asarray(picture))
    if mode in ("PA", "RGBa") or (mode in ("P", "RGB") and "transparency" in picture.info):
        return picture.convert("RGBA")
    if mode == "La" or (mode == "L" and "transparency" in picture.info):
        return picture.convert("LA")
    if mode == "1":
        return picture.convert("L")
    return picture if mode in ("L", "LA", "RGB", "RGBA") else picture.convert("RGB")


def _stretched(values: NDArray[np.float32] | NDArray[np.int32]) -> Image.Image:
    """Return numbers of any range as grey from black to white; PDQ's bits do not depend on where these are."""
    lowest, highest = float(values.min()), float(values.max())
    if not np.isfinite([lowest, highest]).all():
        raise Refused(NotChecked.UNDECODABLE)
    grey = np.empty(values.shape, np.uint8)
    numbers, shades = values.reshape(-1), grey.reshape(-1)
    # In double precision, in which none is lost, but few at a time: all of them would take several times their memory.
    for start in range(0, len(numbers), _AT_A_TIME):
        some = numbers[start : start + _AT_A_TIME].astype(np.float64)
        shades[start : start + _AT_A_TIME] = (some - lowest) * (255 / (highest - lowest or 1))
    return Image.fromarray(grey)


def _over_white(picture: Image.Image) -> tuple[Image.Image, bool]:
    """Return a picture without what can be seen through, and whether there was any of it."""
    colours = picture.mode[:-1]
    alpha = picture.getchannel("A")
    opaque = picture.convert(colours)
    if alpha.getextrema() == (255, 255):
        return opaque, False
    background = Image.new(colours, picture.size, "white")
    background.paste(opaque, mask=alpha)
    return background, True


def _orientation(picture: Image.Image) -> int:
    try:
        found = picture.getexif().get(_ORIENTATION)
    except Exception:
        # Broken EXIF data make Pillow raise whatever they may. The picture is there, and all its rotations are looked up.
        return 1
    return found if isinstance(found, int) else 1
