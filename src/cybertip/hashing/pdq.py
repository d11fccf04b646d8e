"""PDQ: 256 bits that stay nearly the same when a picture is re-saved, resized or recoloured.

PDQ was published by Facebook in 2019 and is what the lists of known pictures are made of. Two passes of a box filter blur
the picture's luminance, 64 by 64 points of it are kept, a cosine transform keeps 16 by 16 frequencies of those, and each bit
says whether one of them is above their median.

Up to the median all of it is linear, and rows and columns are independent of each other: the 64 by 64 points are
`rows @ luminance @ columns.T` with two matrices that depend on the picture's size alone. Each row of such a matrix is zero
but for the few pixels around its point, so that only these bands are kept and multiplied. It comes to one sum over the
picture's bytes, in numpy, which lets other threads run meanwhile.

The bits and the quality are those of the reference, but for a frequency that is as near to the median as the reference's
rounding errors are large: of some hundred pictures, one differs in a bit. In pictures that are less than 32 pixels high or
wide several frequencies are exactly zero, and their bits are chance in the reference, too.
"""

from functools import lru_cache
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cybertip.hashing.values import PDQ, MediaHash, Variant

__all__ = ["BITS", "SAME_PICTURE", "SIDE_LIMIT", "PdqHashes", "distance", "pdq"]

#: How many bits a hash has.
BITS: Final = 256

#: Two hashes that differ in no more bits than these are taken to be of the same picture, as PDQ's authors advise.
SAME_PICTURE: Final = 31

#: The reference refuses what is smaller, and so do we. Below 32 pixels some bits are chance already.
SIDE_LIMIT: Final = 5

_POINTS: Final = 64
_FREQUENCIES: Final = 16

#: What red, green and blue add to luminance.
_LUMINANCE: Final = np.array([0.299, 0.587, 0.114])

#: The frequencies 1 to 16 of a cosine transform of 64 points.
_COSINES: Final = np.sqrt(2 / _POINTS) * np.cos(
    np.pi / (2 * _POINTS) * np.outer(np.arange(1, _FREQUENCIES + 1), 2 * np.arange(_POINTS) + 1)
)

#: Mirroring a picture negates every other frequency in one direction.
_ALTERNATING: Final = np.where(np.arange(_FREQUENCIES) % 2 == 0, -1.0, 1.0)

#: Longer sides are hardly ever met twice.
_LONGEST_KEPT: Final = 8192

#: First and last pixel, and the weights of those between, of each of the 64 points.
_Bands = tuple[tuple[int, int, NDArray[np.float32]], ...]


@attrs.frozen(kw_only=True)
class PdqHashes:
    """The hashes of a picture and of its seven flips and rotations."""

    #: 32 bytes each, in the order of `Variant`; the first is the picture's own.
    variants: tuple[bytes, ...] = attrs.field(repr=False)
    #: How much there is to see in it, from 0 to 100. PDQ's authors advise against matching below 50.
    quality: int

    @property
    def hashes(self) -> tuple[MediaHash, ...]:
        """The hashes as a matcher takes them."""
        return tuple(
            MediaHash(type=PDQ, value=bits.hex(), variant=variant, quality=self.quality)
            for variant, bits in zip(Variant, self.variants, strict=True)
        )


def pdq(pixels: NDArray[np.uint8]) -> PdqHashes:
    """Hash a decoded picture, all of it at its full size.

    Whoever has a file wants `cybertip.hashing.pictures`: a picture's bytes mean something else in each kind of file, and
    hashing them unseen gives hashes that match nothing.

    Args:
        pixels: rows by columns of luminance, or rows by columns by red, green and blue.

    Raises:
        ValueError: the array has another shape or type, or one of its sides is shorter than `SIDE_LIMIT`.

    >>> checks = np.indices((80, 80)).sum(axis=0) // 20 % 2 * np.uint8(255)
    >>> pdq(checks.astype(np.uint8)).quality
    100
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise ValueError("PDQ hashes rows by columns of bytes, with or without three colours")
    if min(pixels.shape[:2]) < SIDE_LIMIT:
        raise ValueError(f"PDQ hashes pictures of at least {SIDE_LIMIT} by {SIDE_LIMIT} pixels")
    points = _points(pixels)
    return PdqHashes(variants=_bits(_turned(_frequencies(points))), quality=_quality(points))


def distance(one: bytes, other: bytes) -> int:
    """Count the bits in which two hashes differ.

    >>> distance(bytes(32), bytes(31) + b"\\x07")
    3
    """
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def _points(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the luminance at 64 by 64 points of the blurred picture."""
    rows, columns = pixels.shape[:2]
    colours = 3 if pixels.ndim == 3 else 1
    fewer_rows = np.empty((_POINTS, columns * colours), np.float32)
    _narrow(np.ascontiguousarray(pixels).reshape(rows, -1), _bands(rows), fewer_rows)
    # Turned, and in double precision from here on: it is little by now.
    turned = fewer_rows.reshape(_POINTS, columns, colours).swapaxes(0, 1).astype(np.float64, order="C")
    both = np.empty((_POINTS, _POINTS * colours))
    _narrow(turned.reshape(columns, -1), _bands(columns), both)
    both /= (_window(rows) * _window(columns)) ** 2
    found = both.reshape(_POINTS, _POINTS, colours)
    points: NDArray[np.float64] = found @ _LUMINANCE if colours == 3 else found[:, :, 0]
    return points.T.astype(np.float32)


