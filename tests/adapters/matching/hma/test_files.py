"""Files are hashed here, or sent: what cannot be hashed truly is not checked, whoever hashes it."""

import builtins
import io
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest
from PIL import Image

from cybertip.adapters.matching.hma import VIDEOS, AsyncHmaMatcher, Bounds, HmaSettings, lookups
from cybertip.adapters.matching.hma.plain import is_plain
from cybertip.ports.matching import MD5, PDQ, ItemId, MatchResult, MediaItem, NotChecked, Outcome, Variant
from cybertip.testing.hma import Hma
from cybertip.testing.pictures import picture


def file_of(image: Image.Image, kind: str, **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


@cache
def scene(seed: int = 1) -> Image.Image:
    return Image.fromarray(picture(seed, 240, 320))


def turned(image: Image.Image, kind: str = "JPEG", **more: Any) -> bytes:
    """Return a file that says that its camera was held upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return file_of(image.transpose(Image.Transpose.ROTATE_90), kind, exif=exif, **more)


def upright(image: Image.Image, kind: str) -> bytes:
    """Return a file that says that it lies as its camera was held, and what made it."""
    exif = Image.Exif()
    exif[0x0112] = 1
    exif[0x0131] = "synthetic"
    return file_of(image, kind, exif=exif)


XMP = b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/>'


MISREAD: dict[str, Callable[[], bytes]] = {
    "GIF": lambda: file_of(scene(), "GIF"),
    "palette": lambda: file_of(scene().convert("P"), "PNG"),
    "CMYK": lambda: file_of(scene().convert("CMYK"), "JPEG"),
    "alpha": lambda: file_of(scene().convert("RGBA"), "PNG"),
    "seen through": lambda: file_of(scene(), "PNG", transparency=(255, 255, 255)),
    "moving": lambda: file_of(scene(), "PNG", save_all=True, append_images=[scene(5)]),
    "turned": lambda: turned(scene()),
    "turned PNG": lambda: turned(scene(), "PNG"),
    "turned by XMP": lambda: file_of(scene().transpose(Image.Transpose.ROTATE_90), "JPEG", xmp=XMP % 6),
}
PLAIN: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: file_of(scene(), "JPEG"),
    "progressive": lambda: file_of(scene(), "JPEG", progressive=True),
    "grey JPEG": lambda: file_of(scene().convert("L"), "JPEG"),
    "PNG": lambda: file_of(scene(), "PNG"),
    "grey PNG": lambda: file_of(scene().convert("L"), "PNG"),
    "WebP": lambda: file_of(scene(), "WEBP", quality=95),
    "mirrored": lambda: file_of(scene().transpose(Image.Transpose.FLIP_LEFT_RIGHT), "JPEG"),
    "upright": lambda: upright(scene(), "JPEG"),
    "upright PNG": lambda: upright(scene(), "PNG"),
    "upright by XMP": lambda: file_of(scene(), "JPEG", xmp=XMP % 1),
}


@cache
def made(kind: str) -> bytes:
    """Return a file of a kind, each made but once."""
    return {**PLAIN, **MISREAD}[kind]()


def one(colour: Any, settings: HmaSettings | str, data: bytes | Path, media_type: str | None = None) -> MatchResult:
    (result,) = colour.match(settings, [MediaItem(id=ItemId("1"), media=data, media_type=media_type)])
    assert isinstance(result, MatchResult)
    return result


@pytest.mark.parametrize("kind", [*PLAIN, *MISREAD])
def test_here_every_kind_of_file_is_found(colour: Any, url: str, kind: str) -> None:
    """However a known picture was saved, mirrored or turned, it is found by a hash that was made here."""
    result = one(colour, url, made(kind))
    assert result.outcome is Outcome.POTENTIAL_MATCH
    assert {match.list for match in result.matches} == {"SYNTHETIC"}
    if kind == "mirrored":
        assert result.matches[0].query.variant is Variant.MIRRORED
    if kind == "moving":
        assert result.reason is NotChecked.FIRST_FRAME_ONLY


@pytest.mark.parametrize("kind", PLAIN)
def test_there_plain_files_are_found(colour: Any, url: str, kind: str) -> None:
    """What is stored upright, as grey or as red, green and blue, HMA hashes truly, but not mirrored or turned: whether it is
    found so is not known, and never called `no_match`."""
    assert is_plain(made(kind))
    result = one(colour, HmaSettings.at(url, send_bytes=True), made(kind))
    assert result.outcome is (Outcome.NOT_CHECKED if kind == "mirrored" else Outcome.POTENTIAL_MATCH)
    assert [(lacking.hash_type, lacking.reason) for lacking in result.unchecked] == [(PDQ, NotChecked.MISSING_HASH)]
    assert len(result.hashes) == 1


@pytest.mark.parametrize("kind", MISREAD)
def test_there_other_files_are_not_checked(colour: Any, url: str, kind: str) -> None:
    """HMA takes palettes and inks for brightness, photographs as they lie, and does not say so: nothing is known then."""
    assert not is_plain(made(kind))
    result = one(colour, HmaSettings.at(url, send_bytes=True), made(kind))
    assert result.outcome is Outcome.NOT_CHECKED or kind in ("alpha", "seen through", "moving")
    assert result.reason is NotChecked.UNSUPPORTED_TYPE


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"\xff\xd8\xff\xe0\0\0\xff"]
)
def test_what_cannot_be_told_is_not_plain(data: bytes) -> None:
    """A file that ends before it says how it is stored is trusted to nobody."""
    assert not is_plain(data)


def test_exif_data_that_are_broken_are_not_plain() -> None:
    """What may say that the picture lies otherwise is not trusted where it cannot be read."""
    whole = made("upright")
    start = whole.index(b"Exif\0\0") + 6
    assert is_plain(whole)
    for broken in (b"", b"XX", b"MM\0*\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"):
        assert not is_plain(whole[:start] + broken.ljust(len(broken) and 12, b"\xff") + bytes(2) + whole[start + 12 :])


@pytest.mark.parametrize("filling", [b"\xff", b"\xff\xe0\0\x02"], ids=["fill", "segments"])
def test_heads_without_end_take_no_time(filling: bytes) -> None:
    """A head of many megabytes that says nothing is gone through at once, or given up."""
    data = b"\xff\xd8" + filling * (2**25 // len(filling)) + made("JPEG")[2:]
    began = time.monotonic()
    assert is_plain(data) is (filling == b"\xff")
    # Byte by byte it would take a minute.
    assert time.monotonic() - began < 5


def test_files_are_gone_through_beside_the_event_loop(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a file has in its head, other tasks go on."""
    threads: list[threading.Thread] = []

    def watched(data: bytes) -> bool:
        threads.append(threading.current_thread())
        return is_plain(data)

    monkeypatch.setattr(lookups, "is_plain", watched)

    async def match() -> None:
        async with AsyncHmaMatcher(HmaSettings.at(url, send_bytes=True)) as matcher:
            await matcher.match([MediaItem(id=ItemId("1"), media=made("JPEG"))])

    anyio.run(match)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


def test_videos(colour: Any, hma: Hma, url: str, tmp_path: Path) -> None:
    """A video is looked up by the MD5 of its bytes, made here or there, of a path as of bytes."""
    data = b"synthetic video"
    (tmp_path / "video").write_bytes(data)
    hma.add("SYNTHETIC", video_md5="9cd9c6bdaaffe9dd65c7b1ecd0cca0ab")
    hashes = set()
    for source in (data, tmp_path / "video"):
        for sends in (False, True):
            result = one(colour, HmaSettings.at(url, signals=[VIDEOS], send_bytes=sends), source)
            assert result.outcome is Outcome.NO_MATCH
            hashes |= set(result.hashes)
    (made,) = hashes
    assert made.type == MD5
    hma.add("SYNTHETIC", video_md5=made.value)
    assert one(colour, HmaSettings.at(url, signals=[VIDEOS]), data).outcome is Outcome.POTENTIAL_MATCH


@pytest.mark.parametrize(
    ("data", "here", "there"),
    [
        (b"no picture", NotChecked.UNSUPPORTED_TYPE, NotChecked.UNDECODABLE),
        (b"\xff\xd8\xff broken", NotChecked.UNDECODABLE, NotChecked.UNDECODABLE),
        (b"", NotChecked.UNDECODABLE, NotChecked.UNDECODABLE),
        (file_of(Image.new("RGB", (64, 64), "grey"), "PNG"), NotChecked.LOW_QUALITY, NotChecked.LOW_QUALITY),
        (file_of(Image.new("RGB", (4, 4)), "PNG"), NotChecked.TOO_SMALL, None),
        (Path("/nonexistent/file"), NotChecked.UNREADABLE, NotChecked.UNREADABLE),
        (Path("with\0nothing"), None, NotChecked.UNREADABLE),
    ],
    ids=["no picture", "broken", "empty", "flat", "tiny", "not there", "no path"],
)
def test_what_cannot_be_hashed(
    colour: Any, url: str, data: bytes | Path, here: NotChecked | None, there: NotChecked | None
) -> None:
    """A file that cannot be hashed is not checked, and the reason says why."""
    for reason, sends in ((here, False), (there, True)):
        if reason is not None:
            result = one(colour, HmaSettings.at(url, send_bytes=sends), data)
            assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, reason)


