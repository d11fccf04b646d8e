"""A double of hash sharing, and a sync from it into a store."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cybertip.adapters.matching.sharing import HashSharingSync, HttpxHashSharing, Synced
from cybertip.adapters.matching.store import HashStore
from cybertip.hash_sharing import Source
from cybertip.hashing.values import MD5, PDQ, SHA1
from cybertip.protocol import Credentials
from cybertip.testing.hash_sharing import HashSharingDouble

NOW = datetime.now(UTC).replace(microsecond=0)
LIST = "synthetic"
CREDENTIALS = Credentials(username="sandbox", password="sandbox")

Sync = Callable[..., Synced]


def digits(number: int) -> dict[str, str]:
    """Hashes of a made-up entry."""
    return {MD5: f"{number:032x}", SHA1: f"{number:040x}", PDQ: f"{number:064x}"}


@pytest.fixture
def double() -> Iterator[HashSharingDouble]:
    """A list with a few entries, one changed, one deleted, one deleted and put there again."""
    with HashSharingDouble(page_size=3, seed=5) as double:
        for number in range(12):
            double.put(f"image{number}", at=NOW - timedelta(days=900 - number), fingerprints=digits(number))
        double.put("image3", at=NOW - timedelta(days=9), fingerprints={MD5: "3" * 32}, classification="A1")
        double.put("video1", member="43", kind="video", at=NOW - timedelta(days=8), fingerprints=digits(99))
        double.delete("image4", at=NOW - timedelta(days=7))
        double.delete("image5", at=NOW - timedelta(days=6))
        double.put("image5", at=NOW - timedelta(days=5), fingerprints=digits(5), disputed=True)
        yield double


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HashStore]:
    with HashStore(tmp_path / "lists.db") as store:
        yield store


@pytest.fixture
def source(double: HashSharingDouble) -> Source:
    return Source(list=LIST, url=double.url)


@pytest.fixture
def pauses() -> list[float]:
    """How long the sync waited, if it had."""
    return []


@pytest.fixture
def sync(store: HashStore, source: Source, pauses: list[float]) -> Sync:
    """A function that runs a sync; it never really waits."""

    def run(**options: Any) -> Synced:
        credentials = options.pop("credentials", CREDENTIALS)
        given = {"pause": pauses.append} | options
        with HttpxHashSharing(source, credentials) as sharing:
            return HashSharingSync(given.pop("store", store), sharing, **given).run()

    return run


@pytest.fixture
def dying(sync: Sync) -> Callable[..., None]:
    """A function that runs a sync which may end by any of these errors."""

    def run(*errors: type[BaseException], **options: Any) -> None:
        with suppress(*errors):
            sync(**options)

    return run
