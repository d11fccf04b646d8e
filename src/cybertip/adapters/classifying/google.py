"""Google's Content Safety API: in which order people should look at pictures that no list knows. Needs the extra `[pdq]`.

It sorts, and nothing more: it never says what a picture shows, its terms demand that people review what it was asked about,
and nothing here can file. It was built by Google's documentation and tried with a double, not with Google.
"""

from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

import anyio
import anyio.to_thread
import httpx

from cybertip.adapters.classifying.estimates import (
    Batch,
    Estimate,
    Reading,
    answers,
    batches,
    previews,
    request_of,
)
from cybertip.hashing.pictures import Limits
from cybertip.ports.matching import Classification, MediaItem, NotChecked
from cybertip.webhooks.addresses import Address

__all__ = ["MOST_ITEMS", "URL", "AsyncGoogleClassifier", "GoogleClassifier"]

URL: Final = "https://contentsafety.googleapis.com/v1beta1/images:classify"

#: How many items are taken at once: their small copies are in memory together.
MOST_ITEMS: Final = 256


class GoogleClassifier:
    """Estimate pictures (see `cybertip.ports.matching.Classifier` for what is guaranteed).

    Google sees a small copy of each picture, written anew, and never the file, its name or the item's id. Up to 32 copies,
    of 10 MB in all, go in one request. Nothing is sent twice: whoever asks decides whether to ask again.

    What Google refuses, and what is not understood, is logged as a warning without anything of the pictures or the key.

    Args:
        key: Google's, for this API. It is sent in a header.
        url: another address than Google's, such as that of a proxy of yours; https, unless it is on this machine.
        http: a client of yours with all that it brings along; redirects are never followed, and it is never closed here.
        answer_for: how long an answer may take as a whole.
        limits: what is too large or too small to be decoded.
        name: what it is called in its answers.
        threads: how many pictures are decoded at a time; as many as there are cores, where nothing is said.
    """

    def __init__(
        self,
        key: str,
        *,
        url: str = URL,
        http: httpx.Client | None = None,
        answer_for: timedelta = timedelta(seconds=60),
        limits: Limits | None = None,
        name: str = "google content safety",
        threads: int | None = None,
    ) -> None:
        self._key = _checked(key)
        self._url = Address.of(url).url
        self._answer_for = answer_for
        self._limits = limits
        self._name = name
        self._threads = threads
        self._ours = http is None
        self._http = httpx.Client(**_settings(url)) if http is None else http

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """What it is called in its answers."""
        return self._name

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        return MOST_ITEMS

    def classify(self, items: Sequence[MediaItem]) -> tuple[Classification, ...]:
        """Estimate items."""
        _check_number(items)
        shown = previews(items, self._limits, self._threads)
        found: dict[int, Estimate | NotChecked] = {}
        for batch in batches(shown):
            found |= self._asked(batch)
        return answers(items, shown, found, classifier=self._name)

    def _asked(self, batch: Batch) -> dict[int, Estimate | NotChecked]:
        """Ask about one batch, and return what is known of each of its pictures."""
        reading = Reading(batch, answer_for=self._answer_for)
        try:
            request = self._http.build_request(url=self._url, **request_of(batch, self._key))
            response = self._http.send(request, stream=True, follow_redirects=False)
            try:
                if reading.begin(response):
                    for block in response.iter_bytes():
                        if not reading.take(block):
                            break
            finally:
                response.close()
        except Exception as error:
            reading.fail(error)
        return reading.estimates()

    def close(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._ours:
            self._http.close()


class AsyncGoogleClassifier:
    """Estimate pictures on asyncio or trio, as `GoogleClassifier` does; they are decoded in threads."""

    def __init__(
        self,
        key: str,
        *,
        url: str = URL,
        http: httpx.AsyncClient | None = None,
        answer_for: timedelta = timedelta(seconds=60),
        limits: Limits | None = None,
        name: str = "google content safety",
        threads: int | None = None,
    ) -> None:
        self._key = _checked(key)
        self._url = Address.of(url).url
        self._answer_for = answer_for
        self._limits = limits
        self._name = name
        self._threads = threads
        self._ours = http is None
        self._http = httpx.AsyncClient(**_settings(url)) if http is None else http

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def name(self) -> str:
        """What it is called in its answers."""
        return self._name

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        return MOST_ITEMS

    async def classify(self, items: Sequence[MediaItem]) -> tuple[Classification, ...]:
        """Estimate items."""
        _check_number(items)
        shown = await anyio.to_thread.run_sync(previews, items, self._limits, self._threads)
        found: dict[int, Estimate | NotChecked] = {}
        for batch in batches(shown):
            found |= await self._asked(batch)
        return answers(items, shown, found, classifier=self._name)

    async def _asked(self, batch: Batch) -> dict[int, Estimate | NotChecked]:
        """Ask about one batch, and return what is known of each of its pictures."""
        reading = Reading(batch, answer_for=self._answer_for)
        try:
            request = self._http.build_request(url=self._url, **request_of(batch, self._key))
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                if reading.begin(response):
                    async for block in response.aiter_bytes():
                        if not reading.take(block):
                            break
            finally:
                await response.aclose()
        except Exception as error:
            reading.fail(error)
        return reading.estimates()

    async def aclose(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._ours:
            await self._http.aclose()


def _checked(key: str) -> str:
    """Return a key that a header can hold; the error does not quote it."""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("a key is text in plain characters, without spaces")
    return key


def _settings(url: str) -> dict[str, Any]:
    """Return the settings of a client of our own."""
    # A double is on this machine, where no proxy has any business, and speaks no TLS.
    return {"follow_redirects": False, "trust_env": Address.of(url).scheme == "https"}


def _check_number(items: Sequence[MediaItem]) -> None:
    if len(items) > MOST_ITEMS:
        raise ValueError(f"{len(items)} items were asked about, and at most {MOST_ITEMS} may be at once")
