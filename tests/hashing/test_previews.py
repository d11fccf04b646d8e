"""Small copies of pictures show what can be seen in the file, and have nothing else of it."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cybertip.hashing.pdq import SAME_PICTURE, distance
from cybertip.hashing.pictures import Limits, PictureHashes, Unhashed, hash_picture
from cybertip.hashing.previews import Preview, preview
from cybertip.hashing.values import NotChecked
from cybertip.testing.pictures import picture

CANARY = "canary at home"


def image(rows: int = 720, columns: int = 960) -> Image.Image:
    return Image.fromarray(picture(3, rows, columns))


def preview_of(data: bytes | Path, **options: Any) -> Preview:
    found = preview(data, **options)
    assert isinstance(found, Preview)
    return found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_copy_shows_the_same_in_less(kind: str, saved: Any, tmp_path: Path) -> None:
    """It is a JPEG whose longer side is 640 pixels at most, and looks like the file, given as bytes or by its path."""
    data = saved(image(), kind)
    (tmp_path / "file").write_bytes(data)
    found = preview_of(data)
    assert found == preview_of(tmp_path / "file")
    opened = Image.open(io.BytesIO(found.data))
    assert (opened.format, opened.size) == ("JPEG", (640, 480))
    assert (found.width, found.height, found.moving) == (640, 480, False)
    hashes = [hash_picture(one) for one in (data, found.data)]
    assert all(isinstance(one, PictureHashes) for one in hashes)
    one, other = (hash.pdq.variants[0] for hash in hashes if isinstance(hash, PictureHashes))
    assert distance(one, other) <= SAME_PICTURE // 2


def test_a_small_picture_keeps_its_size(saved: Any) -> None:
    """Nothing is blown up; a side can be chosen."""
    assert (preview_of(saved(image(90, 120), "PNG")).width, preview_of(saved(image(), "PNG"), side=64).width) == (
        120,
        64,
    )


def test_a_copy_is_upright_and_has_nothing_but_pixels(saved: Any) -> None:
    """Where and by whom a picture was taken, and what somebody wrote into it, stays here; how the camera was held is
    undone."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = CANARY
    ways: dict[str, dict[str, Any]] = {
        "JPEG": {"exif": exif, "comment": CANARY, "dpi": (301, 301)},
        "WEBP": {"exif": exif, "xmp": CANARY.encode()},
        "GIF": {"comment": CANARY},
        "PNG": {"exif": exif, "icc_profile": CANARY.encode()},
    }
    for kind, options in ways.items():
        data = saved(image(), kind, **options)
        assert CANARY.encode() in data or kind == "PNG"
        found = preview_of(data)
        assert CANARY.encode() not in found.data
        opened = Image.open(io.BytesIO(found.data))
        assert opened.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert opened.size == ((640, 480) if kind == "GIF" else (480, 640))


@pytest.mark.parametrize("mode", ["P", "CMYK", "L", "1", "I;16", "F", "LA", "RGBA"])
def test_every_way_of_colours_has_a_copy(mode: str, saved: Any) -> None:
    """Whatever colours a file is in, its copy is one that every service can read."""
    kind = "TIFF" if mode in ("CMYK", "F", "LA") else "PNG"
    found = preview_of(saved(image(120, 160).convert("L" if mode == "I;16" else mode), kind))
    assert Image.open(io.BytesIO(found.data)).mode in ("L", "RGB")


def test_a_file_that_moves_says_so(saved: Any) -> None:
    """A copy is of one picture; where there are more, that is known."""
    assert preview_of(saved(image(), "GIF", save_all=True, append_images=[image().rotate(90)])).moving


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", NotChecked.UNDECODABLE),
        (b"synthetic words", NotChecked.UNSUPPORTED_TYPE),
        (Path("missing"), NotChecked.UNREADABLE),
        (b"\x89PNG\r\n\x1a\n broken", NotChecked.UNDECODABLE),
    ],
)
def test_what_has_no_copy_says_why(data: bytes | Path, reason: NotChecked) -> None:
    """Nothing is raised for a file."""
    assert preview(data) == Unhashed(reason=reason)


def test_limits_hold_for_copies(saved: Any) -> None:
    """What is too large to be decoded is not decoded to be made small."""
    assert preview(saved(image(), "PNG"), limits=Limits(most_pixels=1000)) == Unhashed(reason=NotChecked.TOO_LARGE)
    assert preview(saved(image(), "PNG"), limits=Limits(most_bytes=1000)) == Unhashed(reason=NotChecked.TOO_LARGE)
