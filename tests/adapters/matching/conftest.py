"""Lists of made-up hashes, and pictures that are on them and are not."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from PIL import Image

from cybertip.adapters.matching.store import HashStore, ListEntry
from cybertip.hashing.digests import digest
from cybertip.hashing.pictures import PictureHashes, hash_picture
from cybertip.ports.matching import EntryId, ListName, MediaHash, MemberId
from cybertip.testing.pictures import picture

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIST = ListName("synthetic")


@attrs.define
class FixedClock:
    """A clock that stands still until it is put forward."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


def saved(seed: int, kind: str = "PNG") -> bytes:
    """Return a made-up picture as a file."""
    file = io.BytesIO()
    Image.fromarray(picture(seed, 240, 320)).save(file, kind)
    return file.getvalue()


def hashes_of(data: bytes) -> tuple[MediaHash, ...]:
    """Return what a list holds of a picture: its digests and its own PDQ hash."""
    found = hash_picture(data)
    assert isinstance(found, PictureHashes)
    return (*digest(data).hashes, found.hashes[0])


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HashStore]:
    """A list with one picture on it, which was complete an hour ago."""
    with HashStore(tmp_path / "lists.db") as store:
        with store.changing(LIST) as change:
            entry = ListEntry(
                entry=EntryId("image1"), member=MemberId("42"), classification="A1", hashes=hashes_of(saved(1))
            )
            change.put(entry)
            change.complete(NOW - timedelta(hours=1))
        yield store


@pytest.fixture
def closed(tmp_path: Path) -> HashStore:
    """A store that cannot be reached any more."""
    store = HashStore(tmp_path / "closed.db")
    store.close()
    return store


@pytest.fixture
def picture_file() -> Callable[..., bytes]:
    """Return the function that makes a picture's file: `picture_file(seed, "JPEG")`."""
    return saved


@pytest.fixture
def known_hashes() -> Callable[[bytes], tuple[MediaHash, ...]]:
    """Return the function that makes a list's hashes of a file."""
    return hashes_of
