"""An item's hashes: those that it brings, and those that are made of its bytes on this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from cybertip.hashing.digests import digest
from cybertip.ports.matching import MD5, PDQ, SHA1, SHA256, HashType, MediaHash, MediaItem, NotChecked, Variant

if TYPE_CHECKING:
    from cybertip.hashing.decoding import Limits

__all__ = ["LOWEST_QUALITY", "Hashed", "can_hash_pictures", "given", "hashed_here", "is_poor", "lacks_flips", "read"]

#: PDQ's authors advise against matching what is poorer, and HMA gives it no hash.
LOWEST_QUALITY = 50

_DIGESTS = frozenset({MD5, SHA1, SHA256})


@attrs.frozen(kw_only=True)
class Hashed:
    """The hashes of an item, and which kinds are not there or not whole, and why."""

    hashes: tuple[MediaHash, ...] = ()
    missing: Mapping[HashType, NotChecked] = attrs.field(factory=dict)

    def __add__(self, other: "Hashed") -> "Hashed":
        return Hashed(hashes=(*self.hashes, *other.hashes), missing={**self.missing, **other.missing})


def given(item: MediaItem, kinds: frozenset[HashType]) -> Hashed:
    """Return what an item brings of these kinds; poor hashes are there, and are not looked up."""
    poor = {one.type for one in item.hashes if one.type in kinds and is_poor(one)}
    hashes = tuple(one for one in item.hashes if one.type in kinds)
    return Hashed(hashes=hashes, missing=dict.fromkeys(poor, NotChecked.LOW_QUALITY))


def lacks_flips(item: MediaItem) -> bool:
    """Tell whether a picture brings some PDQ hash and its bytes, but not the hashes of all its flips and turns."""
    brought = {one.variant for one in item.hashes if one.type == PDQ}
    return item.media is not None and bool(brought) and not brought >= frozenset(Variant)


def is_poor(one: MediaHash) -> bool:
    """Tell whether a hash would match what has nothing to do with it."""
    return one.quality is not None and one.quality < LOWEST_QUALITY


def hashed_here(item: MediaItem, kinds: frozenset[HashType], *, limits: "Limits | None" = None) -> Hashed:
    """Hash an item's bytes on this machine; it raises for no file."""
    if item.media is None:
        return Hashed(missing=dict.fromkeys(kinds, NotChecked.MISSING_HASH))
    found = _pictures(item.media, limits) if PDQ in kinds else Hashed()
    if kinds & _DIGESTS:
        found += _digests(item.media, kinds & _DIGESTS)
    return found + Hashed(missing=dict.fromkeys(kinds - {PDQ} - _DIGESTS, NotChecked.MISSING_HASH))


def can_hash_pictures() -> bool:
    """Tell whether the extra for pictures is installed."""
    try:
        import cybertip.hashing.pictures  # noqa: F401 - whether it is there is the question
    except ImportError:
        return False
    return True


def _pictures(media: bytes | Path, limits: "Limits | None") -> Hashed:
    if not can_hash_pictures():
        return Hashed(missing={PDQ: NotChecked.MISSING_HASH})
    from cybertip.hashing.pictures import Remark, Unhashed, hash_picture

    found = hash_picture(media, limits=limits)
    if isinstance(found, Unhashed):
        return Hashed(missing={PDQ: found.reason})
    moving = Remark.FIRST_FRAME in found.remarks
    return Hashed(hashes=found.hashes, missing={PDQ: NotChecked.FIRST_FRAME_ONLY} if moving else {})


def _digests(media: bytes | Path, kinds: frozenset[HashType]) -> Hashed:
    try:
        return Hashed(hashes=tuple(one for one in digest(media).hashes if one.type in kinds))
    except (OSError, ValueError):
        return Hashed(missing=dict.fromkeys(kinds, NotChecked.UNREADABLE))


def read(media: bytes | Path, most: int) -> bytes | NotChecked:
    """Return a file's bytes, or why not: it is larger than may be sent, or cannot be read."""
    if isinstance(media, bytes):
        return media if len(media) <= most else NotChecked.TOO_LARGE
    try:
        with media.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError):
        return NotChecked.UNREADABLE
    return data if len(data) <= most else NotChecked.TOO_LARGE