def test_files_that_are_too_large_are_not_sent(colour: Any, hma: Hma, url: str, tmp_path: Path) -> None:
    """HMA would hold all of it in memory."""
    settings = HmaSettings.at(url, send_bytes=True, bounds=Bounds(file_bytes=100))
    (tmp_path / "large").write_bytes(bytes(101))
    for source in (bytes(101), tmp_path / "large"):
        assert one(colour, settings, source).reason is NotChecked.TOO_LARGE
    assert not [request for request in hma.requests if request.method == "POST"]


def test_what_an_item_brings_is_not_made_again(colour: Any, hma: Hma, url: str, known: MediaItem) -> None:
    """An item that brings all its hashes is looked up by them alone, and no byte of it is read or sent."""
    (whole,) = colour.match(url, [known])
    assert len(whole.hashes) == 8
    bare = MediaItem(id=ItemId("1"), hashes=whole.hashes, media=Path("/nonexistent/file"))
    hma.requests.clear()
    for sends in (False, True):
        (result,) = colour.match(HmaSettings.at(url, send_bytes=sends), [bare])
        assert (result.outcome, result.unchecked) == (Outcome.POTENTIAL_MATCH, ())
    assert len([request for request in hma.requests if request.path == "/m/lookup"]) == 16
    assert not [request for request in hma.requests if request.method == "POST"]


