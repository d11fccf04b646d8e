"""PDQ hashes are the reference's, of all eight flips and rotations, and tell pictures apart."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from cybertip.hashing import pdq as module
from cybertip.hashing.pdq import SAME_PICTURE, SIDE_LIMIT, distance, pdq
from cybertip.hashing.values import PDQ, Variant
from cybertip.testing.pictures import Kind, picture

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))

#: What each variant is, done to the pixels.
TURNS = {
    Variant.ORIGINAL: lambda pixels: pixels,
    Variant.ROTATED_90: lambda pixels: np.rot90(pixels),
    Variant.ROTATED_180: lambda pixels: np.rot90(pixels, 2),
    Variant.ROTATED_270: lambda pixels: np.rot90(pixels, 3),
    Variant.UPSIDE_DOWN: lambda pixels: np.flipud(pixels),
    Variant.MIRRORED: lambda pixels: np.fliplr(pixels),
    Variant.TRANSPOSED: lambda pixels: np.swapaxes(pixels, 0, 1),
    Variant.TRANSVERSED: lambda pixels: np.swapaxes(np.rot90(pixels, 2), 0, 1),
}


def slow_points(luminance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 64 by 64 points as the published algorithm says, one line at a time."""

    def box(lines: NDArray[np.float64]) -> NDArray[np.float64]:
        window = (len(lines) + 127) // 128
        before = window - (window + 2) // 2
        behind = window - before - 1
        return np.array([lines[max(at - before, 0) : at + behind + 1].mean(axis=0) for at in range(len(lines))])

    for _ in range(2):
        luminance = box(box(luminance.T).T)
    at = [((np.arange(64) + 0.5) * size / 64).astype(int) for size in luminance.shape]
    return luminance[np.ix_(*at)]


def disputed(known: dict[str, Any]) -> list[float]:
    """Return how far from the median each frequency is whose bit differs from the recorded one, in any variant."""
    pixels = picture(known["seed"], known["rows"], known["columns"], kind=known["kind"])
    found = pdq(pixels)
    assert found.quality == known["quality"]
    rows = module._turned(module._frequencies(module._points(pixels)))
    distances: list[float] = []
    for ours, theirs, row, median in zip(found.variants, known["hashes"], rows, module._median(rows), strict=True):
        differ = int.from_bytes(ours, "big") ^ int(theirs, 16)
        distances += [abs(row[bit] - median[0]) for bit in range(256) if differ >> bit & 1]
    return distances


@pytest.mark.parametrize("known", GOLDEN["pictures"], ids=lambda known: "{kind}-{rows}x{columns}".format(**known))
def test_the_hashes_are_those_of_the_reference(known: dict[str, Any]) -> None:
    """All eight hashes and the quality are what PDQ's own implementation gave for the same pixels.

    Where a frequency is as near to the median as that implementation's rounding errors are large, its bit is anybody's.
    """
    distances = disputed(known)
    assert len(distances) <= 4
    assert all(one < 0.001 for one in distances)


def test_hardly_any_bit_is_in_dispute() -> None:
    """At most one in fifty of the recorded pictures differs from the reference in any bit of its eight hashes."""
    assert sum(bool(disputed(known)) for known in GOLDEN["pictures"]) * 50 <= len(GOLDEN["pictures"])


def test_the_recorded_hashes_are_of_many_kinds() -> None:
    """They span poor and rich pictures, narrow ones, ones that are not larger than the 64 points, and odd sizes."""
    pictures = GOLDEN["pictures"]
    assert len({one["hashes"][0] for one in pictures}) == len(pictures) >= 40
    assert min(one["quality"] for one in pictures) < 50 < max(one["quality"] for one in pictures) == 100
    assert {min(one["rows"], one["columns"]) < 64 for one in pictures} == {True, False}
    assert {one["rows"] % 2 for one in pictures} == {one["columns"] % 2 for one in pictures} == {0, 1}


@given(rows=st.integers(5, 330), columns=st.integers(5, 330), seed=st.integers(0, 2**32))
@settings(max_examples=25)
def test_the_bands_are_the_published_filters(rows: int, columns: int, seed: int) -> None:
    """For any size the 64 by 64 points are those of two passes of two box filters, sampled at the blocks' centres."""
    pixels = picture(seed, rows, columns, kind="noise")[:, :, 0]
    expected = slow_points(pixels.astype(np.float64))
    assert np.abs(module._points(np.ascontiguousarray(pixels)) - expected).max() < 1e-3


@pytest.mark.parametrize("variant", list(Variant))
@pytest.mark.parametrize("size", [(320, 320), (300, 401)])
def test_each_variant_is_the_hash_of_the_turned_picture(variant: Variant, size: tuple[int, int]) -> None:
    """A flip or rotation of the pixels is found by that variant's hash; what the filters round differs in few bits."""
    pixels = picture(5, *size)
    position = list(Variant).index(variant)
    turned = pdq(np.ascontiguousarray(TURNS[variant](pixels)))
    original = pdq(pixels)
    assert distance(original.variants[position], turned.variants[0]) <= 20
    others = [one for number, one in enumerate(original.variants) if number != position]
    assert min(distance(one, turned.variants[0]) for one in others) > SAME_PICTURE


