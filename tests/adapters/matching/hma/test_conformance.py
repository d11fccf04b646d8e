"""The matchers of an HMA keep what the port promises, in both colours, with hashes and with bytes."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from cybertip.adapters.matching.hma import AsyncHmaMatcher, HmaMatcher, HmaSettings
from cybertip.hashing.pictures import PictureHashes, hash_picture
from cybertip.ports.matching import ItemId, MediaItem
from cybertip.testing.conformance import AsyncHashMatcherSuite, HashMatcherSuite
from cybertip.testing.hma import Hma, running

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def stale_url(picture_file: Callable[..., bytes], pdq: Callable[[bytes], str]) -> Iterator[str]:
    """An HMA whose bank is filled by an exchange that fetched for the last time in 2001."""
    double = Hma()
    double.exchange("OLD", last_fetch_succeeded=True, up_to_date=True, last_fetch_complete_ts=1_000_000_000)
    for seed in (1, 3):
        double.add("OLD", pdq=pdq(picture_file(seed)))
    with running(double) as url:
        yield url


class Items:
    """A picture that is in the bank, as another kind of file, and one that is in none."""

    @pytest.fixture
    def known(self, picture_file: Callable[..., bytes]) -> MediaItem:
        return MediaItem(id=ItemId("known"), media=picture_file(1, "JPEG"))

    @pytest.fixture
    def unknown(self, picture_file: Callable[..., bytes]) -> MediaItem:
        return MediaItem(id=ItemId("unknown"), media=picture_file(2))


class TestHmaMatcher(Items, HashMatcherSuite):
    """Hashes are made here."""

    more: dict[str, Any] = {}  # noqa: RUF012 - a class without instances of its own

    @pytest.fixture
    def matcher(self, url: str) -> Iterator[HmaMatcher]:
        with HmaMatcher(HmaSettings.at(url, **self.more)) as matcher:
            yield matcher

    @pytest.fixture
    def broken(self) -> Iterator[HmaMatcher]:
        with HmaMatcher(HmaSettings.at(NOWHERE, **self.more)) as matcher:
            yield matcher

    @pytest.fixture
    def stale(self, stale_url: str) -> Iterator[HmaMatcher]:
        with HmaMatcher(HmaSettings.at(stale_url, **self.more)) as matcher:
            yield matcher


class TestHmaMatcherSendingBytes(TestHmaMatcher):
    """Hashes are made by HMA, and `no_match` is said of what brings its own."""

    more = {"send_bytes": True}  # noqa: RUF012 - as above

    @pytest.fixture
    def unknown(self, picture_file: Callable[..., bytes]) -> MediaItem:
        found = hash_picture(picture_file(2))
        assert isinstance(found, PictureHashes)
        return MediaItem(id=ItemId("unknown"), hashes=found.hashes)


class TestAsyncHmaMatcher(Items, AsyncHashMatcherSuite):
    """On event loops."""

    @pytest.fixture
    def async_matcher(self, url: str) -> AsyncHmaMatcher:
        return AsyncHmaMatcher(HmaSettings.at(url, state_for=timedelta(0)))

    @pytest.fixture
    def async_broken(self) -> AsyncHmaMatcher:
        return AsyncHmaMatcher(NOWHERE)

    @pytest.fixture
    def async_stale(self, stale_url: str) -> AsyncHmaMatcher:
        return AsyncHmaMatcher(stale_url)
