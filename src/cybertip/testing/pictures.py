"""Made-up pictures for tests and demonstrations: gradients, rectangles, discs and noise, and nothing that anybody ever saw.

They are made of whole numbers and of a bit generator whose stream numpy keeps the same, so that a seed is the same picture
on every machine. They need the extra `[pdq]`.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Kind", "picture"]

Kind = Literal["scene", "smooth", "faint", "blocks", "noise"]


def picture(seed: int, rows: int = 480, columns: int = 640, *, kind: Kind = "scene") -> NDArray[np.uint8]:
    """Return a picture as rows by columns by red, green and blue.

    Args:
        seed: the same seed, size and kind are the same picture.
        rows: its height.
        columns: its width.
        kind: `smooth` gradients, `faint` ones, `blocks` of one colour each, `noise`, or a `scene` of gradients and shapes.

    >>> picture(7, 48, 64).shape
    (48, 64, 3)
    """
    numbers = np.random.PCG64(seed)
    if kind == "noise":
        return _bytes(numbers, rows * columns * 3).reshape(rows, columns, 3)
    canvas = np.zeros((rows, columns, 3), np.uint8) if kind == "blocks" else _gradients(numbers, rows, columns)
    if kind == "faint":
        return canvas // 4 + np.uint8(96)
    if kind in ("scene", "blocks"):
        for number in range(14):
            _add_shape(canvas, numbers, disc=kind == "scene" and number % 2 == 1)
    return canvas


def _bytes(numbers: np.random.PCG64, count: int) -> NDArray[np.uint8]:
    raw: NDArray[np.uint64] = np.asarray(numbers.random_raw((count + 7) // 8), np.uint64)
    return raw.astype("<u8").view(np.uint8)[:count].copy()


def _gradients(numbers: np.random.PCG64, rows: int, columns: int) -> NDArray[np.uint8]:
    """Return what lies between the random colours of a grid of 6 by 6."""
    grid = _bytes(numbers, 6 * 6 * 3).reshape(6, 6, 3).astype(np.int64)
    down, along = _steps(rows), _steps(columns)
    rows_between = _mixed(grid[down[0]], grid[down[0] + 1], down[1][:, np.newaxis, np.newaxis])
    mixed = _mixed(rows_between[:, along[0]], rows_between[:, along[0] + 1], along[1][:, np.newaxis])
    return (mixed >> 16).astype(np.uint8, order="C")


def _mixed(one: NDArray[np.int64], other: NDArray[np.int64], share: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 256 times what lies between two values, where the second has a share of 256."""
    mixed: NDArray[np.int64] = np.multiply(one, 256 - share) + np.multiply(other, share)
    return mixed


def _steps(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each pixel along a side, the grid's point before it and how far behind that it lies, of 256."""
    places: NDArray[np.int64] = np.arange(size, dtype=np.int64) * (5 * 256) // size
    return places // 256, places % 256


def _add_shape(canvas: NDArray[np.uint8], numbers: np.random.PCG64, *, disc: bool) -> None:
    rows, columns = canvas.shape[:2]
    raw = _bytes(numbers, 7).astype(np.int64)
    middle_row, middle_column = int(raw[0]) * rows // 256, int(raw[1]) * columns // 256
    height, width = rows * (16 + int(raw[2]) // 4) // 512, columns * (16 + int(raw[3]) // 4) // 512
    if disc:
        size = min(height, width)
        down, along = np.ogrid[:rows, :columns]
        canvas[(down - middle_row) ** 2 + (along - middle_column) ** 2 <= size * size] = raw[4:7]
    else:
        above, left = max(middle_row - height, 0), max(middle_column - width, 0)
        canvas[above : middle_row + height + 1, left : middle_column + width + 1] = raw[4:7]
