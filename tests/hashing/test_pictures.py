"""A picture is found however it was saved, others are not, and what cannot be hashed says why."""

import io
import logging
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from cybertip.hashing.decoding import KINDS
from cybertip.hashing.pdq import SAME_PICTURE, distance
from cybertip.hashing.pictures import Limits, PictureHashes, Remark, Unhashed, hash_picture, hash_pictures
from cybertip.hashing.values import NotChecked, Variant
from cybertip.testing.pictures import picture

Saved = Callable[..., bytes]

#: EXIF's number for how the camera was held, and how a picture lies in the file for each.
HELD = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def synthetic(seed: int = 11, rows: int = 360, columns: int = 480) -> Image.Image:
    return Image.fromarray(picture(seed, rows, columns))


def hashes_of(data: bytes) -> PictureHashes:
    found = hash_picture(data)
    assert isinstance(found, PictureHashes), found
    return found


def nearest(query: PictureHashes, known: PictureHashes) -> int:
    """Return how far a picture, any way round, is from the known one."""
    return min(distance(one, known.pdq.variants[0]) for one in query.pdq.variants)


def held(image: Image.Image, orientation: int) -> tuple[Image.Image, Image.Exif]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return image.transpose(HELD[orientation]), exif


def with_transparency(image: Image.Image) -> Image.Image:
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 12, 12))
    image.putalpha(alpha)
    return image