def test_hashes_are_given_as_a_matcher_takes_them() -> None:
    """Each hash says which variant it is of, and all of them the picture's quality."""
    found = pdq(picture(3))
    assert [one.variant for one in found.hashes] == list(Variant)
    assert {(one.type, one.quality) for one in found.hashes} == {(PDQ, found.quality)}
    assert [one.value for one in found.hashes] == [bits.hex() for bits in found.variants]
    assert found.hashes[0].value not in repr(found)


@pytest.mark.parametrize("kind", ["scene", "smooth", "blocks", "noise"])
def test_different_pictures_are_far_apart(kind: Kind) -> None:
    """No two of many pictures come near the distance at which they would be taken for the same."""
    found = [pdq(picture(seed, 100, 120, kind=kind)).variants for seed in range(40)]
    closest = min(
        distance(one, other[0]) for number, other in enumerate(found) for one in (*sum(found[number + 1 :], ()),)
    )
    assert closest > 1.5 * SAME_PICTURE


def test_grey_pictures_need_one_colour_only() -> None:
    """Luminance alone has the hash of the same picture in three equal colours."""
    grey = np.ascontiguousarray(picture(9, 211, 307)[:, :, 1])
    assert pdq(grey) == pdq(np.repeat(grey[:, :, np.newaxis], 3, axis=2))


def test_how_the_pixels_lie_in_memory_makes_no_difference() -> None:
    """Cut-outs and turned arrays are hashed as what they show."""
    pixels = picture(9, 211, 307)
    cut = pixels[3:203:2, 5:300]
    assert pdq(cut) == pdq(cut.copy())
    assert pdq(pixels.swapaxes(0, 1)) == pdq(pixels.swapaxes(0, 1).copy())
    assert pdq(np.asfortranarray(pixels)) == pdq(pixels)


@pytest.mark.parametrize("shade", [0, 77, 255])
def test_a_flat_picture_has_no_quality(shade: int) -> None:
    """Where nothing is to be seen, the quality says so, and nothing fails."""
    assert pdq(np.full((99, 100, 3), shade, np.uint8)).quality == 0


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((80, 80, 4), np.uint8),
        np.zeros((80, 80, 1), np.uint8),
        np.zeros(6400, np.uint8),
        np.zeros((80, 80), np.uint16),
        np.zeros((80, 80), np.float64),
        np.zeros((SIDE_LIMIT - 1, 80, 3), np.uint8),
        np.zeros((80, SIDE_LIMIT - 1), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
    ],
    ids=lambda pixels: f"{pixels.dtype}{pixels.shape}",
)
def test_what_is_no_decoded_picture_is_refused(pixels: Any) -> None:
    """Other shapes and types are refused instead of being hashed to something that matches nothing."""
    with pytest.raises(ValueError, match="PDQ hashes"):
        pdq(pixels)


def test_the_memory_for_sizes_is_bounded() -> None:
    """Ever new sizes do not fill the memory: the bands of the sizes seen last are kept, and those of long sides never."""
    module._kept_bands.cache_clear()
    for size in range(5, 400):
        module._bands(size)
    kept = module._kept_bands.cache_info()
    assert kept.currsize == kept.maxsize == 256
    module._bands(8192)
    assert module._kept_bands.cache_info().misses == kept.misses + 1
    long = module._bands(1_000_000)
    assert sum(weights.nbytes for _, _, weights in long) > 3_500_000
    assert module._kept_bands.cache_info().misses == kept.misses + 1


#: What is there on a developer's machine alone is compared there alone: a test that is skipped would fail elsewhere.
if find_spec("pdqhash") is not None:

    @pytest.mark.parametrize("seed", range(20))
    def test_the_bits_are_those_of_pdqhash(seed: int) -> None:
        """Bits and quality of all eight variants are what the reference's binding gives here and now, nearly all of them."""
        import pdqhash  # type: ignore[import-not-found,import-untyped,unused-ignore]

        pixels = picture(seed, 150 + seed * 25, 700 - seed * 20)
        theirs, quality = pdqhash.compute_dihedral(pixels)
        found = pdq(pixels)
        assert found.quality == quality
        for ours, bits in zip(found.variants, theirs, strict=True):
            # A frequency that is as near to the median as their rounding errors are large may be on either side.
            assert distance(ours, np.packbits(bits.astype(np.uint8)).tobytes()) <= 2


def test_numpy_is_imported_by_whoever_hashes_pictures_alone() -> None:
    """Neither the library nor its digests import numpy or Pillow."""
    program = (
        "import sys, cybertip, cybertip.hashing.digests, cybertip.hashing.values; cybertip.Report;"
        "sys.exit(bool({'numpy', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
