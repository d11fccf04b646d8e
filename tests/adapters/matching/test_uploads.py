"""Uploads as they come, through the matchers of this machine to a signal: a known picture is found however it was saved,
others are not, and what is made to exhaust or mislead whoever opens it is not checked."""

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from cybertip.adapters.matching.combined import CombinedHashMatcher
from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.local_pdq import LocalPdqMatcher
from cybertip.adapters.matching.signals import hash_matched
from cybertip.adapters.matching.store import HashStore
from cybertip.cases.references import ItemRef, SignalId
from cybertip.cases.signals import Media
from cybertip.ports.clock import Clock
from cybertip.ports.matching import ItemId, MediaItem, NotChecked, Outcome
from cybertip.testing.pictures import picture


def synthetic(seed: int) -> Image.Image:
    """Return a made-up picture; that of the seed 1 is on the list."""
    return Image.fromarray(picture(seed, 240, 320))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned_by_exif(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)


#: How the same picture is uploaded.
WAYS: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG": lambda image: saved(image, "JPEG", quality=60),
    "PNG": lambda image: saved(image, "PNG"),
    "WebP": lambda image: saved(image, "WEBP", quality=60),
    "GIF": lambda image: saved(image, "GIF"),
    "palette PNG": lambda image: saved(image.quantize(256), "PNG"),
    "CMYK JPEG": lambda image: saved(image.convert("CMYK"), "JPEG"),
    "EXIF-rotated": turned_by_exif,
    "mirrored": lambda image: saved(ImageOps.mirror(image), "JPEG"),
    "grey": lambda image: saved(image.convert("L"), "JPEG"),
    "half-size": lambda image: saved(image.resize((image.width // 2, image.height // 2)), "JPEG"),
    "mirrored, turned, half-size, GIF": lambda image: saved(
        ImageOps.mirror(image.resize((160, 120)).rotate(90, expand=True)), "GIF"
    ),
}


@pytest.fixture
def matcher(store: HashStore, clock: Clock) -> CombinedHashMatcher:
    """All that this machine looks up files by."""
    return CombinedHashMatcher([LocalDigestMatcher(store, clock=clock), LocalPdqMatcher(store, clock=clock)])


@pytest.mark.parametrize("way", list(WAYS))
def test_the_same_picture_is_found_and_others_are_not(way: str, matcher: CombinedHashMatcher, clock: Clock) -> None:
    """However it was saved, the known picture becomes a signal for review; two others so saved are on no list."""
    seeds = (2, 1, 3)
    items = [MediaItem(id=ItemId(str(seed)), media=WAYS[way](synthetic(seed))) for seed in seeds]
    results = matcher.match(items)
    assert [one.outcome for one in results] == [
        Outcome.POTENTIAL_MATCH if seed == 1 else Outcome.NO_MATCH for seed in seeds
    ]
    signals = [
        hash_matched(
            [(Media(ref=ItemRef(id=one.item, type_id="image")), one)],
            id=SignalId(one.item),
            source="uploads",
            at=clock.now(),
        )
        for one in results
    ]
    assert [signal is not None for signal in signals] == [seed == 1 for seed in seeds]


def png(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and has next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    head = chunk(b"IHDR", size + b"\x08\x02\0\0\0")
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def endless_passes() -> bytes:
    """Return a JPEG whose last pass over the whole picture is repeated 40,000 times."""
    data = saved(Image.new("RGB", (1200, 1200), "grey"), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xc4") : -2]
    return data[:-2] + last * 40_000 + data[-2:]


def webp(width: int, height: int) -> bytes:
    """Return a WebP that claims a size and says of all its pixels in a few bits that they are the same."""
    size = width - 1 | height - 1 << 14
    data = b"\x2f" + size.to_bytes(4, "little") + bytes((0x88, 0x88, 8)) + bytes(6)
    chunk = b"VP8L" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + (len(chunk) + 4).to_bytes(4, "little") + b"WEBP" + chunk


def jpeg_2000(width: int, height: int) -> bytes:
    """Return a JPEG 2000 that claims a size; it is that of a small picture, with other numbers in its heads."""
    data = saved(Image.new("RGB", (64, 64), "grey"), "JPEG2000")
    return data.replace(struct.pack(">II", 64, 64), struct.pack(">II", width, height))


def tiff_of_fractions(width: int, height: int) -> bytes:
    """Return a TIFF with one strip of fractions that are the same."""
    deflate = zlib.compressobj(1)
    strip = b"".join(deflate.compress(bytes(4 * width)) for _ in range(height)) + deflate.flush()
    tags = {256: width, 257: height, 258: 32, 259: 8, 262: 1, 273: 8, 277: 1, 278: height, 279: len(strip), 339: 3}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    place = (8 + len(strip)).to_bytes(4, "little")
    return b"II*\0" + place + strip + len(tags).to_bytes(2, "little") + entries + bytes(4)


#: What is made to mislead or to exhaust, and why it is not checked.
HOSTILE: dict[str, tuple[Callable[[], bytes], NotChecked]] = {
    "corrupt": (lambda: saved(synthetic(1), "PNG")[:-4000], NotChecked.UNDECODABLE),
    "rubbish": (lambda: b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20, NotChecked.UNDECODABLE),
    "tiny": (lambda: saved(synthetic(1).resize((24, 18)), "PNG"), NotChecked.TOO_SMALL),
    "flat": (lambda: saved(Image.new("RGB", (300, 300), "grey"), "PNG"), NotChecked.LOW_QUALITY),
    "huge": (lambda: bytes(65 * 1024 * 1024), NotChecked.TOO_LARGE),
    "bomb of pixels": (lambda: png(60_000, 60_000), NotChecked.TOO_LARGE),
    "WebP of pixels": (lambda: webp(8000, 8000), NotChecked.TOO_LARGE),
    "JPEG 2000 of pixels": (lambda: jpeg_2000(8000, 8000), NotChecked.TOO_LARGE),
    "TIFF of fractions": (lambda: tiff_of_fractions(8000, 8000), NotChecked.TOO_LARGE),
    "bomb of passes": (endless_passes, NotChecked.TOO_LARGE),
}

#: Looks files up in a process of its own, and says what it took.
PROGRAM = """
import json, pathlib, resource, sys, time
from cybertip.adapters.matching.combined import CombinedHashMatcher
from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.local_pdq import LocalPdqMatcher
from cybertip.adapters.matching.store import HashStore
from cybertip.hashing.pictures import Limits
from cybertip.ports.matching import MediaItem
from datetime import timedelta

def most():
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        # What `getrusage` says is never less than what the parent had.
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

store, age = HashStore(sys.argv[1]), timedelta(days=36500)
pdq = LocalPdqMatcher(store, oldest=age, limits=Limits(decode_for=1.0), threads=1)
matcher = CombinedHashMatcher([LocalDigestMatcher(store, oldest=age, threads=1), pdq])
before, began = most(), time.monotonic()
results = matcher.match([MediaItem(id=path, media=pathlib.Path(path)) for path in sys.argv[2:]])
print(json.dumps([[[one.outcome, one.reason] for one in results], time.monotonic() - began, most() - before]))
"""


def test_hostile_files_are_not_checked_and_cost_little(store: HashStore, tmp_path: Path) -> None:
    """Each has its reason, no other file loses its answer, and no more time and memory go than the limits allow: a second
    of decoding, and what is read of a file of 64 MB."""
    files = tmp_path / "files"
    files.mkdir()
    for name, (made, _) in HOSTILE.items():
        (files / name).write_bytes(made())
    (files / "known").write_bytes(WAYS["JPEG"](synthetic(1)))
    (files / "other").write_bytes(WAYS["JPEG"](synthetic(2)))
    names = [*HOSTILE, "known", "other"]
    words = [sys.executable, "-c", PROGRAM, str(tmp_path / "lists.db"), *(str(files / name) for name in names)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    results, seconds, megabytes = json.loads(done.stdout)
    assert dict(zip(names, results, strict=True)) == {
        **{name: ["not_checked", reason] for name, (_, reason) in HOSTILE.items()},
        "known": ["potential_match", None],
        "other": ["no_match", None],
    }
    # One second is the limit of decoding; a slow machine takes longer for the rest.
    assert seconds < 20
    assert megabytes < 160