def test_flips_that_an_item_does_not_bring_are_made(colour: Any, hma: Hma, url: str, known: MediaItem) -> None:
    """A picture that brings its first hash alone is found mirrored and turned all the same, if its bytes are there; where
    they are not hashed here, it is not checked."""
    mirrored = made("mirrored")
    (whole,) = colour.match(url, [MediaItem(id=ItemId("1"), media=mirrored)])
    bare = MediaItem(id=ItemId("1"), hashes=whole.hashes[:1], media=mirrored)
    hma.requests.clear()
    (result,) = colour.match(url, [bare])
    assert result.outcome is Outcome.POTENTIAL_MATCH
    assert result.matches[0].query.variant is Variant.MIRRORED
    # What it brings is not asked for twice.
    assert len([request for request in hma.requests if request.path == "/m/lookup"]) == 8
    sending = HmaSettings.at(url, send_bytes=True)
    assert any("mirrored or turned" in warning for warning in colour.health(sending).warnings)
    (sent,) = colour.match(sending, [bare])
    assert (sent.outcome, sent.reason) == (Outcome.NOT_CHECKED, NotChecked.MISSING_HASH)
    (unread,) = colour.match(url, [attrs.evolve(bare, media=Path("/nonexistent/file"))])
    assert (unread.outcome, unread.reason) == (Outcome.NOT_CHECKED, NotChecked.UNREADABLE)
    (alone,) = colour.match(url, [attrs.evolve(bare, media=None)])
    assert alone.outcome is Outcome.NO_MATCH


def test_without_the_extra(colour: Any, url: str, known: MediaItem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pictures cannot be hashed here, they are not checked unless they bring their hashes, and `health` says so."""
    (whole,) = colour.match(url, [known])
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "cybertip.hashing.pictures":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert one(colour, url, known.media or b"").reason is NotChecked.MISSING_HASH
    assert any("cybertip[pdq]" in warning for warning in colour.health(url).warnings)
    first = MediaItem(id=ItemId("1"), hashes=whole.hashes[:1], media=known.media)
    assert colour.match(url, [first])[0].unchecked == ()
    bare = MediaItem(id=ItemId("1"), hashes=whole.hashes)
    (result,) = colour.match(url, [bare])
    assert result.outcome is Outcome.POTENTIAL_MATCH
    assert {hash.type for hash in result.hashes} == {PDQ}
