"""Files of pictures, decoded within limits: strangers upload them, and some are made to exhaust whoever opens them.

A picture's size is read from its head and held against the limits before anything is decoded, and only kinds that Pillow
decodes itself are opened. Each block that the decoder asks for is handed out only while there is time left; decoders that
ask for all of a file at once cannot be stopped, and get smaller pictures alone. What is not decoded is refused with a
reason, and nothing else is raised.
"""

import logging
import time
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

import attrs
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from cybertip.hashing.values import NotChecked

try:
    from PIL import AvifImagePlugin
except ImportError:  # before Pillow 11.3
    AvifImagePlugin = None  # type: ignore[assignment] # its only use is that it is there

__all__ = ["KINDS", "Limits", "Opened", "Refused", "opened", "shrinking", "whole"]

_IMPORTED = (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

#: The kinds of files that are decoded, as Pillow names them. Others either need programs of their own or are hardly met.
KINDS: Final = tuple(
    kind
    for kind in ("JPEG", "MPO", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000", "PPM")
    if kind in Image.OPEN
)

#: How files of these kinds begin: one that does and cannot be opened is broken, and any other is of another kind.
_BEGINNINGS: Final = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51")

#: Kinds whose decoders take a file at once, and make a picture of full size of it in one go.
_AT_ONCE: Final = frozenset({"WEBP", "AVIF", "TIFF", "JPEG2000"})

#: Of a JPEG the decoder gets little at a time: in a few bytes there can be many passes over the whole picture.
_JPEG_BLOCK: Final = 4096

# At the level DEBUG Pillow logs what cameras write into pictures: names, places, times. Whoever wants that says so.
if logging.getLogger("PIL").level == logging.NOTSET:
    logging.getLogger("PIL").setLevel(logging.INFO)


@attrs.frozen(kw_only=True)
class Limits:
    """How much of a file is worth decoding.

    While it is decoded and converted, a picture takes up to 14 bytes of memory for each pixel; a WebP, AVIF, TIFF or JPEG
    2000, which some decoders hold more than once, up to 20. A file of some hundred bytes can ask for all that is allowed.
    Above 179 million pixels Pillow refuses by itself, whatever is said here.
    """

    #: Of the file.
    most_bytes: int = 64 * 1024 * 1024
    #: Of the picture, as its head says.
    most_pixels: int = 64 * 1024 * 1024
    #: Of a WebP, AVIF, TIFF or JPEG 2000: their decoders can neither be stopped when time is up nor made to shrink it.
    most_pixels_at_once: int = 24 * 1024 * 1024
    #: Above so many pixels a picture is shrunk before it is hashed, JPEGs while they are decoded.
    huge_pixels: int = 16 * 1024 * 1024
    #: Decoding is given up after so many seconds, when the decoder next asks for bytes; some kinds' decoders never do.
    decode_for: float = 20.0
    #: The shorter side, in pixels. Below 32, frequencies that PDQ is made of cannot be told apart.
    smallest_side: int = 32
    #: PDQ's quality, below which pictures are too poor to be told apart.
    lowest_quality: int = 50


class Refused(Exception):
    """A file is not decoded; `reason` says why. It never gets out of `cybertip.hashing`."""

    def __init__(self, reason: NotChecked) -> None:
        super().__init__(reason)
        self.reason = reason


class _Overtime(Exception):
    """The time for decoding is up."""


class _Timed(BytesIO):
    """Hand out bytes while there is time."""

    def __init__(self, data: bytes, until: float) -> None:
        super().__init__(data)
        self._until = until

    def read(self, size: int | None = -1, /) -> bytes:
        if time.monotonic() > self._until:
            raise _Overtime
        return super().read(size)


def whole(source: bytes | Path | BinaryIO, *, most: int) -> bytes:
    """Return a file's bytes, or raise `Refused` if there are too many or they cannot be read."""
    try:
        if isinstance(source, bytes):
            data = source
        elif isinstance(source, Path):
            with source.open("rb") as file:
                data = file.read(most + 1)
        else:
            data = source.read(most + 1)
    except (OSError, ValueError) as error:
        # A name that no file can have is no error of the system; nor is a file that was closed before.
        raise Refused(NotChecked.UNREADABLE) from error
    if len(data) > most:
        raise Refused(NotChecked.TOO_LARGE)
    return data


@attrs.frozen(kw_only=True)
class Opened:
    """A decoded picture."""

    picture: Image.Image
    #: As the file's head says: it may have been decoded to a smaller one.
    width: int
    height: int
    #: There are more pictures in the file than this one.
    moving: bool


def opened(data: bytes, limits: Limits) -> Opened:
    """Decode a picture, or raise `Refused`."""
    try:
        picture: Image.Image = Image.open(_Timed(data, time.monotonic() + limits.decode_for), formats=KINDS)
        width, height = _measured(picture, limits)
        # Many telephones make MPOs: the second picture in it is a map of brightness or a preview, and not another frame.
        moving = picture.format != "MPO" and bool(getattr(picture, "is_animated", False))
        if isinstance(picture, JpegImagePlugin.JpegImageFile):
            picture.decodermaxblock = _JPEG_BLOCK
            if (share := shrinking(picture, limits)) > 1:
                picture.draft(None, (picture.width // share, picture.height // share))
        picture.load()
    except Refused:
        raise
    except (_Overtime, MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused(NotChecked.TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise Refused(NotChecked.UNDECODABLE if _claims_to_be_one(data) else NotChecked.UNSUPPORTED_TYPE) from error
    except Exception as error:
        # Broken files make decoders raise whatever they may: errors of the system, of syntax, of an index, of zlib.
        raise Refused(NotChecked.UNDECODABLE) from error
    return Opened(picture=picture, width=width, height=height, moving=moving)


def shrinking(picture: Image.Image, limits: Limits) -> int:
    """Return by what whole number both sides are divided; 1 for all but the huge."""
    share = 1
    while (picture.width // share) * (picture.height // share) > limits.huge_pixels:
        share += 1
    return share


def _measured(picture: Image.Image, limits: Limits) -> tuple[int, int]:
    most = limits.most_pixels
    if picture.format in _AT_ONCE:
        most = min(most, limits.most_pixels_at_once)
    if picture.width * picture.height > most:
        raise Refused(NotChecked.TOO_LARGE)
    if min(picture.size) < limits.smallest_side:
        raise Refused(NotChecked.TOO_SMALL)
    return picture.size


def _claims_to_be_one(data: bytes) -> bool:
    within = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return not data or within or data[4:12] in (b"ftypavif", b"ftypavis") or data.startswith(_BEGINNINGS)