def _narrow(
    lines: NDArray[np.uint8] | NDArray[np.float64],
    bands: _Bands,
    result: NDArray[np.float32] | NDArray[np.float64],
) -> None:
    """Sum up the lines around each point. By `einsum`, for a product of matrices would start threads of its own."""
    for point, (first, last, weights) in enumerate(bands):
        np.einsum("i,ij->j", weights, lines[first:last].astype(result.dtype, copy=False), out=result[point])


def _window(size: int) -> int:
    """Return the width of the box filter: two passes of it reach as far as a 64th of the picture."""
    return (size + 2 * _POINTS - 1) // (2 * _POINTS)


def _bands(size: int) -> _Bands:
    """Return how much each pixel along a side of the picture adds to each of the 64 points, kept from the last time or not.

    They take four bytes for each pixel of the side. Files that claim ever new sides, each of millions of pixels, would
    otherwise leave their bands in memory for good.
    """
    return _kept_bands(size) if size <= _LONGEST_KEPT else _made_bands(size)


@lru_cache(maxsize=256)
def _kept_bands(size: int) -> _Bands:
    return _made_bands(size)


def _made_bands(size: int) -> _Bands:
    """Make the bands of a side.

    A box filter puts at each pixel the mean of those around it, from `before` to `behind`, or of those that are left of them
    at the edges; what is returned is two of them in a row, at the points only. It is multiplied by the square of the window,
    which makes whole numbers of it all but at the edges: sums of bytes with them are exact.
    """
    window = _window(size)
    before = window - (window + 2) // 2
    behind = window - before - 1
    pixels = np.arange(size)
    counts = np.minimum(pixels + behind, size - 1) - np.maximum(pixels - before, 0) + 1
    # Of the mean's shares, the sum up to each pixel: a sum over neighbours is the difference of two.
    up_to = np.concatenate([[0.0], np.cumsum(window / counts)])
    bands = []
    for point in ((np.arange(_POINTS) + 0.5) * size / _POINTS).astype(int):
        first, last = max(point - before, 0), min(point + behind, size - 1)
        reached = np.arange(max(first - before, 0), min(last + behind, size - 1) + 1)
        sums = up_to[np.minimum(last, reached + before) + 1] - up_to[np.maximum(first, reached - behind)]
        weights = (sums * window / (last - first + 1)).astype(np.float32)
        weights.flags.writeable = False
        bands.append((int(reached[0]), int(reached[-1]) + 1, weights))
    return tuple(bands)


def _quality(points: NDArray[np.float32]) -> int:
    """Return how much neighbouring points differ, in steps large enough to see."""
    scale, white = np.float32(100), np.float32(255)
    steps = sum(
        int(np.abs((change * scale / white).astype(np.int32)).sum())
        for change in (np.diff(points, axis=0), np.diff(points, axis=1))
    )
    return min(steps // 90, 100)


def _frequencies(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the first 16 by 16 frequencies of the points, without the constant ones."""
    frequencies: NDArray[np.float64] = _COSINES @ points.astype(np.float64) @ _COSINES.T
    return frequencies


def _turned(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a row for each variant: turning a picture changes only the signs and places of its frequencies."""
    upside_down = frequencies * _ALTERNATING[:, np.newaxis]
    mirrored = frequencies * _ALTERNATING
    both = upside_down * _ALTERNATING
    in_order = (frequencies, mirrored.T, both, upside_down.T, upside_down, mirrored, frequencies.T, both.T)
    return np.stack(in_order).reshape(len(Variant), BITS)


def _median(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each row: of 256 values the reference takes the 128th."""
    return np.partition(rows, BITS // 2 - 1, axis=1)[:, BITS // 2 - 1 : BITS // 2]


def _bits(rows: NDArray[np.float64]) -> tuple[bytes, ...]:
    """Return which frequencies are above the median of their row; the last digit's bit is the first frequency's."""
    packed = np.packbits((rows > _median(rows))[:, ::-1], axis=1)
    return tuple(row.tobytes() for row in packed)