def in_16_bits(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


RESAVED: dict[str, Callable[[Image.Image, Saved], bytes]] = {
    "JPEG": lambda image, save: save(image, "JPEG", quality=60),
    "progressive JPEG": lambda image, save: save(image, "JPEG", progressive=True),
    "PNG": lambda image, save: save(image, "PNG"),
    "WebP": lambda image, save: save(image, "WEBP", quality=60),
    "GIF": lambda image, save: save(image, "GIF"),
    "palette PNG": lambda image, save: save(image.quantize(256), "PNG"),
    "palette PNG with transparency": lambda image, save: save(
        image.quantize(256), "PNG", transparency=bytes([255] * 256)
    ),
    "CMYK JPEG": lambda image, save: save(image.convert("CMYK"), "JPEG"),
    "CMYK TIFF": lambda image, save: save(image.convert("CMYK"), "TIFF"),
    "grey JPEG": lambda image, save: save(image.convert("L"), "JPEG"),
    "grey PNG with alpha": lambda image, save: save(image.convert("LA"), "PNG"),
    "one-bit PNG": lambda image, save: save(image.convert("1"), "PNG"),
    "16-bit PNG": lambda image, save: save(in_16_bits(image), "PNG"),
    "32-bit TIFF": lambda image, save: save(image.convert("I"), "TIFF"),
    "TIFF of fractions": lambda image, save: save(image.convert("F"), "TIFF"),
    "PNG with alpha": lambda image, save: save(image.convert("RGBA"), "PNG"),
    "PNG with a transparent corner": lambda image, save: save(with_transparency(image), "PNG"),
    "WebP with a transparent corner": lambda image, save: save(with_transparency(image), "WEBP", lossless=True),
    "PNG with a transparent colour": lambda image, save: save(image, "PNG", transparency=(1, 2, 3)),
    "grey PNG with a transparent shade": lambda image, save: save(image.convert("L"), "PNG", transparency=3),
    "BMP": lambda image, save: save(image, "BMP"),
    "TIFF": lambda image, save: save(image, "TIFF", compression="tiff_lzw"),
    "PPM": lambda image, save: save(image, "PPM"),
    "MPO": lambda image, save: save(image, "MPO", save_all=True, append_images=[image.resize((60, 40))]),
    "half size": lambda image, save: save(image.resize((image.width // 2, image.height // 2)), "JPEG"),
    "thrice the size": lambda image, save: save(image.resize((image.width * 3, image.height * 3)), "JPEG"),
    "brighter": lambda image, save: save(image.point(lambda value: 40 + value * 3 // 4), "JPEG"),
    "mirrored": lambda image, save: save(ImageOps.mirror(image), "PNG"),
    "upside down": lambda image, save: save(ImageOps.flip(image), "PNG"),
    "turned": lambda image, save: save(image.transpose(Image.Transpose.ROTATE_90), "PNG"),
    "mirrored, half size, palette": lambda image, save: save(ImageOps.mirror(image.resize((240, 180))), "GIF"),
    "turned by EXIF data in a PNG": lambda image, save: save(held(image, 6)[0], "PNG", exif=held(image, 6)[1]),
}
for _number in HELD:
    RESAVED[f"turned by EXIF data, {_number}"] = lambda image, save, number=_number: save(  # type: ignore[misc]
        held(image, number)[0], "JPEG", exif=held(image, number)[1]
    )
if "AVIF" in KINDS:
    RESAVED["AVIF"] = lambda image, save: save(image, "AVIF", quality=60)
if features.check("jpg_2000"):
    RESAVED["JPEG 2000"] = lambda image, save: save(image, "JPEG2000")


@pytest.mark.parametrize("way", list(RESAVED))
def test_a_picture_is_found_however_it_was_saved(way: str, saved: Saved) -> None:
    """The same picture in another format, colours, size or position is near the known one, and no other picture is."""
    known = hashes_of(saved(synthetic(), "PNG"))
    assert nearest(hashes_of(RESAVED[way](synthetic(), saved)), known) <= SAME_PICTURE
    assert nearest(hashes_of(RESAVED[way](synthetic(12), saved)), known) > 1.5 * SAME_PICTURE


@pytest.mark.parametrize("number", list(HELD))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_camera_that_was_held_otherwise_makes_no_difference(number: int, kind: str, saved: Saved) -> None:
    """What EXIF data say about the position is undone: the upright picture's own hash is near, and not only a variant's."""
    turned, exif = held(synthetic(), number)
    found = hashes_of(saved(turned, kind, exif=exif, quality=95)).pdq.variants[0]
    assert distance(found, hashes_of(saved(synthetic(), "PNG")).pdq.variants[0]) <= 12


def test_exact_ways_of_saving_have_the_same_hash(saved: Saved) -> None:
    """Ways that keep every pixel keep every bit: nothing is lost in decoding."""
    image = synthetic()
    expected = hashes_of(saved(image, "PNG"))
    for data in (saved(image, "BMP"), saved(image, "TIFF"), saved(image, "WEBP", lossless=True), saved(image, "PPM")):
        assert hashes_of(data).pdq == expected.pdq
    assert hashes_of(saved(image.convert("RGBA"), "PNG")) == expected
    grey = hashes_of(saved(image.convert("L"), "PNG"))
    assert hashes_of(saved(in_16_bits(image), "PNG")) == grey == hashes_of(saved(image.convert("LA"), "PNG"))


def test_what_is_transparent_is_laid_over_white(saved: Saved) -> None:
    """Colours that nobody sees have no say: the hash is that of the picture on white, and a remark says so."""
    image = synthetic()
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 200, 360))
    on_white = image.copy()
    on_white.paste("white", (0, 0, 200, 360))
    image.putalpha(alpha)
    found = hashes_of(saved(image, "PNG"))
    assert found.pdq == hashes_of(saved(on_white, "PNG")).pdq
    assert found.remarks == {Remark.OVER_WHITE}


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_moving_pictures_the_first_is_hashed_and_that_is_said(kind: str, saved: Saved) -> None:
    """An animation has the hash of its first frame, and a remark that there is more; a still picture has none."""
    first, second = synthetic(1), synthetic(2)
    moving = hashes_of(saved(first, kind, save_all=True, append_images=[second]))
    still = hashes_of(saved(first, kind))
    assert nearest(moving, still) <= SAME_PICTURE
    assert (moving.remarks, still.remarks) == (frozenset({Remark.FIRST_FRAME}), frozenset())


def test_the_second_picture_of_a_telephones_jpeg_is_no_frame(saved: Saved) -> None:
    """What telephones add to a JPEG, such as a map of its brightness, makes no animation of it."""
    data = saved(synthetic(), "MPO", save_all=True, append_images=[synthetic().resize((60, 40))])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert hashes_of(data).remarks == frozenset()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_huge_pictures_are_shrunk_and_still_found(kind: str, seed: int, saved: Saved) -> None:
    """A picture that is larger than is worth hashing whole is made smaller first, and a remark says so."""
    data = saved(synthetic(seed, 720, 960), kind)
    small = hash_picture(data, limits=Limits(huge_pixels=480 * 360))
    assert isinstance(small, PictureHashes)
    assert small.remarks == {Remark.SHRUNK}
    assert (small.width, small.height) == (960, 720)
    assert nearest(small, hashes_of(data)) <= 20


def png(width: int, height: int, *, after: bytes = b"") -> bytes:
    """Return a PNG's head, which claims a size, and what follows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    pixels = chunk(b"IDAT", after or zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\x02\0\0\0") + pixels + chunk(b"IEND", b"")


UNHASHED: dict[str, tuple[NotChecked, Callable[[Saved], bytes]]] = {
    "nothing": (NotChecked.UNDECODABLE, lambda save: b""),
    "text": (NotChecked.UNSUPPORTED_TYPE, lambda save: b"not a picture at all, but some words"),
    "a video": (NotChecked.UNSUPPORTED_TYPE, lambda save: b"\0\0\0\x18ftypmp42" + bytes(5000)),
    "a document": (NotChecked.UNSUPPORTED_TYPE, lambda save: b"%PDF-1.7\n" + bytes(5000)),
    "PostScript": (NotChecked.UNSUPPORTED_TYPE, lambda save: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n"),
    "an icon": (NotChecked.UNSUPPORTED_TYPE, lambda save: save(synthetic(), "ICO")),
    "a cut JPEG": (NotChecked.UNDECODABLE, lambda save: save(synthetic(), "JPEG")[:-2000]),
    "a JPEG's first bytes": (NotChecked.UNDECODABLE, lambda save: save(synthetic(), "JPEG")[:20]),
    "a cut PNG": (NotChecked.UNDECODABLE, lambda save: save(synthetic(), "PNG")[:-4000]),
    "a PNG with a broken head": (
        NotChecked.UNDECODABLE,
        lambda save: save(synthetic(), "PNG").replace(b"IHDR", b"XHDR"),
    ),
    "a PNG without pixels": (NotChecked.UNDECODABLE, lambda save: png(400, 300)),
    "a PNG of rubbish": (NotChecked.UNDECODABLE, lambda save: png(400, 300, after=b"rubbish")),
    "a cut GIF": (NotChecked.UNDECODABLE, lambda save: save(synthetic(), "GIF")[:2000]),
    "a cut WebP": (NotChecked.UNDECODABLE, lambda save: save(synthetic(), "WEBP")[:3000]),
    "a cut TIFF": (NotChecked.UNDECODABLE, lambda save: save(synthetic(), "TIFF")[:3000]),
    "a TIFF of infinity": (
        NotChecked.UNDECODABLE,
        lambda save: save(Image.fromarray(np.full((80, 80), np.inf, np.float32)), "TIFF"),
    ),
    "a tiny picture": (NotChecked.TOO_SMALL, lambda save: save(synthetic(1, 31, 400), "PNG")),
    "one pixel": (NotChecked.TOO_SMALL, lambda save: save(Image.new("RGB", (1, 1)), "GIF")),
    "one colour": (NotChecked.LOW_QUALITY, lambda save: save(Image.new("RGB", (300, 300), "grey"), "PNG")),
    "something faint": (
        NotChecked.LOW_QUALITY,
        lambda save: save(Image.fromarray(picture(1, 300, 300, kind="faint")), "PNG"),
    ),
    "nothing but what is seen through": (NotChecked.LOW_QUALITY, lambda save: save(Image.new("RGBA", (99, 99)), "PNG")),
    "a PNG that claims to be huge": (NotChecked.TOO_LARGE, lambda save: png(60_000, 60_000)),
    "a PNG that claims to be large": (NotChecked.TOO_LARGE, lambda save: png(8_192, 8_193)),
    "a GIF that claims to be huge": (
        NotChecked.TOO_LARGE,
        lambda save: save(synthetic(), "GIF").replace(b"\xe0\x01\x68\x01", b"\xff\xff\xff\xff"),
    ),
}


@pytest.mark.parametrize("what", list(UNHASHED))
def test_what_is_not_hashed_says_why(what: str, saved: Saved, tmp_path: Path) -> None:
    """A broken, tiny, poor, foreign or enormous file has no hash but a reason, and nothing is raised."""
    reason, made = UNHASHED[what]
    data = made(saved)
    path = tmp_path / "upload"
    path.write_bytes(data)
    assert hash_picture(data) == hash_picture(path) == hash_picture(io.BytesIO(data)) == Unhashed(reason=reason)


def test_colours_that_nobody_can_convert_say_so(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that decodes to colours without a way to red, green and blue is of a kind that is not read here."""

    def refuse(*_: object) -> None:
        raise ValueError("conversion not supported")

    data = saved(synthetic().convert("CMYK"), "TIFF")
    monkeypatch.setattr(Image.Image, "convert", refuse)
    assert hash_picture(data) == Unhashed(reason=NotChecked.UNSUPPORTED_TYPE)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """Missing files, folders, names that no file can have and files that were closed have a reason of their own: nothing is
    known about what they show."""
    for source in (tmp_path / "missing", tmp_path, tmp_path / "a\0b", tmp_path / "\ud800", closed_file()):
        assert hash_picture(source) == Unhashed(reason=NotChecked.UNREADABLE)


def closed_file() -> io.BytesIO:
    file = io.BytesIO(b"synthetic")
    file.close()
    return file


def test_no_more_is_read_of_a_file_than_its_limit(tmp_path: Path) -> None:
    """A file of any size costs no more memory than the limit: it is refused one byte above it."""
    asked: list[int] = []

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            asked.append(size)
            return bytes(size)

    assert hash_picture(Endless(), limits=Limits(most_bytes=1000)) == Unhashed(reason=NotChecked.TOO_LARGE)
    assert asked == [1001]
    assert hash_picture(bytes(1001), limits=Limits(most_bytes=1000)) == Unhashed(reason=NotChecked.TOO_LARGE)


def test_many_passes_in_few_bytes_run_out_of_time(saved: Saved) -> None:
    """A JPEG that has its decoder go over the whole picture thousands of times is given up when its time is up."""
    data = saved(Image.new("RGB", (4000, 4000), "grey"), "JPEG", progressive=True)
    last_pass = data[data.rindex(b"\xff\xc4") : -2]
    bomb = data[:-2] + last_pass * 40_000 + data[-2:]
    assert len(bomb) < Limits().most_bytes
    assert hash_picture(bomb, limits=Limits(decode_for=0.5)) == Unhashed(reason=NotChecked.TOO_LARGE)
    assert hash_picture(data, limits=Limits(decode_for=60)) == Unhashed(reason=NotChecked.LOW_QUALITY)


def test_time_that_is_up_stops_every_kind(saved: Saved) -> None:
    """No kind of file is decoded without asking whether there is time."""
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"):
        found = hash_picture(saved(synthetic(), kind), limits=Limits(decode_for=-1))
        assert found == Unhashed(reason=NotChecked.TOO_LARGE), kind


def test_bombs_cost_no_memory(saved: Saved, tmp_path: Path) -> None:
    """Files that claim to be enormous are refused by their head: nothing is set aside for their pixels."""
    for number, what in enumerate(("a PNG that claims to be huge", "a GIF that claims to be huge")):
        (tmp_path / str(number)).write_bytes(UNHASHED[what][1](saved))
    (tmp_path / "2").write_bytes(png(8_000, 8_001, after=zlib.compress(bytes(100))))
    program = (
        "import resource, sys, pathlib; from cybertip.hashing.pictures import hash_picture, Limits\n"
        "def most():\n"
        "    status = pathlib.Path('/proc/self/status')\n"
        "    # What `getrusage` says is never less than what the parent had.\n"
        "    if status.exists(): return int(status.read_text().partition('VmHWM:')[2].split()[0]) // 1024\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = most()\n"
        "for path in sys.argv[1:]: print(hash_picture(pathlib.Path(path), limits=Limits(most_pixels=2**20)).reason)\n"
        "print(most() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *(str(path) for path in sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=True,
    )
    *reasons, grown = done.stdout.split()
    assert reasons == ["too_large"] * 3
    assert int(grown) < 32


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "JPEG2000", *(["AVIF"] if "AVIF" in KINDS else [])])
def test_decoders_that_cannot_be_stopped_get_smaller_pictures(kind: str, saved: Saved) -> None:
    """What a decoder does in one go is refused by its head where it is large, whatever other kinds may have."""
    data = saved(synthetic(1, 300, 300), kind)
    assert hash_picture(data, limits=Limits(most_pixels_at_once=300 * 300 - 1)) == Unhashed(reason=NotChecked.TOO_LARGE)
    assert hash_picture(data, limits=Limits(most_pixels=300 * 300 - 1)) == Unhashed(reason=NotChecked.TOO_LARGE)
    assert isinstance(hash_picture(data, limits=Limits(most_pixels_at_once=300 * 300)), PictureHashes)
    streamed = hash_picture(saved(synthetic(1, 300, 300), "PNG"), limits=Limits(most_pixels_at_once=1))
    assert isinstance(streamed, PictureHashes)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_cost_little_memory(mode: str, saved: Saved) -> None:
    """Whole numbers and fractions of any range are brought to grey a few at a time, and shrunk first where they are many."""
    data = saved(Image.linear_gradient("L").resize((2000, 2000)).convert(mode), "TIFF", compression="tiff_lzw")
    for limits, most in ((Limits(), 48), (Limits(huge_pixels=2**20), 24)):
        tracemalloc.start()
        hash_picture(data, limits=limits)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < most * 1_000_000


def test_what_cameras_write_into_pictures_is_not_logged(saved: Saved, caplog: pytest.LogCaptureFixture) -> None:
    """At the lowest level of logging, nothing of a picture's EXIF data is in the log."""
    exif = Image.Exif()
    exif[0x013B] = "canary of an artist"
    with caplog.at_level(logging.DEBUG):
        hashes_of(saved(synthetic(), "TIFF", exif=exif))
        hashes_of(saved(synthetic(), "JPEG", exif=exif))
    assert "canary" not in caplog.text
    assert logging.getLogger("PIL").getEffectiveLevel() == logging.INFO


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0" + b"\xff" * 40, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_broken_exif_data_spoil_no_picture(exif: bytes, saved: Saved) -> None:
    """A picture whose EXIF data cannot be read is hashed as it lies in the file."""
    plain = saved(synthetic(), "JPEG")
    broken = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        assert hashes_of(broken).pdq == hashes_of(plain).pdq


def test_each_of_many_files_has_its_answer(saved: Saved, tmp_path: Path) -> None:
    """Answers come in the files' order, each file's own whatever becomes of the others, with progress."""
    sources: list[bytes | Path] = [saved(synthetic(seed, 120, 160), "JPEG") for seed in range(8)]
    sources[3] = b"rubbish"
    sources[5] = tmp_path / "missing"
    done: list[int] = []
    found = list(hash_pictures(sources, threads=3, progress=done.append))
    assert found == [hash_picture(source) for source in sources]
    assert found[3] == Unhashed(reason=NotChecked.UNSUPPORTED_TYPE)
    assert found[5] == Unhashed(reason=NotChecked.UNREADABLE)
    assert len({one.pdq.variants[0] for one in found if isinstance(one, PictureHashes)}) == 6
    assert done == list(range(1, 9))


def test_hashes_are_given_with_the_picture_they_are_of(saved: Saved) -> None:
    """The answer holds the eight hashes, the picture's size as the file says it, and no hash in its repr."""
    found = hashes_of(saved(synthetic(), "PNG"))
    assert (found.width, found.height) == (480, 360)
    assert [one.variant for one in found.hashes] == list(Variant)
    assert found.hashes[0].value not in repr(found)
