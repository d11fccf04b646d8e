"""An HMA of our own on a loopback port, with two pictures in a bank, and matchers in both colours that ask it."""

import io
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import anyio
import attrs
import httpx
import pytest
from PIL import Image

from cybertip.adapters.matching.hma import AsyncHmaMatcher, HmaMatcher, HmaSettings
from cybertip.hashing.pictures import PictureHashes, hash_picture
from cybertip.ports.matching import ItemId, MatcherHealth, MatchResult, MediaItem
from cybertip.testing.hma import Hma, running
from cybertip.testing.pictures import picture

BANK = "SYNTHETIC"

#: A hash that is on a list, as far as a test says so.
KNOWN = "0f" * 32

#: An address where nobody listens.
NOWHERE = "http://127.0.0.1:9"


@cache
def saved(seed: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture(seed, 240, 320)).save(file, kind)
    return file.getvalue()


@cache
def pdq_of(data: bytes) -> str:
    found = hash_picture(data)
    assert isinstance(found, PictureHashes)
    return found.hashes[0].value


@pytest.fixture(scope="session")
def picture_file() -> Callable[..., bytes]:
    """Return the function that makes a picture's file, each but once."""
    return saved


@pytest.fixture(scope="session")
def pdq() -> Callable[[bytes], str]:
    """Return the function that makes the hash of a picture's file as a list holds it, each but once."""
    return pdq_of


@pytest.fixture
def hma() -> Hma:
    """A bank with the pictures 1 and 3, and an empty one."""
    double = Hma()
    double.bank(BANK)
    double.bank("EMPTY")
    for seed in (1, 3):
        double.add(BANK, pdq=pdq_of(saved(seed)))
    return double


@pytest.fixture
def url(hma: Hma) -> Iterator[str]:
    with running(hma) as url:
        yield url


@pytest.fixture
def known() -> MediaItem:
    """A picture that is in the bank, as another kind of file."""
    return MediaItem(id=ItemId("known"), media=saved(1, "JPEG"))


@pytest.fixture
def unknown() -> MediaItem:
    """A picture that is in no bank."""
    return MediaItem(id=ItemId("unknown"), media=saved(2))


class Recorded:
    """Answers as they were recorded of an HMA 1.1.7 that is well and knows nothing of what it is asked.

    They are written down here and not taken from the double, so that matcher and double are not wrong together.
    """

    NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: dict[str, tuple[int, bytes | str]] = {
            "GET /status": (200, "I-AM-ALIVE"),
            "GET /site-map": (200, '["/","/c/banks","/h/hash","/m/lookup","/status"]'),
            "GET /m/index/status": (
                200,
                '{"pdq":{"built_to":1795289784,"present":true,"size":2},'
                '"video_md5":{"built_to":1795289784,"present":true,"size":1}}',
            ),
            "GET /c/signal_type": (
                200,
                '[{"enabled_ratio":1.0,"name":"pdq"},{"enabled_ratio":1.0,"name":"video_md5"}]',
            ),
            "GET /c/signal_type/index": (
                200,
                '{"pdq":{"db_size":2,"index_built_to":1795289784,"index_out_of_date":false,"index_size":2,'
                '"newest_db_item":1795289784},"video_md5":{"db_size":1,"index_built_to":1795289784,'
                '"index_out_of_date":false,"index_size":1,"newest_db_item":1795289784}}',
            ),
            "GET /c/banks": (200, '[{"matching_enabled_ratio":1.0,"name":"BANK"}]'),
            "GET /c/exchanges": (200, "[]"),
            "GET /c/bank/BANK/content/1": (
                200,
                '{"bank":{"matching_enabled_ratio":1.0,"name":"BANK"},"disable_until_ts":1,"id":1,'
                f'"original_media_uri":null,"signals":{{"pdq":"{KNOWN}"}}}}',
            ),
            "GET /c/bank/BANK/content/2": (200, '{"id":2,"signals":{"video_md5":"' + "0" * 32 + '"}}'),
            "GET /m/raw_lookup": (200, '{"matches":[5,1,2]}'),
            "GET /m/lookup": (200, "{}"),
            "POST /h/hash": (200, f'{{"pdq":"{KNOWN}"}}'),
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        request.read() if isinstance(request.stream, httpx.SyncByteStream) else None
        status, body = self.answers[f"{request.method} {request.url.path}"]
        return httpx.Response(status, content=body)

    def now(self) -> datetime:
        """It is its own clock."""
        return self.NOW


@pytest.fixture(scope="session")
def new_recorded() -> type[Recorded]:
    """Return what makes recorded answers, for tests that need many."""
    return Recorded


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@attrs.frozen
class Colour:
    """A matcher of one colour, for one question each."""

    asynchronous: bool

    def match(self, settings: HmaSettings | str, items: Sequence[MediaItem], **more: Any) -> tuple[MatchResult, ...]:
        """Ask a new matcher about items."""
        results: tuple[MatchResult, ...] = self.of(settings, lambda matcher: matcher.match(items), **more)
        return results

    def health(self, settings: HmaSettings | str, **more: Any) -> MatcherHealth:
        """Ask a new matcher how it is."""
        health: MatcherHealth = self.of(settings, lambda matcher: matcher.health(), **more)
        return health

    def of(self, settings: HmaSettings | str, *calls: Callable[[Any], Any], **more: Any) -> Any:
        """Make calls of one new matcher, and return what the last returned."""
        if self.asynchronous:
            return anyio.run(partial(self._called, settings, calls, **more))
        with HmaMatcher(settings, **more) as matcher:
            return [call(matcher) for call in calls][-1]

    async def _called(self, settings: HmaSettings | str, calls: Sequence[Callable[[Any], Any]], **more: Any) -> Any:
        async with AsyncHmaMatcher(settings, **more) as matcher:
            return [(await found if hasattr(found := call(matcher), "__await__") else found) for call in calls][-1]

    def client(self, handler: Callable[[httpx.Request], Any], **more: Any) -> Any:
        """Return a client that asks a function."""
        kind = httpx.AsyncClient if self.asynchronous else httpx.Client
        return kind(transport=httpx.MockTransport(handler), **more)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    return Colour(request.param)
